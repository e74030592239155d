import { describe, expect, it } from "vitest";
import { aDecision } from "../../tests/fixtures/decision.ts";
import type { SettledMeta } from "../kernel/decision.ts";
import { refuse } from "../kernel/errors.ts";
import { nanoUsd } from "../kernel/money.ts";
import { settledMeta } from "../stages/settle/meta.ts";
import { countDecisions } from "./decision-metrics.ts";
import { Metrics } from "./metrics.ts";

function setUp() {
  const metrics = new Metrics();
  const counters = countDecisions(metrics);
  const value = (sample: string) => {
    const line = metrics
      .print()
      .split("\n")
      .find((each) => each.startsWith(`${sample} `));
    return line === undefined ? undefined : Number(line.slice(sample.length + 1));
  };
  return { counters, value };
}
const meta = (over: Partial<SettledMeta> = {}): SettledMeta => ({
  ...settledMeta(aDecision({ with: { begun: true } }), { state: "answered" }),
  ...over,
});

describe("countDecisions", () => {
  it("begun + unbegun == settled, whatever ended each", () => {
    const { counters, value } = setUp();
    for (let i = 0; i < 3; i++) counters.begun("assistant");
    counters.settled(meta());
    counters.settled(meta({ state: "failed", code: "ladder_exhausted" }));
    counters.settled(meta({ state: "answered" }));
    counters.settled(meta({ state: "refused", code: "rate_limited", refused_before_begin: true }));
    const settled = ["answered", "failed", "refused"].map(
      (state) => value(`weir_decisions_total{use_case="assistant",state="${state}"}`) ?? 0,
    );
    const begun = value('weir_decisions_begun_total{use_case="assistant"}')!;
    const unbegun = value('weir_decisions_unbegun_total{use_case="assistant"}')!;
    expect(settled).toEqual([2, 1, 1]);
    expect(begun + unbegun).toBe(4);
  });

  it("counts codes, tokens with cached input, cost, cache and time", () => {
    const { counters, value } = setUp();
    counters.settled(
      meta({
        code: "stream_broken",
        usage: { input: 10, cached_input: 5, output: 2, estimated: false },
        cost_nano_usd: nanoUsd(7),
        cache: { status: "miss" },
        duration_ms: 1500,
        ttft_ms: 200,
      }),
    );
    expect(value('weir_decision_errors_total{use_case="assistant",code="stream_broken"}')).toBe(1);
    expect(value('weir_tokens_total{use_case="assistant",direction="input"}')).toBe(15);
    expect(value('weir_tokens_total{use_case="assistant",direction="output"}')).toBe(2);
    expect(value('weir_cost_nano_usd_total{use_case="assistant"}')).toBe(7);
    expect(value('weir_cache_total{use_case="assistant",status="miss"}')).toBe(1);
    expect(value('weir_decision_duration_seconds_sum{use_case="assistant"}')).toBe(1.5);
    expect(value('weir_ttft_seconds_sum{use_case="assistant"}')).toBe(0.2);
  });

  it("counts nothing that was not there", () => {
    const { counters, value } = setUp();
    counters.settled(meta());
    expect(value('weir_cost_nano_usd_total{use_case="assistant"}')).toBeUndefined();
    expect(value('weir_tokens_total{use_case="assistant",direction="input"}')).toBeUndefined();
    expect(value('weir_cache_total{use_case="assistant",status="off"}')).toBeUndefined();
    expect(value('weir_ttft_seconds_count{use_case="assistant"}')).toBeUndefined();
  });

  it("refusals before a decision by code, replays by use case; no label is what a client sent", () => {
    const { counters, value } = setUp();
    counters.refusedBefore(refuse("unknown_use_case", 'There is no use case "x".'));
    counters.replayed("credit");
    expect(value('weir_refusals_total{code="unknown_use_case"}')).toBe(1);
    expect(value('weir_replays_total{use_case="credit"}')).toBe(1);
  });
});
