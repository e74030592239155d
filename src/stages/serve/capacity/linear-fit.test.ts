import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LinearFit } from "./linear-fit.ts";

describe("LinearFit", () => {
  it("finds how two features and a constant make a value", () => {
    const fit = new LinearFit(2);
    for (let i = 0; i < 400; i++) {
      const [a, b] = [(i * 7) % 11, (i * 5) % 13];
      fit.update([a, b], 100 + 20 * a + 3 * b);
    }
    expect(fit.predict([0, 0]) / 100).toBeCloseTo(1, 1);
    expect(fit.predict([10, 10]) / 330).toBeCloseTo(1, 1);
    expect(fit.partOf([10, 0]) / 200).toBeCloseTo(1, 1);
  });

  it("what hardly varies explains nothing, whatever else changes meanwhile", () => {
    const fit = new LinearFit(1);
    for (let i = 0; i < 400; i++) fit.update([5 + (i % 2) * 0.01], i < 200 ? 100 : 900);
    expect(fit.partOf([5])).toBeLessThan(10);
  });

  it("forgets: after a change the new slope stands", () => {
    const fit = new LinearFit(1);
    for (const slope of [5, 50]) for (let i = 0; i < 1500; i++) fit.update([i % 10], slope * (i % 10));
    expect(fit.partOf([10]) / 500).toBeCloseTo(1, 1);
  });

  it("law: never predicts less than nothing, nor nonsense", () => {
    const number = fc.double({ min: 0, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(fc.array(fc.tuple(number, number, number), { maxLength: 50 }), number, number, (all, a, b) => {
        const fit = new LinearFit(2);
        for (const [x, y, value] of all) fit.update([x, y], value);
        expect(fit.predict([a, b])).toBeGreaterThanOrEqual(0);
        expect(Number.isFinite(fit.predict([a, b]))).toBe(true);
        expect(fit.partOf([a, b])).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});
