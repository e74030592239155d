/** The official `@anthropic-ai/sdk` client against Weir, over an Anthropic and over an OpenAI vendor. */
import Anthropic, {
  APIError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitError,
} from "@anthropic-ai/sdk";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ToolCall } from "../fixtures/scripted-vendor.ts";
import { recordOf } from "../faults/vendor-house.ts";
import { type SdkHouse, startSdkHouse } from "./sdk-house.ts";

let sdk: SdkHouse;
beforeAll(async () => {
  sdk = await startSdkHouse();
});
afterAll(() => sdk.close());
beforeEach(() => sdk.vendor.reset());

const ask = {
  max_tokens: 200,
  system: "Be brief.",
  messages: [{ role: "user" as const, content: "What is a sight deposit? Zürich 🏦" }],
};
const calls: ToolCall[] = [
  { id: "call_rate", name: "get_rate", arguments: '{"city":"Zürich","months":12}' },
  { id: "call_time", name: "get_time", arguments: "{}" },
];
const tools: Anthropic.Tool[] = [
  {
    name: "get_rate",
    description: "A rate.",
    input_schema: { type: "object", properties: { city: { type: "string" } } },
  },
  { name: "get_time", input_schema: { type: "object", properties: {} } },
];
const usage = { input: 20, cached: 5, output: 7 };

it("counts tokens before anything is sent, without asking a vendor", async () => {
  const client = sdk.anthropic();
  const { messages, system } = ask;
  const short = await client.messages.countTokens({ model: "over-anthropic", messages });
  const long = await client.messages.countTokens({ model: "over-anthropic", messages, system, tools });
  expect(short.input_tokens).toBeGreaterThan(5);
  expect(long.input_tokens).toBeGreaterThan(short.input_tokens);
  await expect(client.messages.countTokens({ model: "nothing", messages })).rejects.toBeInstanceOf(NotFoundError);
  expect(sdk.vendor.received).toHaveLength(0);
});

describe.each([
  ["over-anthropic", "claude-vendor", "an-main"],
  ["over-openai", "gpt-vendor", "oa-main"],
])("%s", (model, vendorModel, rung) => {
  it("answers in one piece, with usage and Weir's headers", async () => {
    sdk.vendor.play({ text: "Money you can take out at any time.", usage });
    const { data, response } = await sdk
      .anthropic()
      .messages.create({ ...ask, model })
      .withResponse();
    expect(data).toMatchObject({
      type: "message",
      role: "assistant",
      model: vendorModel,
      stop_reason: "end_turn",
      content: [{ type: "text", text: "Money you can take out at any time." }],
      usage: { input_tokens: 20, cache_read_input_tokens: 5, output_tokens: 7 },
    });
    expect(response.headers.get("x-weir-decision-id")).toMatch(/^dec_/);
    expect(response.headers.get("x-weir-model")).toBe(rung);
    expect(response.headers.get("x-weir-attempts")).toBe("1");
    const record = await recordOf(sdk.house, response.headers.get("x-weir-decision-id"));
    expect(record.settled).toMatchObject([
      {
        state: "answered",
        surface: "anthropic",
        usage: { input: 20, cached_input: 5, output: 7 },
        cost_nano_usd: 39_000,
      },
    ]);
  });

  it("streams every event in its order", async () => {
    sdk.vendor.play({ text: "Money you can take out at any time.", usage, pieces: 5 });
    const { data, response } = await sdk
      .anthropic()
      .messages.create({ ...ask, model, stream: true })
      .withResponse();
    expect(response.headers.get("x-weir-decision-id")).toMatch(/^dec_/);
    const types: string[] = [];
    let text = "";
    for await (const event of data) {
      types.push(event.type);
      if (event.type === "content_block_delta" && event.delta.type === "text_delta") text += event.delta.text;
    }
    expect(text).toBe("Money you can take out at any time.");
    expect(types.filter((type) => type !== "ping")).toEqual([
      "message_start",
      "content_block_start",
      ...Array.from({ length: 5 }, () => "content_block_delta"),
      "content_block_stop",
      "message_delta",
      "message_stop",
    ]);
    const record = await recordOf(sdk.house, response.headers.get("x-weir-decision-id"));
    expect(record.settled).toMatchObject([
      { state: "answered", usage: { input: 20, cached_input: 5, output: 7, estimated: false } },
    ]);
  });

  it("gives a streamed message its usage", async () => {
    sdk.vendor.play({ text: "Yes.", usage });
    const final = await sdk
      .anthropic()
      .messages.stream({ ...ask, model })
      .finalMessage();
    expect(final.usage).toMatchObject({ input_tokens: 20, cache_read_input_tokens: 5, output_tokens: 7 });
  });

  it("carries parallel tool calls, whole and streamed", async () => {
    sdk.vendor.play({ text: "Let me look.", calls, usage }, { text: "Let me look.", calls, usage });
    const whole = await sdk.anthropic().messages.create({ ...ask, model, tools });
    const streamed = await sdk
      .anthropic()
      .messages.stream({ ...ask, model, tools })
      .finalMessage();
    for (const message of [whole, streamed]) {
      expect(message.stop_reason).toBe("tool_use");
      expect(message.content).toMatchObject([
        { type: "text", text: "Let me look." },
        { type: "tool_use", id: "call_rate", name: "get_rate", input: { city: "Zürich", months: 12 } },
        { type: "tool_use", id: "call_time", name: "get_time", input: {} },
      ]);
    }
  });

  it("carries tool results back", async () => {
    sdk.vendor.play({ text: "1.25 %" });
    await sdk.anthropic().messages.create({
      ...ask,
      model,
      tools,
      messages: [
        ...ask.messages,
        {
          role: "assistant",
          content: [{ type: "tool_use", id: "call_rate", name: "get_rate", input: { city: "Zürich" } }],
        },
        { role: "user", content: [{ type: "tool_result", tool_use_id: "call_rate", content: "1.25 %" }] },
      ],
    });
    const sent = sdk.vendor.received[0]!.body.toString("utf8");
    for (const part of ["call_rate", "get_rate", "1.25 %"]) expect(sent).toContain(part);
  });

  it("ends with the client's own error where the vendor's stream breaks", async () => {
    sdk.vendor.play({ text: "Half an answer", ending: "truncate" });
    const stream = sdk.anthropic().messages.stream({ ...ask, model });
    let text = "";
    stream.on("text", (piece) => (text += piece));
    const error = await stream.finalMessage().catch((fault: unknown) => fault);
    expect(error).toBeInstanceOf(APIError);
    expect((error as APIError).error).toMatchObject({ error: { code: "stream_broken" } });
    expect(text).toBe("Half an answer");
  });

  it("an aborted stream aborts the vendor's", async () => {
    sdk.vendor.play({ text: "Half an answer", ending: "hang" });
    const stream = await sdk.anthropic().messages.create({ ...ask, model, stream: true });
    for await (const event of stream) if (event.type === "content_block_delta") break;
    stream.controller.abort();
    expect(await sdk.vendor.received[0]!.aborted).toBe(true);
  });
});

describe("pass-through to a vendor of the same dialect", () => {
  const body =
    '{"model":"over-anthropic","max_tokens":50,"temperature":0.10000000000000000555, "x_beta":{"big":12345678901234567890123,"f":1.0},\n"messages":[{"role":"user","content":[{"type":"text","text":"h\\u00e9","cache_control":{"type":"ephemeral"}}]}]}';
  const send = (text: string) => sdk.house.post("/v1/messages", text, { "x-api-key": sdk.key });

  it("changes nothing but the model in a request", async () => {
    expect((await send(body)).status).toBe(200);
    expect(sdk.vendor.received[0]!.body.toString("utf8")).toBe(body.replace('"over-anthropic"', '"claude-vendor"'));
    expect(sdk.vendor.received[0]!.headers).toMatchObject({ "x-api-key": "sk-vendor-anthropic" });
    expect(sdk.vendor.received[0]!.headers["anthropic-version"]).toBeDefined();
  });

  it("changes nothing but the model in a streamed one", async () => {
    const streamed = body.replace(/}$/, ',"stream": true}');
    await (await send(streamed)).text();
    expect(sdk.vendor.received[0]!.body.toString("utf8")).toBe(
      streamed.replace('"over-anthropic"', '"claude-vendor"').replace('"stream": true', '"stream": true'),
    );
  });
});

describe("fields that a translation can't carry", () => {
  it("are named in x-weir-dropped", async () => {
    const { response } = await sdk
      .anthropic()
      .messages.create({ ...ask, model: "over-openai", inference_geo: "eu", ...({ x_new: 1 } as object) })
      .withResponse();
    expect(response.headers.get("x-weir-dropped")?.split(", ")).toEqual(["inference_geo", "x_new"]);
  });
});

describe("errors become the client's error classes with Weir's codes", () => {
  const create = (model: string, more: object = {}, key?: string) =>
    sdk.anthropic(key).messages.create({ ...ask, model, ...more } as Anthropic.MessageCreateParams);
  const cases: [string, () => Promise<unknown>, abstract new (...given: never[]) => Error, number, string][] = [
    ["a wrong key", () => create("over-openai", {}, "nonsense"), AuthenticationError, 401, "invalid_key"],
    ["an unknown use case", () => create("nothing"), NotFoundError, 404, "unknown_use_case"],
    ["a missing purpose", () => create("purposeful"), PermissionDeniedError, 403, "purpose_required"],
    [
      "a malformed message",
      () => create("over-openai", { messages: [{ role: "nobody", content: 1 }] }),
      BadRequestError,
      400,
      "invalid_request",
    ],
    [
      "a card number",
      () => create("guarded", { messages: [{ role: "user", content: "My card is 4111 1111 1111 1111" }] }),
      BadRequestError,
      400,
      "input_blocked",
    ],
    [
      "a vendor that fails",
      () => (sdk.vendor.play({ status: 500 }), create("over-anthropic")),
      InternalServerError,
      502,
      "ladder_exhausted",
    ],
    [
      "a failed stream before its first content",
      () => (sdk.vendor.play({ status: 529 }), create("over-anthropic", { stream: true })),
      InternalServerError,
      502,
      "ladder_exhausted",
    ],
  ];
  it.each(cases)("%s", async (_name, act, kind, status, code) => {
    const error: unknown = await act().then(
      () => undefined,
      (fault: unknown) => fault,
    );
    expect(error).toBeInstanceOf(kind);
    expect(error).toMatchObject({ status, error: { type: "error", error: { code } } });
    expect((error as APIError).headers?.get("x-weir-decision-id")).toMatch(/^dec_/);
  });

  it("over the limit, with a retry-after that the client can honour", async () => {
    await create("limited");
    const error = await create("limited").catch((fault: unknown) => fault);
    expect(error).toBeInstanceOf(RateLimitError);
    expect(Number((error as RateLimitError).headers!.get("retry-after"))).toBeGreaterThan(50);
  });
});

it("the models list has the client's own shape", async () => {
  const seen: unknown[] = [];
  for await (const model of sdk.anthropic().models.list()) seen.push([model.type, model.id]);
  expect(seen).toContainEqual(["model", "over-anthropic"]);
  expect(await sdk.anthropic().models.retrieve("over-openai")).toMatchObject({ type: "model", id: "over-openai" });
  // Also its errors are Anthropic's.
  const error = await sdk
    .anthropic()
    .models.retrieve("elsewhere")
    .catch((fault: unknown) => fault);
  expect(error).toBeInstanceOf(NotFoundError);
  expect((error as APIError).error).toMatchObject({ type: "error", error: { type: "not_found_error" } });
});
