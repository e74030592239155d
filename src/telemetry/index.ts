/**
 * Metrics in the Prometheus format, traces for a collector, alerts, and the process log. Counts what the path reports
 * and judges it off the path; labels come from configuration only, never from what a client sent, and no content and
 * nothing personal is ever logged or exported. It never refuses or changes a decision.
 */
export { type Log, createLog } from "./log.ts";
export type { Metrics } from "./metrics.ts";
export type { HouseState } from "./port.ts";
export { metricsReference } from "./reference.ts";
export { type Telemetry, createTelemetry } from "./telemetry.ts";
