/** The filters of the decisions list; they live in the address. */
import type { DecisionRow, DecisionState } from "../api/types.ts";

const filterNames = ["use_case", "state", "code", "result", "principal", "q"] as const;
export type FilterName = (typeof filterNames)[number];
export type Filters = Partial<Record<FilterName, string>>;

export const stateNames: readonly DecisionState[] = ["answered", "referred", "refused", "failed", "interrupted"];

export function readFilters(search: Record<string, unknown>): Filters {
  const filters: Filters = {};
  for (const name of filterNames) {
    const value = search[name];
    if (typeof value === "string" && value !== "") filters[name] = value;
  }
  return filters;
}

let last: Filters = {};
/** The list's latest filters, so that the way back from a decision leads to the list as it was. */
export const rememberFilters = (filters: Filters): void => {
  last = filters;
};
export const lastFilters = (): Filters => last;

/** Values of one column that the rows at hand show: suggestions for a filter. */
export function seenValues(rows: readonly DecisionRow[], column: "code" | "result" | "principal_id"): string[] {
  const seen = new Set<string>();
  for (const row of rows) {
    const value = row[column];
    if (value !== undefined) seen.add(value);
  }
  return [...seen].sort();
}
