/** A rule's condition over the features of a contract: CEL, type-checked, and tried with every null that may come. */
import { Environment } from "@marcbachmann/cel-js";
import type { FeatureValue } from "../../kernel/decision.ts";
import type { FeatureContract } from "../../kernel/snapshot.ts";
import { sampleRows } from "./feature-rows.ts";

/** Throws where evaluation fails, which the trial at load makes unlikely. */
export type RuleTest = (row: Record<string, FeatureValue>) => boolean;

/** Compiles sources one by one; throws an Error that says what is wrong, without the position of the file around it. */
export function ruleCompiler(contract: FeatureContract): (source: string) => RuleTest {
  const environment = environmentOf(contract);
  const trials = trialRows(contract);
  return (source) => {
    const checked = environment.check(source);
    if (!checked.valid) throw new Error(checked.error?.summary ?? "the condition is not valid CEL");
    if (checked.type !== "bool") throw new Error(`a condition must be true or false (bool), but this is ${checked.type}`);
    const run = environment.parse(source);
    const test: RuleTest = (row) => run(row) === true;
    for (const { row, missing } of trials) tryOn(test, row, missing);
    return test;
  };
}

function environmentOf(contract: FeatureContract): Environment {
  const environment = new Environment({ limits: { maxAstNodes: 2_000, maxDepth: 60 } });
  // Whole-number literals mix with numbers, so that `Income >= 2 * Expenses` means what it says.
  for (const [left, right] of [["double", "int"], ["int", "double"]] as const) {
    environment.registerOperator(`${left} + ${right}: double`, (a: number, b: number) => Number(a) + Number(b));
    environment.registerOperator(`${left} - ${right}: double`, (a: number, b: number) => Number(a) - Number(b));
    environment.registerOperator(`${left} * ${right}: double`, (a: number, b: number) => Number(a) * Number(b));
    environment.registerOperator(`${left} / ${right}: double`, (a: number, b: number) => Number(a) / Number(b));
  }
  environment.registerOperator("double == int", (left: number, right: bigint) => left === Number(right));
  for (const { name, type, nullable } of contract.features) {
    const cel = type === "category" ? "string" : "double";
    // A `dyn` may be compared with null; used as a number while null it fails, which the trial rows bring out.
    environment.registerVariable(name, nullable ? `dyn<${cel}>` : cel);
  }
  return environment;
}

interface Trial {
  row: Record<string, FeatureValue>;
  missing: string;
}

function trialRows(contract: FeatureContract): Trial[] {
  const [typical, sparse] = sampleRows(contract) as [Trial["row"], Trial["row"]];
  const nullable = contract.features.filter((feature) => feature.nullable).map((feature) => feature.name);
  return [
    { row: typical, missing: "" },
    ...nullable.map((name) => ({ row: { ...typical, [name]: null }, missing: name })),
    { row: sparse, missing: nullable.join(", ") },
  ];
}

function tryOn(test: RuleTest, row: Trial["row"], missing: string): void {
  try {
    test(row);
  } catch (error) {
    const said = error instanceof Error && "summary" in error ? String(error.summary) : "evaluation failed";
    const advice = missing === "" ? "" : ` where ${missing} is null; guard it with \`${missing.split(",")[0]} != null && …\``;
    throw new Error(`${said}${advice}`, { cause: error });
  }
}
