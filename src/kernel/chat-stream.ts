/** A stream as one answer, and one answer as a stream: for rungs that are judged whole, caches, and idempotent replays. */
import type { ChatEvent, ChatPart, ChatResponse } from "./chat.ts";

export interface ChatCollector {
  add(event: ChatEvent): void;
  /** Undefined until the dialect's own end was seen: a truncated stream is never an answer. */
  response(): ChatResponse | undefined;
  /** What has come so far, whole or not: for records, guards and settling a cut stream. */
  partial(): ChatResponse;
}

export function openCollector(): ChatCollector {
  const response: ChatResponse = { model: "", parts: [], finish: "stop" };
  const calls = new Map<number, Extract<ChatPart, { type: "tool_call" }>>();
  let ended = false;
  let failed = false;

  const collectors: { [Type in ChatEvent["type"]]: (event: Extract<ChatEvent, { type: Type }>) => void } = {
    start: ({ model }) => {
      response.model = model;
    },
    text: ({ text, refusal }) => {
      const last = response.parts.at(-1);
      if (last?.type === "text" && last.refusal === refusal) last.text += text;
      else response.parts.push({ type: "text", text, ...(refusal === undefined ? {} : { refusal }) });
    },
    reasoning: ({ text, signature, encrypted }) => {
      const last = response.parts.at(-1);
      const open = last?.type === "reasoning" && last.signature === undefined && last.encrypted === undefined;
      if (open && encrypted === undefined) {
        last.text += text;
        if (signature !== undefined) last.signature = signature;
        return;
      }
      response.parts.push({
        type: "reasoning",
        text,
        ...(signature === undefined ? {} : { signature }),
        ...(encrypted === undefined ? {} : { encrypted }),
      });
    },
    tool_call_start: ({ index, id, name }) => {
      const call: Extract<ChatPart, { type: "tool_call" }> = { type: "tool_call", id, name, arguments: "" };
      calls.set(index, call);
      response.parts.push(call);
    },
    tool_call_delta: ({ index, arguments: text }) => {
      const call = calls.get(index);
      if (call !== undefined) call.arguments += text;
    },
    citations: ({ citations }) => {
      response.citations = [...(response.citations ?? []), ...citations];
    },
    finish: ({ finish, stop_sequence }) => {
      response.finish = finish;
      if (stop_sequence !== undefined) response.stop_sequence = stop_sequence;
    },
    usage: ({ usage }) => {
      response.usage = usage;
    },
    end: () => {
      ended = true;
    },
    error: () => {
      failed = true;
    },
  };

  return {
    add: (event) => (collectors[event.type] as (event: ChatEvent) => void)(event),
    response: () => (ended && !failed ? response : undefined),
    partial: () => response,
  };
}

/** The events that a stream of this answer would have been, from start to end. */
export function eventsOf(response: ChatResponse): ChatEvent[] {
  const events: ChatEvent[] = [{ type: "start", model: response.model }];
  let calls = 0;
  for (const part of response.parts) {
    if (part.type === "text" || part.type === "reasoning") events.push({ ...part });
    else if (part.type === "tool_call") {
      const index = calls++;
      events.push({ type: "tool_call_start", index, id: part.id, name: part.name });
      events.push({ type: "tool_call_delta", index, arguments: part.arguments });
    }
  }
  if (response.citations !== undefined) events.push({ type: "citations", citations: response.citations });
  const stopped = response.stop_sequence === undefined ? {} : { stop_sequence: response.stop_sequence };
  events.push({ type: "finish", finish: response.finish, ...stopped });
  if (response.usage !== undefined) events.push({ type: "usage", usage: response.usage });
  events.push({ type: "end" });
  return events;
}
