import { describe, expect, it } from "vitest";
import type { ChatPart } from "../../../kernel/chat.ts";
import type { Fields } from "../body-reader.ts";
import { encodeSse } from "../sse.ts";
import { openaiResponsesVendor } from "./index.ts";
import { collect, read } from "./sample-wire.ts";

const wireOf = (...events: Fields[]): string => events.map((event) => encodeSse(JSON.stringify(event))).join("");
const created = { type: "response.created", response: { id: "resp_v", model: "gpt-v" } };
const completed = (response: Fields = {}) => ({
  type: "response.completed",
  response: { id: "resp_v", model: "gpt-v", status: "completed", output: [], ...response },
});
const partsIn = (...events: Fields[]): ChatPart[] | undefined =>
  collect(read(wireOf(created, ...events, completed())))?.parts;

describe("what a vendor's stream says", () => {
  const call = { type: "function_call", id: "fc_1", call_id: "call_1", name: "rate" };
  const rate: ChatPart = { type: "tool_call", id: "call_1", name: "rate", arguments: '{"a":1}' };
  const added = (item: Fields, output_index = 0) => ({ type: "response.output_item.added", output_index, item });
  const doneItem = (item: Fields, output_index = 0) => ({ type: "response.output_item.done", output_index, item });
  const argumentsEvent = (kind: "delta" | "done", fields: Fields, output_index = 0) => ({
    type: `response.function_call_arguments.${kind}`,
    output_index,
    ...fields,
  });

  it.each<[name: string, events: Fields[], parts: ChatPart[]]>([
    ["only the item's end", [doneItem({ ...call, arguments: '{"a":1}' })], [rate]],
    ["only the arguments' end", [added(call), argumentsEvent("done", { arguments: '{"a":1}' })], [rate]],
    [
      "deltas that leave off, and an end that has all",
      [added(call), argumentsEvent("delta", { delta: '{"a"' }), argumentsEvent("done", { arguments: '{"a":1}' })],
      [rate],
    ],
    [
      "arguments before the call has a name",
      [argumentsEvent("delta", { delta: '{"a"' }), doneItem({ ...call, arguments: '{"a":1}' })],
      [rate],
    ],
    [
      "the whole call at once in the item that opens it",
      [added({ ...call, arguments: "" }), doneItem({ ...call, arguments: '{"a":1}' })],
      [rate],
    ],
    ["no arguments at all", [added(call), doneItem({ ...call, arguments: "" })], [{ ...rate, arguments: "{}" }]],
    ["a call that is never closed", [added(call)], [{ ...rate, arguments: "{}" }]],
    [
      "calls that interleave",
      [
        added(call),
        added({ ...call, id: "fc_2", call_id: "call_2", name: "time" }, 1),
        argumentsEvent("delta", { delta: '{"b":2}' }, 1),
        argumentsEvent("delta", { delta: '{"a":1}' }),
      ],
      [rate, { type: "tool_call", id: "call_2", name: "time", arguments: '{"b":2}' }],
    ],
    [
      "a custom call",
      [
        added({ type: "custom_tool_call", id: "ct", call_id: "call_9", name: "run", input: "" }),
        { type: "response.custom_tool_call_input.done", output_index: 0, input: "ls" },
      ],
      [{ type: "tool_call", id: "call_9", name: "run", arguments: "ls", custom: true }],
    ],
    [
      "text without deltas, in three places at once",
      [
        { type: "response.output_text.done", output_index: 0, content_index: 0, text: "Hi" },
        {
          type: "response.content_part.done",
          output_index: 0,
          content_index: 0,
          part: { type: "output_text", text: "Hi" },
        },
        doneItem({ type: "message", content: [{ type: "output_text", text: "Hi" }] }),
      ],
      [{ type: "text", text: "Hi" }],
    ],
    [
      "two parts of a summary, then the seal",
      [
        added({ type: "reasoning", id: "rs_1", summary: [] }),
        { type: "response.reasoning_summary_text.delta", output_index: 0, summary_index: 0, delta: "A" },
        { type: "response.reasoning_summary_text.delta", output_index: 0, summary_index: 1, delta: "B" },
        doneItem({ type: "reasoning", id: "rs_1", summary: [{ text: "A" }, { text: "B" }], encrypted_content: "gAAA" }),
      ],
      [{ type: "reasoning", text: "A\n\nB", encrypted: "gAAA", id: "rs_1" }],
    ],
    [
      "thoughts in full and their summary: what began goes on",
      [
        { type: "response.reasoning_text.delta", output_index: 0, content_index: 0, item_id: "rs_1", delta: "A" },
        {
          type: "response.reasoning_summary_text.delta",
          output_index: 0,
          summary_index: 0,
          item_id: "rs_1",
          delta: "S",
        },
      ],
      [{ type: "reasoning", text: "A", id: "rs_1" }],
    ],
    [
      "a hosted tool's item and an image",
      [
        doneItem({ type: "web_search_call", id: "ws" }),
        doneItem({ type: "image_generation_call", id: "ig", result: "aWk=", output_format: "webp" }, 1),
      ],
      [
        {
          type: "native",
          dialect: "openai-responses",
          kind: "web_search_call",
          value: { type: "web_search_call", id: "ws" },
        },
        { type: "image", media_type: "image/webp", data: "aWk=" },
      ],
    ],
    [
      "event types that nobody knows",
      [{ type: "response.telepathy.delta", output_index: 0, delta: "?" }, { type: "keepalive" }],
      [],
    ],
  ])("%s", (_name, events, parts) => expect(partsIn(...events)).toEqual(parts));

  it("items that only the last event tells", () => {
    const output = [
      { type: "message", content: [{ type: "output_text", text: "Hi" }] },
      { ...call, arguments: '{"a":1}' },
    ];
    expect(collect(read(wireOf(created, completed({ output }))))).toMatchObject({
      parts: [{ type: "text", text: "Hi" }, rate],
      finish: "tool_calls",
      vendor_id: "resp_v",
    });
  });

  it("that it was cut, filtered or refused", () => {
    const incomplete = (details?: Fields) =>
      collect(
        read(wireOf(created, { type: "response.incomplete", response: { output: [], incomplete_details: details } })),
      )?.finish;
    expect([
      incomplete({ reason: "max_output_tokens" }),
      incomplete({ reason: "content_filter" }),
      incomplete(),
    ]).toEqual(["length", "content_filter", "length"]);
    const refusal = { type: "response.refusal.delta", output_index: 0, content_index: 0, delta: "No." };
    expect(collect(read(wireOf(created, refusal, completed())))).toMatchObject({
      parts: [{ type: "text", text: "No.", refusal: true }],
      finish: "refusal",
    });
  });

  it.each<[event: Fields, message: string, code: string]>([
    [{ type: "error", code: "server_error", message: "Boom." }, "Boom.", "server_error"],
    [{ type: "error", error: { code: "rate_limit_exceeded", message: "Slow." } }, "Slow.", "rate_limit_exceeded"],
    [{ error: { message: "Odd." } }, "Odd.", "upstream_error"],
    [
      { type: "response.failed", response: { error: { code: "server_error", message: "Fail." } } },
      "Fail.",
      "server_error",
    ],
  ])("%j ends it with an error, and nothing comes after", (event, message, code) => {
    expect(read(wireOf(created, event, completed())).slice(1)).toEqual([{ type: "error", message, code }]);
  });

  it("usage of a failed answer is told before the failure", () => {
    const response = { error: { message: "Fail." }, usage: { input_tokens: 5, output_tokens: 2, total_tokens: 7 } };
    expect(read(wireOf(created, { type: "response.failed", response })).map((event) => event.type)).toEqual([
      "start",
      "usage",
      "error",
    ]);
  });

  it("an event that is no object breaks it; [DONE] says nothing", () => {
    expect(read("data: nonsense\n\n")).toMatchObject([{ type: "error", code: "invalid_stream" }]);
    expect(read("data: [DONE]\n\n")).toEqual([]);
  });
});

describe("usage", () => {
  const usageIn = (usage: Fields, more: Fields = {}) => {
    const decoded = openaiResponsesVendor.decodeResponse({ output: [], usage, ...more });
    return decoded.ok ? decoded.response.usage : decoded.message;
  };
  const details = (input: Fields, output: Fields = {}) => ({
    input_tokens_details: input,
    output_tokens_details: output,
  });
  it.each<[usage: Fields, more: Fields, expected: Fields | undefined]>([
    [{}, {}, undefined],
    [{ input_tokens: 0, output_tokens: 0 }, {}, { input: 0, cached_input: 0, output: 0 }],
    [
      { input_tokens: 30, output_tokens: 5, ...details({ cached_tokens: 4, cache_write_tokens: 6 }) },
      {},
      { input: 20, cached_input: 4, cache_write: 6, output: 5 },
    ],
    [
      {
        input_tokens: 30,
        output_tokens: 5,
        ...details({ cache_write_tokens: 9, cache_write_tokens_details: { ttl_30m_tokens: 4, ttl_12h_tokens: 5 } }),
      },
      { service_tier: "flex" },
      { input: 21, cached_input: 0, cache_write: 4, cache_write_1h: 5, output: 5, service_class: "flex" },
    ],
    [
      { input_tokens: 3, output_tokens: 5, ...details({ cached_tokens: 9 }) },
      {},
      { input: 0, cached_input: 3, output: 5 },
    ],
    [
      { input_tokens: 3, output_tokens: 5, total_tokens: 8, ...details({}, { reasoning_tokens: 8 }) },
      {},
      { input: 3, cached_input: 0, output: 5, reasoning: 5 },
    ],
    [
      { input_tokens: 3, output_tokens: 5, ...details({}, { reasoning_tokens: 8 }) },
      {},
      { input: 3, cached_input: 0, output: 13, reasoning: 8 },
    ],
    [
      { input_tokens: 1, output_tokens: 1 },
      {
        output: [
          { type: "web_search_call", action: { type: "search" } },
          { type: "web_search_call", action: { type: "open_page" } },
        ],
      },
      { input: 1, cached_input: 0, output: 1, web_searches: 1 },
    ],
    [
      { input_tokens: 1, output_tokens: 1 },
      { tool_usage: { web_search: { num_requests: 3 } } },
      { input: 1, cached_input: 0, output: 1, web_searches: 3 },
    ],
  ])("%j", (usage, more, expected) =>
    expect(usageIn(usage, more)).toEqual(expected && { ...expected, estimated: false }),
  );
});
