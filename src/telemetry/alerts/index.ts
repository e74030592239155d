/**
 * Decides when people have to be told: objectives that burn, rates out of bounds, budgets, targets, keys, the journal,
 * and callers unlike their own past. Counts on the path, judges off it, tells each thing once until it is over. It
 * never refuses a call: what is to be done about a caller is a word that others may ask for.
 */
export { Alerts, type ReachedBudget } from "./alerts.ts";
export type { AlertView } from "./alert-book.ts";
export type { AnomalyState } from "./anomalies.ts";
