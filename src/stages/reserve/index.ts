/**
 * Decides whether there is room: requests and tokens per minute, concurrency, money, per tenant, use case, principal
 * and key. All of them or none are taken; a refusal names the tightest and the honest wait. Money is held per attempt,
 * in serve. It never chooses models: it says how far budgets are spent, and route draws the conclusion.
 */
export { createReserve } from "./reserve.ts";
export { holdMoney } from "./hold-money.ts";
export { LimitBook } from "./limit-book.ts";
export { MoneyBook, type MoneyHold } from "./money-book.ts";
export { priorityOf, scopeName } from "./scopes.ts";
export { TokenCalibration } from "./token-calibration.ts";
export { estimateSearchUnits, estimateTaskTokens, longestInputTokens } from "./task-tokens.ts";
export { estimateTokens, estimateRequestTokens } from "./token-estimate.ts";
