/**
 * Runs one rung: a vendor, a model in this process, a template, a hand-over to people. Holds money per attempt,
 * retries within the deadline, and reports a failed or unaffordable rung as a value. The only stage that opens
 * connections. It never chooses rungs (route) and never judges what comes back (check, judge).
 */
export { Capacity } from "./capacity/index.ts";
export { createServe } from "./serve.ts";
export { createUpstream } from "./upstream.ts";
export { ModelHouse } from "./model-house.ts";
export { HealthBook, VendorKeys } from "./health/index.ts";
