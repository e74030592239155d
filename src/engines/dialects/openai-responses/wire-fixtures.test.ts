/** Recorded traffic, read in place from ../shared/data/wire beside the repository; skipped, and said so, where it is absent. */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ChatRequest, ChatResponse } from "../../../kernel/chat.ts";
import { eventsOf } from "../../../kernel/chat-stream.ts";
import { type Fields, isFields } from "../body-reader.ts";
import { openaiResponsesClient, openaiResponsesVendor } from "./index.ts";
import { collect, overTheWire, read, wholeAnswer, written } from "./sample-wire.ts";

const wire = resolve(import.meta.dirname, "../../../../../shared/data/wire");
const present = existsSync(wire);
if (!present) console.warn(`Recorded wire fixtures are absent (${wire}): their tests are skipped.`);

const list = (folder: string): string[] =>
  present ? readdirSync(join(wire, folder)).filter((name) => name.endsWith(".json")) : [];
const bytesOf = (path: string): Buffer => readFileSync(join(wire, path));
const json = (path: string): Fields => JSON.parse(bytesOf(path).toString()) as Fields;

/** Every leaf of a value by its path; objects and arrays that hold nothing are leaves. */
function leavesOf(value: unknown, path = "", leaves = new Map<string, unknown>()): Map<string, unknown> {
  const inner = Array.isArray(value) ? [...value.entries()] : isFields(value) ? Object.entries(value) : [];
  if (inner.length === 0) leaves.set(path, value);
  for (const [key, item] of inner) leavesOf(item, path === "" ? String(key) : `${path}.${key}`, leaves);
  return leaves;
}

function lost(before: unknown, after: unknown): string[] {
  const kept = leavesOf(after);
  return [...leavesOf(before)]
    .filter(([path, value]) => JSON.stringify(kept.get(path)) !== JSON.stringify(value))
    .map(([path]) => path);
}

/** What a request loses when it is written anew; forwarded bytes lose nothing. */
const lossOfRequests: Record<string, { lost: string[]; dropped: string[] }> = {
  "assistant-history.json": {
    // The longer form of a message says no more than the shorter, a text alone is written as a string, and a
    // refusal's words in the field that the API has for them.
    lost: [
      "input.0.type",
      "input.0.phase",
      "input.0.content.1.text",
      "input.1.type",
      "input.1.content.0.type",
      "input.1.content.0.text",
    ],
    dropped: ["input[0].phase"],
  },
  "basic.json": { lost: ["input"], dropped: [] },
  "instructions.json": { lost: ["input"], dropped: [] },
  "structured-output.json": { lost: ["input", "text.format.description"], dropped: ["text.format.description"] },
  "parallel-tool-call.json": {
    lost: ["input.0.type", "input.0.content.0.type", "input.0.content.0.text"],
    dropped: [],
  },
  // Bytes get a name, and stand where bytes stand.
  "input-media.json": { lost: ["input.0.content.3.file_url"], dropped: [] },
};

describe.skipIf(!present)("recorded requests", () => {
  it.each(list("requests/responses"))("%s is read, and written anew with its loss named", (name) => {
    const body = json(`requests/responses/${name}`);
    const decoded = openaiResponsesClient.decodeRequest(body);
    if (!decoded.ok) throw new Error(decoded.message);
    const target = { model: decoded.request.model, defaultMaxTokens: 1 };
    const again = openaiResponsesVendor.encodeRequest(decoded.request, target);
    const known = lossOfRequests[name] ?? { lost: [], dropped: [] };
    expect({ lost: lost(body, overTheWire(again.body)), dropped: again.dropped }).toEqual(known);
    expect(openaiResponsesClient.decodeRequest(overTheWire(again.body))).toMatchObject({
      ok: true,
      request: { messages: messagesAgain(decoded.request), stream: decoded.request.stream },
    });
  });
});

/** A file of bytes without a name gets one. */
const messagesAgain = ({ messages }: ChatRequest) =>
  messages.map((message) => ({
    ...message,
    parts: message.parts.map((part) =>
      part.type === "file" && part.name === undefined ? { ...part, name: "document.plain" } : part,
    ),
  }));

/** Fields of an answer that say what its request asked for, when it was given and how it was called: Weir's own. */
const own =
  /^(id|created_at|completed_at|billing\..*|background|(frequency|presence)_penalty|prompt_cache_.*|max_output_tokens|store|temperature|top_p|top_logprobs|tool_choice|output\.\d+\.id)$/;

const lossOfAnswers: Record<string, string[]> = {
  "basic.json": ["text.verbosity"],
  // A vendor's own thoughts are shown to clients as a summary; its counts per turn, and what it counted twice, are not kept.
  "reasoning.json": [
    "output.0.summary",
    "output.0.content.0.type",
    "output.0.content.0.text",
    "output.0.encrypted_content",
    "output.0.status",
    "usage.input_tokens_details.input_tokens_per_turn",
    "usage.input_tokens_details.cached_tokens_per_turn",
    "usage.output_tokens_details.reasoning_tokens",
    "usage.output_tokens_details.tool_output_tokens",
    "usage.output_tokens_details.output_tokens_per_turn",
    "usage.output_tokens_details.tool_output_tokens_per_turn",
  ],
  // The recording calls a call complete that was cut.
  "truncated_tool_call.json": ["output.0.status"],
};

describe.skipIf(!present)("recorded answers", () => {
  const streams = list("response/responses").filter((name) => name.startsWith("stream"));
  const answers = list("response/responses").filter((name) => !streams.includes(name));

  it.each(answers)("%s is read, and written anew with its loss named", (name) => {
    const body = json(`response/responses/${name}`);
    const decoded = openaiResponsesVendor.decodeResponse(body);
    if (!decoded.ok) throw new Error(decoded.message);
    expect(lost(body, wholeAnswer(decoded.response)).filter((path) => !own.test(path))).toEqual(
      lossOfAnswers[name] ?? [],
    );
  });

  it.each(streams)("%s ends, and yields the same events however it is cut", (name) => {
    const bytes = bytesOf(`response/responses/${name}`);
    const whole = read(bytes);
    expect([whole.at(0)?.type, whole.at(-1)?.type]).toEqual(["start", "end"]);
    expect(whole.some((event) => event.type === "usage")).toBe(true);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), (chunkBytes) => {
        expect(read(bytes, chunkBytes)).toEqual(whole);
      }),
      { numRuns: 30 },
    );
  });

  it.each(streams)("%s says the same again in Weir's own words", (name) => {
    const first = collect(read(bytesOf(`response/responses/${name}`)))!;
    expect(collect(read(written(eventsOf(first))))).toEqual({ ...first, vendor_id: "resp_dec_1" });
  });

  it.each<[name: string, response: Partial<ChatResponse>]>([
    [
      "stream.json",
      {
        parts: [
          { type: "text", text: "Hello" },
          { type: "tool_call", id: "call_xxx", name: "get_weather", arguments: '{"location":"San Francisco"}' },
        ],
        finish: "tool_calls",
        usage: { input: 12, cached_input: 0, output: 8, estimated: false },
      },
    ],
    [
      "stream-custom-tool.json",
      {
        parts: [
          {
            type: "tool_call",
            id: "call_123",
            name: "exec",
            arguments: 'const r = await tools.exec_command({cmd:"echo"}); text(r.output);',
            custom: true,
          },
        ],
        usage: { input: 6, cached_input: 4, output: 5, estimated: false },
      },
    ],
    [
      "stream-refusal.json",
      { parts: [{ type: "text", text: "I cannot help with that.", refusal: true }], finish: "refusal" },
    ],
    ["stream-image.json", { parts: [{ type: "image", media_type: "image/png", data: "i" }], finish: "stop" }],
  ])("%s says what was recorded", (name, response) => {
    expect(collect(read(bytesOf(`response/responses/${name}`)))).toMatchObject(response);
  });
});
