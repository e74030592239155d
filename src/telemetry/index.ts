/**
 * Metrics in the Prometheus format and the process log. Counts what the path reports; labels come from configuration
 * only, never from what a client sent, and nothing personal is ever logged.
 */
export { countDecisions } from "./decision-metrics.ts";
export { type Log, createLog } from "./log.ts";
export { Metrics } from "./metrics.ts";
