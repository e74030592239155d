/**
 * Decides whether there is room: requests and tokens per minute, concurrency, per tenant, use case and key.
 * All of them or none are taken; a refusal names the tightest and the honest wait. Money is held per attempt, in serve.
 */
export { createReserve } from "./reserve.ts";
export { LimitBook } from "./limit-book.ts";
export { MoneyBook, type MoneyHold } from "./money-book.ts";
export { estimateTokens, estimateRequestTokens } from "./token-estimate.ts";
