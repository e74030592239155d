/** Words that Anthropic's wire format and the neutral form share only in part: stop reasons, errors. */
import type { FinishReason } from "../../../kernel/chat.ts";
import { isFields } from "../body-reader.ts";
import type { ClientError } from "../port.ts";

const finishes = new Map<unknown, FinishReason>([
  ["end_turn", "stop"],
  ["stop_sequence", "stop"],
  ["max_tokens", "length"],
  ["model_context_window_exceeded", "length"],
  ["pause_turn", "pause"],
  ["tool_use", "tool_calls"],
  ["refusal", "refusal"],
]);

export const finishOf = (reason: unknown): FinishReason => finishes.get(reason) ?? "stop";

interface Ending {
  finish: FinishReason;
  stopSequence: string | undefined;
  calledTools: boolean;
  refused: boolean;
}

/** OpenAI vendors say "stop" after a forced tool call and after a refusal; Anthropic's clients act on the reason alone. */
export function encodeEnding(ending: Ending): { stop_reason: string; stop_sequence: string | null } {
  const plain = ending.finish === "stop";
  if (plain && ending.stopSequence !== undefined) {
    return { stop_reason: "stop_sequence", stop_sequence: ending.stopSequence };
  }
  const reason =
    plain && ending.calledTools ? "tool_use" : plain && ending.refused ? "refusal" : stopReasons[ending.finish];
  return { stop_reason: reason, stop_sequence: null };
}

const stopReasons: Record<FinishReason, string> = {
  stop: "end_turn",
  length: "max_tokens",
  tool_calls: "tool_use",
  content_filter: "refusal",
  refusal: "refusal",
  pause: "pause_turn",
};

const errorTypes = new Map([
  [401, "authentication_error"],
  [402, "billing_error"],
  [403, "permission_error"],
  [404, "not_found_error"],
  [413, "request_too_large"],
  [429, "rate_limit_error"],
  [503, "overloaded_error"],
  [504, "timeout_error"],
  [529, "overloaded_error"],
]);

/** Anthropic's errors have no code of their own: Weir's stands beside the type. */
export const encodeError = (error: ClientError): unknown => ({
  type: "error",
  error: {
    type: errorTypes.get(error.status) ?? (error.status >= 500 ? "api_error" : "invalid_request_error"),
    message: error.message,
    code: error.code,
    ...(error.param === undefined ? {} : { param: error.param }),
    // What the official tool runner waits for before it goes on with the whole history.
    ...(error.param === "thread" && {
      details: { error_code: "thread_unsupported_request", unsupported: ["thread"] },
    }),
  },
});

const longestMessage = 2_000;

export function decodeError(status: number, body: unknown): { code?: string; message: string } {
  const error = isFields(body) ? body["error"] : undefined;
  if (!isFields(error)) return { message: `The vendor answered ${status} without a message.` };
  const { type, message } = error;
  return {
    ...(typeof type === "string" ? { code: type } : {}),
    message:
      typeof message === "string" && message !== ""
        ? message.slice(0, longestMessage)
        : `The vendor answered ${status} without a message.`,
  };
}
