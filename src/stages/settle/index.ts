/**
 * Writes what happened: `begun` before the first side effect, `settled` exactly once whatever ended the decision, and
 * lets go of everything that was held. Counters, cache and idempotency follow from the settled entry.
 * It decides nothing about the answer.
 */
export { createSettle } from "./settle.ts";
export { createReplay } from "./replay.ts";
export { type FirstTarget, settleInterrupted } from "./interrupted.ts";
