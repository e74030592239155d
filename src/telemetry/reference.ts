/** The reference page of the metrics, made from the metrics themselves; a test compares docs/reference/metrics.md with it. */
import { VirtualClock } from "../kernel/clock.ts";
import { createLog } from "./log.ts";
import type { MetricDescription } from "./metrics.ts";
import type { AlertSettings, HouseState } from "./port.ts";
import { createTelemetry } from "./telemetry.ts";

export function metricsReference(): string {
  const rows = described().map(
    ({ name, type, labels, help }) =>
      `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(", ") || "–"} | ${help} |`,
  );
  return [
    "# Metrics",
    "",
    "Generated from `src/telemetry/`; change it there. `GET /metrics` on the ops port prints them in the Prometheus text",
    "format. The unit is in the name. Counters count from the start of the process. Label values come from the",
    "configuration; a metric that would get more series than `telemetry.metrics.max_series` counts the rest under `other`.",
    "",
    "| metric | type | labels | meaning |",
    "| --- | --- | --- | --- |",
    ...rows,
    "",
  ].join("\n");
}

/** Those of a house in which everything is on. */
export function described(): MetricDescription[] {
  const clock = new VirtualClock();
  return createTelemetry({
    clock,
    log: createLog(clock, () => {}),
    settings: {
      log: { level: "info", format: "json" },
      allowHosts: [],
      maxSeriesPerMetric: 1,
      traces: { url: "https://collector.invalid", headers: {}, serviceName: "weir", sample: 1, everyMs: 1 },
    },
    alerts: nothingWatched,
    house: emptyHouse,
    places: () => ({ models: new Map(), vendors: new Map() }),
    version: "",
  }).metrics.describe();
}

const off = { enabled: false, above: 1, minRequests: 1 };
const nothingWatched: AlertSettings = {
  everyMs: 1,
  renotifyMs: 1,
  resolveAfterMs: 1,
  webhooks: [],
  silences: [],
  defaultObjective: { availability: 0.99, minRequests: 1 },
  objectives: new Map(),
  errors: off,
  fallbacks: off,
  climbs: off,
  cache: { dropTo: 0, minRequests: 1 },
  anomaly: {
    enabled: false,
    z: 1,
    warmupMinutes: 1,
    minRequests: 1,
    holdMs: 1,
    actions: { minimal: "log", limited: "log", high: "log" },
  },
};

const emptyHouse: HouseState = {
  running: () => 0,
  heldNanoUsd: () => 0,
  spentNanoUsd: () => [],
  cache: () => ({ flights: 0, entries: 0, bytes: 0 }),
  journal: () => ({ writable: true, entries: 0, queuedBytes: 0 }),
  targets: () => [],
  capacity: () => [],
  budgets: () => [],
  vendorKeys: () => [],
};
