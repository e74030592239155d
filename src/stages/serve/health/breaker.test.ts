import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Breaker } from "./breaker.ts";
import { defaultHealth } from "./policy.ts";

const { consecutiveFailures, openMs } = defaultHealth;
const fail = (breaker: Breaker, now: number, times: number) => {
  for (let n = 0; n < times; n++) breaker.failed(now, breaker.begin(now), false, defaultHealth);
};

describe("Breaker", () => {
  it("opens at so many failures in a row, not one sooner, and a success starts the count anew", () => {
    const breaker = new Breaker();
    fail(breaker, 0, consecutiveFailures - 1);
    expect(breaker.state(0)).toBe("closed");
    breaker.succeeded(breaker.begin(0));
    fail(breaker, 0, consecutiveFailures - 1);
    expect(breaker.state(0)).toBe("closed");
    fail(breaker, 0, 1);
    expect([breaker.state(0), breaker.admits(0), breaker.admits(openMs - 1)]).toEqual(["open", false, false]);
  });

  it("opens at once where too many of the last minute failed", () => {
    const breaker = new Breaker();
    breaker.failed(0, breaker.begin(0), true, defaultHealth);
    expect(breaker.state(0)).toBe("open");
  });

  it("lets two probes through, and closes when both came back well", () => {
    const breaker = new Breaker();
    fail(breaker, 0, consecutiveFailures);
    const probes = [breaker.begin(openMs), breaker.begin(openMs)];
    expect([probes, breaker.admits(openMs)]).toEqual([[true, true], false]);
    breaker.succeeded(true);
    expect([breaker.state(openMs), breaker.admits(openMs)]).toEqual(["half-open", false]);
    breaker.succeeded(true);
    expect([breaker.state(openMs), breaker.admits(openMs)]).toEqual(["closed", true]);
  });

  it("opens for twice as long when a probe fails, for at most a minute", () => {
    const breaker = new Breaker();
    fail(breaker, 0, consecutiveFailures);
    let now = 0;
    for (const expected of [5_000, 10_000, 20_000, 40_000, 60_000, 60_000]) {
      expect(breaker.openUntilMs - now).toBe(expected);
      now = breaker.openUntilMs;
      breaker.failed(now, breaker.begin(now), false, defaultHealth);
    }
  });

  it("a probe that says nothing gives its place back", () => {
    const breaker = new Breaker();
    fail(breaker, 0, consecutiveFailures);
    breaker.begin(openMs);
    breaker.begin(openMs);
    breaker.released(true);
    expect(breaker.admits(openMs)).toBe(true);
  });

  it("what began before it opened neither prolongs nor closes it", () => {
    const breaker = new Breaker();
    const early = [breaker.begin(0), breaker.begin(0)];
    fail(breaker, 0, consecutiveFailures);
    breaker.failed(100, early[0]!, false, defaultHealth);
    breaker.succeeded(early[1]!);
    expect([breaker.state(100), breaker.openUntilMs]).toEqual(["open", openMs]);
  });

  it("law: only these ways lead from state to state, and an open one lets nobody through", () => {
    const allowed = new Set(["closed>open", "open>half-open", "half-open>open", "half-open>closed"]);
    const step = fc.tuple(fc.constantFrom("begin", "ok", "fail", "release", "wait"), fc.nat(20_000));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const breaker = new Breaker();
        const running: boolean[] = [];
        let now = 0;
        for (const [what, ms] of steps) {
          const before = breaker.state(now);
          if (what === "wait") now += ms;
          else if (what === "begin") {
            if (breaker.admits(now)) running.push(breaker.begin(now));
          } else if (running.length > 0) {
            const probe = running.shift()!;
            if (what === "ok") breaker.succeeded(probe);
            else if (what === "fail") breaker.failed(now, probe, false, defaultHealth);
            else breaker.released(probe);
          }
          const after = breaker.state(now);
          if (before !== after) expect(allowed).toContain(`${before}>${after}`);
          if (after === "open") expect(breaker.admits(now)).toBe(false);
          if (after === "closed") expect(breaker.admits(now)).toBe(true);
        }
        // However it went, once nothing runs any more time alone brings it back to being asked.
        for (const probe of running) breaker.released(probe);
        expect(breaker.admits(now + 60_000)).toBe(true);
      }),
    );
  });
});
