import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { VirtualClock, systemClock } from "./clock.ts";
import { isDecisionId, newDecisionId, newOperatorId, randomToken, timeOf } from "./ids.ts";

describe("ids", () => {
  it("sort by creation time, in every 48-bit millisecond", () => {
    const time = fc.integer({ min: 0, max: 2 ** 48 - 1 });
    fc.assert(
      fc.property(time, time, fc.integer(), (a, b, seed) => {
        fc.pre(a !== b);
        const early = newDecisionId(new VirtualClock(Math.min(a, b), seed));
        const late = newDecisionId(new VirtualClock(Math.max(a, b), seed + 1));
        expect(early < late).toBe(true);
      }),
    );
  });

  it("are recognised and tell their time, whatever time and randomness made them", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 48 - 1 }), fc.integer(), (time, seed) => {
        const id = newDecisionId(new VirtualClock(time, seed));
        expect(isDecisionId(id)).toBe(true);
        expect(timeOf(id)).toBe(time);
      }),
    );
    expect(newOperatorId(new VirtualClock())).toMatch(/^op_[0-9a-z]{26}$/);
  });

  it("differ within one millisecond", () => {
    const clock = new VirtualClock();
    const ids = Array.from({ length: 2000 }, () => newDecisionId(clock));
    expect(new Set(ids).size).toBe(2000);
  });

  it.each([
    ["", false],
    ["dec_", false],
    ["dec_0123456789abcdefghjkmnpqrs", true],
    ["dec_0123456789abcdefghjkmnpqrst", false],
    ["dec_0123456789ABCDEFGHJKMNPQRS", false],
    ["dec_0123456789abcdefghijkmnpqr", false],
    ["op_0123456789abcdefghjkmnpqrs", false],
    ["dec_0123456789abcdefghjkmnpqr\n", false],
    ["x dec_0123456789abcdefghjkmnpqrs", false],
  ])("isDecisionId(%j) is %s", (text, is) => expect(isDecisionId(text)).toBe(is));

  it("tokens have the asked length and use the whole alphabet", () => {
    const text = randomToken(systemClock, 3000);
    expect(text).toMatch(/^[0-9a-hjkmnp-tv-z]{3000}$/);
    expect(new Set(text).size).toBe(32);
  });
});
