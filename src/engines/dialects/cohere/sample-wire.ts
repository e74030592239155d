/** Cohere's side of the wire, for tests: a whole answer, the stream that it would have been, and how streams are read here. */
import type { ChatEvent, ChatResponse } from "../../../kernel/chat.ts";
import { openCollector } from "../../../kernel/chat-stream.ts";
import { cohereVendor } from "./index.ts";

export interface Answer {
  plan?: string;
  content: ({ type: "text"; text: string } | { type: "thinking"; thinking: string })[];
  calls: { id: string; name: string; arguments: string }[];
  citations?: object[];
  reason: string;
  usage?: object;
}

const wireCall = ({ id, name, arguments: text }: Answer["calls"][number]) => ({
  id,
  type: "function",
  function: { name, arguments: text },
});

export const wholeBody = ({ plan, content, calls, citations, reason, usage }: Answer) => ({
  id: "a1",
  finish_reason: reason,
  message: {
    role: "assistant",
    ...(plan && { tool_plan: plan }),
    ...(content.length > 0 && { content }),
    ...(calls.length > 0 && { tool_calls: calls.map(wireCall) }),
    ...(citations && { citations }),
  },
  ...(usage && { usage }),
});

/** Words and arguments come in two pieces. */
export function eventsOfAnswer({ plan = "", content, calls, citations = [], reason, usage }: Answer): object[] {
  const events: object[] = [
    { type: "message-start", id: "a1", delta: { message: { role: "assistant", content: [] } } },
  ];
  for (const text of halves(plan)) events.push({ type: "tool-plan-delta", delta: { message: { tool_plan: text } } });
  for (const [index, block] of content.entries()) {
    const kind = block.type;
    const delta = (text: string) => ({ delta: { message: { content: { [kind]: text } } } });
    events.push({ type: "content-start", index, delta: { message: { content: { type: kind, [kind]: "" } } } });
    const words = block.type === "text" ? block.text : block.thinking;
    for (const text of halves(words)) events.push({ type: "content-delta", index, ...delta(text) });
    events.push({ type: "content-end", index });
  }
  for (const [index, mark] of citations.entries()) {
    events.push(
      { type: "citation-start", index, delta: { message: { citations: mark } } },
      { type: "citation-end", index },
    );
  }
  for (const [index, call] of calls.entries()) {
    const start = wireCall({ ...call, arguments: "" });
    events.push({ type: "tool-call-start", index, delta: { message: { tool_calls: start } } });
    for (const text of halves(call.arguments)) {
      events.push({
        type: "tool-call-delta",
        index,
        delta: { message: { tool_calls: { function: { arguments: text } } } },
      });
    }
    events.push({ type: "tool-call-end", index });
  }
  events.push({ type: "message-end", id: "a1", delta: { finish_reason: reason, ...(usage && { usage }) } });
  return events;
}

function halves(text: string): string[] {
  const letters = [...text];
  const middle = Math.ceil(letters.length / 2);
  return [letters.slice(0, middle).join(""), letters.slice(middle).join("")];
}

export const sse = (events: readonly unknown[]): string =>
  events
    .map((event) => `event: ${String((event as { type?: unknown } | null)?.type)}\ndata: ${JSON.stringify(event)}\n\n`)
    .join("");

export function read(body: string | Uint8Array, chunkBytes?: number): ChatEvent[] {
  const bytes = Buffer.from(body);
  const step = chunkBytes ?? Math.max(1, bytes.length);
  const decoder = cohereVendor.openDecoder();
  const stream = cohereVendor.openStream();
  const events: ChatEvent[] = [];
  for (let at = 0; at < bytes.length; at += step) {
    for (const record of decoder.push(bytes.subarray(at, at + step))) events.push(...stream.decode(record));
  }
  for (const record of decoder.end()) events.push(...stream.decode(record));
  return events;
}

export function collect(events: readonly ChatEvent[]): ChatResponse | undefined {
  const collector = openCollector();
  for (const event of events) collector.add(event);
  return collector.response();
}

export function wholeOf(body: unknown): ChatResponse {
  const decoded = cohereVendor.decodeResponse(body);
  if (!decoded.ok) throw new Error(decoded.message);
  return decoded.response;
}
