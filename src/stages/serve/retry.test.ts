import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../kernel/clock.ts";
import { backoffMs, isRetryableStatus, retryAfterOf } from "./retry.ts";

const now = Date.UTC(2026, 10, 22, 12, 0, 0);

const spent = {
  "x-ratelimit-remaining-requests": "7",
  "x-ratelimit-reset-requests": "6m0s",
  "x-ratelimit-remaining-tokens": "0",
  "x-ratelimit-reset-tokens": "1.2s",
};

describe("retryAfterOf", () => {
  const rows: [string, Record<string, string | string[] | undefined>, number | undefined][] = [
    ["nothing", {}, undefined],
    ["seconds", { "retry-after": "7" }, 7000],
    ["zero seconds", { "retry-after": "0" }, 0],
    ["fractions of seconds", { "retry-after": "1.5" }, 1500],
    ["a date to come", { "retry-after": "Sun, 22 Nov 2026 12:00:30 GMT" }, 30_000],
    ["a date that has passed", { "retry-after": "Sun, 22 Nov 2026 11:00:00 GMT" }, 0],
    ["milliseconds", { "retry-after-ms": "250" }, 250],
    ["milliseconds, which are finer than seconds", { "retry-after-ms": "250", "retry-after": "1" }, 250],
    ["unreadable milliseconds beside seconds", { "retry-after-ms": "soon", "retry-after": "2" }, 2000],
    ["negative milliseconds beside seconds", { "retry-after-ms": "-1", "retry-after": "2" }, 2000],
    ["several, of which the first counts", { "retry-after": ["3", "9"] }, 3000],
    ["words", { "retry-after": "later" }, undefined],
    ["nothing between the quotes", { "retry-after": "" }, undefined],
    // `Date.parse` takes these for dates; they are none.
    ["negative seconds", { "retry-after": "-5" }, undefined],
    ["words with a year", { "retry-after": "soon 2099" }, undefined],
    ["endless milliseconds", { "retry-after-ms": "Infinity" }, undefined],
    ["empty milliseconds", { "retry-after-ms": "" }, undefined],
    ["a reset as a duration", { "x-ratelimit-reset-requests": "1s" }, 1000],
    ["a reset in minutes", { "x-ratelimit-reset-tokens": "6m0s" }, 360_000],
    ["a reset in parts", { "x-ratelimit-reset-tokens": "1h2m3.5s" }, 3_723_500],
    ["a reset in milliseconds", { "x-ratelimit-reset-requests": "20ms" }, 20],
    ["the reset of the limit that is spent", spent, 1200],
    ["several resets and no word of what is spent", { ...spent, "x-ratelimit-remaining-tokens": "5" }, 1200],
    ["a reset as an instant", { "anthropic-ratelimit-tokens-reset": "2026-11-22T12:00:09Z" }, 9000],
    ["a reset as Unix seconds", { "x-ratelimit-reset": String(now / 1000 + 5) }, 5000],
    ["a reset as Unix milliseconds", { "x-ratelimit-reset": String(now + 5000) }, 5000],
    ["a reset that has passed", { "x-ratelimit-reset": String(now / 1000 - 5) }, 0],
    ["a reset in words", { "x-ratelimit-reset-requests": "soon" }, undefined],
    ["retry-after before resets", { "retry-after": "2", "x-ratelimit-reset-requests": "1s" }, 2000],
  ];
  it.each(rows)("%s", (_form, headers, ms) => expect(retryAfterOf(headers, now)).toBe(ms));

  it("resets mean no wait where no limit was reached", () => {
    expect(retryAfterOf(spent, now, false)).toBeUndefined();
  });

  it("law: never negative, never NaN, whatever a vendor sends", () => {
    const text = fc.oneof(
      fc.string(),
      fc.integer().map(String),
      fc.double().map(String),
      fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
    );
    fc.assert(
      fc.property(text, text, (seconds, ms) => {
        const wait = retryAfterOf({ "retry-after": seconds, "retry-after-ms": ms }, now);
        expect(wait === undefined || wait >= 0).toBe(true);
      }),
    );
  });
});

describe("backoffMs", () => {
  it("law: from 0 to min(4 s, 200 ms · 2^n), exclusive", () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 0, max: 40 }), (seed, retry) => {
        const wait = backoffMs(new VirtualClock(0, seed), retry, undefined);
        expect(wait >= 0 && wait < Math.min(4000, 200 * 2 ** retry)).toBe(true);
      }),
    );
  });

  it("law: never sooner than the vendor asks, and at most a second of jitter later", () => {
    fc.assert(
      fc.property(
        fc.integer(),
        fc.integer({ min: 0, max: 40 }),
        fc.integer({ min: 0, max: 60_000 }),
        (seed, retry, asked) => {
          const wait = backoffMs(new VirtualClock(0, seed), retry, asked);
          expect(wait >= asked && wait < asked + 1000).toBe(true);
        },
      ),
    );
  });

  it("spreads: two clients that failed together don't return together", () => {
    const waits = new Set(
      Array.from({ length: 50 }, (_, seed) => backoffMs(new VirtualClock(0, seed * 7919 + 1), 4, undefined)),
    );
    expect(waits.size).toBeGreaterThan(45);
  });
});

it.each([
  [408, true],
  [409, true],
  [429, true],
  [500, true],
  [502, true],
  [503, true],
  [504, true],
  [529, true],
  [301, false],
  [400, false],
  [401, false],
  [403, false],
  [404, false],
  [413, false],
  [422, false],
  [501, false],
])("status %s is worth another try: %s", (status, retryable) => expect(isRetryableStatus(status)).toBe(retryable));
