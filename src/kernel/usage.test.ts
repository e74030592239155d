import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { costOf, freePrice, noUsage } from "./usage.ts";

const tokens = fc.integer({ min: 0, max: 10_000_000 });
const price = fc.bigInt({ min: 0n, max: 10n ** 11n });
const usage = fc.record({ input: tokens, cached_input: tokens, output: tokens, estimated: fc.boolean() });
const prices = fc.record({ version: fc.constant("v"), input: price, cached_input: price, output: price, call: price });

describe("costOf", () => {
  it("sums exactly and rounds once: never more than half a nano-USD away from the exact sum", () => {
    fc.assert(
      fc.property(usage, prices, (used, at) => {
        const exact =
          BigInt(used.input) * at.input +
          BigInt(used.cached_input) * at.cached_input +
          BigInt(used.output) * at.output +
          at.call;
        const off = BigInt(costOf(used, at)) * 1_000_000n - exact;
        expect(off >= -500_000n && off <= 500_000n).toBe(true);
      }),
    );
  });

  it("never falls when anything more is used", () => {
    fc.assert(
      fc.property(usage, prices, tokens, (used, at, more) => {
        expect(costOf({ ...used, output: used.output + more }, at)).toBeGreaterThanOrEqual(costOf(used, at));
      }),
    );
  });

  it.each([
    ["a published price, exactly", { ...noUsage, input: 1_000_000 }, { input: 2_500_000_000n }, 2_500_000_000],
    [
      "terms that are halves, summed before rounding",
      { ...noUsage, input: 1, output: 1 },
      { input: 500_000n, output: 500_000n },
      1,
    ],
    ["a half, to even", { ...noUsage, input: 1 }, { input: 500_000n }, 0],
    [
      "cached input at its own price",
      { ...noUsage, cached_input: 10 },
      { input: 9_000_000n, cached_input: 1_000_000n },
      10,
    ],
    ["a call price without tokens", noUsage, { call: 3_000_000n }, 3],
    ["nothing", noUsage, {}, 0],
  ])("%s", (_name, used, at, cost) => expect(costOf(used, { ...freePrice, ...at })).toBe(cost));
});
