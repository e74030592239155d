import { describe, expect, it } from "vitest";
import type { ChatEvent, ChatMessage, ChatRequest } from "../../../kernel/chat.ts";
import { requestOf } from "../sample-chats.ts";
import { anthropicMessagesClient as client, anthropicMessagesVendor as vendor } from "./index.ts";

const user = { role: "user", content: "hi" };
const body = (fields: object): unknown => ({ model: "m", max_tokens: 9, messages: [user], ...fields });
const block = (fields: object): unknown => body({ messages: [{ role: "user", content: [fields] }] });
const text = (words: string) => ({ type: "text" as const, text: words });

const decode = (given: unknown): ChatRequest => {
  const decoded = client.decodeRequest(given);
  if (!decoded.ok) throw new Error(decoded.message);
  return decoded.request;
};

const nested = JSON.parse("[".repeat(100_000) + "]".repeat(100_000)) as unknown;

describe("decodeRequest refuses", () => {
  const at = "messages[0].content[0]";
  const cases: [name: string, body: unknown, path: string][] = [
    ["text", "hi", ""],
    ["a missing maximum", { model: "m", messages: [user] }, "max_tokens"],
    ["a maximum of text", body({ max_tokens: "9" }), "max_tokens"],
    ["no messages", body({ messages: [] }), "messages"],
    ["a tool role", body({ messages: [{ role: "tool", content: "x" }] }), "messages[0].role"],
    ["missing content", body({ messages: [{ role: "user" }] }), "messages[0].content"],
    ["a block without type", block({ text: "x" }), `${at}.type`],
    ["a text block without text", block({ type: "text" }), `${at}.text`],
    ["a tool_use without input", block({ type: "tool_use", id: "1", name: "f" }), `${at}.input`],
    ["a tool_result without id", block({ type: "tool_result" }), `${at}.tool_use_id`],
    ["an image without source", block({ type: "image" }), `${at}.source`],
    ["an is_error of text", block({ type: "tool_result", tool_use_id: "1", is_error: "no" }), `${at}.is_error`],
    ["a tool without schema", body({ tools: [{ name: "f" }] }), "tools[0].input_schema"],
    ["an unknown tool_choice", body({ tool_choice: { type: "maybe" } }), "tool_choice.type"],
    ["an input without bottom", block({ type: "tool_use", id: "1", name: "f", input: { a: nested } }), `${at}.input`],
    ["a system of a number", body({ system: 1 }), "system"],
    ["stop of text", body({ stop_sequences: "x" }), "stop_sequences"],
  ];
  for (const [name, given, path] of cases) {
    it(name, () => expect(client.decodeRequest(given)).toMatchObject({ ok: false, path }));
  }
});

describe("decodeRequest", () => {
  it("reads system as text or blocks", () => {
    expect(decode(body({ system: "a" })).messages[0]).toEqual({ role: "system", parts: [text("a")] });
    expect(decode(body({ system: [text("a"), text("b")] })).messages[0]?.parts).toEqual([text("a"), text("b")]);
  });

  it("splits a message at its tool results", () => {
    const content = [
      { type: "tool_result", tool_use_id: "1", content: [text("a"), text("b")] },
      { type: "tool_result", tool_use_id: "2", is_error: true },
      text("next"),
    ];
    expect(decode(body({ messages: [{ role: "user", content }] })).messages).toEqual([
      { role: "tool", parts: [{ type: "tool_result", id: "1", text: "ab" }] },
      { role: "tool", parts: [{ type: "tool_result", id: "2", text: "", is_error: true }] },
      { role: "user", parts: [text("next")] },
    ]);
  });

  it("names what it doesn't model, by path", () => {
    const given = body({
      thinking: { type: "between_tools" },
      service_tier: "fastest",
      metadata: { user_id: "u", trace: 1 },
      output_config: { effort: "boundless", format: { type: "xml" } },
      cache_control: { type: "ephemeral" },
      tools: [{ type: "web_search_20250305", name: "web_search" }],
      messages: [
        {
          role: "user",
          content: [
            { ...text("a"), cache_control: { type: "ephemeral", scope: "turn" } },
            { type: "tool_result", tool_use_id: "1", content: [{ type: "tool_reference", tool_name: "t" }] },
            { type: "tool_use", id: "2", name: "f", input: {}, caller: { type: "code_execution_20260120" } },
          ],
        },
      ],
    });
    const request = decode(given);
    expect(request.user).toBe("u");
    expect(request.unmodelled.toSorted()).toEqual([
      "cache_control",
      "messages[0].content[0].cache_control.scope",
      "messages[0].content[1].content.tool_reference",
      "messages[0].content[2].caller",
      "metadata.trace",
      "output_config.effort",
      "output_config.format",
      "service_tier",
      "thinking",
      "tools[0]",
    ]);
  });

  it.each([
    [{ type: "auto" }, "auto", undefined],
    [{ type: "any", disable_parallel_tool_use: true }, "required", false],
    [{ type: "none" }, "none", undefined],
    [{ type: "tool", name: "f", disable_parallel_tool_use: false }, { name: "f" }, true],
  ])("reads the tool choice %j", (tool_choice, expected, parallel) => {
    const request = decode(body({ tool_choice }));
    expect([request.tool_choice, request.parallel_tool_calls]).toEqual([expected, parallel]);
  });
});

describe("encodeRequest", () => {
  const encode = (fields: Partial<ChatRequest>) =>
    vendor.encodeRequest(requestOf(fields), { model: "claude", defaultMaxTokens: 77 });
  const message = (role: ChatMessage["role"], ...parts: ChatMessage["parts"]): ChatMessage => ({ role, parts });

  it("sets the default maximum, joins neighbours of one role, and moves system messages to the top", () => {
    const messages = [
      message("system", text("s1")),
      message("user", text("a")),
      message("user", text("b")),
      message("assistant", { type: "tool_call", id: "x:0", name: "f", arguments: "" }),
      message("tool", { type: "tool_result", id: "x:0", text: "r" }),
      message("user", text("c")),
      message("system", text("s2")),
      message("user"),
    ];
    expect(encode({ messages, unmodelled: ["logprobs"] })).toEqual({
      body: {
        model: "claude",
        max_tokens: 77,
        system: [text("s1"), text("s2")],
        messages: [
          { role: "user", content: [text("a"), text("b")] },
          { role: "assistant", content: [{ type: "tool_use", id: "x_3a_0", name: "f", input: {} }] },
          { role: "user", content: [{ type: "tool_result", tool_use_id: "x_3a_0", content: "r" }, text("c")] },
        ],
      },
      dropped: ["logprobs", "messages.system.position"],
    });
  });

  const drops: [name: string, fields: Partial<ChatRequest>, dropped: string[]][] = [
    ["a seed", { seed: 1 }, ["seed"]],
    ["JSON without schema", { response_format: { type: "json_object" } }, ["response_format"]],
    ["a hot temperature", { temperature: 1.5 }, ["temperature"]],
    ["blank stops", { stop: ["\n", "a"] }, ["stop"]],
    ["a tool choice without tools", { tool_choice: "required" }, ["tool_choice"]],
    [
      "unsigned reasoning",
      { messages: [message("assistant", { type: "reasoning", text: "x" }, text("a"))] },
      ["reasoning"],
    ],
    [
      "cut arguments",
      { messages: [message("assistant", { type: "tool_call", id: "1", name: "f", arguments: '{"a' })] },
      ["tool_calls.function.arguments"],
    ],
    ["plain text as format", { response_format: { type: "text" } }, []],
  ];
  for (const [name, fields, dropped] of drops) {
    it(`names what it drops of ${name}`, () => expect(encode(fields).dropped).toEqual(dropped));
  }

  it("clamps the temperature and keeps the usable stops", () => {
    expect(encode({ temperature: 1.5, stop: ["\n", "a"] }).body).toMatchObject({
      temperature: 1,
      stop_sequences: ["a"],
    });
  });

  it("keeps the digits of long numbers in arguments", () => {
    const call = { type: "tool_call" as const, id: "1", name: "f", arguments: '{"account":12345678901234567890}' };
    expect(JSON.stringify(encode({ messages: [message("assistant", call)] }).body)).toContain(
      `{"account":12345678901234567890}`,
    );
  });

  it("carries a JSON schema as output format", () => {
    const format = { type: "json_schema" as const, name: "n", schema: { type: "object" } };
    expect(encode({ response_format: format })).toMatchObject({
      body: { output_config: { format: { type: "json_schema", schema: { type: "object" } } } },
      dropped: [],
    });
  });

  it("forbids parallel calls", () => {
    const tools = [{ name: "f", parameters: {} }];
    expect(encode({ tools, parallel_tool_calls: false }).body).toMatchObject({
      tool_choice: { type: "auto", disable_parallel_tool_use: true },
    });
  });
});

describe("vendor stream", () => {
  const read = (...events: object[]): ChatEvent[] => {
    const stream = vendor.openStream();
    return events.flatMap((event) => stream.decode({ event: "", data: JSON.stringify(event) }));
  };

  it("replaces the first usage by the later one, and keeps what the later one leaves out", () => {
    const begin = {
      type: "message_start",
      message: {
        model: "m",
        usage: { input_tokens: 5, cache_creation_input_tokens: 2, cache_read_input_tokens: 9, output_tokens: 1 },
      },
    };
    const counted = { input: 5, cached_input: 9, cache_write: 2, output: 1, estimated: false };
    expect(read(begin, { type: "message_delta", delta: {}, usage: { output_tokens: 8 } })).toEqual([
      { type: "start", model: "m", usage: counted },
      { type: "usage", usage: { ...counted, output: 8 } },
    ]);
    const whole = { input_tokens: 1, cache_read_input_tokens: 2, output_tokens: 3 };
    expect(read(begin, { type: "message_delta", delta: {}, usage: whole }).at(-1)).toEqual({
      type: "usage",
      usage: { input: 1, cached_input: 2, output: 3, estimated: false },
    });
  });

  it("completes the arguments of a tool that has none, or had them at its start", () => {
    const start = (index: number, input: unknown) => ({
      type: "content_block_start",
      index,
      content_block: { type: "tool_use", id: `t${index}`, name: "f", input },
    });
    const events = read(start(1, {}), { type: "content_block_stop", index: 1 }, start(2, { a: 1 }), {
      type: "content_block_stop",
      index: 2,
    });
    expect(events).toEqual([
      { type: "tool_call_start", index: 0, id: "t1", name: "f" },
      { type: "tool_call_delta", index: 0, arguments: "{}" },
      { type: "tool_call_start", index: 1, id: "t2", name: "f" },
      { type: "tool_call_delta", index: 1, arguments: '{"a":1}' },
    ]);
  });

  it.each([
    ["end_turn", null, "stop"],
    ["stop_sequence", "END", "stop"],
    ["max_tokens", null, "length"],
    ["model_context_window_exceeded", null, "length"],
    ["pause_turn", null, "pause"],
    ["tool_use", null, "tool_calls"],
    ["refusal", null, "refusal"],
  ])("reads the stop reason %s", (stop_reason, stop_sequence, finish) => {
    const stopped = stop_sequence === null ? {} : { stop_sequence };
    expect(read({ type: "message_delta", delta: { stop_reason, stop_sequence } })).toEqual([
      { type: "finish", finish, ...stopped },
    ]);
  });

  it("turns an error event into an error, after which nothing counts", () => {
    const error = { type: "error", error: { type: "overloaded_error", message: "busy" } };
    expect(read(error, { type: "message_stop" })).toEqual([
      { type: "error", message: "busy", code: "overloaded_error" },
    ]);
  });

  it("keeps opaque reasoning, tells blocks of Anthropic's own when they are whole, and ignores unknown events", () => {
    const events = read(
      { type: "content_block_start", index: 0, content_block: { type: "redacted_thinking", data: "xyz" } },
      {
        type: "content_block_start",
        index: 1,
        content_block: { type: "server_tool_use", id: "s", name: "web_search", input: {} },
      },
      { type: "content_block_delta", index: 1, delta: { type: "input_json_delta", partial_json: '{"query":' } },
      { type: "content_block_delta", index: 1, delta: { type: "input_json_delta", partial_json: '"x"}' } },
      { type: "brand_new" },
      { type: "content_block_stop", index: 1 },
    );
    const value = { type: "server_tool_use", id: "s", name: "web_search", input: { query: "x" } };
    expect(events).toEqual([
      { type: "reasoning", text: "", encrypted: "xyz" },
      { type: "part", part: { type: "native", dialect: "anthropic-messages", kind: "server_tool_use", value } },
    ]);
  });
});

describe("client stream", () => {
  const write = (...events: ChatEvent[]): { type: string; [key: string]: unknown }[] => {
    const stream = client.openStream({ decision: "d", createdMs: 0 }, requestOf({ model: "case", wants_usage: true }));
    const records = events
      .map((event) => stream.encode(event))
      .join("")
      .split("\n\n")
      .slice(0, -1);
    return records.map((record) => JSON.parse(record.slice(record.indexOf("data: ") + 6)) as { type: string });
  };
  const start = (index: number): ChatEvent => ({ type: "tool_call_start", index, id: `t${index}`, name: "f" });
  const piece = (index: number, words: string): ChatEvent => ({ type: "tool_call_delta", index, arguments: words });
  const outline = (...events: ChatEvent[]) =>
    write(...events).map((event) => `${event.type.replace("content_block_", "")}${event["index"] ?? ""}`);

  it("writes interleaved calls one block after the other", () => {
    const events = [start(0), start(1), piece(1, '{"b"'), piece(0, '{"a":'), piece(0, "1}"), piece(1, ":2}")];
    const finish: ChatEvent[] = [{ type: "finish", finish: "tool_calls" }, { type: "end" }];
    const blocks = ["start0", "delta0", "delta0", "stop0", "start1", "delta1", "delta1", "stop1"];
    expect(outline(...events, ...finish)).toEqual(["message_start", ...blocks, "message_delta", "message_stop"]);
  });

  it("streams a call as it comes, and closes it once it is whole and another begins", () => {
    expect(outline(start(0), piece(0, '{"a":1'))).toEqual(["message_start", "start0", "delta0"]);
    expect(outline(start(0), piece(0, "{}"), start(1)).slice(-2)).toEqual(["stop0", "start1"]);
  });

  it("opens a block for each kind of content and for reasoning after a signature", () => {
    const events: ChatEvent[] = [
      { type: "reasoning", text: "a", signature: "s" },
      { type: "reasoning", text: "b" },
      { type: "reasoning", text: "", encrypted: "x" },
      { type: "text", text: "c" },
      { type: "text", text: "d" },
    ];
    expect(outline(...events)).toEqual([
      "message_start",
      "start0",
      "delta0",
      "delta0",
      "stop0",
      "start1",
      "delta1",
      "stop1",
      "start2",
      "stop2",
      "start3",
      "delta3",
      "delta3",
    ]);
  });

  const endings: [events: ChatEvent[], reason: string][] = [
    [[{ type: "finish", finish: "stop" }], "end_turn"],
    [[{ type: "finish", finish: "stop", stop_sequence: "x" }], "stop_sequence"],
    [[start(0), { type: "finish", finish: "stop" }], "tool_use"],
    [
      [
        { type: "text", text: "no", refusal: true },
        { type: "finish", finish: "stop" },
      ],
      "refusal",
    ],
    [[{ type: "finish", finish: "length" }], "max_tokens"],
    [[{ type: "finish", finish: "content_filter" }], "refusal"],
    [[{ type: "finish", finish: "refusal" }], "refusal"],
    [[{ type: "finish", finish: "pause" }], "pause_turn"],
  ];
  for (const [events, reason] of endings) {
    it(`ends with ${reason}`, () => {
      expect(write(...events, { type: "end" }).at(-2)).toMatchObject({ delta: { stop_reason: reason } });
    });
  }
});

describe("answers and errors", () => {
  it("cites passages as locations in documents", () => {
    const citations = [
      { source: "a.md", title: "A", start: 1, end: 2, text: "x" },
      { source: "b.md", title: "B", start: 3, end: 4, text: "y" },
      { source: "a.md", title: "A", start: 5, end: 6, text: "z" },
    ];
    const answer = client.encodeResponse(
      { model: "m", parts: [text("xyz")], finish: "stop", citations },
      { decision: "d", createdMs: 0 },
      requestOf(),
    );
    expect(answer).toMatchObject({
      id: "msg_d",
      content: [
        { citations: [{ document_index: 0 }, { document_index: 1 }, { document_index: 0, start_char_index: 5 }] },
      ],
    });
  });

  it.each([
    [400, "invalid_request_error"],
    [401, "authentication_error"],
    [404, "not_found_error"],
    [413, "request_too_large"],
    [429, "rate_limit_error"],
    [500, "api_error"],
    [503, "overloaded_error"],
  ])("names a %i as %s", (status, type) => {
    expect(client.encodeError({ code: "c", message: "m", status })).toEqual({
      type: "error",
      error: { type, message: "m", code: "c" },
    });
  });

  it.each([["x"], [{}], [{ type: "error", error: { message: "no" } }]])("refuses the answer %j", (given) => {
    expect(vendor.decodeResponse(given)).toMatchObject({ ok: false });
  });
});
