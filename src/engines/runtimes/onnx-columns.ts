/** Rows of named features as the columns that a graph takes: NaN stands for null in numbers, "" in categories. */
import type { FeatureValue } from "../../kernel/decision.ts";
import { WeirError } from "../../kernel/errors.ts";
import type { FeatureContract } from "../../kernel/snapshot.ts";
import { refuseUnfit } from "./feature-rows.ts";

export type Column = Float32Array | string[];

/** In the contract's order of features. Throws WeirError for a row that `admit` should never have let through. */
export function toColumns(
  model: string,
  contract: FeatureContract,
  rows: readonly Record<string, FeatureValue>[],
): Column[] {
  for (const row of rows) refuseUnfit(model, contract, row);
  return contract.features.map(({ name, type }) => {
    if (type === "category") return rows.map((row) => (row[name] ?? "") as string);
    const column = new Float32Array(rows.length);
    rows.forEach((row, index) => {
      const value = row[name] as number | null;
      column[index] = value ?? NaN;
      if (value !== null && !Number.isFinite(column[index]!))
        throw new WeirError("internal", `model ${model}: feature ${name} does not fit into 32 bits; narrow its range`);
    });
    return column;
  });
}
