import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../kernel/clock.ts";
import { OutputLengths } from "./output-lengths.ts";

describe("OutputLengths", () => {
  it("reserves what was asked for until enough is known, 1,024 where nothing was", () => {
    const lengths = new OutputLengths();
    for (let i = 0; i < 29; i++) lengths.observe("a", 10);
    expect([lengths.reserved("a", 5000), lengths.reserved("a", undefined), lengths.reserved("b", 7)]).toEqual([
      5000, 1024, 7,
    ]);
    lengths.observe("a", 10);
    // A fifth more at most: the percentile moves in steps.
    expect(lengths.reserved("a", 5000)).toBeGreaterThanOrEqual(10);
    expect(lengths.reserved("a", 5000)).toBeLessThanOrEqual(12);
    expect(lengths.reserved("a", 3)).toBe(3);
  });

  it("then what 19 of 20 answers stay within", () => {
    const lengths = new OutputLengths();
    const clock = new VirtualClock();
    let beyond = 0;
    for (let i = 0; i < 6000; i++) {
      const tokens = Math.floor(-Math.log(1 - clock.random()) * 200);
      if (i >= 2000 && tokens > lengths.reserved("a", undefined)) beyond += 1;
      lengths.observe("a", tokens);
    }
    expect(Math.abs(beyond / 4000 - 0.05)).toBeLessThan(0.015);
  });

  it("follows answers that become longer", () => {
    const lengths = new OutputLengths();
    for (const tokens of [20, 2000]) for (let i = 0; i < 200; i++) lengths.observe("a", tokens);
    expect(lengths.reserved("a", undefined)).toBeGreaterThanOrEqual(1900);
  });
});
