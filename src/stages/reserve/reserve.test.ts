import { describe, expect, it } from "vitest";
import { type DecisionParts, aChatAsk, aDecision, userSays } from "../../../tests/fixtures/decision.ts";
import { VirtualClock } from "../../kernel/clock.ts";
import { nanoUsd } from "../../kernel/money.ts";
import { LimitBook } from "./limit-book.ts";
import { MoneyBook } from "./money-book.ts";
import { createReserve } from "./reserve.ts";
import { estimateRequestTokens } from "./token-estimate.ts";

function setUp() {
  const clock = new VirtualClock();
  const limits = new LimitBook(clock);
  const money = new MoneyBook(clock);
  const reserve = createReserve({ limits, money });
  return { clock, limits, money, reserve, decision: (parts: DecisionParts = {}) => aDecision({ clock, ...parts }) };
}

describe("reserve", () => {
  const rows: [string, DecisionParts, string, RegExp][] = [
    ["the tenant's requests", { tenant: { limits: { requestsPerMinute: 1 } } }, "rate_limited", /the tenant/],
    ["the use case's requests", { useCase: { limits: { requestsPerMinute: 1 } } }, "rate_limited", /this use case/],
    ["the key's requests", { principal: { requests_per_minute: 1 } }, "rate_limited", /this key/],
    ["tokens", { tenant: { limits: { tokensPerMinute: 1100 } } }, "token_limited", /tokens a minute/],
    ["the key's tokens", { principal: { tokens_per_minute: 1100 } }, "token_limited", /this key/],
    ["concurrency", { principal: { concurrency: 1 } }, "concurrency_limited", /at once/],
    [
      "each principal's requests",
      { tenant: { eachPrincipal: { limits: { requestsPerMinute: 1 }, budgets: [] } } },
      "rate_limited",
      /this principal/,
    ],
    [
      "a named principal's requests",
      { tenant: { principals: new Map([["branch-app", { limits: { requestsPerMinute: 1 }, budgets: [] }]]) } },
      "rate_limited",
      /this principal/,
    ],
    [
      "each key's requests, which the key itself can't widen",
      {
        tenant: { eachKey: { limits: { requestsPerMinute: 1 }, budgets: [] } },
        principal: { requests_per_minute: 100 },
      },
      "rate_limited",
      /this key/,
    ],
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

  it("tells the tightest token limit beside it, and which one was spent on a refusal", () => {
    const { reserve, decision } = setUp();
    const parts: DecisionParts = {
      tenant: { limits: { tokensPerMinute: 2000, requestsPerMinute: 10 } },
      ask: aChatAsk({ messages: [], max_tokens: 1500 }),
    };
    const first = decision(parts);
    reserve(first);
    expect(first.tokenLimits).toEqual({ policy: "tenant", limit: 2000, remaining: 500, resetMs: 45_000 });
    const second = decision(parts);
    expect(reserve(second)).toMatchObject({ code: "token_limited", retryAfterMs: 30_000 });
    expect([second.limits, second.tokenLimits]).toEqual([
      undefined,
      { policy: "tenant", limit: 2000, remaining: 0, resetMs: 30_000 },
    ]);
  });

  it("reserves for every answer that is asked for", () => {
    const { reserve, decision } = setUp();
    const ask = aChatAsk({ messages: [], max_tokens: 100, n: 3 });
    const tenant = { limits: { tokensPerMinute: 500 } };
    expect(reserve(decision({ ask, tenant }))).toBeUndefined();
    expect(reserve(decision({ ask, tenant }))).toMatchObject({ code: "token_limited", retryAfterMs: 12_000 });
  });

  it("reserves no more than nearly all answers of the use case take, once that is known", () => {
    const { reserve, decision } = setUp();
    const ask = aChatAsk({ messages: [], max_tokens: 10_000 });
    const tenant = { limits: { tokensPerMinute: 20_000 } };
    for (let i = 0; i < 40; i++) {
      const d = decision({ ask, tenant });
      expect(reserve(d)).toBeUndefined();
      d.usage = { input: 0, cached_input: 0, output: 100, estimated: false };
      d.release();
    }
    const d = decision({ ask, tenant });
    reserve(d);
    // 40 answers of 100 tokens were used, and little more than 100 are reserved.
    expect(d.tokenLimits?.remaining).toBeGreaterThanOrEqual(20_000 - 40 * 100 - 120);
    expect(d.tokenLimits?.remaining).toBeLessThanOrEqual(20_000 - 41 * 100);
  });

  it("leaves out a talk's past where it grew too long, says so, and then measures what is left", () => {
    const { reserve, decision } = setUp();
    const long = userSays("x".repeat(3000));
    const reply = { role: "assistant" as const, parts: [{ type: "text" as const, text: "ok" }] };
    const ask = aChatAsk({ messages: [long, reply, userSays("and now?")] });
    const d = decision({ ask, useCase: { trimTo: 200, maxInputTokens: 200 } });
    expect(reserve(d)).toBeUndefined();
    expect(d.request!.messages).toEqual([userSays("and now?")]);
    expect(d.trimmed).toMatchObject({ turns_dropped: 1 });
    expect(d.rewritten).toBe(true);
    expect(ask.request.messages).toHaveLength(3);
  });

  it.each([
    ["block", "unusual_calls", undefined],
    ["throttle", undefined, true],
    [undefined, undefined, undefined],
  ] as const)("a caller that behaves unlike before, action %s: %s", (action, code, throttled) => {
    const { clock, limits, money } = setUp();
    const unusual = () => action && { action, retryAfterMs: 9000 };
    const d = aDecision({ clock });
    const refusal = createReserve({ limits, money, unusual })(d);
    expect([refusal?.code, refusal?.retryAfterMs, d.throttled]).toEqual([code, code && 9000, throttled]);
    expect(limits.running).toBe(code ? 0 : 1);
  });

  it("refuses input beyond the use case's length, before anything is taken", () => {
    const { reserve, limits, decision } = setUp();
    const ask = aChatAsk({ messages: [userSays("x".repeat(300))] });
    expect(reserve(decision({ ask, useCase: { maxInputTokens: 104 } }))).toBeUndefined();
    expect(reserve(decision({ ask, useCase: { maxInputTokens: 103 } }))).toMatchObject({
      code: "input_too_long",
      message: "The input has about 104 tokens; this use case takes 103 at most.",
    });
    expect(limits.running).toBe(1);
  });

  it.each([
    ["none", undefined, 200, true],
    ["more", 500, 200, true],
    ["as much", 200, 200, false],
    ["less", 100, 100, false],
  ])("asks for no longer answer than the use case allows: the client names %s", (_what, asked, sent, rewritten) => {
    const { reserve, decision } = setUp();
    const ask = aChatAsk(asked === undefined ? {} : { max_tokens: asked });
    const d = decision({ ask, useCase: { maxOutputTokens: 200 } });
    expect(reserve(d)).toBeUndefined();
    expect([d.request?.max_tokens, d.rewritten]).toEqual([sent, rewritten]);
    expect(ask.request.max_tokens).toBe(asked);
  });

  it("says how far the fullest budget is spent", () => {
    const { reserve, money, decision } = setUp();
    const steps = [
      { at: 80, do: "warn" },
      { at: 95, do: "degrade" },
    ] as const;
    const parts: DecisionParts = { tenant: { budgets: [{ nanoUsd: nanoUsd(100), per: "day", steps }] } };
    const levels = [79, 1, 15, 5].map((spent) => {
      money.restore("tenant:retail", new VirtualClock().now(), nanoUsd(spent));
      const d = decision(parts);
      reserve(d);
      return d.budgetLevel;
    });
    expect(levels).toEqual(["ok", "warn", "degrade", "blocked"]);
  });

  it("one tenant's use case is limited apart from another's", () => {
    const { reserve, decision } = setUp();
    const limits = { useCase: { limits: { requestsPerMinute: 1 } } };
    expect(reserve(decision(limits))).toBeUndefined();
    expect(reserve(decision({ ...limits, tenant: { name: "private" } }))).toBeUndefined();
  });
});
