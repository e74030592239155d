import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../kernel/clock.ts";
import type { SettledMeta } from "../../kernel/decision.ts";
import { nanoUsd } from "../../kernel/money.ts";
import { aMeta } from "../test-decisions.ts";
import { Anomalies } from "./anomalies.ts";
import { someSettings } from "./test-settings.ts";

const minuteMs = 60_000;
const call = (over: Partial<SettledMeta> = {}): Partial<SettledMeta> => ({
  usage: { input: 800, cached_input: 0, output: 100, estimated: false },
  cost_nano_usd: nanoUsd(2_000_000),
  ...over,
});
function setUp() {
  const anomalies = new Anomalies(someSettings().anomaly);
  const clock = new VirtualClock(undefined, 7);
  let now = 0;
  /** Minutes of so many calls, a quarter more or less. */
  const minutes = (
    count: number,
    calls: number,
    of: (i: number) => Partial<SettledMeta> = () => call(),
    id = "app",
  ) => {
    for (let minute = 0; minute < count; minute++) {
      const about = calls === 0 ? 0 : Math.round(calls * (0.75 + clock.random() / 2));
      for (let i = 0; i < about; i++)
        anomalies.add("retail", aMeta({ principal: { type: "service", id, credential: "k" }, ...of(i) }));
      now += minuteMs;
      anomalies.turn(now);
    }
  };
  const action = (id = "app") => anomalies.actionOf(now, "retail", id);
  return { anomalies, minutes, action, wait: (ms: number) => (now += ms), now: () => now };
}

describe("Anomalies", () => {
  it.each([
    ["ten times the rate", 600, () => call(), ["rate", "cost"]],
    [
      "thirty times the size",
      60,
      () => call({ usage: { input: 24_000, cached_input: 0, output: 100, estimated: false } }),
      ["size"],
    ],
    ["thirty times the cost", 60, () => call({ cost_nano_usd: nanoUsd(60_000_000) }), ["cost"]],
    [
      "half of it refused",
      60,
      (i: number) => (i % 2 === 0 ? { state: "refused", code: "rate_limited" } : call()),
      ["refusals"],
    ],
  ] as [string, number, (i: number) => Partial<SettledMeta>, string[]][])("%s", (_what, calls, of, why) => {
    const { minutes, action } = setUp();
    minutes(60, 60);
    minutes(1, calls, of);
    expect(action()).toBeUndefined();
    minutes(1, calls, of);
    expect(action()?.why).toEqual(expect.arrayContaining(why));
  });

  it("errors of another kind than usual", () => {
    const { minutes, action } = setUp();
    const errors = (code: SettledMeta["code"]) => (i: number) =>
      i % 3 === 0 ? call({ state: "failed", code: code! }) : call();
    minutes(60, 90, errors("ladder_exhausted"));
    expect(action()).toBeUndefined();
    minutes(2, 90, errors("internal"));
    expect(action()?.why).toEqual(["kinds of errors"]);
  });

  it.each([
    ["ordinary days with their ups and downs", 60],
    ["twice as much", 120],
    ["half as much", 30],
    ["silence", 0],
  ])("%s are not unusual", (_what, calls) => {
    const { minutes, action } = setUp();
    minutes(90, 60);
    minutes(10, calls);
    expect(action()).toBeUndefined();
  });

  it("a nightly batch is not unusual the second night", () => {
    const { minutes, action } = setUp();
    for (let night = 0; night < 3; night++) {
      minutes(40, 200, () => call(), "batch");
      minutes(200, 0);
    }
    expect(action("batch")).toBeUndefined();
  });

  it("a newcomer has no past to be unlike", () => {
    const { minutes, action } = setUp();
    minutes(20, 60);
    minutes(5, 5000);
    expect(action()).toBeUndefined();
  });

  it("who keeps at it does not become the norm within the hour", () => {
    const { minutes, action } = setUp();
    minutes(60, 60);
    minutes(20, 6000);
    expect(action()?.why).toContain("rate");
  });

  it.each([
    ["minimal", "log", "info"],
    ["limited", "alert", "warning"],
    ["high", "throttle", "critical"],
  ] as const)("at risk %s: %s", (risk, expected, severity) => {
    const { anomalies, minutes, action, now } = setUp();
    minutes(60, 60, () => call({ risk }));
    minutes(2, 6000, () => call({ risk }));
    expect(action()?.action).toBe(expected);
    expect(anomalies.firings(now())).toMatchObject([
      { rule: "unusual_calls", severity, labels: { tenant: "retail", principal: "app" } },
    ]);
  });

  it("holds for its time, for that principal only", () => {
    const { minutes, action, wait } = setUp();
    minutes(60, 60);
    minutes(60, 60, () => call(), "other");
    minutes(2, 6000);
    expect([action() !== undefined, action("other")]).toEqual([true, undefined]);
    wait(599_999);
    expect(action()).toBeDefined();
    wait(1);
    expect(action()).toBeUndefined();
  });

  it("remembers a bounded number of callers, those that act up longest", () => {
    const { anomalies, minutes, action } = setUp();
    minutes(60, 60);
    minutes(2, 6000);
    for (let i = 0; i < 10_500; i++) {
      anomalies.add("retail", aMeta({ principal: { type: "user", id: `u${i}`, credential: "k" } }));
      if (i === 5000) minutes(1, 0);
    }
    expect(anomalies.size).toBe(10_000);
    expect(action()).toBeDefined();
  });
});
