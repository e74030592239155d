import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { aVendor, aVendorModel } from "../../tests/fixtures/decision.ts";
import { VirtualClock } from "../kernel/clock.ts";
import { refuse } from "../kernel/errors.ts";
import { someSettings } from "./alerts/test-settings.ts";
import { type Receiver, openReceiver } from "./export/test-receiver.ts";
import { createLog } from "./log.ts";
import { describeLabels } from "./test-labels.ts";
import { aHouse, aMeta, aTraced, anAttempt } from "./test-decisions.ts";
import { createTelemetry } from "./telemetry.ts";

let collector: Receiver;
beforeEach(async () => {
  collector = await openReceiver();
});
afterEach(() => collector.close());

function setUp() {
  const clock = new VirtualClock();
  const telemetry = createTelemetry({
    clock,
    log: createLog(clock, () => {}),
    settings: {
      log: { level: "info", format: "json" },
      allowHosts: [collector.host],
      maxSeriesPerMetric: 100,
      traces: { url: `${collector.origin}/v1/traces`, headers: {}, serviceName: "weir", sample: 1, everyMs: 5000 },
    },
    alerts: someSettings(),
    house: aHouse({
      budgets: () => [{ scope: "tenant:retail", per: "month", amount: 10, spent: 3, held: 1, level: "ok" }],
      targets: () => [{ target: "acme/large", breaker: "open", ejected: false, inFlight: 2, retriesLeft: 9 }],
      capacity: () => [{ target: "acme/large", limit: 64, running: 2, waiting: { critical: 1, batch: 0 } }],
      vendorKeys: () => [
        { vendor: "acme", id: "acme#1", state: "live" },
        { vendor: "acme", id: "acme#2", state: "dead" },
      ],
      spentNanoUsd: () => [["retail", 3]],
    }),
    places: () => ({ models: new Map([["large", aVendorModel()]]), vendors: new Map([["acme", aVendor()]]) }),
    version: "1",
  });
  const { decision, tenant } = aTraced();
  const d = { id: decision, tenant: { name: tenant }, attempts: [anAttempt()] };
  return { clock, telemetry, d };
}

describe("createTelemetry", () => {
  it("one settled decision is counted, watched and traced", async () => {
    const { clock, telemetry, d } = setUp();
    telemetry.start();
    telemetry.begun("assistant");
    telemetry.attempted("assistant", anAttempt());
    telemetry.settled(d, aMeta({ stages: { serve: 2 } }));
    telemetry.refusedBefore(refuse("invalid_key"));
    telemetry.replayed("assistant");
    await clock.advance(5000);
    await collector.until(1);
    const text = telemetry.metrics.print();
    for (const sample of [
      'weir_decisions_total{tenant="retail",use_case="assistant",kind="chat",state="answered"} 1',
      'weir_attempts_total{target="acme/large",status="ok"} 1',
      'weir_target_breaker{target="acme/large",state="open"} 1',
      'weir_target_breaker{target="acme/large",state="closed"} 0',
      'weir_target_limit{target="acme/large"} 64',
      'weir_target_waiting{target="acme/large",class="critical"} 1',
      'weir_budget_spent_nano_usd{scope="tenant:retail",per="month"} 3',
      'weir_budget_held_nano_usd{scope="tenant:retail",per="month"} 1',
      'weir_vendor_keys{vendor="acme",state="dead"} 1',
      'weir_spent_nano_usd{tenant="retail"} 3',
      "weir_journal_writable 1",
    ])
      expect(text).toContain(`\n${sample}\n`);
    expect(telemetry.alerts().map(({ rule }) => rule)).toEqual(["target_down", "vendor_key_dead"]);
    await telemetry.close();
    expect(clock.pendingTimers).toBe(0);
  });

  it("prints no label that the reference does not name", () => {
    const { telemetry, d } = setUp();
    telemetry.begun("assistant");
    telemetry.attempted("assistant", anAttempt({ status: "failed", reason: "http_500" }));
    telemetry.settled(
      d,
      aMeta({ state: "failed", code: "internal", cache: { status: "miss" }, rung: 1, model: "large" }),
    );
    telemetry.refusedBefore(refuse("invalid_key"));
    const named = new Map(telemetry.metrics.describe().map(({ name, labels }) => [name, labels]));
    const used = describeLabels(telemetry.metrics.print());
    expect(used.size).toBeGreaterThan(20);
    for (const [name, labels] of used) expect([name, labels]).toEqual([name, named.get(name)]);
  });

  it("silences for the time of the process", () => {
    const { telemetry } = setUp();
    const silence = { rule: "target_down", labels: {} };
    telemetry.silence(silence);
    expect(telemetry.silences()).toEqual([silence]);
    telemetry.unsilence(silence);
    expect(telemetry.silences()).toEqual([]);
    expect(telemetry.anomalyActionOf("retail", "branch-app")).toBeUndefined();
  });
});
