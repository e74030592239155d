/** For this dialect's tests: what a client would be sent for events, and what is read from a vendor's wire. */
import type { ChatEvent, ChatRequest, ChatResponse } from "../../../kernel/chat.ts";
import { openCollector } from "../../../kernel/chat-stream.ts";
import type { Fields } from "../body-reader.ts";
import { openSseDecoder } from "../sse.ts";
import { openaiResponsesClient, openaiResponsesVendor } from "./index.ts";
import { joinReasoning } from "./reasoning.ts";

export const answerId = { decision: "dec_1", createdMs: 1_700_000_000_000 };
export const asked: ChatRequest = { model: "use-case", messages: [], stream: true, wants_usage: true, unmodelled: [] };

export const overTheWire = (value: unknown): Fields => JSON.parse(JSON.stringify(value)) as Fields;

export const wholeAnswer = (response: ChatResponse): Fields =>
  overTheWire(openaiResponsesClient.encodeResponse(response, answerId, asked));

export function written(events: readonly ChatEvent[]): string {
  const stream = openaiResponsesClient.openStream(answerId, asked);
  return events.map((event) => stream.encode(event)).join("");
}

export const eventsOnWire = (wire: string): Fields[] =>
  openSseDecoder()
    .push(Buffer.from(wire))
    .map((sse) => JSON.parse(sse.data) as Fields);

export function read(wire: string | Uint8Array, chunkBytes = wire.length + 1): ChatEvent[] {
  const bytes = Buffer.from(wire);
  const decoder = openSseDecoder();
  const stream = openaiResponsesVendor.openStream();
  const events: ChatEvent[] = [];
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    for (const sse of decoder.push(bytes.subarray(at, at + chunkBytes))) events.push(...stream.decode(sse));
  }
  for (const sse of decoder.end()) events.push(...stream.decode(sse));
  return events;
}

/** The words and the seal of one reasoning item are told apart in a stream: joined, it says what a whole answer says. */
export function collect(events: readonly ChatEvent[]): ChatResponse | undefined {
  const collector = openCollector();
  for (const event of events) collector.add(event);
  const response = collector.response();
  return response && { ...response, parts: joinReasoning(response.parts) };
}
