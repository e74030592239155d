import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TokenCalibration } from "./token-calibration.ts";

const told = (samples: readonly [number, number][]): TokenCalibration => {
  const calibration = new TokenCalibration();
  for (const [estimate, reported] of samples) calibration.observe("m", estimate, reported);
  return calibration;
};
const times = <Value>(count: number, value: Value): Value[] => Array.from({ length: count }, () => value);

describe("TokenCalibration", () => {
  it("takes the estimate as it is until enough was seen", () => {
    const calibration = told(times(7, [100, 50]));
    expect([calibration.expected("m", 1000), calibration.admitted("m", 1000)]).toEqual([1000, 1000]);
    expect(calibration.expected("other", 10)).toBe(10);
  });

  it("learns a model's ratio, and keeps a band of 5 % where it never strays", () => {
    const calibration = told(times(8, [100, 50]));
    expect([calibration.expected("m", 1000), calibration.admitted("m", 1000)]).toEqual([500, 525]);
  });

  it("widens the band where prompts differ", () => {
    const mixed = Array.from({ length: 200 }, (_, i): [number, number] => [100, i % 2 === 0 ? 60 : 100]);
    const { ratio, band } = told(mixed).of("m");
    expect(ratio).toBeGreaterThan(0.75);
    expect(ratio).toBeLessThan(0.85);
    // Two standard deviations: ±0.2 around 0.8.
    expect(band).toBeGreaterThan(0.45);
    expect(band).toBeLessThan(0.55);
  });

  it("keeps models apart and forgets the oldest beyond a thousand", () => {
    const calibration = told(times(8, [100, 50]));
    for (let i = 0; i < 999; i++) calibration.observe(`m${i}`, 1, 1);
    expect(calibration.expected("m", 100)).toBe(50);
    calibration.observe("one more", 1, 1);
    expect(calibration.expected("m", 100)).toBe(100);
  });

  it("law: one report, however odd, moves a settled ratio by 1/32 of itself at most; nonsense never", () => {
    const odd = fc.oneof(fc.double(), fc.constantFrom(0, -1, Infinity, NaN, 1e12));
    fc.assert(
      fc.property(odd, odd, (estimate, reported) => {
        const calibration = told(times(40, [100, 80]));
        calibration.observe("m", estimate, reported);
        const { ratio, band } = calibration.of("m");
        expect(Math.abs(ratio / 0.8 - 1)).toBeLessThanOrEqual(1 / 32 + 1e-9);
        expect(band).toBeLessThanOrEqual(1);
      }),
      { examples: [[Infinity, Infinity]] },
    );
  });
});
