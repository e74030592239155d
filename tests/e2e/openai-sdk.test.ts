/** The official `openai` client against Weir, over an OpenAI and over an Anthropic vendor. */
import OpenAI, {
  APIError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitError,
} from "openai";
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

const messages = [
  { role: "system" as const, content: "Be brief." },
  { role: "user" as const, content: "What is a sight deposit? Zürich 🏦" },
];
const calls: ToolCall[] = [
  { id: "call_rate", name: "get_rate", arguments: '{"city":"Zürich","months":12}' },
  { id: "call_time", name: "get_time", arguments: "{}" },
];
const tools: OpenAI.Chat.ChatCompletionTool[] = [
  {
    type: "function",
    function: {
      name: "get_rate",
      description: "A rate.",
      parameters: { type: "object", properties: { city: { type: "string" } } },
    },
  },
  { type: "function", function: { name: "get_time", parameters: { type: "object", properties: {} } } },
];
const usage = { input: 20, cached: 5, output: 7 };

describe.each([
  ["over-openai", "gpt-vendor", "oa-main"],
  ["over-anthropic", "claude-vendor", "an-main"],
])("%s", (useCase, vendorModel, model) => {
  it("answers in one piece, with usage and Weir's headers", async () => {
    sdk.vendor.play({ text: "Money you can take out at any time.", usage });
    const { data, response } = await sdk.openai().chat.completions.create({ model: useCase, messages }).withResponse();
    expect(data.choices).toMatchObject([
      {
        index: 0,
        finish_reason: "stop",
        message: { role: "assistant", content: "Money you can take out at any time." },
      },
    ]);
    expect(data).toMatchObject({ object: "chat.completion", model: vendorModel });
    expect(data.usage).toMatchObject({ prompt_tokens: 25, completion_tokens: 7, total_tokens: 32 });
    expect(data.usage!.prompt_tokens_details).toMatchObject({ cached_tokens: 5 });
    const { headers } = response;
    expect(headers.get("x-weir-decision-id")).toMatch(/^dec_[0-9a-z]{26}$/);
    expect(headers.get("x-weir-model")).toBe(model);
    expect(headers.get("x-weir-attempts")).toBe("1");
    expect(headers.get("x-weir-cache")).toBe("off");
    expect(headers.get("server-timing")).toMatch(/identify;dur=[\d.]+.*serve;dur=[\d.]+/);
    const record = await recordOf(sdk.house, headers.get("x-weir-decision-id"));
    expect(record.settled).toMatchObject([
      // 20 + 5 input at $1, 7 output at $2 a million tokens.
      { state: "answered", usage: { input: 20, cached_input: 5, output: 7, estimated: false }, cost_nano_usd: 39_000 },
    ]);
  });

  it("streams, with usage where it was asked for", async () => {
    sdk.vendor.play({ text: "Money you can take out at any time.", usage, pieces: 5 });
    const { data, response } = await sdk
      .openai()
      .chat.completions.create({ model: useCase, messages, stream: true, stream_options: { include_usage: true } })
      .withResponse();
    expect(response.headers.get("x-weir-decision-id")).toMatch(/^dec_/);
    expect(response.headers.get("x-weir-model")).toBe(model);
    let text = "";
    let pieces = 0;
    let last: OpenAI.CompletionUsage | null | undefined;
    const finishes: unknown[] = [];
    for await (const chunk of data) {
      const choice = chunk.choices[0];
      if (choice?.delta.content) pieces += 1;
      text += choice?.delta.content ?? "";
      if (choice?.finish_reason) finishes.push(choice.finish_reason);
      last = chunk.usage ?? last;
    }
    expect([text, pieces, finishes]).toEqual(["Money you can take out at any time.", 5, ["stop"]]);
    expect(last).toMatchObject({ prompt_tokens: 25, completion_tokens: 7 });
    const record = await recordOf(sdk.house, response.headers.get("x-weir-decision-id"));
    expect(record.settled).toMatchObject([
      { state: "answered", usage: { input: 20, cached_input: 5, output: 7, estimated: false }, cost_nano_usd: 39_000 },
    ]);
    expect(record.settled[0]!.delivered).toMatchObject({ complete: true });
  });

  it("counts the attempt that a stream is running on", async () => {
    const { data, response } = await sdk
      .openai()
      .chat.completions.create({ model: useCase, messages, stream: true })
      .withResponse();
    for await (const _chunk of data);
    expect(response.headers.get("x-weir-attempts")).toBe("1");
  });

  it("streams without usage where it was not asked for, and books it all the same", async () => {
    sdk.vendor.play({ text: "Yes.", usage });
    const { data, response } = await sdk
      .openai()
      .chat.completions.create({ model: useCase, messages, stream: true })
      .withResponse();
    for await (const chunk of data) {
      expect(chunk.usage ?? null).toBeNull();
      expect(chunk.choices).toHaveLength(1);
    }
    const record = await recordOf(sdk.house, response.headers.get("x-weir-decision-id"));
    expect(record.attempts).toMatchObject([{ status: "ok", usage: { output: 7, estimated: false } }]);
  });

  it("carries parallel tool calls, whole and streamed", async () => {
    sdk.vendor.play({ calls, usage }, { calls, usage });
    const whole = await sdk.openai().chat.completions.create({ model: useCase, messages, tools });
    const streamed = await sdk
      .openai()
      .chat.completions.stream({ model: useCase, messages, tools })
      .finalChatCompletion();
    for (const completion of [whole, streamed]) {
      const [choice] = completion.choices;
      expect(choice!.finish_reason).toBe("tool_calls");
      const seen = choice!.message.tool_calls!.map((call) =>
        call.type === "function" ? [call.id, call.function.name, JSON.parse(call.function.arguments)] : call,
      );
      expect(seen).toEqual([
        ["call_rate", "get_rate", { city: "Zürich", months: 12 }],
        ["call_time", "get_time", {}],
      ]);
    }
    const sent = sdk.vendor.received[0]!.json["tools"] as Record<string, unknown>[];
    expect(sent.map((tool) => (tool["function"] as { name: string } | undefined)?.name ?? tool["name"])).toEqual([
      "get_rate",
      "get_time",
    ]);
  });

  it("carries tool results back", async () => {
    const asked: OpenAI.Chat.ChatCompletionMessageParam[] = [
      ...messages,
      {
        role: "assistant",
        content: null,
        tool_calls: calls.map((call) => ({
          id: call.id,
          type: "function",
          function: { name: call.name, arguments: call.arguments },
        })),
      },
      { role: "tool", tool_call_id: "call_rate", content: "1.25 %" },
      { role: "tool", tool_call_id: "call_time", content: "noon" },
    ];
    sdk.vendor.play({ text: "1.25 % at noon." });
    const answer = await sdk.openai().chat.completions.create({ model: useCase, messages: asked, tools });
    expect(answer.choices[0]!.message.content).toBe("1.25 % at noon.");
    const sent = sdk.vendor.received[0]!.body.toString("utf8");
    for (const part of ["call_rate", "call_time", "1.25 %", "noon"]) expect(sent).toContain(part);
  });

  it("uses the vendor's key and never the caller's", async () => {
    await sdk.openai().chat.completions.create({ model: useCase, messages, user: "u-1" });
    const [one] = sdk.vendor.received;
    const given = one!.headers["authorization"] ?? one!.headers["x-api-key"];
    expect(given).toContain("sk-vendor-");
    expect(JSON.stringify(one!.headers)).not.toContain(sdk.key);
  });

  it("ends with the client's own error where the vendor's stream breaks", async () => {
    sdk.vendor.play({ text: "Half an answer", ending: "truncate" });
    const stream = await sdk.openai().chat.completions.create({ model: useCase, messages, stream: true });
    let text = "";
    const failed = (async () => {
      for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
    })();
    await expect(failed).rejects.toMatchObject({ code: "stream_broken" });
    expect(text).toBe("Half an answer");
  });

  it("an aborted stream aborts the vendor's", async () => {
    sdk.vendor.play({ text: "Half an answer", ending: "hang" });
    const stream = await sdk.openai().chat.completions.create({ model: useCase, messages, stream: true });
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break;
    stream.controller.abort();
    expect(await sdk.vendor.received[0]!.aborted).toBe(true);
  });
});

describe("pass-through to a vendor of the same dialect", () => {
  const body =
    '{ "model" : "over-openai", "temperature":0.10000000000000000555, "big": 12345678901234567890123,\n  "messages":[{"role":"user","content":"h\\u00e9 \\ud83d\\ude00","name":"x"}],"x_unknown":{"deep":[1.0,2.50,-0]},"seed":9007199254740993}';
  const send = (text: string) => sdk.house.post("/v1/chat/completions", text, { authorization: `Bearer ${sdk.key}` });

  it("changes nothing but the model in a request", async () => {
    expect((await send(body)).status).toBe(200);
    expect(sdk.vendor.received[0]!.body.toString("utf8")).toBe(body.replace('"over-openai"', '"gpt-vendor"'));
  });

  it("changes nothing but model and stream options in a streamed one", async () => {
    const streamed = body.replace(/}$/, ',"stream":true}');
    await (await send(streamed)).text();
    expect(sdk.vendor.received[0]!.body.toString("utf8")).toBe(
      streamed.replace('"over-openai"', '"gpt-vendor"').replace(/}$/, ',"stream_options":{"include_usage":true}}'),
    );
  });

  it("hands the vendor's answer over byte for byte", async () => {
    const text =
      '{"id":"x","object":"chat.completion","created":1, "model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"a\\u0062"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2},"x_new":1.50}';
    sdk.vendor.play({ lie: { contentType: "application/json", body: text } });
    expect(await (await send(body)).text()).toBe(text);
  });

  it("hands the vendor's events over byte for byte", async () => {
    const text =
      'data: {"id":"x","choices":[{"index":0,"delta":{"role":"assistant","content":"a"}}],"x_new":1.50}\n\n: ping\n\ndata: {"id":"x","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n';
    sdk.vendor.play({ lie: { contentType: "text/event-stream", body: text } });
    expect(await (await send(body.replace(/}$/, ',"stream":true}'))).text()).toBe(text);
  });
});

describe("fields that a translation can't carry", () => {
  it("are named in x-weir-dropped, whole and streaming", async () => {
    for (const stream of [false, true]) {
      const { response } = await sdk
        .openai()
        .chat.completions.create({ model: "over-anthropic", messages, seed: 7, logit_bias: { "1": 2 }, stream })
        .withResponse();
      const dropped = response.headers.get("x-weir-dropped")?.split(", ");
      expect(dropped).toEqual(expect.arrayContaining(["seed", "logit_bias"]));
    }
  });

  it("may have any name without breaking the answer or leaking what is held", async () => {
    for (const stream of [false, true]) {
      const body = JSON.stringify({
        model: "over-anthropic",
        messages,
        "größe\r\nx-evil: 1 🏦": 1,
        ...(stream && { stream }),
      });
      const response = await sdk.house.post("/v1/chat/completions", body, { authorization: `Bearer ${sdk.key}` });
      const text = await response.text();
      expect(response.status, `${stream ? "streaming" : "whole"}: ${text}`).toBe(200);
      expect(response.headers.get("x-evil")).toBeNull();
      expect(text).toContain("Hello");
    }
  });

  it("leave nothing held where the answer's headers can't be written", async () => {
    const { limits, money } = sdk.house.house;
    const body = JSON.stringify({ model: "over-anthropic", messages, "größe 🏦": 1, stream: true });
    const response = await sdk.house.post("/v1/chat/completions", body, { authorization: `Bearer ${sdk.key}` });
    await response.text();
    expect({ running: limits.running, held: money.held }).toEqual({ running: 0, held: 0 });
    const record = await recordOf(sdk.house, response.headers.get("x-weir-decision-id"));
    expect([record.begun.length, record.settled.length]).toEqual([1, 1]);
  });
});

describe("errors become the client's error classes with Weir's codes", () => {
  const create = (model: string, more: object = {}, key?: string) =>
    sdk.openai(key).chat.completions.create({ model, messages, ...more });
  const cases: [string, () => Promise<unknown>, abstract new (...given: never[]) => Error, number, string][] = [
    ["a wrong key", () => create("over-openai", {}, "nonsense"), AuthenticationError, 401, "invalid_key"],
    ["an unknown use case", () => create("nothing"), NotFoundError, 404, "unknown_use_case"],
    ["another tenant's use case", () => create("elsewhere"), NotFoundError, 404, "unknown_use_case"],
    ["a missing purpose", () => create("purposeful"), PermissionDeniedError, 403, "purpose_required"],
    [
      "a malformed message",
      () => create("over-openai", { messages: [{ role: "nobody" }] }),
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
      "a vendor that refuses the request",
      () => (sdk.vendor.play({ status: 400 }), create("over-openai")),
      BadRequestError,
      400,
      "upstream_rejected",
    ],
    [
      "a vendor that fails",
      () => (sdk.vendor.play({ status: 500 }), create("over-openai")),
      InternalServerError,
      502,
      "ladder_exhausted",
    ],
    [
      "a failed stream before its first content",
      () => (sdk.vendor.play({ status: 500 }), create("over-anthropic", { stream: true })),
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
    expect(error).toMatchObject({ status, code });
    const { headers, message } = error as APIError;
    expect(headers?.get("x-weir-decision-id")).toMatch(/^dec_/);
    expect(message).not.toContain("4111");
  });

  it("over the limit, with a retry-after that the client can honour", async () => {
    await create("limited");
    const error = await create("limited").catch((fault: unknown) => fault);
    expect(error).toBeInstanceOf(RateLimitError);
    const { headers, code } = error as RateLimitError;
    expect(code).toBe("rate_limited");
    const wait = Number(headers!.get("retry-after"));
    expect(wait).toBeGreaterThan(50);
    expect(wait).toBeLessThanOrEqual(60);
  });
});

describe("the models list", () => {
  it("shows the use cases of this key and no others", async () => {
    const ids: string[] = [];
    for await (const model of sdk.openai().models.list()) ids.push(model.id);
    expect(ids.sort()).toEqual(["guarded", "limited", "over-anthropic", "over-openai", "purposeful"]);
    const narrow = sdk.house.mintKey({ use_cases: ["guarded"] });
    const page = await sdk.openai(narrow).models.list();
    expect(page.data.map((model) => model.id)).toEqual(["guarded"]);
  });

  it("retrieves one", async () => {
    expect(await sdk.openai().models.retrieve("over-openai")).toMatchObject({
      id: "over-openai",
      object: "model",
      owned_by: "desk",
    });
    await expect(sdk.openai().models.retrieve("elsewhere")).rejects.toBeInstanceOf(NotFoundError);
  });
});
