import { describe, expect, it } from "vitest";
import { type DecisionParts, aChatAsk, aDecision, userSays } from "../../../tests/fixtures/decision.ts";
import { VirtualClock } from "../../kernel/clock.ts";
import { LimitBook } from "./limit-book.ts";
import { createReserve } from "./reserve.ts";
import { estimateRequestTokens } from "./token-estimate.ts";

function setUp() {
  const clock = new VirtualClock();
  const limits = new LimitBook(clock);
  const reserve = createReserve({ limits });
  return { clock, limits, reserve, decision: (parts: DecisionParts = {}) => aDecision({ clock, ...parts }) };
}

describe("reserve", () => {
  const rows: [string, DecisionParts, string, RegExp][] = [
    ["the tenant's requests", { tenant: { limits: { requestsPerMinute: 1 } } }, "rate_limited", /the tenant/],
    ["the use case's requests", { useCase: { limits: { requestsPerMinute: 1 } } }, "rate_limited", /this use case/],
    ["the key's requests", { principal: { requests_per_minute: 1 } }, "rate_limited", /this key/],
    ["tokens", { tenant: { limits: { tokensPerMinute: 1100 } } }, "token_limited", /tokens a minute/],
    ["the key's tokens", { principal: { tokens_per_minute: 1100 } }, "token_limited", /this key/],
    ["concurrency", { principal: { concurrency: 1 } }, "concurrency_limited", /at once/],
  ];
  it.each(rows)(
    "a second request over %s is refused with the honest wait, and holds nothing",
    (_what, parts, code, words) => {
      const { reserve, limits, decision } = setUp();
      expect(reserve(decision(parts))).toBeUndefined();
      const second = decision(parts);
      const refusal = reserve(second);
      expect(refusal).toMatchObject({ code, message: expect.stringMatching(words) as string });
      expect(refusal!.retryAfterMs).toBeGreaterThan(0);
      expect(limits.running).toBe(1);
      second.release();
      expect(limits.running).toBe(1);
      expect(second.released()).toBe(1);
    },
  );

  it("gives its place back with the decision's release, after what was held before", () => {
    const { reserve, limits, decision } = setUp();
    const d = decision({ tenant: { limits: { concurrency: 1 } } });
    reserve(d);
    expect(limits.running).toBe(1);
    d.release();
    expect(limits.running).toBe(0);
    expect(d.released()).toBe(1);
  });

  it("counts running requests also where nothing is limited", () => {
    const { reserve, limits, decision } = setUp();
    const d = decision();
    reserve(d);
    expect(limits.running).toBe(1);
    expect(d.limits).toBeUndefined();
    d.release();
    expect(limits.running).toBe(0);
  });

  it("corrects the estimate to what was used, cached input included", () => {
    const { reserve, decision } = setUp();
    const parts: DecisionParts = { tenant: { limits: { tokensPerMinute: 2000 } }, ask: aChatAsk({ max_tokens: 1900 }) };
    const first = decision(parts);
    expect(reserve(first)).toBeUndefined();
    expect(reserve(decision(parts))).toMatchObject({ code: "token_limited" });
    first.usage = { input: 10, cached_input: 20, output: 30, estimated: false };
    first.release();
    const fits = (max_tokens: number) => reserve(decision({ ...parts, ask: aChatAsk({ messages: [], max_tokens }) }));
    expect(fits(1941)).toMatchObject({ code: "token_limited" });
    expect(fits(1940)).toBeUndefined();
  });

  it("asks tokens for input and for what may be answered; none for scores", () => {
    const { reserve, decision } = setUp();
    const ask = aChatAsk({ messages: [userSays("x".repeat(300))], max_tokens: 50 });
    const need = estimateRequestTokens(ask.request) + 50;
    expect(reserve(decision({ ask, tenant: { limits: { tokensPerMinute: need } } }))).toBeUndefined();
    const next = decision({ useCase: { kind: "score" }, tenant: { limits: { tokensPerMinute: need } } });
    expect(reserve(next)).toBeUndefined();
  });

  it("tells the tightest limit for the RateLimit headers", () => {
    const { reserve, decision } = setUp();
    const d = decision({ tenant: { limits: { requestsPerMinute: 100 } }, principal: { requests_per_minute: 4 } });
    reserve(d);
    expect(d.limits).toEqual({ policy: "key", limit: 4, remaining: 3, resetMs: 15_000 });
  });

  it("one tenant's use case is limited apart from another's", () => {
    const { reserve, decision } = setUp();
    const limits = { useCase: { limits: { requestsPerMinute: 1 } } };
    expect(reserve(decision(limits))).toBeUndefined();
    expect(reserve(decision({ ...limits, tenant: { name: "private" } }))).toBeUndefined();
  });
});
