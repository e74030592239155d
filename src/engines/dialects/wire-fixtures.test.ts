/** Recorded traffic, read in place from ../shared/data/wire beside the repository; skipped, and said so, where it is absent. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ChatEvent, ChatResponse } from "../../kernel/chat.ts";
import { openCollector } from "../../kernel/chat-stream.ts";
import { clientDialects, isUsageOnly, vendorDialects } from "./index.ts";

import { openSseDecoder } from "./sse.ts";

type DialectName = "openai-chat" | "anthropic-messages";

const wire = resolve(import.meta.dirname, "../../../../shared/data/wire");
const present = existsSync(wire);
if (!present) console.warn(`Recorded wire fixtures are absent (${wire}): their tests are skipped.`);

const list = (folder: string): string[] =>
  present ? readdirSync(join(wire, folder)).filter((name) => name.endsWith(".json")) : [];
const bytesOf = (path: string): Buffer => readFileSync(join(wire, path));
const json = (path: string): unknown => JSON.parse(bytesOf(path).toString());

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

const refusedRequests = new Map([
  ["completions/full.json", "n"],
  ["completions/generation-config.json", "n"],
]);

const folders: [DialectName, requests: string, responses: string][] = [
  ["openai-chat", "completions", "completions"],
  ["anthropic-messages", "messages", "anthropic"],
];

describe.skipIf(!present).each(folders)("recorded traffic of %s", (dialect, requests, responses) => {
  const other: DialectName = dialect === "openai-chat" ? "anthropic-messages" : "openai-chat";

  it.each(list(`requests/${requests}`))("request %s is read, and translated without losing text", (name) => {
    const decoded = clientDialects[dialect].decodeRequest(json(`requests/${requests}/${name}`));
    const refused = refusedRequests.get(`${requests}/${name}`);
    if (refused !== undefined) {
      expect(decoded).toMatchObject({ ok: false, path: refused });
      return;
    }
    if (!decoded.ok) throw new Error(decoded.message);
    for (const target of [dialect, other]) {
      const { body } = vendorDialects[target].encodeRequest(decoded.request, "m", { defaultMaxTokens: 100 });
      const sent = JSON.stringify(body);
      for (const part of decoded.request.messages.flatMap((message) => message.parts)) {
        if (part.type === "text" || part.type === "tool_result")
          expect(sent).toContain(JSON.stringify(part.text).slice(1, -1));
      }
      expect(clientDialects[target].decodeRequest(JSON.parse(sent))).toMatchObject({ ok: true });
    }
  });

  const streams = list(`response/${responses}`).filter((name) => name.startsWith("stream"));
  const answers = list(`response/${responses}`).filter(
    (name) => !streams.includes(name) && name !== "count_tokens.json",
  );

  it.each(answers)("answer %s is read, with usage", (name) => {
    const decoded = vendorDialects[dialect].decodeResponse(json(`response/${responses}/${name}`));
    if (!decoded.ok) throw new Error(decoded.message);
    expect(decoded.response.usage).toBeDefined();
    const again = vendorDialects[other].decodeResponse(
      JSON.parse(
        JSON.stringify(clientDialects[other].encodeResponse(decoded.response, { decision: "d", createdMs: 0 })),
      ),
    );
    expect(again).toMatchObject({ ok: true, response: { usage: decoded.response.usage } });
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

  it.each(streams)("stream %s says the same in the other dialect", (name) => {
    const events = eventsIn(dialect, bytesOf(`response/${responses}/${name}`));
    const stream = clientDialects[other].openStream({ decision: "d", createdMs: 0 }, { model: "m", wants_usage: true });
    const written = Buffer.from(events.map((event) => stream.encode(event)).join(""));
    expect(collect(eventsIn(other, written))).toEqual(collect(events));
  });
});

describe.skipIf(!present)("what the recordings say", () => {
  const stream = (path: string) =>
    collect(eventsIn(path.startsWith("a") ? "anthropic-messages" : "openai-chat", bytesOf(`response/${path}`)));

  it.runIf(present)("the figures that the vendors reported", () => {
    expect(stream("anthropic/stream_message_delta_usage.json")?.usage).toEqual({
      input: 3883,
      cached_input: 30464,
      output: 49,
      estimated: false,
    });
    expect(stream("completions/stream.json")?.usage).toEqual({
      input: 18,
      cached_input: 0,
      output: 286,
      estimated: false,
    });
    expect(stream("anthropic/stream_tool_empty_args.json")?.parts).toEqual([
      { type: "tool_call", id: "toolu_01A", name: "get_time", arguments: "{}" },
    ]);
    expect(stream("completions/stream_tool_empty_content.json")?.parts).toMatchObject([
      { name: "Bash", arguments: '{"command":"pwd"}' },
    ]);
    const cached = vendorDialects["anthropic-messages"].decodeResponse(json("response/anthropic/basic.json"));
    expect(cached).toMatchObject({ response: { usage: { input: 28, cached_input: 12, output: 21 } } });
  });

  it("exactly one usage frame, the last before the terminator", () => {
    const records = openSseDecoder()
      .push(bytesOf("response/completions/stream.json"))
      .filter((sse) => sse.data !== "");
    expect(records.map((sse) => isUsageOnly("openai-chat", sse.data)).lastIndexOf(true)).toBe(records.length - 2);
    expect(records.filter((sse) => isUsageOnly("openai-chat", sse.data))).toHaveLength(1);
  });

  it("a stream that isn't one becomes an error, never an end", () => {
    const events = eventsIn("openai-chat", bytesOf("response/detect/broken-sse"));
    expect(events.map((event) => event.type)).not.toContain("end");
  });
});
