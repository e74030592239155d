import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { FinishReason } from "../../../kernel/chat.ts";
import { clientDialects, vendorDialects } from "../index.ts";
import { requestOf } from "../sample-chats.ts";
import { cohereVendor } from "./index.ts";
import { type Answer, collect, eventsOfAnswer, read, sse, wholeBody, wholeOf } from "./sample-wire.ts";
import { usageOf } from "./usage.ts";

const usage = {
  billed_units: { input_tokens: 17, output_tokens: 12 },
  tokens: { input_tokens: 215, output_tokens: 12 },
};
const plain: Answer = { content: [{ type: "text", text: "Hello" }], calls: [], reason: "COMPLETE", usage };
const streamed = (answer: Answer) => collect(read(sse(eventsOfAnswer(answer))));

describe("usage", () => {
  it.each([
    ["is what is billed, not what was read", usage, { input: 17, cached_input: 0, output: 12 }],
    [
      "is what was counted where nothing says what is billed",
      { tokens: { input_tokens: 5, output_tokens: 6 } },
      { input: 5, cached_input: 0, output: 6 },
    ],
    [
      "counts searches",
      { billed_units: { input_tokens: 1, output_tokens: 2, search_units: 3 } },
      { input: 1, cached_input: 0, output: 2, search_units: 3 },
    ],
    [
      "takes zeros for a report",
      { billed_units: { input_tokens: 0, output_tokens: 0 } },
      { input: 0, cached_input: 0, output: 0 },
    ],
    ["counts no cached input apart", { ...usage, cached_tokens: 10 }, { input: 17, cached_input: 0, output: 12 }],
  ])("%s", (_name, given, counted) => expect(usageOf(given)).toEqual({ ...counted, estimated: false }));

  it.each([undefined, 3, {}, { billed_units: null }, { tokens: { input_tokens: -1 } }])("%j is no report", (given) =>
    expect(usageOf(given)).toBeUndefined(),
  );
});

describe("answers", () => {
  it.each<[string, FinishReason]>([
    ["COMPLETE", "stop"],
    ["STOP_SEQUENCE", "stop"],
    ["MAX_TOKENS", "length"],
    ["TOOL_CALL", "tool_calls"],
    ["ERROR_TOXIC", "content_filter"],
    ["WHAT_COMES_NEXT", "stop"],
  ])("%s finishes as %s", (reason, finish) => {
    expect(wholeOf(wholeBody({ ...plain, reason })).finish).toBe(finish);
    expect(streamed({ ...plain, reason })?.finish).toBe(finish);
  });

  it.each(["ERROR", "TIMEOUT"])("%s is a failure, whose usage is told", (reason) => {
    expect(cohereVendor.decodeResponse(wholeBody({ ...plain, reason })).ok).toBe(false);
    const events = read(sse(eventsOfAnswer({ ...plain, reason })));
    expect(events.slice(-2)).toMatchObject([{ type: "usage" }, { type: "error", code: reason }]);
  });

  it("names what it cites, for the answer's words alone", () => {
    const sources = [
      { type: "document", id: "doc:0", document: { id: "doc:0", title: "A", url: "https://a.example" } },
      { type: "tool", id: "f_1", tool_output: {} },
    ];
    const mark = { start: 0, end: 5, text: "Hello", sources, type: "TEXT_CONTENT" };
    const response = streamed({ ...plain, citations: [mark, { ...mark, type: "PLAN" }] });
    expect(response?.citations).toEqual([
      { source: "https://a.example", title: "A", start: 0, end: 0, text: "Hello" },
      { source: "f_1", title: "", start: 0, end: 0, text: "Hello" },
    ]);
  });

  it("log probabilities are those of pieces of text", () => {
    const logprobs = { text: "Hello", token_ids: [1, 2], logprobs: [-0.5, -0.25] };
    const read1 = [{ token: "Hello", logprob: -0.75 }];
    expect(wholeOf({ ...wholeBody(plain), logprobs: [logprobs] }).logprobs).toEqual(read1);
    const event = { type: "content-delta", index: 0, delta: { message: { content: { text: "Hello" } } }, logprobs };
    expect(read(sse([event]))[1]).toEqual({ type: "text", text: "Hello", logprobs: read1 });
  });

  it("calls come without arguments, in a list, without ids", () => {
    const start = { function: { name: "f", arguments: "" } };
    const events = read(
      sse([
        { type: "message-start", id: "a1" },
        { type: "tool-call-start", index: 0, delta: { message: { tool_calls: [start] } } },
        { type: "tool-call-start", index: 1, delta: { message: { tool_calls: start } } },
        { type: "message-end", delta: { finish_reason: "TOOL_CALL" } },
      ]),
    );
    expect(collect(events)?.parts).toEqual([
      { type: "tool_call", id: "call_a1_0", name: "f", arguments: "{}" },
      { type: "tool_call", id: "call_a1_1", name: "f", arguments: "{}" },
    ]);
  });

  it.each([
    [
      "an error amid the stream",
      sse(eventsOfAnswer(plain).slice(0, 3)) + 'data: {"id":"x","message":"overloaded"}\n\n',
      "overloaded",
    ],
    ["an error event", 'event: error\ndata: {"message":"overloaded"}\n\n', "overloaded"],
    ["no JSON", "data: <html>\n\n", "The vendor's stream holds an event that is not a JSON object."],
  ])("%s ends it badly", (_name, body, message) => expect(read(body).at(-1)).toMatchObject({ type: "error", message }));

  it.each([
    [{ id: "x", message: "invalid request" }, "invalid request"],
    [{ error: { message: "no" } }, "no"],
    [undefined, "The vendor answered 500 without a message."],
  ])("%j says %s", (body, message) => expect(cohereVendor.decodeError(500, body)).toEqual({ message }));

  it.each(["openai-chat", "anthropic-messages"] as const)(
    "a stream in %s keeps thoughts, words, calls and usage",
    (client) => {
      const answer: Answer = {
        content: [
          { type: "thinking", thinking: "Hm." },
          { type: "text", text: "Let me see." },
        ],
        calls: [
          { id: "f_1", name: "f", arguments: '{"a":1}' },
          { id: "f_2", name: "g", arguments: "{}" },
        ],
        reason: "TOOL_CALL",
        usage,
      };
      const stream = clientDialects[client].openStream(
        { decision: "d", createdMs: 0 },
        requestOf({ wants_usage: true }),
      );
      const events = read(sse(eventsOfAnswer(answer)));
      const wire = Buffer.from(events.map((event) => stream.encode(event)).join(""));
      const vendor = vendorDialects[client];
      const reader = vendor.openStream();
      const decoder = vendor.openDecoder();
      const shown = collect([...decoder.push(wire), ...decoder.end()].flatMap((record) => reader.decode(record)));
      const { model: _model, ...said } = wholeOf(wholeBody(answer));
      expect(shown).toMatchObject(said);
    },
  );
});

describe("laws", () => {
  const words = fc.string({ minLength: 1, maxLength: 6, unit: "grapheme" });
  const answer = fc.record({
    plan: fc.option(words, { nil: "" }),
    content: fc.array(
      fc.oneof(
        words.map((text) => ({ type: "text" as const, text })),
        words.map((thinking) => ({ type: "thinking" as const, thinking })),
      ),
      { maxLength: 4 },
    ),
    calls: fc.uniqueArray(
      fc.record({ id: words, name: words, arguments: fc.dictionary(words, words).map((args) => JSON.stringify(args)) }),
      { maxLength: 3, selector: ({ id }) => id },
    ),
    reason: fc.constantFrom("COMPLETE", "MAX_TOKENS", "TOOL_CALL"),
    usage: fc.constant(usage),
  });

  it("a stream says what the whole answer says, however it is cut", () => {
    fc.assert(
      fc.property(answer, fc.integer({ min: 1, max: 90 }), (given, chunkBytes) => {
        expect(collect(read(sse(eventsOfAnswer(given)), chunkBytes))).toEqual(wholeOf(wholeBody(given)));
      }),
    );
  });

  it("a stream cut before its last event never ends well", () => {
    fc.assert(
      fc.property(answer, fc.double({ min: 0, max: 1, noNaN: true }), (given, share) => {
        const wire = Buffer.from(sse(eventsOfAnswer(given)).trimEnd());
        const types = read(wire.subarray(0, Math.floor((wire.length - 1) * share))).map((event) => event.type);
        expect(types).not.toContain("end");
      }),
    );
  });

  it("no vendor's answer or event is too odd to be read, nothing follows an end, no count is negative", () => {
    const counts = fc.record({ input_tokens: fc.jsonValue(), output_tokens: fc.oneof(fc.jsonValue(), fc.integer()) });
    const oddUsage = fc.record({
      billed_units: fc.oneof(counts, fc.jsonValue()),
      tokens: fc.oneof(counts, fc.jsonValue()),
    });
    const message = fc.record(
      {
        content: fc.oneof(
          fc.jsonValue(),
          fc.record({ text: fc.jsonValue(), thinking: fc.jsonValue() }),
          fc.array(
            fc.record({
              type: fc.constantFrom("text", "thinking", "x"),
              text: fc.jsonValue(),
              thinking: fc.jsonValue(),
            }),
          ),
        ),
        tool_plan: fc.jsonValue(),
        tool_calls: fc.oneof(
          fc.jsonValue(),
          fc.record({ id: fc.jsonValue(), function: fc.record({ name: fc.jsonValue(), arguments: fc.jsonValue() }) }),
        ),
        citations: fc.oneof(fc.jsonValue(), fc.record({ text: fc.jsonValue(), sources: fc.array(fc.jsonValue()) })),
      },
      { requiredKeys: [] },
    );
    const event = fc.record(
      {
        type: fc.constantFrom(
          "message-start",
          "content-start",
          "content-delta",
          "tool-plan-delta",
          "tool-call-start",
          "tool-call-delta",
          "tool-call-end",
          "citation-start",
          "message-end",
          "debug",
        ),
        index: fc.nat(2),
        delta: fc.oneof(fc.jsonValue(), fc.record({ message, usage: oddUsage, finish_reason: fc.jsonValue() })),
        logprobs: fc.jsonValue(),
      },
      { requiredKeys: ["type"] },
    );
    const body = fc.record({
      message: fc.oneof(message, fc.jsonValue()),
      usage: oddUsage,
      logprobs: fc.jsonValue(),
      finish_reason: fc.jsonValue(),
    });
    fc.assert(
      fc.property(
        fc.array(fc.oneof(event, fc.jsonValue()), { maxLength: 8 }),
        fc.oneof(body, fc.jsonValue()),
        (events, whole) => {
          const decoded = cohereVendor.decodeResponse(whole);
          const { usage: counted } = decoded.ok ? decoded.response : {};
          for (const value of Object.values(counted ?? {}))
            if (typeof value === "number") expect(value).toBeGreaterThanOrEqual(0);
          const said = read(sse(events));
          const end = said.findIndex((one) => one.type === "end" || one.type === "error");
          if (end !== -1) expect(end).toBe(said.length - 1);
        },
      ),
      { numRuns: 300 },
    );
  });
});
