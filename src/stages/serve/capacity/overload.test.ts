/**
 * Under load, on virtual time, with the slots of a scripted vendor as its capacity: 20 slots, calls of 500 tokens in and
 * 100 out that take 2.3 seconds each, so 8.7 calls a second at best. First tokens have a log-normal tail.
 */
import { describe, expect, it } from "vitest";
import { priorityClasses } from "../../../kernel/snapshot.ts";
import { type Load, type Run, aRun, goodput, offer, percentile } from "./simulation.ts";

const slots = 20;
const chat = (over: Partial<Load> = {}): Load => ({
  tenant: "a",
  class: "standard",
  perSecond: 1,
  inTokens: 500,
  outTokens: 100,
  firstWithinMs: 3000,
  wholeWithinMs: 10_000,
  ...over,
});
const patient = { firstWithinMs: 60_000, wholeWithinMs: 60_000 };
const seeds = [[1], [2], [3]];

/** Goodput after half a minute, at so many times what the vendor can serve. */
async function goodputAt(times: number, seed: number, tail: number): Promise<number> {
  const run = aRun(seed, slots, { initial: 32 });
  run.vendor.tail = tail;
  const perSecond = (times * slots * 1000) / run.vendor.serviceMs(500, 100);
  offer(run, [chat({ perSecond })], 120_000);
  await run.clock.runUntil(120_000);
  return goodput(run, 30_000, 120_000);
}

describe("three times what the vendor can serve", () => {
  it.each([
    [1, 0.15],
    [2, 0.15],
    [3, 0.5],
  ])("keeps at least 90 %% of the best goodput (seed %s, tail %s)", async (seed, tail) => {
    const peak = Math.max(...(await Promise.all([0.8, 0.9, 1, 1.1].map((times) => goodputAt(times, seed, tail)))));
    const overloaded = await goodputAt(3, seed, tail);
    expect(peak).toBeGreaterThan(6.5);
    expect(overloaded / peak).toBeGreaterThanOrEqual(0.9);
  });

  it("without it nearly nobody is served in time: the queue would stand at the vendor", async () => {
    const run = aRun(1, slots, { min: 4096, initial: 4096 });
    offer(run, [chat({ perSecond: 26 })], 60_000);
    await run.clock.runUntil(60_000);
    expect(goodput(run, 30_000, 60_000)).toBeLessThan(1);
  });
});

const limitsBetween = async (run: Run, fromMs: number, toMs: number): Promise<number[]> => {
  const seen: number[] = [];
  for (let at = fromMs; at <= toMs; at += 1000) {
    await run.clock.runUntil(at);
    seen.push(run.capacity.states()[0]!.limit);
  }
  return seen;
};

describe("the limit finds the vendor's capacity", () => {
  it.each(seeds)("within 30 s after half of it is gone, and stays there (seed %s)", async (seed) => {
    const run = aRun(seed, 2 * slots, { initial: 32 });
    offer(run, [chat({ perSecond: 30 })], 150_000);
    const before = await limitsBetween(run, 40_000, 60_000);
    expect(percentile(before, 0.5)).toBeGreaterThan(1.8 * slots);
    run.vendor.slots = slots;
    const after = await limitsBetween(run, 90_000, 150_000);
    expect(Math.max(...after)).toBeLessThan(1.4 * slots);
    expect(percentile(after, 0.5)).toBeGreaterThan(0.9 * slots);
    expect(goodput(run, 90_000, 150_000)).toBeGreaterThan(0.9 * 8.7);
  });

  it("and grows again when it is back", async () => {
    const run = aRun(1, slots, { initial: 32 });
    offer(run, [chat({ perSecond: 30 })], 180_000);
    await run.clock.runUntil(60_000);
    run.vendor.slots = 2 * slots;
    expect(percentile(await limitsBetween(run, 150_000, 180_000), 0.5)).toBeGreaterThan(1.6 * slots);
  });

  it.each(seeds)("from 429 alone, where the vendor queues nothing (seed %s)", async (seed) => {
    const run = aRun(seed, slots, { initial: 64 }, 0);
    offer(run, [chat({ perSecond: 26 })], 120_000);
    await run.clock.runUntil(120_000);
    expect(goodput(run, 20_000, 120_000)).toBeGreaterThan(0.9 * 8.7);
    expect(run.refused / (run.refused + run.done.length)).toBeLessThan(0.2);
  });
});

/** Tokens in and twice the tokens out that a tenant was served. */
const served = (run: Run, tenant: string, fromMs: number): number =>
  run.done
    .filter(({ load, doneAt }) => load.tenant === tenant && doneAt >= fromMs)
    .reduce((sum, { load }) => sum + load.inTokens + 2 * load.outTokens, 0);

const jain = (shares: readonly number[]): number =>
  shares.reduce((a, b) => a + b, 0) ** 2 / (shares.length * shares.reduce((sum, share) => sum + share ** 2, 0));

describe("tenants", () => {
  it.each(seeds)(
    "two that both wait, with calls of 1:10, get the same: Jain's index is 0.95 or more (seed %s)",
    async (seed) => {
      const run = aRun(seed, slots, { initial: 20 });
      const small = chat({ tenant: "small", perSecond: 60, inTokens: 100, outTokens: 20, ...patient });
      const large = chat({ tenant: "large", perSecond: 6, inTokens: 1000, outTokens: 200, ...patient });
      offer(run, [small, large], 120_000);
      await run.clock.runUntil(120_000);
      expect(jain([served(run, "small", 20_000), served(run, "large", 20_000)])).toBeGreaterThanOrEqual(0.95);
    },
  );

  it("a weight of three is three times the tokens", async () => {
    const run = aRun(1, slots, { initial: 20 });
    const loads = [
      chat({ tenant: "gold", weight: 3, perSecond: 20, ...patient }),
      chat({ tenant: "plain", perSecond: 20, ...patient }),
    ];
    offer(run, loads, 120_000);
    await run.clock.runUntil(120_000);
    const ratio = served(run, "gold", 20_000) / served(run, "plain", 20_000);
    expect(Math.abs(ratio / 3 - 1)).toBeLessThan(0.1);
  });

  it.each(seeds)("a neighbour that floods makes another's p95 less than 20 %% longer (seed %s)", async (seed) => {
    const victim = chat({ tenant: "victim", perSecond: 3 });
    const latencies = async (others: Load[]) => {
      const run = aRun(seed, 2 * slots, { initial: 40 });
      offer(run, [victim, ...others], 300_000);
      await run.clock.runUntil(320_000);
      const own = run.done.filter(({ load, arrivedAt }) => load === victim && arrivedAt > 30_000);
      const lost = run.shed.filter(({ load, at }) => load === victim && at > 30_000).length;
      return {
        p95: percentile(
          own.map(({ arrivedAt, doneAt }) => doneAt - arrivedAt),
          0.95,
        ),
        lost: lost / own.length,
      };
    };
    const alone = await latencies([]);
    const flooded = await latencies([chat({ tenant: "noisy", perSecond: 52 })]);
    expect(flooded.p95 / alone.p95).toBeLessThan(1.2);
    expect(flooded.lost).toBeLessThan(0.01);
  });
});

describe("classes", () => {
  it("that compete get their shares; none starves", async () => {
    const run = aRun(1, slots, { initial: 20 });
    const far = { firstWithinMs: 600_000, wholeWithinMs: 600_000 };
    offer(
      run,
      priorityClasses.map((of) => chat({ tenant: of, class: of, perSecond: 10, ...far })),
      300_000,
    );
    await run.clock.runUntil(300_000);
    const had = priorityClasses.map((of) => served(run, of, 60_000));
    const all = had.reduce((a, b) => a + b, 0);
    for (const [i, share] of [0.7, 0.2, 0.08, 0.02].entries())
      expect(Math.abs(had[i]! / all / share - 1)).toBeLessThan(0.1);
    const gaps = run.done
      .filter(({ load, doneAt }) => load.class === "batch" && doneAt > 30_000)
      .map(({ doneAt }) => doneAt);
    expect(Math.max(...gaps.slice(1).map((at, i) => at - gaps[i]!))).toBeLessThan(30_000);
  });

  it("what is urgent hardly notices a flood of batch work", async () => {
    const urgent = chat({ tenant: "urgent", class: "critical", perSecond: 3 });
    const run = aRun(2, slots, { initial: 20 });
    offer(run, [urgent, chat({ tenant: "night", class: "batch", perSecond: 20, ...patient })], 120_000);
    await run.clock.runUntil(120_000);
    const waits = run.done.filter(({ load }) => load === urgent).map(({ arrivedAt, firstAt }) => firstAt - arrivedAt);
    expect(percentile(waits, 0.95)).toBeLessThan(1500);
    // The vendor has work all the time: what the urgent leave is used.
    expect(goodput(run, 30_000, 120_000)).toBeGreaterThan(0.9 * 8.7);
  });
});

describe("answers that come whole", () => {
  it.each([
    ["a predictive model, by its latency", { inTokens: 0, outTokens: 0, firstWithinMs: 1000, wholeWithinMs: 1000 }],
    ["a chat without streaming, by what its length doesn't explain", { firstWithinMs: 10_000, wholeWithinMs: 10_000 }],
  ])("%s: three times too many keep 85 %% of what can be served", async (_what, over) => {
    const run = aRun(1, slots, { min: 2, initial: 32 });
    const load = chat({ ...over, whole: true });
    const best = (slots * 1000) / run.vendor.serviceMs(load.inTokens, load.outTokens);
    offer(run, [{ ...load, perSecond: 3 * best }], 90_000);
    await run.clock.runUntil(90_000);
    expect(goodput(run, 30_000, 90_000)).toBeGreaterThan(0.85 * best);
  });

  it("long and short ones together: the limit doesn't take length for congestion", async () => {
    const run = aRun(1, slots, { initial: 20 });
    const sizes = [20, 100, 400].map((outTokens, i) =>
      chat({ tenant: `t${i}`, perSecond: 40 / outTokens, outTokens, whole: true, ...patient }),
    );
    offer(run, sizes, 240_000);
    const limits = await limitsBetween(run, 60_000, 240_000);
    expect(Math.min(...limits)).toBeGreaterThan(0.7 * slots);
  });
});
