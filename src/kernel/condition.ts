/**
 * Conditions are CEL, type-checked once per place they stand in. Every number is a `double` here and whole-number
 * literals mix freely with it, so `score >= 1` and `score >= 1.0` mean the same and callers pass plain JS numbers.
 */
import { Environment } from "@marcbachmann/cel-js";
import type { Condition, FeatureContract } from "./snapshot.ts";

/** The places where a condition may stand; each declares its own variables. */
export type ConditionPlace = "decide-score" | "decide-chat" | "rung" | "use-case";

/** Why an expression is refused; `start` and `end` are offsets (UTF-16 code units) into its source. */
interface ConditionProblem {
  message: string;
  start: number;
  end: number;
  /** A name that the place or the contract does not have, and those that it has. */
  unknown?: { name: string; known: readonly string[] };
}

export type ConditionResult = { ok: true; condition: Condition } | { ok: false; problem: ConditionProblem };

type Schema = Record<string, string>;

const principal: Schema = {
  type: "string",
  id: "string",
  tenant: "string",
  environment: "string",
  groups: "list<string>",
};

/** Variables by place, as documented in the configuration reference; `features` comes from the contract. */
export const conditionVariables: Record<ConditionPlace, Record<string, string | Schema>> = {
  "decide-score": { score: "double", confidence: "double", rung: "double" },
  "decide-chat": { confidence: "double", abstained: "bool", finish: "string", guards: "list<string>", rung: "double" },
  rung: {
    principal,
    purpose: "string",
    data_class: "string",
    risk: "string",
    tokens: "double",
    stream: "bool",
    task: "string",
    latency: "string",
    batchable: "bool",
    restricted: "bool",
    region: "string",
    budget: "string",
  },
  "use-case": { principal, purpose: "string", subject_known: "bool", environment: "string" },
};

const placesWithFeatures: readonly ConditionPlace[] = ["decide-score", "rung"];

/** For checking, a feature has its own type; for evaluating, a nullable one is `dyn<…>`, because null may come. */
function featureSchema(contract: FeatureContract, purpose: "check" | "evaluate"): Schema {
  return Object.fromEntries(
    contract.features.map((feature) => {
      const type = feature.type === "category" ? "string" : "double";
      return [feature.name, feature.nullable && purpose === "evaluate" ? `dyn<${type}>` : type];
    }),
  );
}

function mixedNumbers(environment: Environment): void {
  const pairs = [
    ["double", "int"],
    ["int", "double"],
  ] as const;
  environment.registerOperator("double == int", (left: number, right: bigint) => left === Number(right));
  environment.registerOperator("double in list<int>", (left: number, right: bigint[]) =>
    right.some((item) => Number(item) === left),
  );
  for (const [left, right] of pairs) {
    environment.registerOperator(`${left} + ${right}: double`, (a: number, b: number) => Number(a) + Number(b));
    environment.registerOperator(`${left} - ${right}: double`, (a: number, b: number) => Number(a) - Number(b));
    environment.registerOperator(`${left} * ${right}: double`, (a: number, b: number) => Number(a) * Number(b));
    environment.registerOperator(`${left} / ${right}: double`, (a: number, b: number) => Number(a) / Number(b));
  }
}

function environmentOf(
  place: ConditionPlace,
  contract: FeatureContract | undefined,
  purpose: "check" | "evaluate",
): Environment {
  const environment = new Environment({ limits: { maxAstNodes: 2_000, maxDepth: 60 } });
  mixedNumbers(environment);
  // Any feature may be compared with null (both ways round), but no number with a text. A null never gets here typed.
  environment.registerOperator("double == null", () => false);
  environment.registerOperator("string == null", () => false);
  for (const [name, type] of Object.entries(conditionVariables[place])) {
    if (typeof type === "string") environment.registerVariable(name, type);
    else environment.registerVariable({ name, schema: type });
  }
  if (contract && placesWithFeatures.includes(place)) {
    environment.registerVariable({ name: "features", schema: featureSchema(contract, purpose) });
  }
  return environment;
}

/** One compiler per place and contract; making one costs about a millisecond, compiling with it microseconds. */
export function conditionCompiler(
  place: ConditionPlace,
  contract?: FeatureContract,
): (source: string) => ConditionResult {
  const check = environmentOf(place, contract, "check");
  const evaluate = environmentOf(place, contract, "evaluate");
  const names = namesOf(place, contract);
  return (source) => compileWith(check, evaluate, names, source);
}

/** Compiles one expression; for many in one place take `conditionCompiler`. */
export function compileCondition(source: string, place: ConditionPlace, contract?: FeatureContract): ConditionResult {
  return conditionCompiler(place, contract)(source);
}

/** Names by what stands before the dot; "" holds the variables. */
function namesOf(place: ConditionPlace, contract: FeatureContract | undefined): Map<string, readonly string[]> {
  const fields = Object.entries(conditionVariables[place]).flatMap(([name, type]): [string, string[]][] =>
    typeof type === "string" ? [] : [[name, Object.keys(type)]],
  );
  const features =
    contract && placesWithFeatures.includes(place) ? contract.features.map(({ name }) => name) : undefined;
  const variables = [...Object.keys(conditionVariables[place]), ...(features ? ["features"] : [])];
  return new Map<string, readonly string[]>([
    ["", variables],
    ...fields,
    ...(features ? [["features", features] as const] : []),
  ]);
}

/** The error names what is unknown by its range; what stands before a dot tells which names were possible. */
function unknownName(source: string, code: string, range: { start: number; end: number } | undefined) {
  if (!range || (code !== "unknown_variable" && code !== "no_such_key")) return undefined;
  const owner = code === "unknown_variable" ? "" : /(\w+)\s*\.\s*$/.exec(source.slice(0, range.start))?.[1];
  return { name: source.slice(range.start, range.end), owner };
}

function compileWith(
  check: Environment,
  evaluate: Environment,
  names: ReadonlyMap<string, readonly string[]>,
  source: string,
): ConditionResult {
  const refusal = (message: string, start = 0, end = source.length): ConditionResult => ({
    ok: false,
    problem: { message, start, end },
  });
  const checked = check.check(source);
  if (!checked.valid) {
    const error = checked.error;
    const refused = refusal(error?.summary ?? "the condition is not valid CEL", error?.range?.start, error?.range?.end);
    const unknown = unknownName(source, error?.code ?? "", error?.range);
    const known = unknown?.owner === undefined ? undefined : names.get(unknown.owner);
    if (!refused.ok && unknown && known) refused.problem.unknown = { name: unknown.name, known };
    return refused;
  }
  if (checked.type !== "bool") {
    return refusal(`a condition must be true or false (bool), but this is ${checked.type}`);
  }
  const run = evaluate.parse(source);
  const test: Condition["test"] = (variables, report) => {
    try {
      return run(variables) === true;
    } catch (error) {
      report?.(error instanceof Error && "summary" in error ? String(error.summary) : "evaluation failed");
      return false;
    }
  };
  return { ok: true, condition: { source, test } };
}
