/** Laws that every reader of a wire format keeps, whatever came over the wire. */
import type { ChatEvent } from "../../src/kernel/chat.ts";
import { openCollector } from "../../src/kernel/chat-stream.ts";
import type { Usage } from "../../src/kernel/usage.ts";
import { demand } from "./target.ts";

/** What counts as the end of an answer on each wire; a dialect without an entry is held to the other laws only. */
export const terminators: Record<string, RegExp> = {
  "openai-chat": /\[DONE\]/,
  "openai-responses": /response\.(completed|incomplete)/,
  "anthropic-messages": /message_stop/,
  gemini: /finishReason|blockReason/,
  cohere: /message-end/,
  "bedrock-converse": /messageStop/,
};

const kinds = new Set<ChatEvent["type"]>([
  "start",
  "text",
  "reasoning",
  "tool_call_start",
  "tool_call_delta",
  "part",
  "audio",
  "citations",
  "finish",
  "usage",
  "end",
  "error",
]);

export function demandUsage(usage: Usage | undefined, where: string): void {
  for (const [meter, value] of Object.entries(usage ?? {})) {
    if (typeof value !== "number") continue;
    const sound = Number.isSafeInteger(value) && value >= 0;
    demand(sound, "usage", () => `${where}: ${meter} is ${value}`);
  }
  const { reasoning = 0, output = 0 } = usage ?? {};
  demand(reasoning <= output, "usage", () => `${where}: reasoning ${reasoning} is more than output ${output}`);
}

export function demandEvents(events: readonly ChatEvent[]): void {
  let over = false;
  const opened = new Set<string>();
  for (const event of events) {
    demand(kinds.has(event.type), "events", () => `no such event: ${String(event.type)}`);
    demand(!over, "after-the-end", () => `${event.type} comes after the end`);
    over = event.type === "end" || event.type === "error";
    if (event.type === "usage") demandUsage(event.usage, "usage event");
    if (event.type === "start") demandUsage(event.usage, "start event");
    demandTexts(event);
    if ("index" in event) demandCall(event, opened);
  }
}

function demandTexts(event: ChatEvent): void {
  const fields = event as unknown as Record<string, unknown>;
  const required = {
    text: ["text"],
    reasoning: ["text"],
    tool_call_start: ["id", "name"],
    tool_call_delta: ["arguments"],
    start: ["model"],
    error: ["message"],
  };
  for (const name of (required as Record<string, string[]>)[event.type] ?? [])
    demand(typeof fields[name] === "string", "events", () => `${event.type}.${name} is ${typeof fields[name]}`);
}

function demandCall(event: Extract<ChatEvent, { index: number }>, opened: Set<string>): void {
  const at = `${event.choice ?? 0}/${event.index}`;
  demand(
    Number.isSafeInteger(event.index) && event.index >= 0,
    "tool-calls",
    () => `the index of a call is ${event.index}`,
  );
  if (event.type === "tool_call_start") {
    demand(!opened.has(at), "tool-calls", () => `call ${at} starts twice`);
    opened.add(at);
  } else demand(opened.has(at), "tool-calls", () => `arguments of call ${at} come before it starts`);
}

export const endsWell = (events: readonly ChatEvent[]): boolean => events.some(({ type }) => type === "end");

/** The answer that the events make, if they make one, can be written as JSON. */
export function demandAnswer(events: readonly ChatEvent[]): void {
  const collector = openCollector();
  for (const event of events) collector.add(event);
  const answer = collector.response();
  demand(
    (answer !== undefined) === endsWell(events),
    "answer",
    () => "an answer without an end, or an end without an answer",
  );
  JSON.stringify(collector.partial());
  demandUsage(collector.partial().usage, "collected usage");
}
