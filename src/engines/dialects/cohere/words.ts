/** Words that Cohere's wire format and the neutral form share only in part: finish reasons, errors. */
import type { FinishReason } from "../../../kernel/chat.ts";
import { isFields } from "../body-reader.ts";

const finishes = new Map<unknown, FinishReason>([
  ["COMPLETE", "stop"],
  ["STOP_SEQUENCE", "stop"],
  ["MAX_TOKENS", "length"],
  ["ERROR_LIMIT", "length"],
  ["TOOL_CALL", "tool_calls"],
  ["ERROR_TOXIC", "content_filter"],
]);

export const finishOf = (reason: unknown): FinishReason => finishes.get(reason) ?? "stop";

const failures = new Set<unknown>(["ERROR", "TIMEOUT", "USER_CANCEL"]);

/** Reasons that end an answer before it is whole. */
export const isFailure = (reason: unknown): boolean => failures.has(reason);

const longestMessage = 2_000;

/** `{id, message}`; servers between may speak of `error`. Cohere's errors have no code. */
export function decodeError(status: number, body: unknown): { code?: string; message: string } {
  const fallback = `The vendor answered ${status} without a message.`;
  if (!isFields(body)) return { message: fallback };
  const inner = body["message"] ?? body["error"];
  const message = isFields(inner) ? inner["message"] : inner;
  return { message: typeof message === "string" && message !== "" ? message.slice(0, longestMessage) : fallback };
}
