/** Whether and when a failed vendor call is tried again on the same rung. */
import type { Clock } from "../../kernel/clock.ts";

const retryableStatus = new Set([408, 409, 425, 429, 500, 502, 503, 504, 529]);
export const isRetryableStatus = (status: number): boolean => retryableStatus.has(status);

/** Full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter"): uniform in [0, min(cap, base·2^n)). */
export function backoffMs(clock: Clock, retry: number, retryAfterMs: number | undefined): number {
  const jitter = clock.random() * Math.min(4000, 200 * 2 ** retry);
  return retryAfterMs === undefined ? jitter : retryAfterMs + jitter / 4;
}

const plainNumber = /^\d+(?:\.\d+)?$/;
// The three date forms of RFC 9110 §5.6.7. `Date.parse` alone takes nearly anything with a year for a date.
const httpDate = /^[A-Z][a-z]{2,8},? [\w :-]+(?: GMT)?$/;

/** `Retry-After` in seconds or as a date, and OpenAI's `retry-after-ms`; `undefined` when absent or unreadable. */
export function retryAfterOf(
  headers: Record<string, string | string[] | undefined>,
  nowMs: number,
): number | undefined {
  const ms = first(headers["retry-after-ms"]);
  if (ms !== undefined && plainNumber.test(ms)) return Number(ms);
  const text = first(headers["retry-after"]);
  if (text === undefined) return undefined;
  if (plainNumber.test(text)) return Number(text) * 1000;
  const at = httpDate.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
}

const first = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? value[0] : value);
