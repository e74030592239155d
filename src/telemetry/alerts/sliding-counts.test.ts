import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SlidingCounts } from "./sliding-counts.ts";

const bucketMs = 30_000;

describe("SlidingCounts", () => {
  it("law: a window holds what fell into its buckets and nothing else", () => {
    const step = fc.record({
      ms: fc.oneof(fc.integer({ min: 0, max: 90_000 }), fc.constant(7 * 3600_000)),
      column: fc.constantFrom("a", "b"),
    });
    const windows = fc.constantFrom(60_000, 300_000, 1_800_000, 6 * 3600_000);
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), windows, (steps, windowMs) => {
        const counts = new SlidingCounts(["a", "b"]);
        const model: { bucket: number; column: string }[] = [];
        let now = 0;
        for (const { ms, column } of steps) {
          now += ms;
          counts.add(now, column);
          model.push({ bucket: Math.floor(now / bucketMs), column });
          const from = Math.floor(now / bucketMs) - windowMs / bucketMs;
          const expected = model.filter((one) => one.column === "a" && one.bucket > from).length;
          expect(counts.sum(now, "a", windowMs)).toBe(expected);
        }
      }),
    );
  });

  it("leaves out the newest where it is asked to", () => {
    const counts = new SlidingCounts(["a"]);
    counts.add(0, "a");
    counts.add(600_000, "a");
    expect(counts.sum(600_000, "a", 3600_000)).toBe(2);
    expect(counts.sum(600_000, "a", 3600_000, 300_000)).toBe(1);
  });
});
