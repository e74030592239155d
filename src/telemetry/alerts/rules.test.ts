import { describe, expect, it } from "vitest";
import type { SettledMeta } from "../../kernel/decision.ts";
import type { AlertSettings, HouseState } from "../port.ts";
import { aHouse, aMeta, anAttempt } from "../test-decisions.ts";
import { DecisionWindows, faultOf } from "./decision-windows.ts";
import { wrongInHouse, wrongInWindows } from "./rules.ts";
import { someSettings } from "./test-settings.ts";

const minuteMs = 60_000;
const failed: Partial<SettledMeta> = { state: "failed", code: "ladder_exhausted" };

/** `[minutes, decisions a minute, what they are]` one after the other. */
type Traffic = readonly [minutes: number, perMinute: number, of: (i: number) => Partial<SettledMeta>];

function firings(traffic: readonly Traffic[], over: Partial<AlertSettings> = {}) {
  const settings = someSettings(over);
  const windows = new DecisionWindows((name) => settings.objectives.get(name) ?? settings.defaultObjective);
  let now = 0;
  for (const [minutes, perMinute, of] of traffic)
    for (let minute = 0; minute < minutes; minute++) {
      for (let i = 0; i < perMinute; i++) {
        const meta = aMeta(of(i));
        const climbs = meta.rung === 1 && meta.reasons.length > 0;
        windows.add(now + i, meta, climbs ? [anAttempt()] : []);
      }
      now += minuteMs;
    }
  return wrongInWindows(now - 1, windows, settings);
}
const oneIn = (n: number, over: Partial<SettledMeta>) => (i: number) => (i % n === 0 ? over : {});
const rulesOf = (found: ReturnType<typeof firings>) => found.map(({ rule, severity }) => `${rule} ${severity}`);
const quiet = { errors: { enabled: false, above: 0.5, minRequests: 1 } };

describe("SLO burn", () => {
  it.each([
    ["all is well", [[70, 20, () => ({})]], []],
    ["20 % fail for an hour", [[70, 20, oneIn(5, failed)]], ["slo_burn critical"]],
    [
      "20 % failed until ten minutes ago",
      [
        [60, 20, oneIn(5, failed)],
        [10, 20, () => ({})],
      ],
      ["slo_burn warning"],
    ],
    [
      "20 % failed until forty minutes ago",
      [
        [60, 20, oneIn(5, failed)],
        [40, 20, () => ({})],
      ],
      [],
    ],
    [
      "20 % fail for two minutes of a busy day",
      [
        [360, 20, () => ({})],
        [2, 20, oneIn(5, failed)],
      ],
      [],
    ],
    ["10 % fail for six hours", [[360, 20, oneIn(10, failed)]], ["slo_burn warning"]],
    ["1 % fails, as allowed", [[60, 100, oneIn(100, failed)]], []],
    ["callers and policy say no", [[70, 20, () => ({ state: "refused", code: "rate_limited" })]], []],
    ["clients go away", [[70, 20, () => ({ state: "failed", code: "client_gone" })]], []],
    ["too few to say", [[1, 10, () => failed]], []],
  ] as [string, Traffic[], string[]][])("%s", (_what, traffic, rules) =>
    expect(rulesOf(firings(traffic, quiet))).toEqual(rules),
  );

  it("tells how fast, of what", () => {
    expect(firings([[70, 20, oneIn(5, failed)]], quiet)[0]).toMatchObject({
      labels: { use_case: "assistant", objective: "availability" },
      value: expect.closeTo(20, 5) as number,
      threshold: 14.4,
    });
  });

  const objective = {
    availability: 0.99,
    latency: { underMs: 1000, share: 0.95 },
    ttft: { underMs: 300, share: 0.95 },
    minRequests: 20,
  };
  it.each([
    ["slow answers", { duration_ms: 1001 }, ["latency"]],
    ["answers in time", { duration_ms: 1000 }, []],
    ["a long stream that began in time", { stream: true, duration_ms: 60_000, ttft_ms: 300 }, []],
    ["a stream that began late", { stream: true, duration_ms: 60_000, ttft_ms: 301 }, ["ttft"]],
    ["failures are not slow", { ...failed, duration_ms: 60_000 }, ["availability"]],
  ])("objectives of the use case: %s", (_what, over, objectives) => {
    const found = firings([[70, 20, () => over]], { ...quiet, objectives: new Map([["assistant", objective]]) });
    expect(found.map(({ labels }) => labels["objective"])).toEqual(objectives);
  });
});

describe("shares of the last five minutes", () => {
  it.each([
    ["upstream errors", oneIn(5, failed), ["error_rate warning"]],
    ["callers' errors", oneIn(5, { state: "refused", code: "invalid_input" }), ["error_rate info"]],
    ["one in twenty", oneIn(20, failed), []],
    ["fallbacks", oneIn(4, { rung: 1 }), ["fallback_rate warning"]],
    ["climbs that are expected", oneIn(2, { rung: 1, reasons: [{ basis: "rule", name: "x" }] }), []],
    ["hardly anything accepted", () => ({ rung: 1, reasons: [{ basis: "rule", name: "x" }] }), ["climb_rate info"]],
  ] as [string, Traffic[2], string[]][])("%s", (_what, of, rules) => {
    const lenient = { defaultObjective: { availability: 0.01, minRequests: 20 } };
    expect(rulesOf(firings([[5, 20, of]], lenient))).toEqual(rules);
  });

  it("can be switched off", () => {
    const off = { enabled: false, above: 0.1, minRequests: 20 };
    expect(firings([[5, 20, () => ({ rung: 1 })]], { fallbacks: off })).toEqual([]);
  });
});

describe("the cache", () => {
  const hit = { cache: { status: "hit" as const } };
  const miss = { cache: { status: "miss" as const } };
  const hits = (n: number) => (i: number) => (i % 10 < n ? hit : miss);
  it.each([
    [
      "helps as before",
      [
        [60, 20, hits(6)],
        [15, 20, hits(6)],
      ],
      [],
    ],
    [
      "helps less",
      [
        [60, 20, hits(6)],
        [15, 20, hits(2)],
      ],
      ["cache_hits info"],
    ],
    [
      "never helped",
      [
        [60, 20, hits(0)],
        [15, 20, hits(0)],
      ],
      [],
    ],
    [
      "is hardly asked",
      [
        [60, 20, hits(6)],
        [15, 2, hits(0)],
      ],
      [],
    ],
  ] as [string, Traffic[], string[]][])("%s", (_what, traffic, rules) =>
    expect(rulesOf(firings(traffic))).toEqual(rules),
  );
});

describe("the house", () => {
  const budget = { scope: "tenant:retail", per: "month", amount: 1000, spent: 950, held: 0 };
  const target = { target: "acme/large", inFlight: 0, retriesLeft: 1, ejected: false, breaker: "closed" as const };
  it.each([
    ["nothing wrong", {}, []],
    ["the disk", { journal: () => ({ writable: false, entries: 1, queuedBytes: 1 }) }, ["journal_unwritable critical"]],
    ["a budget in order", { budgets: () => [{ ...budget, level: "ok" as const }] }, []],
    ["a budget that warns", { budgets: () => [{ ...budget, level: "warn" as const }] }, ["budget info"]],
    ["a budget that degrades", { budgets: () => [{ ...budget, level: "degrade" as const }] }, ["budget warning"]],
    ["a budget that is spent", { budgets: () => [{ ...budget, level: "blocked" as const }] }, ["budget critical"]],
    ["a sound target", { targets: () => [target] }, []],
    ["an open breaker", { targets: () => [{ ...target, breaker: "open" as const }] }, ["target_down warning"]],
    ["an outlier", { targets: () => [{ ...target, ejected: true }] }, ["target_down warning"]],
    [
      "a dead key",
      { vendorKeys: () => [{ vendor: "acme", id: "acme#1", state: "dead" as const }] },
      ["vendor_key_dead warning"],
    ],
    ["a key that cools", { vendorKeys: () => [{ vendor: "acme", id: "acme#1", state: "cooling" as const }] }, []],
  ] as [string, Partial<HouseState>, string[]][])("%s", (_what, over, rules) =>
    expect(wrongInHouse(aHouse(over)).map(({ rule, severity }) => `${rule} ${severity}`)).toEqual(rules),
  );
});

it.each([
  [{ state: "answered" }, undefined],
  [{ state: "referred" }, undefined],
  [{ state: "refused", code: "rate_limited" }, "policy"],
  [{ state: "failed", code: "client_gone" }, "caller"],
  [{ state: "failed", code: "internal" }, "weir"],
  [{ state: "interrupted" }, "weir"],
] as [Partial<SettledMeta>, string | undefined][])("%j is %s's doing", (over, fault) =>
  expect(faultOf(aMeta(over))).toBe(fault),
);
