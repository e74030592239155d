/** A rule's condition over the features of a contract: CEL, type-checked, and tried with every null that may come. */
import { type ASTNode, Environment } from "@marcbachmann/cel-js";
import type { FeatureValue } from "../../kernel/decision.ts";
import type { Feature, FeatureContract } from "../../kernel/snapshot.ts";
import { sampleRows } from "./feature-rows.ts";

/** Throws where evaluation fails, which the trial at load makes unlikely. */
export type RuleTest = (row: Record<string, FeatureValue>) => boolean;

/** Compiles sources one by one; throws an Error that says what is wrong, without the position of the file around it. */
export function ruleCompiler(contract: FeatureContract): (source: string) => RuleTest {
  const strict = strictEnvironment(contract);
  const environment = evaluatingEnvironment(contract);
  const categories = new Map(contract.features.map((feature) => [feature.name, feature.values]));
  const trials = trialRows(contract);
  return (source) => {
    const checked = strict.check(source);
    if (!checked.valid) throw new Error(checked.error?.summary ?? "the condition is not valid CEL");
    if (checked.type !== "bool")
      throw new Error(`a condition must be true or false (bool), but this is ${checked.type}`);
    const run = environment.parse(source);
    refuseUnlistedValues(run.ast, categories);
    const test: RuleTest = (row) => run(row) === true;
    for (const { row, missing } of trials) tryOn(test, row, missing);
    return test;
  };
}

/** For checking only: every feature has its own type, and any may be compared with null. */
function strictEnvironment(contract: FeatureContract): Environment {
  const environment = numbersMixed();
  environment.registerOperator("double == null", () => false);
  environment.registerOperator("string == null", () => false);
  for (const { name, type } of contract.features) environment.registerVariable(name, celType(type));
  return environment;
}

/** For evaluating: a value of type `double` must not be null at run time, one of `dyn<double>` may. */
function evaluatingEnvironment(contract: FeatureContract): Environment {
  const environment = numbersMixed();
  for (const { name, type, nullable } of contract.features)
    environment.registerVariable(name, nullable ? `dyn<${celType(type)}>` : celType(type));
  return environment;
}

const celType = (type: Feature["type"]) => (type === "category" ? "string" : "double");

/** Whole-number literals mix with numbers, so that `Income >= 2 * Expenses` means what it says. */
function numbersMixed(): Environment {
  const environment = new Environment({ limits: { maxAstNodes: 2_000, maxDepth: 60 } });
  for (const [left, right] of [
    ["double", "int"],
    ["int", "double"],
  ] as const) {
    environment.registerOperator(`${left} + ${right}: double`, (a: number, b: number) => Number(a) + Number(b));
    environment.registerOperator(`${left} - ${right}: double`, (a: number, b: number) => Number(a) - Number(b));
    environment.registerOperator(`${left} * ${right}: double`, (a: number, b: number) => Number(a) * Number(b));
    environment.registerOperator(`${left} / ${right}: double`, (a: number, b: number) => Number(a) / Number(b));
  }
  environment.registerOperator("double == int", (left: number, right: bigint) => left === Number(right));
  return environment;
}

/** `Home == "ownr"` would never fire and never be noticed. */
function refuseUnlistedValues(ast: ASTNode, categories: ReadonlyMap<string, readonly string[] | undefined>): void {
  if (ast.op === "==" || ast.op === "!=" || ast.op === "in") {
    const [left, right] = ast.args;
    for (const [feature, given] of [
      [left, right],
      [right, left],
    ] as const) {
      if (feature.op !== "id") continue;
      const listed = categories.get(feature.args);
      for (const value of listed === undefined ? [] : literals(given))
        if (!listed?.includes(value))
          throw new Error(`${feature.args} is never "${value}"; it is one of ${listed?.join(", ")}`);
    }
  }
  for (const child of childrenOf(ast.args)) refuseUnlistedValues(child, categories);
}

function literals(ast: ASTNode): string[] {
  if (ast.op === "list") return ast.args.flatMap(literals);
  return ast.op === "value" && typeof ast.args === "string" ? [ast.args] : [];
}

function childrenOf(args: unknown): ASTNode[] {
  if (Array.isArray(args)) return args.flatMap(childrenOf);
  return typeof args === "object" && args !== null && "op" in args && "args" in args ? [args as ASTNode] : [];
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
    const advice =
      missing === "" ? "" : ` where ${missing} is null; guard it with \`${missing.split(",")[0]} != null && …\``;
    throw new Error(`${said}${advice}`, { cause: error });
  }
}
