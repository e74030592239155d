/** A vendor's answer → the neutral one. Cohere's answers name no model. Never throws. */
import type { ChatPart } from "../../../kernel/chat.ts";
import { type Fields, isFields, isShallow, textOr } from "../body-reader.ts";
import type { DecodedResponse } from "../port.ts";
import { citationsOf } from "./citations.ts";
import { logprobsOf } from "./logprobs.ts";
import { usageOf } from "./usage.ts";
import { finishOf, isFailure } from "./words.ts";

export function decodeResponse(body: unknown): DecodedResponse {
  if (!isFields(body)) return { ok: false, message: "The vendor's answer is not a JSON object." };
  const { message, finish_reason: reason } = body;
  if (isFailure(reason)) return { ok: false, message: `The vendor broke its answer off: ${String(reason)}.` };
  if (!isFields(message)) return { ok: false, message: "The vendor's answer has no message." };
  const usage = usageOf(body["usage"]);
  const citations = citationsOf(message["citations"]);
  const logprobs = logprobsOf(body["logprobs"]);
  return {
    ok: true,
    response: {
      model: textOr(body["model"], ""),
      parts: decodeMessage(message, textOr(body["id"], "")),
      finish: finishOf(reason),
      ...(logprobs.length > 0 && { logprobs }),
      ...(usage !== undefined && { usage }),
      ...(citations.length > 0 && { citations }),
    },
  };
}

function decodeMessage(message: Fields, answerId: string): ChatPart[] {
  const { content, tool_calls: calls } = message;
  const parts: ChatPart[] = [];
  // What the model plans before it calls tools is thought aloud.
  add({ type: "reasoning", text: textOr(message["tool_plan"], "") }, parts);
  const blocks = typeof content === "string" ? [{ type: "text", text: content }] : content;
  if (Array.isArray(blocks)) {
    for (const block of blocks as unknown[]) {
      if (!isFields(block)) continue;
      if (block["type"] === "thinking") add({ type: "reasoning", text: textOr(block["thinking"], "") }, parts);
      else add({ type: "text", text: textOr(block["text"], "") }, parts);
    }
  }
  if (Array.isArray(calls)) {
    for (const [i, call] of (calls as unknown[]).entries())
      if (isFields(call)) parts.push(decodeCall(call, answerId, i));
  }
  return parts;
}

/** Neighbours of one kind are one, as they are in a stream. */
function add(part: Extract<ChatPart, { type: "text" | "reasoning" }>, parts: ChatPart[]): void {
  const last = parts.at(-1);
  if (part.text === "") return;
  if (last?.type === part.type) last.text += part.text;
  else parts.push(part);
}

function decodeCall(call: Fields, answerId: string, i: number): ChatPart {
  const spec = isFields(call["function"]) ? call["function"] : {};
  return {
    type: "tool_call",
    id: textOr(call["id"], "") || madeUpCallId(answerId, i),
    name: textOr(spec["name"], ""),
    arguments: argumentsOf(spec["arguments"]) || "{}",
  };
}

export const argumentsOf = (value: unknown): string =>
  typeof value === "string" ? value : isFields(value) && isShallow(value) ? JSON.stringify(value) : "";

export const madeUpCallId = (answerId: string, index: number): string =>
  `call_${answerId.replaceAll(/[^a-zA-Z0-9_-]/g, "")}_${index}`;
