import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { femtoUsdOf, formatUsd, nanoUsd, roundToNano, usdDecimal } from "./money.ts";

/**
 * Independent of the code under test: half-even rounding of numerator/denominator by trying both neighbours and
 * comparing distances as exact rationals.
 */
function halfEven(numerator: bigint, denominator: bigint): bigint {
  const down = (numerator - (((numerator % denominator) + denominator) % denominator)) / denominator;
  const up = down + 1n;
  const toDown = numerator - down * denominator;
  const toUp = up * denominator - numerator;
  if (toDown !== toUp) return toDown < toUp ? down : up;
  return ((down % 2n) + 2n) % 2n === 0n ? down : up;
}

const femto = fc.bigInt({ min: -(10n ** 21n), max: 10n ** 21n });
/** Exact halves, which random numbers never hit. */
const tie = fc.bigInt({ min: -(10n ** 12n), max: 10n ** 12n }).map((whole) => whole * 1_000_000n + 500_000n);

describe("roundToNano", () => {
  it("agrees with exact rational arithmetic, halves to even", () => {
    fc.assert(
      fc.property(fc.oneof(femto, tie), (amount) => {
        expect(BigInt(roundToNano(amount))).toBe(halfEven(amount, 1_000_000n));
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    [499_999n, 0],
    [500_000n, 0],
    [500_001n, 1],
    [1_499_999n, 1],
    [1_500_000n, 2],
    [2_500_000n, 2],
    [-500_000n, 0],
    [-1_500_000n, -2],
    [-2_500_001n, -3],
    [0n, 0],
  ])("%s femto-USD are %s nano-USD", (amount, nano) => expect(roundToNano(amount)).toBe(nano));

  it("rounds fractions of a femto-USD in the same one step", () => {
    fc.assert(
      fc.property(femto, fc.bigInt({ min: 1n, max: 10n ** 6n }), (amount, scale) => {
        expect(BigInt(roundToNano(amount, scale))).toBe(halfEven(amount, 1_000_000n * scale));
      }),
    );
  });

  it("is never minus zero: that would print as another number", () => {
    expect(Object.is(roundToNano(-1n), 0)).toBe(true);
  });

  it("throws on amounts that a number can't hold exactly", () => {
    expect(() => roundToNano(2n ** 53n * 1_000_000n)).toThrow(RangeError);
    expect(roundToNano((2n ** 53n - 1n) * 1_000_000n)).toBe(Number.MAX_SAFE_INTEGER);
  });
});

describe("nanoUsd", () => {
  it.each([[0.5], [Number.NaN], [Infinity], [2 ** 53]])("refuses %s", (amount) =>
    expect(() => nanoUsd(amount)).toThrow(RangeError),
  );
});

describe("femtoUsdOf", () => {
  it.each([
    ["2.50", 2_500_000_000_000_000n],
    ["0", 0n],
    ["0.000000000000001", 1n],
    ["0.00000000000000100", 1n],
    [" 15 ", 15_000_000_000_000_000n],
    [0.0000025, 2_500_000_000n],
    [2.5e-7, 250_000_000n],
    [1e-15, 1n],
    [0.1, 100_000_000_000_000n],
    [3, 3_000_000_000_000_000n],
  ])("%j USD are %s femto-USD", (usd, exact) => expect(femtoUsdOf(usd)).toBe(exact));

  it.each([
    ["-1"],
    ["1e-6"],
    ["1,5"],
    [""],
    ["."],
    [".5"],
    ["0.0000000000000001"],
    [Number.NaN],
    [-0.5],
    [Infinity],
    [1e21],
    // More than 15 decimals are more than 15 decimals in any notation: rounding would charge another price.
    [1e-16],
    [1.23456789e-8],
  ])("refuses %j", (usd) => expect(() => femtoUsdOf(usd)).toThrow(RangeError));

  it("reads back every amount that it is shown as a decimal", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 24n }), (amount) => {
        const digits = amount.toString().padStart(16, "0");
        expect(femtoUsdOf(`${digits.slice(0, -15)}.${digits.slice(-15)}`)).toBe(amount);
      }),
    );
  });
});

describe("usdDecimal", () => {
  it.each([
    [0n, "0"],
    [1n, "0.000000000000001"],
    [2_500_000_000_000_000n, "2.5"],
    [15_000_000_000_000_000n, "15"],
  ])("%s femto-USD are %s", (amount, text) => expect(usdDecimal(amount)).toBe(text));

  it("is read back as the same amount", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 24n }), (amount) => {
        expect(femtoUsdOf(usdDecimal(amount))).toBe(amount);
      }),
    );
  });
});

describe("formatUsd", () => {
  it.each([
    [0, "$0.00"],
    [125_000, "$0.000125"],
    [1_000_000_000, "$1.00"],
    [1_500_000_000, "$1.50"],
    [1, "$0.000000001"],
    [-2_500_000_000, "-$2.50"],
    [Number.MAX_SAFE_INTEGER, "$9007199.254740991"],
  ])("%s nano-USD print as %s", (amount, text) => expect(formatUsd(nanoUsd(amount))).toBe(text));
});
