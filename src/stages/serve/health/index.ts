/**
 * Decides which targets and vendor keys may be called now, and how often a failed call may be repeated: circuit
 * breakers, outliers among peers, slow start, cooling and dead keys, a retry budget. All of it follows from how calls
 * ended, on the injected clock, in a fixed amount of memory per target. It never calls anybody and never chooses a rung.
 */
export { HealthBook } from "./health-book.ts";
export { outcomeOf } from "./outcome.ts";
export { VendorKeys } from "./vendor-keys.ts";
