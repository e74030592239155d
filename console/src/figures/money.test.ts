import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatUsd, formatUsdTick, splitUsd } from "./money.ts";

describe("formatUsd", () => {
  it.each([
    [0, "$0.00"],
    [1, "$0.000000001"],
    [391_200, "$0.0003912"],
    [10_000_000, "$0.01"],
    [1_234_567_890_123, "$1,234.567890123"],
    [9_007_199_254_740_991, "$9,007,199.254740991"],
    [-500_000_000, "−$0.50"],
  ])("%i nano-USD is %s", (nano, text) => expect(formatUsd(nano)).toBe(text));

  it("loses no digit", () =>
    fc.assert(
      fc.property(fc.maxSafeNat(), (nano) => {
        const [dollars, decimals] = formatUsd(nano).replace(/[$,]/g, "").split(".");
        expect(BigInt(dollars!) * 1_000_000_000n + BigInt(decimals!.padEnd(9, "0"))).toBe(BigInt(nano));
      }),
    ));

  it("splits the cents from what follows them", () =>
    expect(splitUsd(12_345_600_000)).toEqual({ major: "$12.34", minor: "56" }));
  it("refuses what is no whole number of nano-USD", () => expect(() => formatUsd(0.5)).toThrow(RangeError));
  it("writes round ticks short", () => expect([0, 5e9, 2.5e7].map(formatUsdTick)).toEqual(["$0", "$5", "$0.025"]));
});
