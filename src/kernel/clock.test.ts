import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { VirtualClock, systemClock } from "./clock.ts";

describe("VirtualClock", () => {
  it("runs timers in order of time, then of setting, at the time that they were due", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: -5, max: 50 }), { maxLength: 12 }), async (delays) => {
        const clock = new VirtualClock(1000);
        const ran: [number, number][] = [];
        for (const [i, delay] of delays.entries()) clock.after(delay, () => ran.push([clock.now() - 1000, i]));
        await clock.advance(50);
        const due = delays.map((delay, i): [number, number] => [Math.max(0, delay), i]);
        expect(ran).toEqual(due.sort((a, b) => a[0] - b[0] || a[1] - b[1]));
        expect(clock.pendingTimers).toBe(0);
      }),
      { numRuns: 25 },
    );
  });

  it("runs neither what is not due nor what was cancelled", async () => {
    const clock = new VirtualClock();
    const ran: string[] = [];
    clock.after(10, () => ran.push("early"));
    clock.after(11, () => ran.push("late"));
    const cancel = clock.after(5, () => ran.push("cancelled"));
    cancel();
    await clock.advance(10);
    expect(ran).toEqual(["early"]);
    expect(clock.pendingTimers).toBe(1);
  });

  it("runs timers that a timer sets within the same advance", async () => {
    const clock = new VirtualClock();
    const at: number[] = [];
    const again = () => {
      at.push(clock.monotonic());
      clock.after(10, again);
    };
    clock.after(10, again);
    await clock.advance(35);
    expect(at).toEqual([10, 20, 30]);
    expect(clock.monotonic()).toBe(35);
  });

  it.each([
    ["aborts before the time", 5, "reason"],
    ["was aborted already", 0, "reason"],
  ])("sleep: rejects with the signal's reason when it %s, and leaves no timer", async (_when, abortAtMs, reason) => {
    const clock = new VirtualClock();
    const gone = new AbortController();
    if (abortAtMs === 0) gone.abort(reason);
    else clock.after(abortAtMs, () => gone.abort(reason));
    const ended = clock.sleep(100, gone.signal).catch((why: unknown) => why);
    await clock.advance(abortAtMs);
    expect(await ended).toBe(reason);
    expect(clock.pendingTimers).toBe(0);
  });

  it("sleep: resolves at its time and not before", async () => {
    const clock = new VirtualClock();
    let woke = false;
    void clock.sleep(100, new AbortController().signal).then(() => (woke = true));
    await clock.advance(99);
    expect(woke).toBe(false);
    await clock.advance(1);
    expect(woke).toBe(true);
  });

  it("draws the same randomness from the same seed, within [0, 1)", () => {
    const draw = (seed: number) => {
      const clock = new VirtualClock(0, seed);
      return Array.from({ length: 200 }, () => clock.random());
    };
    expect(draw(3)).toEqual(draw(3));
    expect(draw(3)).not.toEqual(draw(4));
    for (const value of draw(0)) expect(value >= 0 && value < 1).toBe(true);
    expect(new Set(draw(0)).size).toBe(200);
  });
});

describe("systemClock", () => {
  it("draws bytes of any length, never the same twice, also across its pool's edge", () => {
    const seen = new Set<string>();
    for (let i = 0; i < 600; i++) {
      const bytes = systemClock.randomBytes(17);
      expect(bytes.length).toBe(17);
      seen.add(Buffer.from(bytes).toString("hex"));
    }
    expect(seen.size).toBe(600);
    expect(systemClock.randomBytes(5000).length).toBe(5000);
  });

  it("hands out copies: writing into drawn bytes changes no later ones", () => {
    const first = systemClock.randomBytes(8);
    const kept = Uint8Array.from(first);
    systemClock.randomBytes(8).fill(0);
    expect(first).toEqual(kept);
  });
});
