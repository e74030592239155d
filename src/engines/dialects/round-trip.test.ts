import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ChatEvent, ChatResponse } from "../../kernel/chat.ts";
import { eventsOf, openCollector } from "../../kernel/chat-stream.ts";
import { clientDialects, vendorDialects } from "./index.ts";

import { requestFor, requestOf, responseFor } from "./sample-chats.ts";
import { openSseDecoder } from "./sse.ts";

type DialectName = "openai-chat" | "anthropic-messages";

const names: DialectName[] = ["openai-chat", "anthropic-messages"];
const id = { decision: "dec_1", createdMs: 1_700_000_000_000 };
const overTheWire = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

function streamThrough(dialect: DialectName, events: ChatEvent[], chunkBytes = 1_000_000): ChatEvent[] {
  const stream = clientDialects[dialect].openStream(id, requestOf({ model: "use-case", wants_usage: true }));
  const bytes = Buffer.from(events.map((event) => stream.encode(event)).join(""));
  const decoder = openSseDecoder();
  const vendor = vendorDialects[dialect].openStream();
  const out: ChatEvent[] = [];
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    for (const sse of decoder.push(bytes.subarray(at, at + chunkBytes))) out.push(...vendor.decode(sse));
  }
  return out;
}

function collect(events: ChatEvent[]): ChatResponse | undefined {
  const collector = openCollector();
  for (const event of events) collector.add(event);
  return collector.response();
}

describe.each(names)("%s", (dialect) => {
  const client = clientDialects[dialect];
  const vendor = vendorDialects[dialect];

  it("reads back the request that it wrote, and drops nothing of it", () => {
    fc.assert(
      fc.property(requestFor(dialect), (request) => {
        const { body, dropped } = vendor.encodeRequest(request, { model: request.model, defaultMaxTokens: 1 });
        expect(dropped).toEqual([]);
        expect(client.decodeRequest(overTheWire(body))).toEqual({ ok: true, request });
      }),
    );
  });

  it("reads back the answer that it wrote", () => {
    fc.assert(
      fc.property(responseFor(dialect), (response) => {
        const body = overTheWire(client.encodeResponse(response, id, requestOf()));
        expect(vendor.decodeResponse(body)).toEqual({ ok: true, response });
      }),
    );
  });

  it("reads back the stream that it wrote, however it is cut", () => {
    fc.assert(
      fc.property(responseFor(dialect), fc.integer({ min: 1, max: 60 }), (response, chunkBytes) => {
        expect(collect(streamThrough(dialect, eventsOf(response), chunkBytes))).toEqual(response);
      }),
    );
  });

  it("yields no end for a stream cut before its terminator, at any byte", () => {
    fc.assert(
      fc.property(responseFor(dialect), fc.double({ min: 0, max: 1, noNaN: true }), (response, share) => {
        const stream = client.openStream(id, requestOf({ wants_usage: true }));
        const bytes = Buffer.from(
          eventsOf(response)
            .map((event) => stream.encode(event))
            .join(""),
        );
        const terminator = dialect === "openai-chat" ? "[DONE]" : `{"type":"message_stop"}`;
        const upTo = Math.floor((bytes.lastIndexOf(terminator) + terminator.length - 1) * share);
        const decoder = openSseDecoder();
        const reader = vendor.openStream();
        const records = [...decoder.push(bytes.subarray(0, upTo)), ...decoder.end()];
        expect(records.flatMap((sse) => reader.decode(sse)).map((event) => event.type)).not.toContain("end");
      }),
    );
  });

  it("ends a stream once: nothing after the end, nothing after a failure", () => {
    const whole = client.openStream(id, requestOf({ wants_usage: true }));
    whole.encode({ type: "end" });
    expect(whole.encode({ type: "text", text: "more" })).toBe("");
    expect(whole.fail({ code: "late", message: "m", status: 500 })).toBe("");
    const broken = client.openStream(id, requestOf({ wants_usage: true }));
    const failure = broken.fail({ code: "upstream_reset", message: "The vendor went away.", status: 502 });
    expect(broken.encode({ type: "end" })).toBe("");
    const [record] = openSseDecoder().push(Buffer.from(failure));
    expect(vendor.openStream().decode(record!)).toMatchObject([{ type: "error", message: "The vendor went away." }]);
  });

  it("turns an error event into the dialect's error, and decodes its own error envelope", () => {
    const stream = client.openStream(id, requestOf());
    expect(stream.encode({ type: "error", message: "overloaded", code: "x" })).toContain("overloaded");
    const body = overTheWire(client.encodeError({ code: "over_limit", message: "Wait 3 s.", status: 429 }));
    expect(vendor.decodeError(429, body)).toMatchObject({ message: "Wait 3 s." });
  });
});

describe("from one dialect to the other", () => {
  it.each([
    ["openai-chat", "anthropic-messages"],
    ["anthropic-messages", "openai-chat"],
  ] as const)("a stream of %s keeps its meaning as %s", (from, to) => {
    fc.assert(
      fc.property(responseFor("both"), (response) => {
        const first = streamThrough(from, eventsOf(response));
        expect(collect(streamThrough(to, first))).toEqual(response);
      }),
    );
  });

  it.each([
    ["openai-chat", "anthropic-messages"],
    ["anthropic-messages", "openai-chat"],
  ] as const)("a request of %s keeps its messages and tools as %s", (from, to) => {
    fc.assert(
      fc.property(requestFor("both"), (request) => {
        const target = { model: request.model, defaultMaxTokens: 7 };
        const sent = vendorDialects[from].encodeRequest(request, target);
        const first = clientDialects[from].decodeRequest(overTheWire(sent.body));
        if (!first.ok) throw new Error(first.message);
        const second = clientDialects[to].decodeRequest(
          overTheWire(vendorDialects[to].encodeRequest(first.request, target).body),
        );
        expect(second).toMatchObject({ ok: true, request: { messages: request.messages, stream: request.stream } });
        expect(second.ok && second.request.tools).toEqual(request.tools);
        expect(second.ok && second.request.tool_choice).toEqual(request.tool_choice);
      }),
    );
  });
});
