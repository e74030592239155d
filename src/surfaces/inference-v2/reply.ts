/** Errors in the protocol's one shape: `{"error": "…"}`, with the status that the code has everywhere. */
import { type Refusal, errorKinds } from "../../kernel/errors.ts";
import { type Exchange, sendJson } from "../gateway/index.ts";

export function refuseAsV2(exchange: Exchange, refusal: Refusal, more?: Record<string, string>): void {
  const { status, fix } = errorKinds[refusal.code];
  const headers: Record<string, string> = { "x-weir-decision-id": exchange.decision, ...more };
  if (refusal.retryAfterMs !== undefined)
    headers["retry-after"] = String(Math.max(1, Math.ceil(refusal.retryAfterMs / 1000)));
  // One string has to say what was wrong, where, and what to do.
  sendJson(exchange.response, status, headers, { error: `${refusal.message} ${fix}` });
}
