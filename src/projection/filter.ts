/** The meaning of a filter, once; SQL stores must agree with it (conformance suite). */
import type { DecisionFilter, DecisionRow, PageCursor } from "./port.ts";

export function matches(row: DecisionRow, filter: DecisionFilter): boolean {
  if (filter.useCase !== undefined && row.use_case !== filter.useCase) return false;
  if (filter.state !== undefined && row.state !== filter.state) return false;
  if (filter.code !== undefined && row.code !== filter.code) return false;
  if (filter.result !== undefined && row.result !== filter.result) return false;
  if (filter.principal !== undefined && row.principal_id !== filter.principal) return false;
  if (filter.sinceMs !== undefined && row.at_ms < filter.sinceMs) return false;
  if (filter.untilMs !== undefined && row.at_ms >= filter.untilMs) return false;
  if (filter.query === undefined) return true;
  return row.decision_id.startsWith(filter.query) || row.subject === filter.query;
}

/** Newest first, then by id downwards: total, and fixed once a decision is settled. */
export const rowOrder = (a: DecisionRow, b: DecisionRow): number =>
  b.at_ms - a.at_ms || (a.decision_id < b.decision_id ? 1 : a.decision_id > b.decision_id ? -1 : 0);

export const sortsAfter = (row: DecisionRow, cursor: PageCursor): boolean =>
  row.at_ms < cursor.atMs || (row.at_ms === cursor.atMs && row.decision_id < cursor.decisionId);
