/**
 * What each vendor's dialect can't be told of a client's wishes: named in `x-weir-dropped`, whole and streamed, and
 * refused before anything is sent where the client is strict. What can't be had at all is refused either way.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type ClientName, type MatrixHouse, startMatrixHouse } from "./matrix-house.ts";
import { type VendorName, vendorCases, vendorNames } from "./vendors.ts";

let matrix: MatrixHouse;
beforeAll(async () => {
  matrix = await startMatrixHouse();
});
afterAll(() => matrix.close());
beforeEach(() => matrix.vendor.reset());

/** For the vendors in the order of `vendorNames`: what is named, or that nothing is. */
type Row = readonly [wish: Record<string, unknown>, ...lost: readonly string[]];

const kept = "-";

const wishes: Record<ClientName, readonly Row[]> = {
  "openai-chat": [
    [{ seed: 7 }, kept, "seed", "seed", kept, "seed", kept],
    [{ logit_bias: { "1": 2 } }, kept, ...Array<string>(5).fill("logit_bias")],
    [{ n: 2 }, kept, "n", "n", kept, "n", "n"],
    [
      { logprobs: true, top_logprobs: 2 },
      kept,
      kept,
      "logprobs, top_logprobs",
      kept,
      "logprobs, top_logprobs",
      "top_logprobs",
    ],
    [
      { modalities: ["text", "audio"], audio: { voice: "alloy", format: "wav" } },
      kept,
      "audio",
      "audio",
      "audio.format",
      "audio",
      "audio",
    ],
    [{ reasoning_effort: "high" }, kept, kept, kept, kept, kept, "reasoning.effort"],
    [{ service_tier: "flex" }, kept, kept, "service_class", kept, kept, "service_class"],
    [{ metadata: { a: "b" } }, kept, kept, "metadata", kept, kept, "metadata"],
    [{ user: "u" }, kept, kept, kept, "user", "user", "user"],
    [{ presence_penalty: 0.5 }, kept, "presence_penalty", "presence_penalty", kept, "presence_penalty", kept],
    [{ stop: ["X"] }, kept, "stop", kept, kept, kept, kept],
    [{ temperature: 1.5 }, kept, kept, "temperature", kept, "temperature", kept],
    [{ response_format: { type: "json_object" } }, kept, kept, "response_format", kept, "response_format", kept],
    [{ web_search_options: {} }, kept, ...Array<string>(5).fill("web_search_options")],
    [{ max_completion_tokens: 50 }, ...Array<string>(6).fill(kept)],
  ],
  "openai-responses": [
    [{ truncation: "auto" }, "truncation", kept, ...Array<string>(4).fill("truncation")],
    [{ tools: [{ type: "web_search" }] }, "tools[0]", kept, ...Array<string>(4).fill("tools[0]")],
    [
      { reasoning: { effort: "high", summary: "auto" } },
      "reasoning.summary",
      kept,
      kept,
      kept,
      kept,
      "reasoning.effort",
    ],
    [{ max_tool_calls: 1 }, "max_tool_calls", kept, ...Array<string>(4).fill("max_tool_calls")],
    [{ service_tier: "flex" }, kept, kept, "service_class", kept, kept, "service_class"],
    [{ prompt: { id: "p" } }, "prompt", kept, ...Array<string>(4).fill("prompt")],
    [{ store: true }, "store", kept, ...Array<string>(4).fill("store")],
    [{ max_output_tokens: 50 }, ...Array<string>(6).fill(kept)],
  ],
  "anthropic-messages": [
    [
      { thinking: { type: "enabled", budget_tokens: 1024 }, max_tokens: 2048 },
      "reasoning.budget_tokens",
      "reasoning.budget_tokens",
      kept,
      kept,
      kept,
      kept,
    ],
    [{ top_k: 5 }, kept, "top_k", kept, kept, kept, kept],
    [{ stop_sequences: ["X"] }, kept, "stop", kept, kept, kept, kept],
    [{ metadata: { user_id: "u" } }, kept, kept, kept, "user", "user", "user"],
    [
      { tools: [{ type: "web_search_20250305", name: "web_search" }] },
      "tools[0]",
      "tools[0]",
      kept,
      "tools[0]",
      "tools[0]",
      "tools[0]",
    ],
    [{ service_tier: "standard_only" }, ...Array<string>(6).fill(kept)],
    [{ container: "c" }, "container", "container", kept, "container", "container", "container"],
    [
      { context_management: { edits: [] } },
      "context_management",
      "context_management",
      kept,
      "context_management",
      "context_management",
      "context_management",
    ],
    [
      { inference_geo: "eu" },
      "inference_geo",
      "inference_geo",
      kept,
      "inference_geo",
      "inference_geo",
      "inference_geo",
    ],
  ],
};

const cells = (Object.keys(wishes) as ClientName[]).flatMap((client) =>
  wishes[client].flatMap(([wish, ...lost]) =>
    vendorNames.map((vendor, i): [ClientName, string, VendorName, string, Record<string, unknown>] => [
      client,
      JSON.stringify(wish),
      vendor,
      lost[i]!,
      wish,
    ]),
  ),
);

describe("a wish that a vendor's dialect has no word for", () => {
  it.each(cells)("%s %s over %s: %s", async (clientName, _wish, vendorName, lost, more) => {
    matrix.vendor.fallback({ text: "Yes.", usage: vendorCases[vendorName].usage });
    const client = matrix.client(clientName);
    const whole = await client.create({ useCase: vendorName, more });
    const streamed = await client.stream({ useCase: vendorName, more });
    for (const heard of [whole, streamed]) expect(heard.headers.get("x-weir-dropped") ?? kept).toBe(lost);
    matrix.vendor.reset();
    const strict = client.create({ useCase: vendorName, more, strict: true });
    if (lost === kept) {
      expect((await strict).headers.get("x-weir-dropped")).toBeNull();
      return;
    }
    const error = await strict.catch((fault: unknown) => fault);
    expect(client.failure(error)).toMatchObject({ code: "translation_loss", status: 400 });
    for (const name of lost.split(", ")) expect((error as Error).message).toContain(name);
    expect(matrix.vendor.received).toHaveLength(0);
  });
});

/** What nobody here keeps, or nobody but its vendor holds. */
const impossible: [ClientName, Record<string, unknown>, string, readonly VendorName[]][] = [
  [
    "openai-responses",
    { previous_response_id: "resp_1" },
    "unsupported_feature",
    vendorNames.filter((name) => name !== "openai-responses"),
  ],
  ["openai-responses", { background: true }, "invalid_request", vendorNames],
  ["openai-responses", { conversation: "conv_1" }, "invalid_request", vendorNames],
];

describe("what can't be had", () => {
  it.each(impossible.flatMap(([client, more, code, vendors]) => vendors.map((v) => [client, more, v, code] as const)))(
    "%s %j over %s is refused with %s, and nothing is sent",
    async (clientName, more, vendorName, code) => {
      const client = matrix.client(clientName);
      const error = await client.create({ useCase: vendorName, more }).catch((fault: unknown) => fault);
      expect(client.failure(error)).toMatchObject({ code, status: 400 });
      expect((error as Error).message).toContain(Object.keys(more)[0]);
      expect(matrix.vendor.received).toHaveLength(0);
    },
  );

  it("an earlier answer's name goes to the vendor that gave it, as it is", async () => {
    matrix.vendor.play({ text: "Yes.", usage: vendorCases["openai-responses"].usage });
    await matrix
      .client("openai-responses")
      .create({ useCase: "openai-responses", more: { previous_response_id: "resp_1" } });
    expect(matrix.vendor.received[0]!.json["previous_response_id"]).toBe("resp_1");
  });
});
