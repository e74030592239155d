import { describe, expect, it } from "vitest";
import { aVendorModel } from "../../tests/fixtures/decision.ts";
import { refuse } from "../kernel/errors.ts";
import { nanoUsd } from "../kernel/money.ts";
import type { Model } from "../kernel/snapshot.ts";
import { freePrice } from "../kernel/usage.ts";
import { countDecisions } from "./decision-metrics.ts";
import { Metrics } from "./metrics.ts";
import { aMeta as meta, anAttempt as attempt } from "./test-decisions.ts";

function setUp(...models: Model[]) {
  const metrics = new Metrics();
  const counters = countDecisions(metrics, () => new Map(models.map((model) => [model.name, model])));
  const value = (sample: string) => {
    const line = metrics
      .print()
      .split("\n")
      .find((each) => each.startsWith(`${sample} `));
    return line === undefined ? undefined : Number(line.slice(sample.length + 1));
  };
  return { counters, value };
}
describe("countDecisions", () => {
  it("begun + unbegun == settled, whatever ended each", () => {
    const { counters, value } = setUp();
    for (let i = 0; i < 3; i++) counters.begun("assistant");
    counters.settled(meta(), "retail");
    counters.settled(meta({ state: "failed", code: "ladder_exhausted" }), "retail");
    counters.settled(meta({ state: "answered" }), "retail");
    counters.settled(meta({ state: "refused", code: "rate_limited", refused_before_begin: true }), "retail");
    const settled = ["answered", "failed", "refused"].map(
      (state) => value(`weir_decisions_total{tenant="retail",use_case="assistant",kind="chat",state="${state}"}`) ?? 0,
    );
    const begun = value('weir_decisions_begun_total{use_case="assistant"}')!;
    const unbegun = value('weir_decisions_unbegun_total{use_case="assistant"}')!;
    expect(settled).toEqual([2, 1, 1]);
    expect(begun + unbegun).toBe(4);
  });

  it("counts codes with whose doing they are, tokens by meter, cost, cache and time", () => {
    const { counters, value } = setUp();
    counters.settled(
      meta({
        code: "stream_broken",
        usage: { input: 10, cached_input: 5, output: 2, reasoning: 1, estimated: true },
        cost_nano_usd: nanoUsd(7),
        cache: { status: "hit", saved_nano_usd: nanoUsd(40) },
        duration_ms: 1500,
        ttft_ms: 200,
        stages: { serve: 1250, check: 3 },
      }),
      "retail",
    );
    expect(value('weir_decision_errors_total{use_case="assistant",code="stream_broken",fault="upstream"}')).toBe(1);
    for (const [meter, tokens] of Object.entries({ input: 10, cached_input: 5, output: 2, reasoning: 1 }))
      expect(value(`weir_tokens_total{use_case="assistant",meter="${meter}"}`)).toBe(tokens);
    expect(value('weir_estimated_usage_total{use_case="assistant"}')).toBe(1);
    expect(value('weir_cost_nano_usd_total{tenant="retail",use_case="assistant"}')).toBe(7);
    expect(value('weir_cache_total{use_case="assistant",status="hit"}')).toBe(1);
    expect(value('weir_cache_saved_nano_usd_total{tenant="retail",use_case="assistant"}')).toBe(40);
    expect(value('weir_decision_duration_seconds_sum{use_case="assistant"}')).toBe(1.5);
    expect(value('weir_ttft_seconds_sum{use_case="assistant"}')).toBe(0.2);
    expect(value('weir_stage_duration_seconds_sum{kind="chat",stage="serve"}')).toBe(1.25);
  });

  it("tells which model of which bundle and which rung answered, and what routing said", () => {
    const { counters, value } = setUp();
    const route = [
      { rung: 0, target: "a", eligible: false, reason: "breaker_open" },
      { rung: 1, target: "b", eligible: true, reason: "eligible" },
    ];
    counters.settled(meta({ model: "large", bundle: "0123456789abcdef", rung: 1, route }), "retail");
    expect(value('weir_model_decisions_total{use_case="assistant",model="large",bundle="01234567"}')).toBe(1);
    expect(value('weir_rung_decisions_total{use_case="assistant",rung="1"}')).toBe(1);
    expect(value('weir_route_reasons_total{use_case="assistant",reason="breaker_open"}')).toBe(1);
  });

  it("cost per success is what all decisions cost, over those that were answered", () => {
    const { counters, value } = setUp();
    counters.settled(meta({ state: "failed", code: "ladder_exhausted", cost_nano_usd: nanoUsd(30) }), "retail");
    expect(value('weir_cost_per_success_nano_usd{use_case="assistant"}')).toBeUndefined();
    counters.settled(meta({ cost_nano_usd: nanoUsd(50) }), "retail");
    counters.settled(meta({ cost_nano_usd: nanoUsd(10) }), "private");
    expect(value('weir_cost_per_success_nano_usd{use_case="assistant"}')).toBe(45);
  });

  it("counts nothing that was not there", () => {
    const { counters, value } = setUp();
    counters.settled(meta(), "retail");
    expect(value('weir_cost_nano_usd_total{tenant="retail",use_case="assistant"}')).toBeUndefined();
    expect(value('weir_tokens_total{use_case="assistant",meter="input"}')).toBeUndefined();
    expect(value('weir_cache_total{use_case="assistant",status="off"}')).toBeUndefined();
    expect(value('weir_ttft_seconds_count{use_case="assistant"}')).toBeUndefined();
  });

  it("refusals before a decision by code, replays by use case; no label is what a client sent", () => {
    const { counters, value } = setUp();
    counters.refusedBefore(refuse("unknown_use_case", 'There is no use case "x".'));
    counters.replayed("credit");
    expect(value('weir_refusals_total{code="unknown_use_case",fault="caller"}')).toBe(1);
    expect(value('weir_replays_total{use_case="credit"}')).toBe(1);
  });
});

describe("countDecisions of attempts", () => {
  it("by target: how they end, and how long they and their tokens take", () => {
    const { counters, value } = setUp();
    counters.attempted("assistant", attempt({ ttft_ms: 200 }));
    counters.attempted("assistant", attempt({ n: 2, status: "failed", reason: "http_500", duration_ms: 300 }));
    expect(value('weir_attempts_total{target="acme/large",status="ok"}')).toBe(1);
    expect(value('weir_attempt_failures_total{target="acme/large",reason="http_500"}')).toBe(1);
    expect(value('weir_attempt_duration_seconds_sum{target="acme/large"}')).toBe(1.5);
    expect(value('weir_attempt_ttft_seconds_sum{target="acme/large"}')).toBe(0.2);
    // 1 s of writing, 20 tokens.
    expect(value('weir_output_token_seconds_sum{target="acme/large"}')).toBe(0.05);
  });

  it("what was never called took no time and drew nothing", () => {
    const energy = { inputNwh: 0n, outputNwh: 0n, milliwatts: 3_600_000n, parallel: 1 };
    const { counters, value } = setUp(aVendorModel({ energy }));
    counters.attempted("assistant", attempt({ status: "unaffordable", reason: "budget", duration_ms: 0 }));
    expect(value('weir_attempts_total{target="acme/large",status="unaffordable"}')).toBe(1);
    expect(value('weir_attempt_duration_seconds_count{target="acme/large"}')).toBeUndefined();
    expect(value('weir_energy_mwh_total{use_case="assistant",model="large"}')).toBeUndefined();
  });

  it("by model: cost, tokens, what the vendor's cache saved at the price of that time, and energy", () => {
    const cheap = { ...freePrice, version: "1", input: 1_000_000n, cached_input: 100_000n, output: 2_000_000n };
    const later = { ...cheap, version: "2", input: 2_000_000n };
    const price = { ...cheap, dated: [{ fromMs: 1000, price: later }] };
    const energy = { inputNwh: 0n, outputNwh: 0n, milliwatts: 3_600_000n, parallel: 2 };
    const { counters, value } = setUp(aVendorModel({ price, energy }));
    const usage = { input: 100, cached_input: 1000, output: 20, estimated: false };
    counters.attempted("assistant", attempt({ usage, started_at_ms: 0 }));
    counters.attempted("assistant", attempt({ usage, started_at_ms: 1000 }));
    const of = '{use_case="assistant",model="large"}';
    expect(value(`weir_model_cost_nano_usd_total${of}`)).toBe(900_000);
    expect(value('weir_model_tokens_total{use_case="assistant",model="large",meter="cached_input"}')).toBe(2000);
    expect(value(`weir_prompt_cache_saved_nano_usd_total${of}`)).toBe(900 + 1900);
    // 3,600 W for 1.2 s, shared by two: 600 mWh, twice.
    expect(value(`weir_energy_mwh_total${of}`)).toBe(1200);
  });
});
