/** Words that OpenAI's wire format and the neutral form share only in part: finish reasons, usage, errors. */
import type { FinishReason } from "../../../kernel/chat.ts";
import type { Usage } from "../../../kernel/usage.ts";
import { countOf, isFields } from "../body-reader.ts";
import type { ClientError } from "../port.ts";

const finishes = new Map<unknown, FinishReason>([
  ["stop", "stop"],
  ["length", "length"],
  ["tool_calls", "tool_calls"],
  ["function_call", "tool_calls"],
  ["content_filter", "content_filter"],
]);

/** Reasons that compatible vendors invented ("eos", "end_turn", …) end a whole answer. */
export const finishOf = (reason: unknown): FinishReason => finishes.get(reason) ?? "stop";

export function usageOf(value: unknown): Usage | undefined {
  if (!isFields(value)) return undefined;
  const prompt = countOf(value["prompt_tokens"]);
  const completion = countOf(value["completion_tokens"]);
  if (prompt === undefined && completion === undefined) return undefined;
  const details = value["prompt_tokens_details"];
  const cached = Math.min(prompt ?? 0, (isFields(details) ? countOf(details["cached_tokens"]) : undefined) ?? 0);
  // Gemini's OpenAI surface leaves reasoning out of completion_tokens yet bills it: only its total tells.
  const beyondPrompt = (countOf(value["total_tokens"]) ?? 0) - (prompt ?? 0);
  return {
    input: (prompt ?? 0) - cached,
    cached_input: cached,
    output: Math.max(completion ?? 0, beyondPrompt),
    estimated: false,
  };
}

export function encodeUsage(usage: Usage): unknown {
  const prompt = usage.input + usage.cached_input;
  return {
    prompt_tokens: prompt,
    completion_tokens: usage.output,
    total_tokens: prompt + usage.output,
    prompt_tokens_details: { cached_tokens: usage.cached_input },
  };
}

const errorTypes = new Map([
  [401, "authentication_error"],
  [403, "permission_error"],
  [429, "rate_limit_error"],
]);

export const encodeError = (error: ClientError): unknown => ({
  error: {
    message: error.message,
    type: errorTypes.get(error.status) ?? (error.status >= 500 ? "server_error" : "invalid_request_error"),
    param: error.param ?? null,
    code: error.code,
  },
});

const longestMessage = 2_000;

/** Also the shapes of compatible servers: `{error: "…"}`, `[{error: …}]`, `{message}`, `{detail}`. */
export function decodeError(status: number, body: unknown): { code?: string; message: string } {
  const outer = Array.isArray(body) ? (body as unknown[])[0] : body;
  const inner = isFields(outer) ? (outer["error"] ?? outer) : outer;
  const fallback = `The vendor answered ${status} without a message.`;
  if (typeof inner === "string") return { message: inner.slice(0, longestMessage) || fallback };
  if (!isFields(inner)) return { message: fallback };
  const code = inner["code"] ?? inner["type"];
  const message = inner["message"] ?? inner["detail"];
  return {
    ...(typeof code === "string" || typeof code === "number" ? { code: String(code) } : {}),
    message: typeof message === "string" && message !== "" ? message.slice(0, longestMessage) : fallback,
  };
}
