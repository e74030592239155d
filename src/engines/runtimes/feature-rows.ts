/** What every scoring runtime does with rows before its model sees them. */
import { validateRow } from "../../kernel/contract.ts";
import type { FeatureValue } from "../../kernel/decision.ts";
import { WeirError } from "../../kernel/errors.ts";
import type { FeatureContract } from "../../kernel/snapshot.ts";

/** The contract once more, right before the model: NaN, infinities and unknown names are never silently scored. */
export function refuseUnfit(model: string, contract: FeatureContract, row: Record<string, FeatureValue>): void {
  const checked = validateRow(contract, row);
  if (checked.ok) return;
  const said = checked.problems.map(({ feature, message }) => `${feature || "row"} ${message}`).join("; ");
  throw new WeirError("internal", `model ${model} was given a row that its contract refuses: ${said}`);
}

/** Rows that the contract allows, for trying a model at load: a typical one and one with every null that is allowed. */
export function sampleRows(contract: FeatureContract): Record<string, FeatureValue>[] {
  const typical = contract.features.map((feature): [string, FeatureValue] => {
    if (feature.type === "category") return [feature.name, feature.values?.[0] ?? "other"];
    const nearest = Math.min(Math.max(0, feature.min ?? 0), feature.max ?? 0);
    return [feature.name, feature.min !== undefined && nearest < feature.min ? feature.min : nearest];
  });
  const sparse = contract.features.map((feature, index): [string, FeatureValue] =>
    feature.nullable ? [feature.name, null] : typical[index]!,
  );
  return [Object.fromEntries(typical), Object.fromEntries(sparse)];
}
