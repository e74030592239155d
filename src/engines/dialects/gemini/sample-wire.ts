/** Gemini's side of the wire, for tests: answers as it forms them, and its streams as they are read here. */
import type { ChatEvent, ChatResponse } from "../../../kernel/chat.ts";
import { openCollector } from "../../../kernel/chat-stream.ts";
import { geminiVendor } from "./index.ts";

export const sse = (chunks: readonly unknown[], lineEnd = "\r\n"): string =>
  chunks.map((chunk) => `data: ${JSON.stringify(chunk)}${lineEnd}${lineEnd}`).join("");

export interface Reading {
  chunkBytes?: number;
  /** The body was cut off: its end was never seen. */
  cut?: boolean;
}

export function read(body: string | Uint8Array, { chunkBytes, cut = false }: Reading = {}): ChatEvent[] {
  const bytes = Buffer.from(body);
  const step = chunkBytes ?? Math.max(1, bytes.length);
  const decoder = geminiVendor.openDecoder();
  const stream = geminiVendor.openStream();
  const events: ChatEvent[] = [];
  for (let at = 0; at < bytes.length; at += step) {
    for (const record of decoder.push(bytes.subarray(at, at + step))) events.push(...stream.decode(record));
  }
  if (!cut) for (const record of decoder.end()) events.push(...stream.decode(record));
  return events;
}

export function collect(events: readonly ChatEvent[]): ChatResponse | undefined {
  const collector = openCollector();
  for (const event of events) collector.add(event);
  return collector.response();
}

export function wholeOf(body: unknown): ChatResponse {
  const decoded = geminiVendor.decodeResponse(body);
  if (!decoded.ok) throw new Error(decoded.message);
  return decoded.response;
}

/** One chunk of the first candidate. */
export const chunkOf = (parts: readonly unknown[], more: object = {}, candidate: object = {}) => ({
  candidates: [{ content: { role: "model", parts }, index: 0, ...candidate }],
  modelVersion: "gemini-2.5-pro",
  responseId: "r1",
  ...more,
});
