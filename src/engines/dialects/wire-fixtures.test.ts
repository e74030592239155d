/** Recorded traffic, read in place from ../shared/data/wire beside the repository; skipped, and said so, where it is absent. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ChatEvent, ChatResponse } from "../../kernel/chat.ts";
import { openCollector } from "../../kernel/chat-stream.ts";
import { clientDialects, vendorDialectOf, vendorDialects } from "./index.ts";
import { requestOf } from "./sample-chats.ts";
import { openSseDecoder } from "./sse.ts";

type DialectName = keyof typeof clientDialects & keyof typeof vendorDialects;

/** A dialect that is spoken on both sides, and its folders; what comes after it is what its own encoding loses. */
interface Folder {
  dialect: DialectName;
  /** The one that its traffic is translated to. */
  other: DialectName;
  requests: string;
  responses: string;
  /** Requests that are turned away, by the path that is wrong. */
  refused: Record<string, string>;
  /** Per request, the leaves of its JSON that its own dialect doesn't write back. */
  lostOfRequest: Record<string, string[]>;
  /** Names that `dropped` gives beside the leaves above. */
  named: Record<string, string[]>;
  /** Per answer, likewise. */
  lostOfAnswer: Record<string, string[]>;
}

const folders: Folder[] = [
  {
    dialect: "openai-chat",
    other: "anthropic-messages",
    requests: "completions",
    responses: "completions",
    refused: { "full.json": "functions" },
    lostOfRequest: {
      "multi-turn-tools.json": ["messages[2].name", "messages[4].name"],
      "tool-call.json": ["messages[2].name", "messages[3].name"],
      // Nobody can tell from the outside which servers take their thoughts back, and OpenAI refuses them.
      "reasoning_replay.json": ["messages[1].reasoning_content", "messages[1].reasoning_signature"],
      "reasoning_replay_unsigned.json": ["messages[1].reasoning_content"],
    },
    named: { "reasoning_replay.json": ["reasoning"], "reasoning_replay_unsigned.json": ["reasoning"] },
    lostOfAnswer: {
      // The same text is answered in the field that most clients read.
      "openrouter_reasoning.json": [
        "provider",
        "choices[0].native_finish_reason",
        "choices[0].message.reasoning",
        "choices[0].message.reasoning_details[0].type",
        "choices[0].message.reasoning_details[0].text",
        "choices[0].message.reasoning_details[0].format",
      ],
      // What only the total showed is told as output.
      "gemini_with_completion_tokens.json": ["usage.completion_tokens"],
    },
  },
  {
    dialect: "anthropic-messages",
    other: "openai-chat",
    requests: "messages",
    responses: "anthropic",
    refused: {},
    lostOfRequest: {
      "cache_control.json": [
        // Stands on the whole result instead, which ends at the same place.
        "messages[3].content[1].content[0].cache_control.type",
        // Joins the other system texts: only the newest models take it where it stood.
        "messages[4].role",
        "messages[4].content[0].type",
        "messages[4].content[0].text",
        "messages[4].content[0].cache_control.type",
      ],
      "metadata.json": ["metadata.department"],
      "reasoning.json": ["output_format", "messages[0].content[0].cache_control.scope"],
      // This model knows budgets only, and none where a tool is forced.
      "responses_agent_subset.json": ["thinking.type", "output_config.effort", "metadata.trace_id"],
      // The server tool goes, the other moves up.
      "server_tools.json": [
        "tools[0].type",
        "tools[0].name",
        "tools[0].max_uses",
        "tools[1].name",
        "tools[1].description",
        "tools[1].input_schema.type",
      ],
      "structured-output.json": ["output_config.effort"],
      "system_message.json": ["messages[1].role", "messages[1].content[0].type", "messages[1].content[0].text"],
    },
    named: {
      "cache_control.json": ["messages.system.position"],
      "metadata.json": ["metadata"],
      "reasoning.json": ["messages[0].content[0].cache_control.scope", "output_format"],
      "responses_agent_subset.json": ["reasoning.effort", "reasoning", "metadata"],
      "server_tools.json": ["tools[0]"],
      "structured-output.json": ["reasoning.effort"],
      "system_message.json": ["messages.system.position"],
    },
    lostOfAnswer: {
      // A place in a document is told with the last text: which block it marked is not kept.
      "multiple_text_blocks.json": [
        "content[1].citations[0].type",
        "content[1].citations[0].cited_text",
        "content[1].citations[0].document_title",
        "content[1].citations[0].end_char_index",
      ],
    },
  },
];

const wire = resolve(import.meta.dirname, "../../../../shared/data/wire");
const present = existsSync(wire);
if (!present) console.warn(`Recorded wire fixtures are absent (${wire}): their tests are skipped.`);

const list = (folder: string): string[] =>
  present ? readdirSync(join(wire, folder)).filter((name) => name.endsWith(".json")) : [];
const bytesOf = (path: string): Buffer => readFileSync(join(wire, path));
const json = (path: string): unknown => JSON.parse(bytesOf(path).toString());
const overTheWire = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
const id = { decision: "d", createdMs: 0 };
const target = { model: "m", defaultMaxTokens: 100 };

function eventsIn(dialect: DialectName, bytes: Uint8Array, chunkBytes = bytes.length): ChatEvent[] {
  const decoder = openSseDecoder();
  const stream = vendorDialects[dialect].openStream();
  const events: ChatEvent[] = [];
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    for (const sse of decoder.push(bytes.subarray(at, at + chunkBytes))) events.push(...stream.decode(sse));
  }
  for (const sse of decoder.end()) events.push(...stream.decode(sse));
  return events;
}

function collect(events: ChatEvent[]): ChatResponse | undefined {
  const collector = openCollector();
  for (const event of events) collector.add(event);
  return collector.response();
}

/** What says nothing: a vendor's way to spell absence. */
const isNothing = (value: unknown): boolean =>
  value === null ||
  value === undefined ||
  value === 0 ||
  value === "" ||
  (typeof value === "object" && Object.values(value).every(isNothing));

/** Both APIs take a string for a list of one text. */
const asList = (key: string, value: unknown): unknown =>
  (key === "content" || key === "system") && typeof value === "string" ? [{ type: "text", text: value }] : value;

/** Leaves of `given` that `kept` doesn't hold at the same place. */
function lostLeaves(given: unknown, kept: unknown, path = ""): string[] {
  if (isNothing(given)) return [];
  if (typeof given !== "object") return given === kept ? [] : [path];
  const other = (typeof kept === "object" && kept !== null ? kept : {}) as Record<string, unknown>;
  return Object.entries(given as object).flatMap(([key, value]) => {
    const at = Array.isArray(given) ? `${path}[${key}]` : path === "" ? key : `${path}.${key}`;
    return lostLeaves(asList(key, value), asList(key, other[key]), at);
  });
}

describe.skipIf(!present).each(folders)("recorded traffic of $dialect", (folder) => {
  const { dialect, other, requests, responses, refused } = folder;
  const client = clientDialects[dialect];
  const vendor = vendorDialects[dialect];

  it.each(list(`requests/${requests}`))("request %s is read, and written back with every loss named", (name) => {
    const given = json(`requests/${requests}/${name}`);
    const decoded = client.decodeRequest(given);
    if (refused[name] !== undefined) {
      expect(decoded).toMatchObject({ ok: false, path: refused[name] });
      return;
    }
    if (!decoded.ok) throw new Error(decoded.message);
    const { body, dropped } = vendor.encodeRequest(decoded.request, { ...target, model: decoded.request.model });
    expect(lostLeaves(given, overTheWire(body))).toEqual(folder.lostOfRequest[name] ?? []);
    expect(dropped).toEqual(folder.named[name] ?? folder.lostOfRequest[name] ?? []);
  });

  it.each(list(`requests/${requests}`))("request %s is translated without losing text", (name) => {
    const decoded = client.decodeRequest(json(`requests/${requests}/${name}`));
    if (!decoded.ok) return expect(refused[name]).toBe(decoded.path);
    const { body } = vendorDialects[other].encodeRequest(decoded.request, target);
    const sent = JSON.stringify(body);
    for (const part of decoded.request.messages.flatMap((message) => message.parts)) {
      const texts = part.type === "tool_result" ? (part.parts ?? [{ type: "text", text: part.text }]) : [part];
      for (const text of texts) {
        if (text.type === "text") expect(sent).toContain(JSON.stringify(text.text).slice(1, -1));
      }
    }
    expect(clientDialects[other].decodeRequest({ ...JSON.parse(sent), model: "m" })).toMatchObject({ ok: true });
  });

  const streams = list(`response/${responses}`).filter((name) => name.startsWith("stream"));
  const answers = list(`response/${responses}`).filter(
    (name) => !streams.includes(name) && name !== "count_tokens.json",
  );

  it.each(answers)("answer %s is read, and written back with every loss in the table", (name) => {
    const given = json(`response/${responses}/${name}`);
    const decoded = vendor.decodeResponse(given);
    if (!decoded.ok) throw new Error(decoded.message);
    const written = overTheWire(client.encodeResponse(decoded.response, id, requestOf()));
    const lost = lostLeaves(given, written).filter((path) => path !== "id" && path !== "created");
    expect(lost).toEqual(folder.lostOfAnswer[name] ?? []);
  });

  it.each(answers)("answer %s keeps its usage in the other dialect", (name) => {
    const decoded = vendor.decodeResponse(json(`response/${responses}/${name}`));
    if (!decoded.ok) throw new Error(decoded.message);
    const body = overTheWire(clientDialects[other].encodeResponse(decoded.response, id, requestOf()));
    const again = vendorDialects[other].decodeResponse(body);
    const total = ({ usage }: ChatResponse) =>
      usage && {
        input: usage.input + (usage.audio_input ?? 0),
        cached: usage.cached_input,
        written: usage.cache_write,
        output: usage.output + (usage.audio_output ?? 0),
        reasoning: usage.reasoning,
      };
    expect(again.ok && total(again.response)).toEqual(total(decoded.response));
  });

  it.each(streams)("stream %s ends, and yields the same events however it is cut", (name) => {
    const bytes = bytesOf(`response/${responses}/${name}`);
    const whole = eventsIn(dialect, bytes);
    expect(whole.at(0)?.type).toBe("start");
    expect(whole.at(-1)).toEqual({ type: "end" });
    expect(whole.some((event) => event.type === "usage")).toBe(true);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), (chunkBytes) => {
        expect(eventsIn(dialect, bytes, chunkBytes)).toEqual(whole);
      }),
      { numRuns: 30 },
    );
  });

  it.each(streams)("stream %s says the same in either dialect", (name) => {
    const events = eventsIn(dialect, bytesOf(`response/${responses}/${name}`));
    for (const shown of [dialect, other]) {
      const stream = clientDialects[shown].openStream(id, requestOf({ wants_usage: true }));
      const written = Buffer.from(events.map((event) => stream.encode(event)).join(""));
      expect(collect(eventsIn(shown, written))).toEqual(collect(events));
    }
  });
});

describe.skipIf(!present)("what the recordings say", () => {
  const stream = (path: string) =>
    collect(eventsIn(path.startsWith("a") ? "anthropic-messages" : "openai-chat", bytesOf(`response/${path}`)));
  const answer = (path: string) => {
    const decoded = vendorDialectOf(path.startsWith("a") ? "anthropic-messages" : "openai-chat").decodeResponse(
      json(`response/${path}`),
    );
    if (!decoded.ok) throw new Error(decoded.message);
    return decoded.response;
  };
  const standard = { estimated: false, service_class: "standard" };

  it.each([
    [
      "completions/audio.json",
      { input: 68, cached_input: 12, audio_input: 240, output: 90, audio_output: 90, reasoning: 15, ...standard },
    ],
    ["completions/cache_write.json", { input: 500, cached_input: 300, cache_write: 200, output: 10, ...standard }],
    ["completions/gemini_with_completion_tokens.json", { input: 7, cached_input: 0, output: 395, estimated: false }],
    ["completions/gemini_zero_completion_tokens.json", { input: 7, cached_input: 0, output: 1, estimated: false }],
    ["completions/openrouter_reasoning.json", { input: 23, cached_input: 0, output: 796, estimated: false }],
    ["anthropic/basic.json", { input: 15, cached_input: 12, cache_write: 13, output: 21, ...standard }],
    ["anthropic/thinking.json", { input: 47, cached_input: 2, cache_write: 1, output: 251, ...standard }],
  ])("%s counts %j", (path, usage) => expect(answer(path).usage).toEqual(usage));

  it.each([
    ["anthropic/stream_message_delta_usage.json", { input: 3883, cached_input: 30464, output: 49, estimated: false }],
    ["completions/stream.json", { input: 18, cached_input: 0, output: 286, reasoning: 192, ...standard }],
    ["anthropic/stream_thinking.json", { input: 47, cached_input: 0, output: 264, ...standard }],
  ])("%s counts %j", (path, usage) => expect(stream(path)?.usage).toEqual(usage));

  it("tool calls without arguments, and with arguments in pieces between empty texts", () => {
    expect(stream("anthropic/stream_tool_empty_args.json")?.parts).toEqual([
      { type: "tool_call", id: "toolu_01A", name: "get_time", arguments: "{}" },
    ]);
    expect(stream("completions/stream_tool_empty_content.json")?.parts).toMatchObject([
      { name: "Bash", arguments: '{"command":"pwd"}' },
    ]);
  });

  it("exactly one usage frame, the last before the terminator", () => {
    const { isUsageOnly } = vendorDialectOf("openai-chat");
    const records = openSseDecoder()
      .push(bytesOf("response/completions/stream.json"))
      .filter((sse) => sse.data !== "");
    expect(records.map((sse) => isUsageOnly!(sse.data)).lastIndexOf(true)).toBe(records.length - 2);
    expect(records.filter((sse) => isUsageOnly!(sse.data))).toHaveLength(1);
  });

  it("a stream that isn't one becomes an error, never an end", () => {
    const events = eventsIn("openai-chat", bytesOf("response/detect/broken-sse"));
    expect(events.map((event) => event.type)).not.toContain("end");
  });
});
