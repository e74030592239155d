import { describe, expect, it } from "vitest";
import { aDecision } from "../../../tests/fixtures/decision.ts";
import { VirtualClock } from "../../kernel/clock.ts";
import { type Refusal, refuse } from "../../kernel/errors.ts";
import { watchLive } from "./live.ts";

describe("watchLive", () => {
  it("asks twice a second and aborts with what it hears, then asks no more", async () => {
    const d = aDecision();
    let asked = 0;
    let answer: Refusal | undefined;
    watchLive(d, () => ((asked += 1), answer));
    await d.clock.advance(1499);
    expect([asked, d.signal.aborted]).toEqual([2, false]);
    answer = refuse("revoked_key");
    await d.clock.advance(1);
    expect(d.signal.reason).toBe(answer);
    await d.clock.advance(5000);
    expect(asked).toBe(3);
    expect(d.clock.pendingTimers).toBe(0);
  });

  it("stop ends it, also after it has moved on", async () => {
    const d = aDecision();
    let asked = 0;
    const stop = watchLive(d, () => ((asked += 1), undefined));
    await d.clock.advance(500);
    stop();
    await d.clock.advance(5000);
    expect(asked).toBe(1);
    expect(d.clock.pendingTimers).toBe(0);
  });

  it("many streams are asked by one timer, and each is ended for itself", async () => {
    const clock = new VirtualClock();
    const streams = [aDecision({ clock }), aDecision({ clock }), aDecision({ clock })];
    const no = refuse("revoked_key");
    const stops = streams.map((d, i) => watchLive(d, () => (i === 1 ? no : undefined)));
    expect(clock.pendingTimers).toBe(1);
    await clock.advance(500);
    expect(streams.map(({ signal }) => signal.aborted)).toEqual([false, true, false]);
    for (const stop of stops) stop();
    expect(clock.pendingTimers).toBe(0);
  });
});
