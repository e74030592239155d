/**
 * Of the thirty hard cases of gateways those that a wire format can decide by itself: 3–8 and 20–27, by their numbers.
 * What needs a connection, a price or a store is tested where that lives.
 */
import { describe, expect, it } from "vitest";
import type { ChatEvent, ChatRequest, ChatResponse } from "../../kernel/chat.ts";
import { openCollector } from "../../kernel/chat-stream.ts";
import { clientDialects, vendorDialectOf, vendorDialects } from "./index.ts";
import type { EncodeTarget } from "./port.ts";
import { requestOf } from "./sample-chats.ts";
import { openSseDecoder } from "./sse.ts";

type Dialect = "openai-chat" | "anthropic-messages";

const id = { decision: "d", createdMs: 0 };
const user = { role: "user", content: "hi" };

/** Records of a vendor's stream → events. */
function read(dialect: Dialect, ...records: (object | string)[]): ChatEvent[] {
  const stream = vendorDialects[dialect].openStream();
  return records.flatMap((record) =>
    stream.decode({ event: "", data: typeof record === "string" ? record : JSON.stringify(record) }),
  );
}

function collect(events: ChatEvent[]): ChatResponse | undefined {
  const collector = openCollector();
  for (const event of events) collector.add(event);
  return collector.response();
}

/** The JSON of the records that a client gets. */
function write(dialect: Dialect, events: ChatEvent[], request: Partial<ChatRequest> = {}): Record<string, unknown>[] {
  const stream = clientDialects[dialect].openStream(id, requestOf({ stream: true, ...request }));
  const bytes = Buffer.from(events.map((event) => stream.encode(event)).join(""));
  return openSseDecoder()
    .push(bytes)
    .map(({ data }) => (data === "[DONE]" ? { done: true } : (JSON.parse(data) as Record<string, unknown>)));
}

const lastUsage = (events: ChatEvent[]) => events.findLast((event) => event.type === "usage")?.usage;

function decodeRequest(dialect: Dialect, body: object): ChatRequest {
  const decoded = clientDialects[dialect].decodeRequest({ model: "m", messages: [user], max_tokens: 9000, ...body });
  if (!decoded.ok) throw new Error(decoded.message);
  return decoded.request;
}

type Sent = { body: Record<string, unknown>; dropped: string[] };

/** A client's body as the vendor of the other dialect gets it. */
function translate(from: Dialect, body: object, target: Partial<EncodeTarget> = {}): Sent {
  const to = from === "openai-chat" ? "anthropic-messages" : "openai-chat";
  return sentTo(to, decodeRequest(from, body), target);
}

function sentTo(to: Dialect, request: ChatRequest, target: Partial<EncodeTarget> = {}): Sent {
  const whole = { model: "claude-opus-4-8", defaultMaxTokens: 64_000, ...target };
  return vendorDialects[to].encodeRequest(request, whole) as Sent;
}

const chunk = (delta: object, more: object = {}) => ({
  id: "a",
  model: "gpt",
  choices: [{ index: 0, delta, finish_reason: null }],
  ...more,
});
const finish = (reason: string) => ({ choices: [{ index: 0, delta: {}, finish_reason: reason }] });
const call = (index: number, fields: object) => chunk({ tool_calls: [{ index, ...fields }] });

const begin = (usage: object = {}) => ({ type: "message_start", message: { model: "claude", usage } });
const blockStart = (index: number, content_block: object) => ({ type: "content_block_start", index, content_block });
const delta = (index: number, fields: object) => ({ type: "content_block_delta", index, delta: fields });
const stop = (index: number) => ({ type: "content_block_stop", index });
const ending = (stop_reason: string, usage: object = {}, more: object = {}) => ({
  type: "message_delta",
  delta: { stop_reason, ...more },
  usage,
});

describe("3: stream_options.include_usage", () => {
  const events: ChatEvent[] = [
    { type: "text", text: "a" },
    { type: "finish", finish: "stop" },
    { type: "usage", usage: { input: 1, cached_input: 0, output: 2, estimated: false } },
    { type: "end" },
  ];

  it("is always asked of the vendor, unless it refuses", () => {
    const request = requestOf({ stream: true });
    expect(sentTo("openai-chat", request).body).toMatchObject({ stream_options: { include_usage: true } });
    expect(sentTo("openai-chat", request, { streamUsage: false })).toMatchObject({
      body: expect.not.objectContaining({ stream_options: expect.anything() }),
      dropped: [],
    });
  });

  it("asked: one last frame without choices; not asked: no word of it", () => {
    const asked = write("openai-chat", events, { wants_usage: true });
    expect(asked.at(-2)).toMatchObject({ choices: [], usage: { total_tokens: 3 } });
    expect(JSON.stringify(write("openai-chat", events))).not.toContain("usage");
  });
});

describe("4: usage, wherever and however it comes", () => {
  const usage = { prompt_tokens: 7, completion_tokens: 5, total_tokens: 12 };
  const counted = { input: 7, cached_input: 0, output: 5, estimated: false };

  it.each([
    ["in the last content chunk", [chunk({ content: "x" }, { usage }), finish("stop"), "[DONE]"], counted],
    ["in a chunk of its own", [chunk({ content: "x" }), { choices: [], usage }, "[DONE]"], counted],
    [
      "cumulative in every chunk",
      [
        chunk({ content: "x" }, { usage: { prompt_tokens: 7, completion_tokens: 1, total_tokens: 8 } }),
        chunk({ content: "y" }, { usage }),
        "[DONE]",
      ],
      counted,
    ],
    ["in Groq's own field", [chunk({}, { x_groq: { usage } }), "[DONE]"], counted],
    [
      "explicit zeros",
      [{ choices: [], usage: { prompt_tokens: 0, completion_tokens: 0 } }, "[DONE]"],
      { input: 0, cached_input: 0, output: 0, estimated: false },
    ],
    ["null on every chunk", [chunk({ content: "x" }, { usage: null }), "[DONE]"], undefined],
    ["missing", [chunk({ content: "x" }), "[DONE]"], undefined],
    ["no numbers", [chunk({}, { usage: { prompt_tokens: "7", completion_tokens: -1 } }), "[DONE]"], undefined],
  ])("%s (OpenAI)", (_name, records, expected) => expect(lastUsage(read("openai-chat", ...records))).toEqual(expected));

  it("only on message_delta, cumulative (Anthropic)", () => {
    const events = read("anthropic-messages", begin(), ending("end_turn", { input_tokens: 7, output_tokens: 5 }));
    expect(lastUsage(events)).toEqual(counted);
    const twice = read(
      "anthropic-messages",
      begin({ input_tokens: 7, output_tokens: 1 }),
      ending("end_turn", { output_tokens: 3 }),
      ending("end_turn", { output_tokens: 5 }),
    );
    expect(lastUsage(twice)).toEqual(counted);
    expect(lastUsage(read("anthropic-messages", begin(), { type: "message_delta", delta: {} }))).toBeUndefined();
  });

  it("an Anthropic client of an OpenAI vendor sees its input at the end", () => {
    const events = read("openai-chat", chunk({ content: "x" }), finish("stop"), { choices: [], usage }, "[DONE]");
    const records = write("anthropic-messages", events);
    expect(records.find(({ type }) => type === "message_delta")).toMatchObject({
      usage: { input_tokens: 7, output_tokens: 5 },
    });
  });
});

describe("5: tool call deltas", () => {
  const expected = [{ type: "tool_call", id: "c", name: "f", arguments: '{"a":1}' }];
  const anthropicCall = blockStart(0, { type: "tool_use", id: "c", name: "f", input: {} });
  const json = (text: string) => delta(0, { type: "input_json_delta", partial_json: text });

  it("name and arguments in one chunk", () => {
    const records = [call(0, { id: "c", function: { name: "f", arguments: '{"a":1}' } }), finish("tool_calls")];
    expect(collect(read("openai-chat", ...records, "[DONE]"))?.parts).toEqual(expected);
    const start = blockStart(0, { type: "tool_use", id: "c", name: "f", input: { a: 1 } });
    expect(collect(read("anthropic-messages", begin(), start, stop(0), { type: "message_stop" }))?.parts).toEqual(
      expected,
    );
  });

  it("one character at a time, the id on the first piece only", () => {
    const pieces = [...'{"a":1}'];
    const first = call(0, { id: "c", function: { name: "f", arguments: "" } });
    const openai = pieces.map((text) => call(0, { function: { arguments: text } }));
    expect(collect(read("openai-chat", first, ...openai, finish("tool_calls"), "[DONE]"))?.parts).toEqual(expected);
    const anthropic = [begin(), anthropicCall, ...pieces.map(json), stop(0), { type: "message_stop" }];
    expect(collect(read("anthropic-messages", ...anthropic))?.parts).toEqual(expected);
  });

  it("no arguments are an empty object", () => {
    const events = read("openai-chat", call(0, { id: "c", function: { name: "f" } }), finish("tool_calls"), "[DONE]");
    expect(collect(events)?.parts).toMatchObject([{ arguments: "{}" }]);
    const anthropic = read("anthropic-messages", begin(), anthropicCall, json(""), stop(0), { type: "message_stop" });
    expect(collect(anthropic)?.parts).toMatchObject([{ arguments: "{}" }]);
  });

  it("arguments as an object instead of its text (Ollama)", () => {
    const records = [call(0, { id: "c", function: { name: "f", arguments: { a: 1 } } }), finish("tool_calls")];
    expect(collect(read("openai-chat", ...records, "[DONE]"))?.parts).toEqual(expected);
  });

  it("free text stays text in a custom tool, empty too", () => {
    const records = [
      call(0, { id: "c", type: "custom", custom: { name: "f", input: "" } }),
      call(0, { custom: { input: "select 1" } }),
      call(1, { id: "d", type: "custom", custom: { name: "g", input: "" } }),
    ];
    const events = read("openai-chat", ...records, finish("tool_calls"), "[DONE]");
    expect(collect(events)?.parts).toEqual([
      { type: "tool_call", id: "c", name: "f", arguments: "select 1", custom: true },
      { type: "tool_call", id: "d", name: "g", arguments: "", custom: true },
    ]);
    expect(collect(read("openai-chat", ...write("openai-chat", events).map(backToRecord)))).toEqual(collect(events));
  });
});

const backToRecord = (record: Record<string, unknown>) => (record["done"] === true ? "[DONE]" : record);

describe("6: three parallel calls, interleaved, after a text", () => {
  const names = ["a", "b", "c"];
  const events = read(
    "openai-chat",
    chunk({ content: "Let me see." }),
    ...names.map((name, i) => call(i, { id: `id_${name}`, function: { name, arguments: "" } })),
    ...names.map((name, i) => call(i, { function: { arguments: `{"${name}":` } })),
    ...names.map((_name, i) => call(i, { function: { arguments: `${i}}` } })),
    finish("tool_calls"),
    "[DONE]",
  );
  const calls = names.map((name, i) => ({ type: "tool_call", id: `id_${name}`, name, arguments: `{"${name}":${i}}` }));

  it("keep their ids and arguments, numbered from 0", () => {
    expect(collect(events)?.parts).toEqual([{ type: "text", text: "Let me see." }, ...calls]);
    expect(events.filter((event) => event.type === "tool_call_start").map(({ index }) => index)).toEqual([0, 1, 2]);
  });

  it("become Anthropic's blocks one after the other, and come back as they were", () => {
    const records = write("anthropic-messages", events);
    const indexes = records.filter(({ type }) => type === "content_block_start").map(({ index }) => index);
    expect(indexes).toEqual([0, 1, 2, 3]);
    expect(collect(read("anthropic-messages", ...records))?.parts.slice(1)).toEqual(calls);
  });

  it("an Anthropic vendor's calls are numbered apart from its texts", () => {
    const records = [
      begin(),
      blockStart(0, { type: "text", text: "" }),
      delta(0, { type: "text_delta", text: "Let me see." }),
      stop(0),
      blockStart(1, { type: "tool_use", id: "x", name: "f", input: {} }),
      stop(1),
      ending("tool_use"),
      { type: "message_stop" },
    ];
    const [started] = write("openai-chat", read("anthropic-messages", ...records)).flatMap(
      (record) => (record["choices"] as { delta: { tool_calls?: { index: number }[] } }[])?.[0]?.delta.tool_calls ?? [],
    );
    expect(started).toMatchObject({ index: 0, id: "x" });
  });
});

describe("7: events that come whole, and events that nobody knows", () => {
  it("a block that holds all of its text, and one that is never stopped", () => {
    const events = read("anthropic-messages", begin(), blockStart(0, { type: "text", text: "all" }), {
      type: "message_stop",
    });
    expect(collect(events)?.parts).toEqual([{ type: "text", text: "all" }]);
  });

  it("blocks that are never closed are whole at the end", () => {
    const search = { type: "server_tool_use", id: "s", name: "web_search", input: {} };
    const open = [blockStart(0, search), blockStart(1, { type: "tool_use", id: "t", name: "f", input: {} })];
    expect(collect(read("anthropic-messages", begin(), ...open, { type: "message_stop" }))?.parts).toMatchObject([
      { type: "tool_call", arguments: "{}" },
      { type: "native", value: search },
    ]);
  });

  it("unknown events, deltas and blocks pass without harm", () => {
    const records = [
      begin(),
      { type: "brand_new", data: 1 },
      blockStart(0, { type: "text", text: "" }),
      delta(0, { type: "brand_new_delta" }),
      delta(0, { type: "text_delta", text: "x" }),
      { type: "message_stop" },
    ];
    expect(collect(read("anthropic-messages", ...records))?.parts).toEqual([{ type: "text", text: "x" }]);
    const openai = read("openai-chat", { object: "brand.new" }, chunk({ content: "x", brand_new: 1 }), "[DONE]");
    expect(collect(openai)?.parts).toEqual([{ type: "text", text: "x" }]);
  });
});

describe("8: why an answer ended", () => {
  it.each([
    ["stop", "end_turn"],
    ["length", "max_tokens"],
    ["tool_calls", "tool_use"],
    ["content_filter", "refusal"],
    ["function_call", "tool_use"],
  ])("OpenAI's %s is Anthropic's %s", (reason, expected) => {
    const records = write("anthropic-messages", read("openai-chat", chunk({}), finish(reason), "[DONE]"));
    expect(records.at(-2)).toMatchObject({ delta: { stop_reason: expected } });
  });

  it.each([
    ["end_turn", "stop"],
    ["stop_sequence", "stop"],
    ["max_tokens", "length"],
    ["model_context_window_exceeded", "length"],
    ["tool_use", "tool_calls"],
    ["refusal", "content_filter"],
    // OpenAI has no word for a turn that waits to be continued: as one that was cut, it isn't whole.
    ["pause_turn", "length"],
  ])("Anthropic's %s is OpenAI's %s", (reason, expected) => {
    const events = read("anthropic-messages", begin(), ending(reason), { type: "message_stop" });
    const finishes = write("openai-chat", events).flatMap(
      (record) => (record["choices"] as { finish_reason: string | null }[] | undefined)?.[0]?.finish_reason ?? [],
    );
    expect(finishes).toEqual([expected]);
  });

  it("which stop sequence, where the vendor says so; a paused turn stays one", () => {
    const cut = read("anthropic-messages", begin(), ending("stop_sequence", {}, { stop_sequence: "END" }));
    expect(cut[1]).toEqual({ type: "finish", finish: "stop", stop_sequence: "END" });
    const records = write("anthropic-messages", [...cut, { type: "end" }]);
    expect(records.at(-2)).toMatchObject({ delta: { stop_reason: "stop_sequence", stop_sequence: "END" } });
    const paused = read("anthropic-messages", begin(), ending("pause_turn"), { type: "message_stop" });
    expect(write("anthropic-messages", paused).at(-2)).toMatchObject({ delta: { stop_reason: "pause_turn" } });
  });

  it("a refusal in words", () => {
    const events = read("openai-chat", chunk({ refusal: "I can't." }), finish("stop"), "[DONE]");
    expect(write("anthropic-messages", events).at(-2)).toMatchObject({ delta: { stop_reason: "refusal" } });
  });
});

describe("20: OpenAI's clients, Anthropic's vendor", () => {
  it("roles, neighbours, maximum, stops, temperature and user", () => {
    const sent = translate("openai-chat", {
      max_tokens: null,
      messages: [
        { role: "system", content: "s" },
        { role: "developer", content: "d" },
        { role: "user", content: "a" },
        { role: "user", content: "b" },
      ],
      stop: ["END", "\n"],
      temperature: 1.5,
      user: "u",
    });
    expect(sent).toEqual({
      body: {
        model: "claude-opus-4-8",
        max_tokens: 64_000,
        system: [
          { type: "text", text: "s" },
          { type: "text", text: "d" },
        ],
        messages: [
          {
            role: "user",
            content: [
              { type: "text", text: "a" },
              { type: "text", text: "b" },
            ],
          },
        ],
        stop_sequences: ["END"],
        temperature: 1,
        metadata: { user_id: "u" },
      },
      dropped: ["temperature", "stop"],
    });
  });

  it("a system prompt alone is asked by the user", () => {
    const sent = translate("openai-chat", { messages: [{ role: "system", content: "s" }] });
    expect(sent.body["messages"]).toEqual([{ role: "user", content: [{ type: "text", text: "s" }] }]);
    expect(sent.dropped).toEqual(["messages.system.position"]);
  });

  it("tool results follow their calls in one message, under ids that Anthropic takes", () => {
    const calls = ["functions.f:0", "b"].map((callId) => ({
      id: callId,
      type: "function",
      function: { name: "f", arguments: "{}" },
    }));
    const { body } = translate("openai-chat", {
      messages: [
        user,
        { role: "assistant", content: null, tool_calls: calls },
        { role: "tool", tool_call_id: "functions.f:0", content: "1" },
        { role: "tool", tool_call_id: "b", content: [{ type: "text", text: "2" }] },
        { role: "user", content: "go on" },
      ],
    });
    const [, asked, answered] = body["messages"] as { content: { id?: string; tool_use_id?: string }[] }[];
    expect(asked?.content.map((block) => block.id)).toEqual(["functions_2e_f_3a_0", "b"]);
    expect(answered?.content).toMatchObject([
      { tool_use_id: "functions_2e_f_3a_0", content: "1" },
      { tool_use_id: "b", content: "2" },
      { type: "text", text: "go on" },
    ]);
  });

  it("tool results with images: Anthropic takes them, OpenAI's vendor sees them as the user's, after the last result", () => {
    const image = { type: "image", source: { type: "base64", media_type: "image/png", data: "AAAA" } };
    const result = (tool_use_id: string) => ({
      type: "tool_result",
      tool_use_id,
      content: [{ type: "text", text: "see" }, image],
    });
    const request = decodeRequest("anthropic-messages", {
      messages: [
        { role: "assistant", content: [{ type: "tool_use", id: "1", name: "f", input: {} }] },
        { role: "user", content: [result("1"), result("2"), { type: "text", text: "next" }] },
      ],
    });
    expect(sentTo("anthropic-messages", request).body["messages"]).toMatchObject([
      {},
      { content: [{ content: [{ text: "see" }, image] }, { content: [{ text: "see" }, image] }, { text: "next" }] },
    ]);
    const sent = sentTo("openai-chat", request);
    const shown = (number: number) => [
      { type: "text", text: `Result of tool call ${number}:` },
      { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } },
    ];
    expect((sent.body["messages"] as unknown[]).slice(1)).toEqual([
      { role: "tool", tool_call_id: "1", content: "see" },
      { role: "tool", tool_call_id: "2", content: "see" },
      { role: "user", content: [...shown(1), ...shown(2)] },
      { role: "user", content: "next" },
    ]);
    expect(sent.dropped).toEqual(["tool_result.parts"]);
  });

  it("fields that Anthropic doesn't have are named", () => {
    const fields = { seed: 1, n: 2, logprobs: true, top_logprobs: 3, logit_bias: { "1": 2 }, presence_penalty: 1 };
    const tools = [{ type: "custom", custom: { name: "sql" } }];
    const more = { frequency_penalty: 1, metadata: { a: "b" }, audio: { voice: "x", format: "wav" }, tools };
    const sent = translate("openai-chat", { ...fields, ...more, service_tier: "flex", verbosity: "low" });
    expect(sent.dropped.toSorted()).toEqual(
      [...Object.keys(fields), ...Object.keys(more), "service_class", "tools.custom", "verbosity"]
        .filter((field) => field !== "tools")
        .toSorted(),
    );
  });
});

describe("21: Anthropic's clients, OpenAI's vendor", () => {
  const thinking = { type: "thinking", thinking: "hm", signature: "SIG" };
  const redacted = { type: "redacted_thinking", data: "xyz" };
  const messages = (...content: object[]) => ({ messages: [user, { role: "assistant", content }, user] });

  it("signed and redacted thinking goes round within the dialect, and is named elsewhere", () => {
    const given = messages(thinking, redacted, { type: "text", text: "4" });
    const request = decodeRequest("anthropic-messages", given);
    expect(sentTo("anthropic-messages", request).body["messages"]).toMatchObject([
      {},
      { content: [thinking, redacted, { text: "4" }] },
      {},
    ]);
    expect(sentTo("openai-chat", request).dropped).toEqual(["reasoning"]);
  });

  it("signed and redacted thinking goes round through an OpenAI client that echoes what it got", () => {
    const response: ChatResponse = {
      model: "m",
      parts: [
        { type: "reasoning", text: "hm", signature: "SIG" },
        { type: "reasoning", text: "", encrypted: "xyz" },
        { type: "text", text: "4" },
      ],
      finish: "stop",
    };
    const answer = clientDialects["openai-chat"].encodeResponse(response, id, requestOf());
    const { message } = (answer as { choices: [{ message: object }] }).choices[0];
    const request = decodeRequest("openai-chat", { messages: [user, message, user] });
    expect(request.messages[1]?.parts).toEqual(response.parts);
    expect(sentTo("anthropic-messages", request).body["messages"]).toMatchObject([
      {},
      { content: [thinking, redacted, { text: "4" }] },
      {},
    ]);
  });

  it("cache marks go round within the dialect, come from OpenRouter's clients, and are named where they are lost", () => {
    const cache_control = { type: "ephemeral", ttl: "1h" };
    const block = { type: "text", text: "long", cache_control };
    const given = {
      system: [block],
      tools: [{ name: "f", input_schema: { type: "object" }, cache_control: { type: "ephemeral" } }],
      messages: [{ role: "user", content: [block] }],
    };
    const request = decodeRequest("anthropic-messages", given);
    expect(sentTo("anthropic-messages", request).body).toMatchObject(given);
    expect(sentTo("openai-chat", request).dropped).toEqual(["cache_control"]);
    const { body } = translate("openai-chat", { messages: [{ role: "user", content: [block] }] });
    expect(body["messages"]).toEqual([{ role: "user", content: [block] }]);
  });

  it("server tools' blocks and web citations stay native: kept within the dialect, whole and streamed, else named", () => {
    const use = { type: "server_tool_use", id: "s", name: "web_search", input: { query: "x" } };
    const found = {
      type: "web_search_tool_result",
      tool_use_id: "s",
      content: [{ type: "web_search_result", url: "u" }],
    };
    const citation = {
      type: "web_search_result_location",
      url: "u",
      title: "t",
      encrypted_index: "e",
      cited_text: "c",
    };
    const cited = { type: "text", text: "so", citations: [citation] };
    const given = messages(use, found, cited);
    const request = decodeRequest("anthropic-messages", given);
    expect(sentTo("anthropic-messages", request)).toMatchObject({
      body: { messages: [{}, given.messages[1], {}] },
      dropped: [],
    });
    expect(sentTo("openai-chat", request).dropped).toEqual([
      "anthropic-messages.server_tool_use",
      "anthropic-messages.web_search_tool_result",
      "anthropic-messages.citation",
    ]);
    const answered = vendorDialects["anthropic-messages"].decodeResponse({ content: [use, found, cited] });
    if (!answered.ok) throw new Error(answered.message);
    expect(clientDialects["anthropic-messages"].encodeResponse(answered.response, id, requestOf())).toMatchObject({
      content: [use, found, cited],
    });
    const records = [
      begin(),
      blockStart(0, { ...use, input: {} }),
      delta(0, { type: "input_json_delta", partial_json: '{"query":' }),
      delta(0, { type: "input_json_delta", partial_json: '"x"}' }),
      stop(0),
      blockStart(1, found),
      stop(1),
      blockStart(2, { type: "text", text: "" }),
      delta(2, { type: "citations_delta", citation }),
      delta(2, { type: "text_delta", text: "so" }),
      stop(2),
      ending("end_turn"),
      { type: "message_stop" },
    ];
    const events = read("anthropic-messages", ...records);
    expect(collect(events)?.parts).toEqual(answered.response.parts);
    const again = collect(read("anthropic-messages", ...write("anthropic-messages", events)));
    expect(again?.parts).toEqual(answered.response.parts);
    expect(JSON.stringify(write("openai-chat", events))).not.toContain("encrypted");
  });

  it("citations of documents reach OpenAI's clients as marks in the answer", () => {
    const citation = {
      type: "char_location",
      cited_text: "sky",
      document_index: 0,
      document_title: "Sky",
      start_char_index: 5,
      end_char_index: 8,
    };
    const records = [
      begin(),
      blockStart(0, { type: "text", text: "" }),
      delta(0, { type: "text_delta", text: "The sky." }),
      delta(0, { type: "citations_delta", citation }),
      stop(0),
      { type: "message_stop" },
    ];
    const events = read("anthropic-messages", ...records);
    expect(collect(events)?.citations).toEqual([{ source: "Sky", title: "Sky", start: 5, end: 8, text: "sky" }]);
    expect(JSON.stringify(write("openai-chat", events))).toContain(
      '"url_citation":{"url":"Sky","title":"Sky","start_index":4,"end_index":7}',
    );
  });

  it("failed tools are named, for OpenAI has no word for it", () => {
    const content = [{ type: "tool_result", tool_use_id: "1", content: "no such city", is_error: true }];
    const sent = translate("anthropic-messages", { messages: [{ role: "user", content }] });
    expect(sent).toMatchObject({
      body: { messages: [{ content: "no such city" }] },
      dropped: ["tool_result.is_error"],
    });
  });
});

describe("22: structured output", () => {
  const schema = {
    type: "object",
    properties: { person: { $ref: "#/$defs/Person" } },
    $defs: { Person: { type: "object", properties: { age: { type: "integer", maximum: 12 } } } },
  };
  const response_format = { type: "json_schema", json_schema: { name: "person", schema, strict: true } };

  it("a schema with $ref and $defs arrives unchanged at either vendor", () => {
    expect(sentTo("openai-chat", decodeRequest("openai-chat", { response_format })).body).toMatchObject({
      response_format,
    });
    expect(translate("openai-chat", { response_format }).body["output_config"]).toEqual({
      format: { type: "json_schema", schema },
    });
    for (const body of [
      { output_config: { format: { type: "json_schema", schema } } },
      { output_format: { type: "json_schema", schema } },
    ]) {
      expect(translate("anthropic-messages", body).body["response_format"]).toMatchObject({
        type: "json_schema",
        json_schema: { schema, strict: true },
      });
    }
  });

  it("JSON without a schema is OpenAI's alone, and named", () => {
    expect(translate("openai-chat", { response_format: { type: "json_object" } }).dropped).toEqual(["response_format"]);
  });

  it("strict tools stay strict", () => {
    const tools = [{ type: "function", function: { name: "f", parameters: { type: "object" }, strict: true } }];
    expect(translate("openai-chat", { tools }).body["tools"]).toEqual([
      { name: "f", input_schema: { type: "object" }, strict: true },
    ]);
  });

  it("partial JSON streams as it comes", () => {
    const events = read("openai-chat", chunk({ content: '{"person":' }), chunk({ content: '{"age":3}}' }), "[DONE]");
    const texts = write("anthropic-messages", events).flatMap(
      (record) => (record["delta"] as { text?: string })?.text ?? [],
    );
    expect(texts).toEqual(['{"person":', '{"age":3}}']);
  });
});

describe("23: images, documents, audio", () => {
  const parts = (...content: object[]) => ({ messages: [{ role: "user", content }] });
  const contentOf = ({ body }: Sent) => (body["messages"] as { content: unknown }[])[0]?.content;

  it("by URL and as data, either way; image/jpg is told right", () => {
    const sent = translate(
      "openai-chat",
      parts(
        { type: "image_url", image_url: { url: "https://x/y.png", detail: "high" } },
        { type: "image_url", image_url: { url: "data:image/jpg;base64,AAAA" } },
      ),
    );
    expect(contentOf(sent)).toEqual([
      { type: "image", source: { type: "url", url: "https://x/y.png" } },
      { type: "image", source: { type: "base64", media_type: "image/jpeg", data: "AAAA" } },
    ]);
    expect(sent.dropped).toEqual(["messages.image.detail"]);
  });

  it("an image by file id is Anthropic's alone, and named", () => {
    const image = { type: "image", source: { type: "file", file_id: "file_1" } };
    const request = decodeRequest("anthropic-messages", parts({ type: "text", text: "see" }, image));
    expect(contentOf(sentTo("anthropic-messages", request))).toMatchObject([{}, image]);
    expect(sentTo("openai-chat", request).dropped).toEqual(["messages.image"]);
  });

  it("PDF as data and by file id, either way", () => {
    const pdf = {
      type: "document",
      source: { type: "base64", media_type: "application/pdf", data: "JVBE" },
      title: "a.pdf",
    };
    const byId = { type: "document", source: { type: "file", file_id: "file_1" } };
    const sent = translate("anthropic-messages", parts(pdf, byId));
    expect(contentOf(sent)).toEqual([
      { type: "file", file: { filename: "a.pdf", file_data: "data:application/pdf;base64,JVBE" } },
      { type: "file", file: { file_id: "file_1" } },
    ]);
    expect(sent.dropped).toEqual([]);
    expect(contentOf(translate("openai-chat", parts(...(contentOf(sent) as object[]))))).toEqual([pdf, byId]);
  });

  it("text documents carry their words; documents by URL are Anthropic's alone", () => {
    const source = { type: "text", media_type: "text/plain", data: "Zürich 🏦" };
    const request = decodeRequest("anthropic-messages", parts({ type: "document", source, title: "t" }));
    expect(contentOf(sentTo("anthropic-messages", request))).toEqual([{ type: "document", source, title: "t" }]);
    const byUrl = parts(
      { type: "document", source: { type: "url", url: "https://x/a.pdf" } },
      { type: "text", text: "?" },
    );
    expect(translate("anthropic-messages", byUrl).dropped).toEqual(["messages.file"]);
    const word = { type: "file", file: { filename: "a.docx", file_data: "data:application/msword;base64,AAAA" } };
    expect(translate("openai-chat", parts(word, { type: "text", text: "?" })).dropped).toEqual(["messages.file"]);
  });

  it("audio in and out at OpenAI; elsewhere what was said in words, and named", () => {
    const input_audio = { data: "AAAA", format: "wav" };
    const body = parts({ type: "input_audio", input_audio });
    const asked = { ...body, modalities: ["text", "audio"], audio: { voice: "alloy", format: "wav" } };
    expect(sentTo("openai-chat", decodeRequest("openai-chat", asked)).body).toMatchObject(asked);
    expect(translate("openai-chat", asked).dropped).toEqual(["messages.audio", "audio"]);
    const audio = { id: "audio_1", data: "AAAA", transcript: "Hello.", expires_at: 5 };
    const decoded = vendorDialects["openai-chat"].decodeResponse({ choices: [{ message: { content: null, audio } }] });
    if (!decoded.ok) throw new Error(decoded.message);
    expect(decoded.response.parts).toEqual([{ type: "audio", ...audio }]);
    expect(clientDialects["openai-chat"].encodeResponse(decoded.response, id, requestOf())).toMatchObject({
      choices: [{ message: { content: null, audio } }],
    });
    expect(clientDialects["anthropic-messages"].encodeResponse(decoded.response, id, requestOf())).toMatchObject({
      content: [{ type: "text", text: "Hello." }],
    });
    const replayed = decodeRequest("openai-chat", {
      messages: [user, { role: "assistant", audio: { id: "audio_1" } }],
    });
    expect(sentTo("openai-chat", replayed).body["messages"]).toMatchObject([
      {},
      { content: null, audio: { id: "audio_1" } },
    ]);
  });

  it("pieces of speech, each padded for itself, are one base64 text in the end", () => {
    const bytes = Buffer.from("RIFF, and then some more sound");
    const pieces = [0, 4, 5, 12, 14].map((from, i, all) => bytes.subarray(from, all[i + 1]).toString("base64"));
    const records = pieces.map((data) => chunk({ audio: { id: "audio_1", data } }));
    const [part] = collect(read("openai-chat", ...records, finish("stop"), "[DONE]"))!.parts;
    expect(part).toEqual({ type: "audio", id: "audio_1", data: bytes.toString("base64") });
  });

  it("audio in a stream", () => {
    const events = read(
      "openai-chat",
      chunk({ audio: { id: "audio_1", transcript: "Hel" } }),
      chunk({ audio: { data: "AAAA", transcript: "lo." } }),
      chunk({ audio: { expires_at: 5 } }),
      chunk({ audio: { id: "audio_1", expires_at: 5, transcript: "" } }),
      finish("stop"),
      "[DONE]",
    );
    expect(collect(events)?.parts).toEqual([
      { type: "audio", id: "audio_1", data: "AAAA", transcript: "Hello.", expires_at: 5 },
    ]);
    expect(collect(read("openai-chat", ...write("openai-chat", events).map(backToRecord)))).toEqual(collect(events));
    expect(collect(read("anthropic-messages", ...write("anthropic-messages", events)))?.parts).toEqual([
      { type: "text", text: "Hello." },
    ]);
  });
});

describe("24: logprobs, several answers, seed, biases, tiers", () => {
  const fields = {
    logprobs: true,
    top_logprobs: 2,
    n: 3,
    seed: 7,
    logit_bias: { "50256": -100 },
    service_tier: "flex",
    presence_penalty: 0.5,
    frequency_penalty: -0.5,
  };

  it("are passed to OpenAI, and what a vendor refuses is left out and named", () => {
    const request = decodeRequest("openai-chat", fields);
    expect(sentTo("openai-chat", request)).toMatchObject({ body: fields, dropped: [] });
    const refuses = ["logprobs", "top_logprobs", "n", "top_k"];
    const sent = sentTo("openai-chat", request, { refuses });
    expect(sent.dropped).toEqual(["logprobs", "top_logprobs", "n"]);
    expect(Object.keys(sent.body)).not.toEqual(expect.arrayContaining(["n"]));
  });

  it("choices interleave in a stream, each with its own calls, logprobs and end", () => {
    const token = (text: string) => ({
      token: text,
      logprob: -0.5,
      bytes: [1],
      top_logprobs: [{ token: "z", logprob: -2, bytes: null }],
    });
    const piece = (index: number, text: string) => ({
      choices: [{ index, delta: { content: text }, logprobs: { content: [token(text)], refusal: null } }],
    });
    const toolCall = { tool_calls: [{ index: 0, id: "c", function: { name: "f", arguments: "{}" } }] };
    const events = read(
      "openai-chat",
      chunk({ role: "assistant" }),
      piece(0, "a"),
      piece(1, "b"),
      piece(0, "A"),
      { choices: [{ index: 2, delta: toolCall }] },
      { choices: [{ index: 1, delta: {}, finish_reason: "length" }] },
      { choices: [{ index: 2, delta: {}, finish_reason: "tool_calls" }] },
      finish("stop"),
      "[DONE]",
    );
    const said = (text: string) => ({
      token: text,
      logprob: -0.5,
      bytes: [1],
      top: [{ token: "z", logprob: -2, bytes: null }],
    });
    const expected = {
      model: "gpt",
      parts: [{ type: "text", text: "aA" }],
      logprobs: [said("a"), said("A")],
      finish: "stop",
      others: [
        { parts: [{ type: "text", text: "b" }], logprobs: [said("b")], finish: "length" },
        { parts: [{ type: "tool_call", id: "c", name: "f", arguments: "{}" }], finish: "tool_calls" },
      ],
    };
    expect(collect(events)).toEqual(expected);
    expect(collect(read("openai-chat", ...write("openai-chat", events).map(backToRecord)))).toEqual(expected);
    // Anthropic's clients can't ask for several: the first is theirs.
    expect(collect(read("anthropic-messages", ...write("anthropic-messages", events)))?.parts).toEqual(expected.parts);
  });

  it("logprobs without text of their own never join another choice's", () => {
    const token = { token: "a", logprob: -1, bytes: null };
    const choices = [
      { index: 0, delta: { content: "x" } },
      { index: 1, delta: { content: "" }, logprobs: { content: [token] } },
    ];
    expect(read("openai-chat", { model: "gpt", choices }).slice(1)).toEqual([
      { type: "text", text: "x" },
      { type: "text", text: "", logprobs: [token], choice: 1 },
    ]);
  });

  it("the tier that served is told, in answer and usage", () => {
    const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 };
    const decoded = vendorDialects["openai-chat"].decodeResponse({
      choices: [{ message: {} }],
      usage,
      service_tier: "flex",
    });
    expect(decoded).toMatchObject({ response: { service_class: "flex", usage: { service_class: "flex" } } });
    const events = read("openai-chat", chunk({}, { service_tier: "priority" }), { choices: [], usage }, "[DONE]");
    expect(lastUsage(events)?.service_class).toBe("priority");
    expect(write("openai-chat", events, { wants_usage: true }).at(-2)).toMatchObject({ service_tier: "priority" });
    const anthropic = { input_tokens: 1, output_tokens: 1, service_tier: "priority" };
    expect(
      lastUsage(read("anthropic-messages", begin(anthropic), ending("end_turn", { output_tokens: 2 }))),
    ).toMatchObject({
      output: 2,
      service_class: "priority",
    });
  });
});

describe("25: reasoning", () => {
  const ask = (body: object, model: string) => translate("openai-chat", { max_tokens: 32_000, ...body }, { model });

  it.each([
    ["claude-opus-4-8", { thinking: { type: "adaptive" }, output_config: { effort: "high" } }, []],
    ["claude-opus-4-6", { thinking: { type: "adaptive" }, output_config: { effort: "high" } }, []],
    ["claude-sonnet-4-5-20250929", { thinking: { type: "enabled", budget_tokens: 24_576 } }, ["reasoning.effort"]],
    ["claude-sonnet-4-20250514", { thinking: { type: "enabled", budget_tokens: 24_576 } }, ["reasoning.effort"]],
    ["anthropic.claude-3-7-sonnet-20250219-v1:0", { thinking: { type: "enabled" } }, ["reasoning.effort"]],
  ])("an effort is told to %s as it knows it", (model, body, dropped) => {
    expect(ask({ reasoning_effort: "high" }, model)).toMatchObject({ body, dropped });
  });

  it("an effort between two that 4.6 knows is the higher one", () => {
    const sent = ask({ reasoning_effort: "xhigh" }, "claude-opus-4-6");
    expect(sent).toMatchObject({ body: { output_config: { effort: "max" } }, dropped: ["reasoning.effort"] });
    expect(ask({ reasoning_effort: "xhigh" }, "claude-opus-4-8").dropped).toEqual([]);
  });

  it("no effort is no thinking; the least is low", () => {
    expect(ask({ reasoning_effort: "none" }, "claude-opus-4-8").body["thinking"]).toEqual({ type: "disabled" });
    expect(ask({ reasoning_effort: "minimal" }, "claude-opus-4-8")).toMatchObject({
      body: { output_config: { effort: "low" } },
      dropped: ["reasoning.effort"],
    });
  });

  it("a budget becomes an effort at OpenAI, and is named", () => {
    for (const [budget_tokens, effort] of [
      [1024, "low"],
      [8000, "medium"],
      [20_000, "high"],
    ] as const) {
      const sent = translate("anthropic-messages", {
        max_tokens: 32_000,
        thinking: { type: "enabled", budget_tokens },
      });
      expect(sent).toMatchObject({ body: { reasoning_effort: effort }, dropped: ["reasoning.budget_tokens"] });
    }
    const adaptive = translate("anthropic-messages", {
      thinking: { type: "adaptive" },
      output_config: { effort: "max" },
    });
    expect(adaptive).toMatchObject({ body: { reasoning_effort: "max" }, dropped: ["reasoning.adaptive"] });
    // Most models of OpenAI's refuse to be told not to think.
    const disabled = translate("anthropic-messages", { thinking: { type: "disabled" } });
    expect(disabled.dropped).toEqual(["reasoning.budget_tokens"]);
    expect(disabled.body).not.toHaveProperty("reasoning_effort");
  });

  it("a budget leaves room for the answer, and goes where there is none", () => {
    const budget = (budget_tokens: number, max_tokens: number) =>
      sentTo("anthropic-messages", requestOf({ reasoning: { budget_tokens }, max_tokens }));
    expect(budget(2000, 8000)).toMatchObject({ body: { thinking: { budget_tokens: 2000 } }, dropped: [] });
    expect(budget(9000, 8000)).toMatchObject({
      body: { thinking: { budget_tokens: 6400 } },
      dropped: ["reasoning.budget_tokens"],
    });
    expect(budget(100, 8000)).toMatchObject({
      body: { thinking: { budget_tokens: 1024 } },
      dropped: ["reasoning.budget_tokens"],
    });
    expect(budget(9000, 500)).toMatchObject({
      body: expect.not.objectContaining({ thinking: {} }),
      dropped: ["reasoning"],
    });
  });

  it("what a thinking model refuses goes, and thinking goes where a call is forced or has no thought behind it", () => {
    const sampled = ask({ reasoning_effort: "low", temperature: 0.2, top_k: 4, top_p: 0.5 }, "claude-opus-4-8");
    expect(sampled.dropped).toEqual(["temperature", "top_k", "top_p"]);
    const tools = [{ type: "function", function: { name: "f" } }];
    const forced = ask({ reasoning_effort: "low", tools, tool_choice: "required" }, "claude-opus-4-8");
    expect(forced).toMatchObject({ body: { tool_choice: { type: "any" } }, dropped: ["reasoning"] });
    expect(forced.body).not.toHaveProperty("thinking");
    const tool_calls = [{ id: "c", type: "function", function: { name: "f", arguments: "{}" } }];
    const messages = [user, { role: "assistant", tool_calls }, { role: "tool", tool_call_id: "c", content: "1" }];
    expect(ask({ reasoning_effort: "low", messages }, "claude-sonnet-4-5").dropped).toContain("reasoning");
    expect(ask({ reasoning_effort: "low", messages }, "claude-opus-4-8").dropped).not.toContain("reasoning");
  });

  it.each([
    [
      "OpenAI counts them in the output",
      { completion_tokens: 100, completion_tokens_details: { reasoning_tokens: 60 } },
      100,
    ],
    [
      "xAI beside it",
      { completion_tokens: 40, total_tokens: 110, completion_tokens_details: { reasoning_tokens: 60 } },
      100,
    ],
    [
      "xAI beside it, without a total",
      { completion_tokens: 40, completion_tokens_details: { reasoning_tokens: 60 } },
      100,
    ],
    ["Gemini shows them in the total alone", { completion_tokens: 40, total_tokens: 110 }, 100],
  ])("tokens of thought count once: %s", (_name, usage, output) => {
    const events = read("openai-chat", { choices: [], usage: { prompt_tokens: 10, ...usage } });
    expect(lastUsage(events)).toMatchObject({ input: 10, output });
  });

  it("thoughts of each server come once, in blocks, with their proofs", () => {
    const details = [
      { type: "reasoning.text", text: "hm", signature: "SIG", index: 0 },
      { type: "reasoning.encrypted", data: "xyz", id: "rs_1", index: 1 },
    ];
    const records = [
      chunk({ reasoning: "hm", reasoning_details: [{ type: "reasoning.text", text: "hm", index: 0 }] }),
      chunk({ reasoning: "", reasoning_details: [{ type: "reasoning.text", signature: "SIG", index: 0 }] }),
      chunk({ reasoning_details: [details[1]] }),
      chunk({ content: "4" }),
    ];
    const streamed = collect(read("openai-chat", ...records, "[DONE]"))?.parts;
    expect(streamed).toEqual([
      { type: "reasoning", text: "hm", signature: "SIG" },
      { type: "reasoning", text: "", encrypted: "xyz", id: "rs_1" },
      { type: "text", text: "4" },
    ]);
    const message = { content: "4", reasoning: "hm", reasoning_details: details };
    expect(vendorDialects["openai-chat"].decodeResponse({ choices: [{ message }] })).toMatchObject({
      response: { parts: streamed },
    });
    const mistral = [
      { type: "thinking", thinking: [{ type: "text", text: "hm" }] },
      { type: "text", text: "4" },
    ];
    expect(collect(read("openai-chat", chunk({ content: mistral }), "[DONE]"))?.parts).toEqual([
      { type: "reasoning", text: "hm" },
      { type: "text", text: "4" },
    ]);
  });

  it("another vendor's thoughts go round through Anthropic's clients under their names, whole and streamed", () => {
    const parts = [
      { type: "reasoning" as const, text: "hm", encrypted: "xyz", id: "rs_1" },
      { type: "reasoning" as const, text: "", encrypted: "u.v", id: "rs:2.a" },
      { type: "text" as const, text: "4" },
    ];
    const response = { model: "m", parts, finish: "stop" as const };
    const { content } = clientDialects["anthropic-messages"].encodeResponse(response, id, requestOf()) as {
      content: object[];
    };
    expect(content).toMatchObject([{ type: "thinking", thinking: "hm" }, { type: "redacted_thinking" }, {}]);
    const stream = write("anthropic-messages", [...parts.slice(0, 2).map((part) => ({ ...part })), { type: "end" }]);
    const streamed = stream.flatMap((record) => (record["content_block"] as object | undefined) ?? []);
    for (const echoed of [content, [...streamed, content[2]!]]) {
      const request = decodeRequest("anthropic-messages", {
        messages: [user, { role: "assistant", content: echoed }, user],
      });
      expect(request.messages[1]?.parts).toEqual(parts);
      expect(sentTo("anthropic-messages", request).dropped).toEqual(["reasoning"]);
    }
  });

  it("another vendor's sealed thoughts never go to Anthropic", () => {
    const parts = [
      { type: "reasoning" as const, text: "", encrypted: "xyz", id: "rs_1" },
      { type: "text" as const, text: "4" },
    ];
    const sent = sentTo("anthropic-messages", requestOf({ messages: [{ role: "assistant", parts }] }));
    expect(sent).toMatchObject({ body: { messages: [{ content: [{ type: "text" }] }] }, dropped: ["reasoning"] });
  });
});

describe("26: cached tokens", () => {
  const openai = (usage: object) => lastUsage(read("openai-chat", { choices: [], usage }));

  it.each([
    ["OpenAI: within the prompt", { prompt_tokens_details: { cached_tokens: 60 } }, { input: 40, cached_input: 60 }],
    [
      "DeepSeek's names",
      { prompt_cache_hit_tokens: 60, prompt_cache_miss_tokens: 40 },
      { input: 40, cached_input: 60 },
    ],
    ["Moonshot's name", { cached_tokens: 60 }, { input: 40, cached_input: 60 }],
    [
      "writes, within the prompt",
      { prompt_tokens_details: { cached_tokens: 60, cache_write_tokens: 30 } },
      { input: 10, cached_input: 60, cache_write: 30 },
    ],
    [
      "a server that counts them beside the prompt, as its total shows",
      { total_tokens: 205, cache_read_input_tokens: 60, cache_creation_input_tokens: 40 },
      { input: 100, cached_input: 60, cache_write: 40 },
    ],
    [
      "more cached than there was, and a total that denies it",
      { total_tokens: 105, prompt_tokens_details: { cached_tokens: 900 } },
      { input: 0, cached_input: 100 },
    ],
    [
      "audio and cache that overlap",
      { prompt_tokens_details: { cached_tokens: 80, audio_tokens: 50 } },
      { input: 0, cached_input: 50, audio_input: 20, cached_audio_input: 30 },
    ],
  ])("inclusive counts become exclusive: %s", (_name, more, expected) => {
    expect(openai({ prompt_tokens: 100, completion_tokens: 5, ...more })).toEqual({
      output: 5,
      estimated: false,
      ...expected,
    });
  });

  it("exclusive counts stay so, with writes for five minutes and an hour; the end says no split and keeps it", () => {
    const start = {
      input_tokens: 10,
      cache_read_input_tokens: 60,
      cache_creation_input_tokens: 30,
      cache_creation: { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 20 },
      output_tokens: 1,
    };
    const { cache_creation: _split, ...total } = start;
    const closing = {
      ...total,
      output_tokens: 5,
      server_tool_use: { web_search_requests: 2 },
      output_tokens_details: { thinking_tokens: 3 },
    };
    const usage = lastUsage(read("anthropic-messages", begin(start), ending("end_turn", closing)));
    expect(usage).toEqual({
      input: 10,
      cached_input: 60,
      cache_write: 10,
      cache_write_1h: 20,
      output: 5,
      reasoning: 3,
      web_searches: 2,
      estimated: false,
    });
  });

  it("an OpenAI client is told the inclusive counts, an Anthropic client the exclusive ones", () => {
    const usage = {
      input: 10,
      cached_input: 60,
      cache_write: 10,
      cache_write_1h: 20,
      output: 5,
      reasoning: 3,
      estimated: false,
    };
    const response = { model: "m", parts: [], finish: "stop" as const, usage };
    expect(clientDialects["openai-chat"].encodeResponse(response, id, requestOf())).toMatchObject({
      usage: {
        prompt_tokens: 100,
        total_tokens: 105,
        prompt_tokens_details: { cached_tokens: 60, cache_write_tokens: 30 },
        completion_tokens_details: { reasoning_tokens: 3 },
      },
    });
    expect(clientDialects["anthropic-messages"].encodeResponse(response, id, requestOf())).toMatchObject({
      usage: {
        input_tokens: 10,
        cache_read_input_tokens: 60,
        cache_creation_input_tokens: 30,
        cache_creation: { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 20 },
      },
    });
  });
});

describe("27: what nobody here knows", () => {
  it("passes within a dialect byte for byte: order, numbers, null and spacing", () => {
    const body = `{"z":12345678901234567890, "model":"case","x":1.0,"messages":[{"role":"user","content":"hi","new":null}],"y":null}`;
    for (const dialect of ["openai-chat", "anthropic-messages"] as const) {
      const sent = vendorDialectOf(dialect).forward!(Buffer.from(body), { model: "v", stream: false });
      expect(Buffer.from(sent).toString()).toBe(body.replace("case", "v"));
    }
  });

  it("is named, by path, where a translation loses it; null is absent", () => {
    const body = { brand_new: 1, gone: null, messages: [{ ...user, brand: 2 }] };
    expect(translate("openai-chat", body).dropped).toEqual(["messages[0].brand", "brand_new"]);
    expect(translate("anthropic-messages", body).dropped).toEqual(["messages[0].brand", "brand_new"]);
  });

  it("64-bit numbers in tool arguments keep their digits, either way", () => {
    const exact = '{"account":12345678901234567890}';
    const tool_calls = [{ id: "c", type: "function", function: { name: "f", arguments: exact } }];
    const sent = translate("openai-chat", { messages: [{ role: "assistant", tool_calls }] });
    expect(JSON.stringify(sent.body)).toContain(exact);
  });
});
