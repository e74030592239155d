/** A short soak, and proof that what it judges memory by can fail. */
import { describe, expect, it } from "vitest";
import { slopeOf, trendOf } from "./memory-trend.ts";
import { soak } from "./soak.ts";

describe("a few seconds of the mixed load", () => {
  it("leaves the books even and nothing held, running or open", async () => {
    const report = await soak({ minutes: 0.05, perSecond: 60 }, () => {});
    expect(report.faults).toEqual([]);
    expect(report.requests).toBeGreaterThan(100);
    expect(report.books.replayed).toBeGreaterThan(0);
    expect(report.books.refused).toBeGreaterThan(0);
  }, 120_000);
});

describe("the memory's trend", () => {
  const samples = (mbAt: (minute: number) => number, minutes = 30): [number, number][] =>
    Array.from({ length: minutes * 6 }, (_, i) => [i * 10_000, mbAt(i / 6)]);
  const sawtooth = (minute: number) => ((minute * 6) % 5) * 12;

  it.each([
    ["flat, with the swings of collections", samples((minute) => 200 + sawtooth(minute)), true],
    ["growing while it warms up only", samples((minute) => 200 + 20 * Math.min(minute, 8) + sawtooth(minute)), true],
    ["a megabyte a minute", samples((minute) => 200 + minute + sawtooth(minute)), false],
    ["a step late in the run", samples((minute) => (minute > 22 ? 240 : 200)), false],
  ])("%s", (_name, given, flat) => expect(trendOf(given)?.flat).toBe(flat));

  it("is not judged from a few minutes", () => expect(trendOf(samples(() => 200, 3))).toBeUndefined());
  it("is the slope of a line", () =>
    expect(
      slopeOf([
        [0, 1],
        [1, 3],
        [2, 5],
      ]),
    ).toBe(2));
});
