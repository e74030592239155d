/** Words that OpenAI's wire format and the neutral form share only in part: finish reasons, service classes, errors. */
import type { FinishReason } from "../../../kernel/chat.ts";
import type { ServiceClass } from "../../../kernel/usage.ts";
import { isFields } from "../body-reader.ts";
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

/** The neutral reasons that OpenAI has no word for are told in its nearest: a paused turn may be continued, as a cut one. */
export const finishWords: Record<FinishReason, string> = {
  stop: "stop",
  length: "length",
  tool_calls: "tool_calls",
  content_filter: "content_filter",
  refusal: "content_filter",
  pause: "length",
};

const served = new Map<unknown, ServiceClass>([
  ["default", "standard"],
  ["standard", "standard"],
  ["on_demand", "standard"],
  ["flex", "flex"],
  ["priority", "priority"],
  ["batch", "batch"],
]);

/** Undefined for tiers that have a price of their own contract (`scale`) and for `auto`. */
export const serviceClassOf = (tier: unknown): ServiceClass | undefined => served.get(tier);

export const tierOf = (wanted: ServiceClass): string => (wanted === "standard" ? "default" : wanted);

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
