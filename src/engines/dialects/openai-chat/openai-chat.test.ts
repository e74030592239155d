import { describe, expect, it } from "vitest";
import type { ChatEvent } from "../../../kernel/chat.ts";
import { requestOf } from "../sample-chats.ts";
import { openaiChatClient as client, openaiChatVendor as vendor } from "./index.ts";

const isUsageOnly = (data: string) => vendor.isUsageOnly!(data);

const user = { role: "user", content: "hi" };
const body = (fields: object): unknown => ({ model: "m", messages: [user], ...fields });
const call = (fields: object = {}) => ({
  id: "c1",
  type: "function",
  function: { name: "f", arguments: "{}" },
  ...fields,
});

const nested = JSON.parse("[".repeat(100_000) + "]".repeat(100_000)) as unknown;

describe("decodeRequest refuses", () => {
  const cases: [name: string, body: unknown, path: string][] = [
    ["no object", [], ""],
    ["null", null, ""],
    ["a missing model", { messages: [user] }, "model"],
    ["an empty model", { model: "", messages: [user] }, "model"],
    ["missing messages", { model: "m" }, "messages"],
    ["no messages", { model: "m", messages: [] }, "messages"],
    ["a message that is text", { model: "m", messages: ["hi"] }, "messages[0]"],
    ["an unknown role", { model: "m", messages: [{ role: "boss", content: "" }] }, "messages[0].role"],
    ["the function role", { model: "m", messages: [{ role: "function", name: "f", content: "" }] }, "messages[0].role"],
    ["a user without content", { model: "m", messages: [{ role: "user" }] }, "messages[0].content"],
    ["content of a number", { model: "m", messages: [user, { role: "user", content: 7 }] }, "messages[1].content"],
    [
      "a part without text",
      { model: "m", messages: [{ role: "user", content: [{ type: "text" }] }] },
      "messages[0].content[0].text",
    ],
    [
      "audio input",
      { model: "m", messages: [{ role: "user", content: [{ type: "input_audio" }] }] },
      "messages[0].content[0].input_audio",
    ],
    [
      "a tool message without id",
      { model: "m", messages: [{ role: "tool", content: "x" }] },
      "messages[0].tool_call_id",
    ],
    [
      "a tool call without a name",
      { model: "m", messages: [{ role: "assistant", tool_calls: [{ id: "1", function: {} }] }] },
      "messages[0].tool_calls[0].function.name",
    ],
    [
      "a retired function_call",
      { model: "m", messages: [{ role: "assistant", function_call: {} }] },
      "messages[0].function_call",
    ],
    ["more answers than there can be", body({ n: 129 }), "n"],
    ["a bias of text", body({ logit_bias: { "1": "x" } }), "logit_bias.1"],
    ["a tag of a number", body({ metadata: { a: 1 } }), "metadata.a"],
    ["a tier of a number", body({ service_tier: 1 }), "service_tier"],
    ["logprobs of a number", body({ logprobs: 1 }), "logprobs"],
    ["a budget of text", body({ reasoning: { max_tokens: "x" } }), "reasoning.max_tokens"],
    ["a custom tool without name", body({ tools: [{ type: "custom", custom: {} }] }), "tools[0].custom.name"],
    [
      "a file without data",
      { model: "m", messages: [{ role: "user", content: [{ type: "file", file: {} }] }] },
      "messages[0].content[0].file.file_data",
    ],
    [
      "audio that was never answered",
      { model: "m", messages: [{ role: "assistant", audio: {} }] },
      "messages[0].audio.id",
    ],
    ["functions", body({ functions: [] }), "functions"],
    ["function_call", body({ function_call: "auto" }), "function_call"],
    ["a stream flag of text", body({ stream: "true" }), "stream"],
    ["a temperature of text", body({ temperature: "1" }), "temperature"],
    ["no tokens", body({ max_tokens: 0 }), "max_tokens"],
    ["half a token", body({ max_completion_tokens: 1.5 }), "max_completion_tokens"],
    ["stop of numbers", body({ stop: ["a", 1] }), "stop[1]"],
    ["an unknown tool_choice", body({ tool_choice: "maybe" }), "tool_choice"],
    ["a tool without a name", body({ tools: [{ type: "function", function: {} }] }), "tools[0].function.name"],
    [
      "a schema without a name",
      body({ response_format: { type: "json_schema", json_schema: {} } }),
      "response_format.json_schema.name",
    ],
    [
      "a schema without bottom",
      body({ tools: [{ type: "function", function: { name: "f", parameters: { a: nested } } }] }),
      "tools[0].function.parameters",
    ],
    ["an unknown format", body({ response_format: { type: "xml" } }), "response_format.type"],
  ];
  for (const [name, given, path] of cases) {
    it(name, () => {
      const decoded = client.decodeRequest(given);
      expect(decoded).toMatchObject({ ok: false, path });
      expect(!decoded.ok && decoded.message.length).toBeGreaterThan(10);
    });
  }
});

describe("decodeRequest", () => {
  const decode = (given: unknown) => {
    const decoded = client.decodeRequest(given);
    if (!decoded.ok) throw new Error(decoded.message);
    return decoded.request;
  };

  it("takes null for absent, n of 1, and text modalities", () => {
    const nulls = { temperature: null, tools: null, stream: null, stop: null, n: 1, modalities: ["text"], audio: null };
    expect(decode(body(nulls))).toEqual({
      model: "m",
      messages: [{ role: "user", parts: [{ type: "text", text: "hi" }] }],
      stream: false,
      wants_usage: false,
      unmodelled: [],
    });
  });

  it("names what it doesn't model, by path", () => {
    const given = body({
      verbosity: "low",
      service_tier: "scale",
      reasoning_effort: "boundless",
      reasoning: { enabled: true },
      modalities: ["text", "image"],
      audio: { voice: { id: "own" }, format: "wav" },
      tool_choice: { type: "allowed_tools", allowed_tools: {} },
      stream_options: { include_usage: true, include_obfuscation: false },
      messages: [
        {
          role: "user",
          name: "ann",
          content: [{ type: "image_url", image_url: { url: "http://x/y", detail: "huge" } }],
        },
        {
          role: "user",
          content: [
            { type: "video_url", video_url: { url: "u" } },
            { type: "text", text: "t" },
          ],
        },
      ],
      tools: [
        { type: "function", function: { name: "f", returns: {} } },
        { type: "custom", custom: { name: "c", format: { type: "grammar", grammar: {} } } },
        { type: "web_search" },
      ],
    });
    expect(decode(given).unmodelled.toSorted()).toEqual([
      "audio",
      "messages[0].content[0].image_url.detail",
      "messages[0].name",
      "messages[1].content[0]",
      "modalities",
      "reasoning.enabled",
      "reasoning_effort",
      "service_tier",
      "stream_options.include_obfuscation",
      "tool_choice",
      "tools[0].function.returns",
      "tools[1].custom.format",
      "tools[2]",
      "verbosity",
    ]);
  });

  it("reads developers as system, refusals, tool calls, tool results and replayed reasoning", () => {
    const messages = [
      { role: "developer", content: "be brief" },
      { role: "assistant", content: null, refusal: "no", tool_calls: [call()] },
      {
        role: "tool",
        tool_call_id: "c1",
        content: [
          { type: "text", text: "a" },
          { type: "text", text: "b" },
        ],
      },
      { role: "assistant", content: "4", reasoning_content: "2+2", reasoning_signature: "sig" },
    ];
    expect(decode({ model: "m", messages }).messages).toEqual([
      { role: "system", parts: [{ type: "text", text: "be brief" }] },
      {
        role: "assistant",
        parts: [
          { type: "text", text: "no", refusal: true },
          { type: "tool_call", id: "c1", name: "f", arguments: "{}" },
        ],
      },
      { role: "tool", parts: [{ type: "tool_result", id: "c1", text: "ab" }] },
      {
        role: "assistant",
        parts: [
          { type: "reasoning", text: "2+2", signature: "sig" },
          { type: "text", text: "4" },
        ],
      },
    ]);
  });

  it("prefers max_completion_tokens, whichever comes first, and checks both", () => {
    expect(decode(body({ max_tokens: 1, max_completion_tokens: 2 })).max_tokens).toBe(2);
    expect(decode(body({ max_completion_tokens: 2, max_tokens: 1 })).max_tokens).toBe(2);
    expect(client.decodeRequest(body({ max_completion_tokens: 2, max_tokens: "1" }))).toMatchObject({ ok: false });
  });
});

describe("encodeRequest", () => {
  const request = {
    model: "m",
    messages: [],
    stream: true,
    wants_usage: false,
    max_tokens: 5,
    unmodelled: ["logprobs"],
  };

  it("asks a stream for usage, names what is dropped, and sends the maximum where the vendor wants it", () => {
    const target = { model: "gpt", defaultMaxTokens: 1, maxTokensField: "max_completion_tokens" } as const;
    const reasoning = [{ role: "assistant" as const, parts: [{ type: "reasoning" as const, text: "hm" }] }];
    expect(vendor.encodeRequest({ ...request, messages: reasoning }, target)).toEqual({
      body: {
        model: "gpt",
        messages: [{ role: "assistant", content: "" }],
        stream: true,
        stream_options: { include_usage: true },
        max_completion_tokens: 5,
      },
      dropped: ["logprobs", "reasoning"],
    });
    expect(vendor.encodeRequest({ ...request, tool_choice: { name: "f" } }, target)).toMatchObject({
      body: expect.not.objectContaining({ tool_choice: expect.anything() }),
      dropped: ["logprobs", "tool_choice"],
    });
    expect(vendor.encodeRequest(request, { model: "gpt", defaultMaxTokens: 1 }).body).toMatchObject({ max_tokens: 5 });
  });
});

const chunk = (delta: object, more: object = {}, finish: string | null = null) => ({
  event: "",
  data: JSON.stringify({ id: "a-1", model: "gpt", choices: [{ index: 0, delta, finish_reason: finish }], ...more }),
});
const toolDelta = (...pieces: object[]) => chunk({ tool_calls: pieces });
const done = { event: "", data: "[DONE]" };

function decodeStream(...records: { event: string; data: string }[]): ChatEvent[] {
  const stream = vendor.openStream();
  return records.flatMap((record) => stream.decode(record)).filter((event) => event.type !== "start");
}

describe("vendor stream", () => {
  const start = (index: number, id: string, name = "f"): ChatEvent => ({ type: "tool_call_start", index, id, name });
  const piece = (index: number, text: string): ChatEvent => ({ type: "tool_call_delta", index, arguments: text });

  it("keeps parallel interleaved calls apart", () => {
    const records = [
      toolDelta(
        { index: 0, ...call({ id: "x", function: { name: "f", arguments: "" } }) },
        { index: 1, ...call({ id: "y", function: { name: "g", arguments: '{"a"' } }) },
      ),
      toolDelta({ index: 0, function: { arguments: '{"b":1}' } }),
      toolDelta({ index: 1, function: { arguments: ":2}" } }),
    ];
    expect(decodeStream(...records)).toEqual([
      start(0, "x"),
      start(1, "y", "g"),
      piece(1, '{"a"'),
      piece(0, '{"b":1}'),
      piece(1, ":2}"),
    ]);
  });

  it("keeps calls apart that all say index 0, or none", () => {
    for (const index of [0, undefined]) {
      const records = ["x", "y"].map((id) => toolDelta({ index, ...call({ id }) }));
      expect(decodeStream(...records)).toEqual([start(0, "x"), piece(0, "{}"), start(1, "y"), piece(1, "{}")]);
    }
  });

  it("makes up missing ids, waits for a late name, and completes empty arguments", () => {
    const records = [
      toolDelta({ index: 0, function: { arguments: '{"q' } }),
      toolDelta({ index: 0, function: { name: "f", arguments: '":1}' } }),
      toolDelta({ index: 1, id: "y", function: { name: "g" } }),
      chunk({}, {}, "tool_calls"),
    ];
    expect(decodeStream(...records)).toEqual([
      start(0, "call_a-1_0"),
      piece(0, '{"q":1}'),
      start(1, "y", "g"),
      piece(1, "{}"),
      { type: "finish", finish: "tool_calls" },
    ]);
  });

  it("reads refusals, reasoning under either name once, and parts of content", () => {
    const records = [
      chunk({ reasoning_content: "a", reasoning: "a" }),
      chunk({ reasoning: "b" }),
      chunk({ content: [{ type: "text", text: "c" }] }),
      chunk({ refusal: "d" }),
    ];
    expect(decodeStream(...records)).toEqual([
      { type: "reasoning", text: "a" },
      { type: "reasoning", text: "b" },
      { type: "text", text: "c" },
      { type: "text", text: "d", refusal: true },
    ]);
  });

  it.each([
    ["stop", "stop"],
    ["length", "length"],
    ["tool_calls", "tool_calls"],
    ["function_call", "tool_calls"],
    ["content_filter", "content_filter"],
    ["eos", "stop"],
  ])("reads the finish reason %s as %s", (reason, finish) => {
    expect(decodeStream(chunk({}, {}, reason))).toEqual([{ type: "finish", finish }]);
  });

  it("reports usage with cached tokens taken out, wherever it stands, and never makes one up", () => {
    const usage = {
      prompt_tokens: 10,
      completion_tokens: 4,
      total_tokens: 14,
      prompt_tokens_details: { cached_tokens: 8 },
    };
    const event = { type: "usage", usage: { input: 2, cached_input: 8, output: 4, estimated: false } };
    expect(decodeStream(chunk({}, { usage }, "stop"), done)).toEqual([
      { type: "finish", finish: "stop" },
      event,
      { type: "end" },
    ]);
    expect(decodeStream(chunk({}, { usage, choices: [] }))).toEqual([event]);
    expect(decodeStream(chunk({}, { usage: null }, "stop"), done)).toEqual([
      { type: "finish", finish: "stop" },
      { type: "end" },
    ]);
  });

  it.each([
    ["an error object", { event: "", data: `{"error":{"message":"busy","code":"overloaded"}}` }, "busy", "overloaded"],
    ["an error event", { event: "error", data: `{"message":"busy"}` }, "busy", "invalid_stream"],
    ["broken JSON", { event: "", data: `{"choices":[` }, "not a JSON object", "invalid_stream"],
    ["finish_reason error", chunk({}, {}, "error"), "ended its stream", "upstream_error"],
  ])("turns %s into an error, after which nothing counts", (_name, record, message, code) => {
    expect(decodeStream(record, chunk({ content: "x" }), done)).toEqual([
      { type: "error", message: expect.stringContaining(message), code },
    ]);
  });

  it("names the model once, also after Azure's opening frame", () => {
    const stream = vendor.openStream();
    expect(stream.decode({ event: "", data: `{"id":"","model":"","choices":[],"prompt_filter_results":[]}` })).toEqual(
      [],
    );
    expect(stream.decode(chunk({ content: "x" }))).toEqual([
      { type: "start", model: "gpt" },
      { type: "text", text: "x" },
    ]);
    expect(stream.decode(chunk({ content: "y" }))).toEqual([{ type: "text", text: "y" }]);
  });
});

describe("isUsageOnly", () => {
  it.each([
    [true, `{"choices":[],"usage":{"prompt_tokens":1}}`],
    [true, `{"usage":{"prompt_tokens":1}, "choices": [ ]}`],
    [false, `{"choices":[],"usage":null}`],
    [false, `{"choices":[],"prompt_filter_results":[]}`],
    [false, `{"choices":[{"delta":{"content":"\\"choices\\":[]"}}],"usage":{"prompt_tokens":1}}`],
    [false, "[DONE]"],
  ])("says %s for %s", (expected, data) => expect(isUsageOnly(data)).toBe(expected));
});

describe("client stream", () => {
  const id = { decision: "d", createdMs: 1999 };
  const write = (wants_usage: boolean, ...events: ChatEvent[]): unknown[] => {
    const stream = client.openStream(id, requestOf({ model: "case", wants_usage }));
    const records = events
      .map((event) => stream.encode(event))
      .join("")
      .split("\n\n");
    return records
      .filter((text) => text !== "")
      .map((text) => (text === "data: [DONE]" ? "done" : JSON.parse(text.slice(6))));
  };
  const usage: ChatEvent = { type: "usage", usage: { input: 2, cached_input: 3, output: 4, estimated: false } };

  it("shows usage only where it was asked for, in a last frame without choices", () => {
    const asked = write(true, { type: "text", text: "a" }, usage, { type: "end" });
    expect(asked.at(0)).toMatchObject({ id: "chatcmpl-d", created: 1, model: "case", usage: null });
    expect(asked.at(-2)).toMatchObject({
      choices: [],
      usage: { prompt_tokens: 5, completion_tokens: 4, total_tokens: 9 },
    });
    const silent = write(false, { type: "text", text: "a" }, usage, { type: "end" });
    expect(JSON.stringify(silent)).not.toContain("usage");
    expect(silent.at(-1)).toBe("done");
  });

  it("marks where the cited words stand in the answer", () => {
    const citation = { source: "rates.md", title: "Rates", start: 90, end: 93, text: "two" };
    const records = write(false, { type: "text", text: "one two" }, { type: "citations", citations: [citation] });
    expect(records.at(-1)).toMatchObject({
      choices: [{ delta: { annotations: [{ url_citation: { url: "rates.md", start_index: 4, end_index: 7 } }] } }],
    });
  });
});

describe("decodeResponse", () => {
  it.each([
    ["no object", "x"],
    ["no choices", {}],
    ["an error", { error: { message: "no" } }],
  ])("refuses %s", (_name, given) => expect(vendor.decodeResponse(given)).toMatchObject({ ok: false }));

  it("counts reasoning that only the total shows", () => {
    const usage = { prompt_tokens: 7, completion_tokens: 12, total_tokens: 402 };
    const decoded = vendor.decodeResponse({ choices: [{ message: { content: "x" } }], usage });
    expect(decoded).toMatchObject({ ok: true, response: { usage: { input: 7, output: 395 } } });
  });
});

describe("errors", () => {
  it.each([
    [{ error: { message: "m", code: "c", type: "t" } }, { code: "c", message: "m" }],
    [{ error: { message: "m", code: null, type: "t" } }, { code: "t", message: "m" }],
    [{ error: "m" }, { message: "m" }],
    [[{ error: { message: "m", code: 429 } }], { code: "429", message: "m" }],
    [{ detail: "m" }, { message: "m" }],
    ["<html>", { message: "<html>" }],
    [undefined, { message: "The vendor answered 500 without a message." }],
  ])("reads %j", (given, expected) => expect(vendor.decodeError(500, given)).toEqual(expected));

  it("uses the API's envelope", () => {
    expect(client.encodeError({ code: "invalid_input", message: "m", status: 400, param: "n" })).toEqual({
      error: { message: "m", type: "invalid_request_error", param: "n", code: "invalid_input" },
    });
  });
});
