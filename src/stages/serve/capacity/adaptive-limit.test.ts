import { describe, expect, it } from "vitest";
import { AdaptiveLimit, type LimitBounds } from "./adaptive-limit.ts";

const bounds: LimitBounds = { min: 4, initial: 20, max: 200 };

/** One window after another; each call began in it. `running` of the limit's places are used. */
function setUp(over: Partial<LimitBounds> = {}) {
  const limit = new AdaptiveLimit({ ...bounds, ...over });
  let now = 0;
  const window = (firstMs: number, { used = 1, decodeMs = 20, restMs = 1000 } = {}) => {
    limit.started(Math.ceil(limit.at(now) * used));
    now += 600;
    // As many as a window needs.
    const calls = Math.max(20, Math.ceil((limit.at(now) + 1) / 2));
    for (let i = 0; i < calls; i++) {
      limit.sample("decode", decodeMs, now, restMs, now);
      limit.sample("first", firstMs, now, restMs, now);
    }
    return limit.at(now);
  };
  return {
    limit,
    window,
    skip: (ms: number) => (now += ms),
    get now() {
      return now;
    },
  };
}

describe("AdaptiveLimit", () => {
  it("grows by half with each window while nothing is slower, up to its most", () => {
    const { window } = setUp();
    expect([1, 2, 3, 4, 5, 6, 7].map(() => window(200))).toEqual([30, 45, 67, 101, 151, 200, 200]);
  });

  it("does not grow while it isn't used, and does not shrink then either", () => {
    const { window } = setUp();
    expect([200, 200, 400, 900].map((ms) => window(ms, { used: 0.4 }))).toEqual([20, 20, 20, 20]);
  });

  it.each([
    ["first tokens that take longer", { firstMs: 500 }],
    ["tokens that come slower", { decodeMs: 60 }],
  ])(
    "shrinks with %s, and grows slowly from then on",
    (_what, { firstMs = 200, decodeMs = 20 }: { firstMs?: number; decodeMs?: number }) => {
      const { window } = setUp();
      window(200);
      const before = window(200);
      const after = window(firstMs, { decodeMs });
      expect(after).toBeLessThan(before);
      expect(after).toBeGreaterThan(before * 0.75);
      const later = [1, 2].map(() => window(200));
      expect(later[1]! - after).toBeLessThanOrEqual(6);
      expect(later[1]!).toBeGreaterThanOrEqual(after);
    },
  );

  it("half as slow again is not congestion", () => {
    const { window } = setUp();
    window(200);
    expect(window(290)).toBeGreaterThan(window(200) / 2);
    expect(window(290)).toBeGreaterThanOrEqual(20);
  });

  it("a queue of the target's own is left at once, by Little's law", () => {
    const { window } = setUp({ initial: 80 });
    window(200);
    // Whole calls take 1,200 ms; now 4,000 ms of waiting come on top of it.
    expect(window(4200)).toBe(Math.floor((120 * (1.5 * 200 + 1000)) / 5200));
  });

  it("what began before the window says nothing of the limit", () => {
    const { limit } = setUp();
    for (let i = 0; i < 40; i++) limit.sample("first", 100, 0, 1000, 600);
    const grown = limit.at(600);
    for (let i = 0; i < 400; i++) limit.sample("first", 9000, 599, 1000, 1300);
    expect(limit.at(1300)).toBe(grown);
  });

  it("a drop takes a tenth, once in a window, and never below the least", () => {
    const { limit } = setUp();
    limit.dropped(0);
    limit.dropped(400);
    expect(limit.at(400)).toBe(18);
    for (let at = 1000; at < 20_000; at += 500) limit.dropped(at);
    expect(limit.at(20_000)).toBe(4);
  });

  it("a target that has become slower by itself is believed in the end: the limit recovers", () => {
    const { window } = setUp({ initial: 8 });
    for (let i = 0; i < 3; i++) window(200);
    const lowest = Math.min(...Array.from({ length: 60 }, () => window(1000)));
    expect(lowest).toBe(4);
    expect(Math.max(...Array.from({ length: 60 }, () => window(1000)))).toBeGreaterThan(8);
  });

  it("under unbroken contention it steps back for a moment, and forgets a baseline that was measured in a queue", () => {
    // Calls wait at the target from the first one on: it serves 20 at once.
    const house = setUp({ initial: 60 });
    const steps = Array.from({ length: 3000 }, () => house.window(200 * Math.max(1, house.limit.at(house.now) / 20)));
    expect(Math.max(...steps.slice(0, 100))).toBeGreaterThan(60);
    expect(Math.max(...steps.slice(2000))).toBeLessThan(36);
    expect(Math.min(...steps.slice(2000))).toBeGreaterThan(12);
  });
});
