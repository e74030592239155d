import { describe, expect, it } from "vitest";
import { aDecision, aTenant } from "../../../tests/fixtures/decision.ts";
import type { AttemptMeta, AttemptStatus } from "../../kernel/decision.ts";
import { nanoUsd } from "../../kernel/money.ts";
import { type Usage, noUsage } from "../../kernel/usage.ts";
import { MoneyBook } from "../reserve/index.ts";
import { HealthBook } from "./health/index.ts";
import { Attempt, type AttemptPlan } from "./attempt.ts";

const price = { version: "2026-01", input: 1_000_000n, cached_input: 500_000n, output: 3_000_000n, call: 10_000_000n };
const plan: AttemptPlan = {
  rung: 1,
  slot: "main",
  model: "large",
  target: "acme/large",
  region: "eu",
  price,
  worstCase: { input: 100, cached_input: 0, output: 100, estimated: true },
};
const used: Usage = { input: 10, cached_input: 4, output: 5, estimated: false };

function setUp(budget?: number) {
  const d = aDecision({
    ...(budget !== undefined && { tenant: { budgets: [{ nanoUsd: nanoUsd(budget), per: "day", atLimit: "block" }] } }),
  });
  const money = new MoneyBook(d.clock);
  const recorded: AttemptMeta[] = [];
  const health = new HealthBook(d.clock);
  const ports = {
    money,
    health,
    report: () => undefined,
    record: (_d: unknown, meta: AttemptMeta) => void recorded.push(meta),
  };
  return {
    d,
    health,
    money,
    recorded,
    begin: (over: Partial<AttemptPlan> = {}) => Attempt.begin(ports, d, { ...plan, ...over }),
  };
}

describe("Attempt", () => {
  it("holds the worst case while it runs and books the exact cost at its end", async () => {
    const { d, money, recorded, begin } = setUp();
    const attempt = begin()!;
    expect(money.held).toBe(410);
    await d.clock.advance(30);
    attempt.firstContent();
    await d.clock.advance(20);
    attempt.end("ok", { usage: used });
    expect(money.totals("retail")).toEqual({ spent: 37, held: 0 });
    expect(recorded).toEqual([
      {
        n: 1,
        rung: 1,
        slot: "main",
        arm: "champion",
        probability: 1,
        model: "large",
        target: "acme/large",
        region: "eu",
        status: "ok",
        usage: used,
        price: "2026-01",
        cost_nano_usd: 37,
        held_nano_usd: 410,
        started_at_ms: d.clock.now() - 50,
        duration_ms: 50,
        ttft_ms: 30,
      },
    ]);
    expect(d.attempts).toEqual(recorded);
    expect([d.usage, d.costNanoUsd, d.ttftMs]).toEqual([used, 37, 30]);
  });

  it("names the vendor's key, and tells the target's health once how it went", async () => {
    const { d, health, recorded, begin } = setUp();
    const attempt = begin({ key: "acme#2", watched: { stream: true, policy: undefined } })!;
    expect(health.stateOf("acme/large").inFlight).toBe(1);
    await d.clock.advance(30);
    attempt.firstContent();
    await d.clock.advance(50);
    attempt.end("ok", { usage: used });
    attempt.end("failed", { reason: "reset" });
    expect(recorded).toMatchObject([{ key: "acme#2" }]);
    expect(health.stateOf("acme/large")).toMatchObject({
      inFlight: 0,
      requests: 1,
      failures: 0,
      ttftMs: 30,
      perTokenMs: 10,
      cachedShare: 4 / 14,
    });
  });

  it("what is not called says nothing of the target", () => {
    const { health, begin } = setUp(409);
    expect(begin({ watched: { stream: false, policy: undefined } })).toBeUndefined();
    expect(health.all()).toEqual([]);
  });

  it("ends once: the first word stands", () => {
    const { money, recorded, begin } = setUp();
    const attempt = begin()!;
    attempt.end("failed", { reason: "reset" });
    attempt.end("ok", { usage: used });
    expect(recorded.map((meta) => meta.status)).toEqual(["failed"]);
    expect(money.totals("retail")).toEqual({ spent: 0, held: 0 });
  });

  it.each([
    ["failed", undefined, 0],
    ["timeout", undefined, 0],
    ["aborted", undefined, 0],
    ["failed", { ...noUsage, input: 10, estimated: true }, 20],
    ["aborted", used, 37],
    ["ok", undefined, 10],
    ["rejected", undefined, 0],
  ] as [AttemptStatus, Usage | undefined, number][])("%s with usage %j costs %s", (status, usage, cost) => {
    const { d, begin, money } = setUp();
    begin()!.end(status, usage ? { usage } : {});
    expect([d.costNanoUsd, money.totals("retail").spent]).toEqual([cost, cost]);
  });

  it("adds up over attempts and is numbered in order; an estimate flags the sum", () => {
    const { d, begin, recorded } = setUp();
    begin()!.end("ok", { usage: used });
    begin()!.end("failed", { usage: { input: 1, cached_input: 1, output: 1, estimated: true } });
    begin()!.end("ok", { usage: used });
    expect(recorded.map((meta) => meta.n)).toEqual([1, 2, 3]);
    expect(d.usage).toEqual({ input: 21, cached_input: 9, output: 11, estimated: true });
    expect(d.costNanoUsd).toBe(recorded.reduce((sum, meta) => sum + meta.cost_nano_usd, 0));
  });

  it("what the budget can't bear is recorded as unaffordable and costs nothing", () => {
    const { d, money, recorded, begin } = setUp(409);
    expect(begin()).toBeUndefined();
    expect(recorded).toMatchObject([{ status: "unaffordable", reason: "budget", cost_nano_usd: 0, held_nano_usd: 0 }]);
    expect(money.totals("retail")).toEqual({ spent: 0, held: 0 });
    expect(d.attempts).toHaveLength(1);
    expect(aTenant().budgets).toBeUndefined();
  });

  it("two attempts at once can't hold the same money", () => {
    const { begin } = setUp(500);
    const first = begin()!;
    expect(begin()).toBeUndefined();
    first.end("failed");
    expect(begin()).toBeDefined();
  });

  it("time to first content is the decision's first, the attempt's own", async () => {
    const { d, begin, recorded } = setUp();
    const first = begin()!;
    await d.clock.advance(10);
    first.firstContent();
    first.end("failed");
    const second = begin()!;
    await d.clock.advance(5);
    second.firstContent();
    second.firstContent();
    second.end("ok");
    expect(recorded.map((meta) => meta.ttft_ms)).toEqual([10, 5]);
    expect(d.ttftMs).toBe(10);
  });
});
