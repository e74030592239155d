/**
 * Shortens a talk that is longer than its use case pays for: white space first, then the oldest turns. Never touched are
 * system messages, the last turn, and all that stands up to the last part that the client marked for a vendor's cache:
 * a prefix that changes is paid for again, and what is marked was meant to stay.
 */
import type { ChatMessage, ChatPart, ChatRequest } from "../../kernel/chat.ts";
import { estimateRequestTokens } from "./token-estimate.ts";

export interface Trimmed {
  request: ChatRequest;
  tokensBefore: number;
  tokensAfter: number;
  turnsDropped: number;
}

/** `undefined` where nothing has to be or can be taken away. The result may still be longer than `toTokens`. */
export function trimRequest(request: ChatRequest, toTokens: number): Trimmed | undefined {
  const tokensBefore = estimateRequestTokens(request);
  if (tokensBefore <= toTokens) return undefined;
  const { messages } = request;
  const from = messages.findLastIndex(({ parts }) => parts.some(isMarked)) + 1;
  const last = messages.findLastIndex(({ role }) => role === "user");
  const to = last < 0 ? messages.length : last;
  const squeezed = messages.map((message, i) => (i >= from && i < to ? withoutBlanks(message) : message));
  let kept: ChatRequest = { ...request, messages: squeezed };
  let turnsDropped = 0;
  let tokensAfter = estimateRequestTokens(kept);
  for (const turn of turnsOf(squeezed, from, to)) {
    if (tokensAfter <= toTokens) break;
    const gone = new Set(turn);
    kept = { ...kept, messages: kept.messages.filter((message) => !gone.has(message)) };
    turnsDropped += 1;
    tokensAfter = estimateRequestTokens(kept);
  }
  return tokensAfter < tokensBefore ? { request: kept, tokensBefore, tokensAfter, turnsDropped } : undefined;
}

const isMarked = (part: ChatPart): boolean => "cache" in part && part.cache !== undefined;

/** A question and all that followed it, tool calls and their results included: they stand or go together. Oldest first. */
function turnsOf(messages: readonly ChatMessage[], from: number, to: number): ChatMessage[][] {
  const turns: ChatMessage[][] = [];
  for (const message of messages.slice(from, to)) {
    if (message.role === "system") continue;
    if (message.role === "user" && !message.parts.every(({ type }) => type === "tool_result")) turns.push([message]);
    // What follows no question of its own (after a mark) belongs to a turn that stays.
    else turns.at(-1)?.push(message);
  }
  return turns;
}

function withoutBlanks(message: ChatMessage): ChatMessage {
  if (message.role === "system") return message;
  const parts = message.parts.map((part) => (part.type === "text" ? { ...part, text: squeeze(part.text) } : part));
  return { ...message, parts };
}

const fence = /(```[\s\S]*?(?:```|$))/;

/** Blank runs outside fenced code; line starts keep their indentation. */
const squeeze = (text: string): string =>
  text
    .split(fence)
    .map((piece, i) =>
      i % 2 === 1
        ? piece
        : piece
            .replaceAll(/[ \t]+$/gm, "")
            .replaceAll(/\n{3,}/g, "\n\n")
            .replaceAll(/(?<=\S) {2,}/g, " "),
    )
    .join("");
