import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encodeEventStream, encodeException } from "../../../../tests/fixtures/event-stream.ts";
import type { ChatEvent, ChatResponse } from "../../../kernel/chat.ts";
import { openCollector } from "../../../kernel/chat-stream.ts";
import { clientDialects } from "../index.ts";
import { requestOf } from "../sample-chats.ts";
import { bedrockConverseVendor } from "./index.ts";

type Event = [event: string, json: object];

const start: Event = ["messageStart", { role: "assistant" }];
const delta = (contentBlockIndex: number, fields: object): Event => [
  "contentBlockDelta",
  { contentBlockIndex, delta: fields },
];
const open = (contentBlockIndex: number, toolUseId: string, name: string): Event => [
  "contentBlockStart",
  { contentBlockIndex, start: { toolUse: { toolUseId, name } } },
];
const stop = (contentBlockIndex: number): Event => ["contentBlockStop", { contentBlockIndex }];
const ending = (stopReason: string, more: object = {}): Event => ["messageStop", { stopReason, ...more }];
const metadata: Event = ["metadata", { usage: { inputTokens: 3, outputTokens: 5, totalTokens: 8 } }];

function readBytes(bytes: Uint8Array, chunkBytes = bytes.length): ChatEvent[] {
  const decoder = bedrockConverseVendor.openDecoder();
  const stream = bedrockConverseVendor.openStream();
  const events: ChatEvent[] = [];
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    for (const record of decoder.push(bytes.subarray(at, at + chunkBytes))) events.push(...stream.decode(record));
  }
  for (const record of decoder.end()) events.push(...stream.decode(record));
  return events;
}

const read = (...events: Event[]): ChatEvent[] =>
  readBytes(Buffer.concat(events.map(([event, json]) => encodeEventStream(event, json))));

function collect(events: ChatEvent[]): ChatResponse | undefined {
  const collector = openCollector();
  for (const event of events) collector.add(event);
  return collector.response();
}

const answer = (fields: object) =>
  bedrockConverseVendor.decodeResponse({
    output: { message: { role: "assistant", content: [{ text: "hi" }] } },
    stopReason: "end_turn",
    ...fields,
  });

/** Trees of the words that readers look for. */
const words = [
  "text",
  "toolUse",
  "reasoningContent",
  "citation",
  "input",
  "signature",
  "redactedContent",
  "reasoningText",
];
const keys = [
  "citationsContent",
  "citations",
  "content",
  "location",
  "documentChar",
  "end",
  "image",
  "source",
  "bytes",
  "contentBlockIndex",
  "start",
  "delta",
  "stopReason",
  "usage",
  "serviceTier",
  "inputTokens",
  "name",
];
const tree = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<unknown>("x", "", 1, -1, null, true, 1e300),
    fc.array(tie("tree"), { maxLength: 2 }),
    fc.dictionary(fc.constantFrom(...words, ...keys), tie("tree"), { maxKeys: 4 }),
  ),
})).tree;

describe("a stream of Converse", () => {
  it("numbers tool calls by their order, whatever block they stand in", () => {
    const events = read(
      start,
      delta(0, { text: "Both." }),
      stop(0),
      open(1, "a", "look"),
      delta(1, { toolUse: { input: '{"x"' } }),
      open(4, "b", "hear"),
      delta(1, { toolUse: { input: ":1}" } }),
      delta(4, { toolUse: { input: "" } }),
      stop(4),
      stop(1),
      ending("tool_use"),
      metadata,
    );
    expect(events.filter(({ type }) => type.startsWith("tool"))).toEqual([
      { type: "tool_call_start", index: 0, id: "a", name: "look" },
      { type: "tool_call_delta", index: 0, arguments: '{"x"' },
      { type: "tool_call_start", index: 1, id: "b", name: "hear" },
      { type: "tool_call_delta", index: 0, arguments: ":1}" },
      { type: "tool_call_delta", index: 1, arguments: "{}" },
    ]);
    expect(collect(events)).toEqual({
      model: "",
      parts: [
        { type: "text", text: "Both." },
        { type: "tool_call", id: "a", name: "look", arguments: '{"x":1}' },
        { type: "tool_call", id: "b", name: "hear", arguments: "{}" },
      ],
      finish: "tool_calls",
      usage: { input: 3, cached_input: 0, output: 5, estimated: false },
    });
  });

  it("gives an empty call its braces even where its block is never closed", () => {
    expect(collect(read(start, open(0, "a", "n"), ending("tool_use"), metadata))?.parts).toEqual([
      { type: "tool_call", id: "a", name: "n", arguments: "{}" },
    ]);
  });

  it("ends with its metadata; without it, it is truncated", () => {
    expect(read(start, ending("end_turn"), metadata).map(({ type }) => type)).toEqual([
      "start",
      "finish",
      "usage",
      "end",
    ]);
    expect(collect(read(start, delta(0, { text: "hi" }), ending("end_turn")))).toBeUndefined();
    expect(read(start, delta(0, { text: "hi" }), metadata).at(-1)).toMatchObject({ type: "error" });
    expect(read(start, ending("end_turn"), metadata, delta(0, { text: "late" })).at(-1)).toEqual({ type: "end" });
  });

  it("tells thoughts, signed and sealed", () => {
    const events = read(
      start,
      delta(0, { reasoningContent: { text: "hm" } }),
      delta(0, { reasoningContent: { signature: "S" } }),
      delta(1, { reasoningContent: { redactedContent: "QUJD" } }),
      delta(2, { text: "4" }),
      ending("end_turn"),
      metadata,
    );
    expect(collect(events)?.parts).toEqual([
      { type: "reasoning", text: "hm", signature: "S" },
      { type: "reasoning", text: "", encrypted: "QUJD" },
      { type: "text", text: "4" },
    ]);
  });

  it.each(["throttlingException", "modelStreamErrorException", "internalServerException", "newException"])(
    "fails by %s, and says nothing more",
    (type) => {
      const bytes = Buffer.concat([
        encodeEventStream(...start),
        encodeException(type, { message: "No more." }),
        encodeEventStream(...metadata),
      ]);
      expect(readBytes(bytes)).toEqual([
        { type: "start", model: "" },
        { type: "error", message: "No more.", code: type },
      ]);
    },
  );

  it("fails where the model's output was malformed, and where an event is no object", () => {
    expect(read(start, ending("malformed_tool_use")).at(-1)).toMatchObject({ code: "malformed_tool_use" });
    const stream = bedrockConverseVendor.openStream();
    expect(stream.decode({ event: "messageStart", data: "[1]" })).toMatchObject([{ code: "invalid_stream" }]);
  });

  it("of InvokeModel is named", () => {
    expect(read(["chunk", { bytes: "e30=" }])).toEqual([
      { type: "error", message: expect.stringContaining("InvokeModel"), code: "invalid_stream" },
    ]);
  });

  it("says nothing of events that are new", () => {
    expect(read(["surprise", { a: 1 }], delta(0, { surprise: {} }))).toEqual([]);
  });

  const names = [
    "messageStart",
    "contentBlockStart",
    "contentBlockDelta",
    "contentBlockStop",
    "messageStop",
    "metadata",
  ];

  it("never throws, whatever its events hold, and ends once", () => {
    const event = fc.tuple(fc.constantFrom(...names, "xException", "chunk", "error", ""), fc.jsonValue().map(String));
    const deep = fc.tuple(
      fc.constantFrom(...names),
      tree.map((value) => JSON.stringify(value)),
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(event, deep), { maxLength: 8 }), (records) => {
        const stream = bedrockConverseVendor.openStream();
        const events = records.flatMap(([name, data]) => stream.decode({ event: name, data }));
        const over = events.findIndex(({ type }) => type === "end" || type === "error");
        expect(over === -1 || over === events.length - 1).toBe(true);
        const writers = Object.values(clientDialects).map((client) =>
          client.openStream({ decision: "d", createdMs: 0 }, requestOf()),
        );
        for (const said of events) for (const writer of writers) writer.encode(said);
      }),
    );
  });
});

describe("an answer of Converse", () => {
  it.each([
    ["end_turn", "stop"],
    ["stop_sequence", "stop"],
    ["max_tokens", "length"],
    ["model_context_window_exceeded", "length"],
    ["tool_use", "tool_calls"],
    ["guardrail_intervened", "content_filter"],
    ["content_filtered", "content_filter"],
    ["something_new", "stop"],
  ])("that stopped for %s finished as %s", (stopReason, finish) => {
    expect(answer({ stopReason })).toMatchObject({ ok: true, response: { finish } });
    expect(read(start, ending(stopReason), metadata)).toContainEqual({ type: "finish", finish });
  });

  it("tells the stop sequence where the model does", () => {
    const told = { stopReason: "stop_sequence", additionalModelResponseFields: { stop_sequence: "END" } };
    expect(answer(told)).toMatchObject({ response: { stop_sequence: "END" } });
    expect(read(ending("stop_sequence", told))).toEqual([{ type: "finish", finish: "stop", stop_sequence: "END" }]);
  });

  it("counts tokens exclusively, and an hour's writes apart", () => {
    const usage = {
      inputTokens: 10,
      outputTokens: 4,
      totalTokens: 1014,
      cacheReadInputTokens: 300,
      cacheWriteInputTokens: 700,
      cacheDetails: [
        { ttl: "1h", inputTokens: 500 },
        { ttl: "5m", inputTokens: 200 },
      ],
    };
    expect(answer({ usage, serviceTier: { type: "flex" } })).toMatchObject({
      response: {
        service_class: "flex",
        usage: {
          input: 10,
          cached_input: 300,
          output: 4,
          cache_write: 200,
          cache_write_1h: 500,
          estimated: false,
          service_class: "flex",
        },
      },
    });
  });

  it("that is cited keeps its places, and what has none as it is", () => {
    const citations = [
      {
        title: "T",
        sourceContent: [{ text: "quote" }],
        location: { documentChar: { documentIndex: 0, start: 1, end: 6 } },
      },
      { title: "U", location: { documentPage: { documentIndex: 0, start: 1, end: 2 } } },
    ];
    const content = [{ citationsContent: { content: [{ text: "said" }], citations } }];
    expect(answer({ output: { message: { content } } })).toMatchObject({
      response: {
        parts: [
          { type: "text", text: "said" },
          { type: "native", dialect: "bedrock-converse", kind: "citation" },
        ],
        citations: [{ source: "T", title: "T", start: 1, end: 6, text: "quote" }],
      },
    });
  });

  it("may hold an image, or what is new", () => {
    const content = [{ image: { format: "png", source: { bytes: "AA==" } } }, { hologram: { a: 1 } }];
    expect(answer({ output: { message: { content } } })).toMatchObject({
      response: {
        parts: [
          { type: "image", media_type: "image/png", data: "AA==" },
          { type: "native", dialect: "bedrock-converse", kind: "hologram", value: { hologram: { a: 1 } } },
        ],
      },
    });
  });

  it("is read whatever it holds, and what was read can be written to any client", () => {
    const body = fc.record({
      output: fc.record({ message: fc.record({ content: fc.array(tree, { maxLength: 4 }) }) }),
      stopReason: tree,
      usage: tree,
      additionalModelResponseFields: tree,
      serviceTier: tree,
    });
    fc.assert(
      fc.property(body, (given) => {
        const decoded = bedrockConverseVendor.decodeResponse(given);
        if (!decoded.ok) throw new Error(decoded.message);
        for (const count of Object.values(decoded.response.usage ?? {})) {
          if (typeof count === "number") expect(Number.isSafeInteger(count) && count >= 0).toBe(true);
        }
        for (const client of Object.values(clientDialects)) {
          JSON.stringify(client.encodeResponse(decoded.response, { decision: "d", createdMs: 0 }, requestOf()));
        }
      }),
    );
  });

  it.each<[string, unknown]>([
    ["malformed", { output: { message: { content: [] } }, stopReason: "malformed_model_output" }],
    ["not there", {}],
    ["no object", "x"],
    ["an error", { message: "no" }],
  ])("that is %s is none", (_, body) => {
    expect(bedrockConverseVendor.decodeResponse(body)).toMatchObject({ ok: false, message: expect.any(String) });
  });

  it.each<[unknown, object]>([
    [
      { __type: "com.amazon.coral.service#ThrottlingException", message: "Slow." },
      { code: "ThrottlingException", message: "Slow." },
    ],
    [
      { __type: "ValidationException:http://internal/", Message: "Bad." },
      { code: "ValidationException", message: "Bad." },
    ],
    [{ message: "The security token is invalid." }, { message: "The security token is invalid." }],
    [undefined, { message: "The vendor answered 503 without a message." }],
  ])("error %o", (body, told) => expect(bedrockConverseVendor.decodeError(503, body)).toEqual(told));
});

const wire = resolve(import.meta.dirname, "../../../../../shared/data/wire/response");
const present = existsSync(wire);
if (!present) console.warn(`Recorded wire fixtures are absent (${wire}): their tests are skipped.`);

describe.skipIf(!present)("recorded answers", () => {
  const bytesOf = (name: string) => readFileSync(resolve(wire, name));
  const counted = (input: number, output: number) => ({ input, cached_input: 0, output, estimated: false });
  const calls = (suffix = "") => [
    {
      type: "tool_call",
      id: "tooluse_kZJMlvQmRJ6eAyJE5GIl7Q",
      name: "top_song",
      arguments: `{"sign":"WZPZ"}${suffix}`,
    },
    { type: "tool_call", id: "tooluse_kZJMlvQmRJ6eAyxxx", name: "hello", arguments: '{"sign":"world"}' },
  ];
  const thought = { type: "reasoning", text: "Two plus two is four." };
  const four = { type: "text", text: "The answer is 4." };

  it.each<[string, Partial<ChatResponse>]>([
    ["basic", { parts: [{ type: "text", text: "Hello world" }], finish: "stop", usage: counted(18, 46) }],
    ["cache_write", { finish: "stop", usage: { ...counted(16, 9), cache_write: 2387 } }],
    ["max_tokens", { finish: "length" }],
    ["reasoning", { parts: [{ ...thought, signature: "SIG-xyz==" } as never, four as never] }],
    ["reasoning_unsigned", { parts: [thought as never, four as never] }],
    ["tool", { parts: calls() as never, finish: "tool_calls" }],
  ])("bedrock/%s.json", (name, told) => {
    const decoded = bedrockConverseVendor.decodeResponse(JSON.parse(bytesOf(`bedrock/${name}.json`).toString()));
    expect(decoded).toMatchObject({ ok: true, response: told });
  });

  it.each<[string, object]>([
    ["basic", { finish: "stop", usage: counted(15, 142) }],
    [
      "tool",
      {
        parts: [{ type: "text", text: "I'll call both tools." }, ...calls()],
        finish: "tool_calls",
        usage: counted(150, 45),
      },
    ],
    ["reasoning", { parts: [{ ...thought, signature: "SIG-xyz==" }, four], usage: counted(18, 46) }],
  ])("bedrock/%s.bin, however it is cut", (name, told) => {
    const bytes = bytesOf(`bedrock/${name}.bin`);
    const whole = readBytes(bytes);
    expect(collect(whole)).toMatchObject(told);
    for (const size of [1, 7, 64]) expect(readBytes(bytes, size)).toEqual(whole);
    for (let end = 0; end < bytes.length; end += 13) expect(collect(readBytes(bytes.subarray(0, end)))).toBeUndefined();
  });

  it("detect/bedrock-invoke.bin is named as a stream of InvokeModel, and detect/bedrock-broken.bin as broken", () => {
    expect(readBytes(bytesOf("detect/bedrock-invoke.bin"))).toMatchObject([{ type: "error", code: "invalid_stream" }]);
    expect(() => readBytes(bytesOf("detect/bedrock-broken.bin"))).toThrow(/event stream is broken/);
  });
});
