import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bucketOf, percentileOf } from "./histogram.ts";

const histogramOf = (values: readonly number[]): Map<number, number> => {
  const buckets = new Map<number, number>();
  for (const value of values) buckets.set(bucketOf(value), (buckets.get(bucketOf(value)) ?? 0) + 1);
  return buckets;
};

describe("percentiles from the histogram", () => {
  it("are within 5.5 % of the exact nearest rank", () => {
    const latencies = fc.array(fc.double({ min: 0.02, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 200 });
    const law = fc.property(latencies, fc.constantFrom(0.5, 0.95, 0.99), (values, share) => {
      const exact = [...values].sort((a, b) => a - b)[Math.max(1, Math.ceil(share * values.length)) - 1]!;
      // √1.1 − 1 of the bucket and 0.5 % of rounding to three digits.
      expect(Math.abs(percentileOf(histogramOf(values), share)! / exact - 1)).toBeLessThan(0.055);
    });
    fc.assert(law);
  });
  it("merge: the order of values does not matter, and nothing is null", () => {
    expect(percentileOf(new Map(), 0.95)).toBeNull();
    expect(histogramOf([1, 5, 1])).toEqual(histogramOf([5, 1, 1]));
  });
  it.each([0, -1, Number.NaN, 0.01])("%d falls into the lowest bucket", (value) => expect(bucketOf(value)).toBe(0));
  it("keeps what is longer than its range in the last bucket", () => {
    expect(bucketOf(1e12)).toBe(bucketOf(1e9));
  });
});
