/**
 * Decides whether this principal may ask this of this use case, for this purpose, with this data: rights, condition,
 * kind, purpose, consent, feature contract, residency, idempotency. Yields constraints on everything below.
 * It never holds quota or money and never looks at content beyond its shape.
 */
export { createAdmit } from "./admit.ts";
export { type ConsentRegistry, ListedConsents } from "./consent.ts";
export { IdempotencyTable } from "./idempotency.ts";
