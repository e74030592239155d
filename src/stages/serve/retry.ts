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

/**
 * `Retry-After` in seconds or as a date, OpenAI's `retry-after-ms`, else when the limits that are used up are reset;
 * `undefined` when absent or unreadable. As long as the vendor says, however long: what is sensible is decided elsewhere.
 */
export function retryAfterOf(
  headers: Record<string, string | string[] | undefined>,
  nowMs: number,
  /** Whether the vendor said that a limit was reached: only then do resets mean a wait. */
  limited = true,
): number | undefined {
  const ms = first(headers["retry-after-ms"]);
  if (ms !== undefined && plainNumber.test(ms)) return Number(ms);
  const text = first(headers["retry-after"]);
  if (text === undefined) return limited ? resetOf(headers, nowMs) : undefined;
  if (plainNumber.test(text)) return Number(text) * 1000;
  const at = httpDate.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
}

const limitNames = ["requests", "tokens", "input-tokens", "output-tokens"];

/** The latest reset of the limits that have nothing left; where none says so, the earliest of all. */
function resetOf(headers: Record<string, string | string[] | undefined>, nowMs: number): number | undefined {
  const spent: number[] = [];
  const others: number[] = [];
  const look = (reset: string | undefined, remaining: string | undefined) => {
    const waitMs = reset === undefined ? undefined : durationOf(reset, nowMs);
    if (waitMs !== undefined) (remaining === "0" ? spent : others).push(waitMs);
  };
  for (const limit of limitNames) {
    look(first(headers[`x-ratelimit-reset-${limit}`]), first(headers[`x-ratelimit-remaining-${limit}`]));
    look(
      first(headers[`anthropic-ratelimit-${limit}-reset`]),
      first(headers[`anthropic-ratelimit-${limit}-remaining`]),
    );
  }
  look(first(headers["x-ratelimit-reset"]), first(headers["x-ratelimit-remaining"]));
  if (spent.length > 0) return Math.max(...spent);
  return others.length > 0 ? Math.min(...others) : undefined;
}

const units: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const instant = /^\d{4}-\d{2}-\d{2}T[\d:.]+(?:Z|[+-]\d{2}:\d{2})$/;

/** "6m0s", "1s", "20ms", "1h2m3.5s", an RFC 3339 instant, plain seconds, or a Unix time in seconds or milliseconds. */
export function durationOf(text: string, nowMs: number): number | undefined {
  if (instant.test(text)) {
    const at = Date.parse(text);
    return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
  }
  if (plainNumber.test(text)) {
    const value = Number(text);
    // Nobody waits thirty years: such a figure is a time of day.
    if (value < 1e9) return value * 1000;
    return Math.max(0, (value < 1e12 ? value * 1000 : value) - nowMs);
  }
  if (!/^(?:\d+(?:\.\d+)?(?:ms|[smhd]))+$/.test(text)) return undefined;
  let ms = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|[smhd])/g)) ms += Number(amount) * units[unit!]!;
  return ms;
}

const first = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? value[0] : value);
