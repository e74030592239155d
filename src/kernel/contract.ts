/**
 * Does an input fit a feature contract? Pure, compiled once per contract, and strict: a model never sees a value that the
 * contract does not name. Messages name the feature and the rule that it breaks, never the value that a person sent.
 */
import type { FeatureValue } from "./decision.ts";
import type { Feature, FeatureContract } from "./snapshot.ts";

interface FeatureProblem {
  /** Name of the feature; empty where the whole input is wrong. */
  feature: string;
  message: string;
}

export type CheckedRow = { ok: true; row: Record<string, FeatureValue> } | { ok: false; problems: FeatureProblem[] };

export type CheckedFeatures =
  | { ok: true; features: Record<string, FeatureValue>; protectedFeatures?: Record<string, FeatureValue> }
  | { ok: false; problems: FeatureProblem[] };

/** An input with thousands of wrong names must not become an answer of that size. */
const maxProblems = 20;
const maxNameShown = 64;

/** Returns the rule that the value breaks, or undefined. Only called for values that are present. */
type Rule = (value: unknown) => string | undefined;

interface CompiledContract {
  names: readonly string[];
  rules: ReadonlyMap<string, Rule>;
  protectedRules: ReadonlyMap<string, Rule>;
}

const compiled = new WeakMap<FeatureContract, CompiledContract>();

/** `input` is the native body: `{ features, protected? }`. Protected features may be left out one by one. */
export function validateFeatures(contract: FeatureContract, input: unknown): CheckedFeatures {
  if (!isObject(input)) return oneProblem("", "the input must be an object with `features`");
  const problems: FeatureProblem[] = [];
  for (const key of Object.keys(input)) {
    if (key === "features" || key === "protected") continue;
    const hint = didYouMean(key, ["features", "protected"]);
    addProblem(problems, key, `is not a field beside \`features\` and \`protected\`${hint}`);
  }
  const features = validateRow(contract, input["features"]);
  if (!features.ok) for (const { feature, message } of features.problems) addProblem(problems, feature, message);
  const given = input["protected"];
  const guarded = given === undefined ? undefined : checkProtected(contract, given, problems);
  if (problems.length > 0 || !features.ok) return { ok: false, problems };
  return guarded === undefined
    ? { ok: true, features: features.row }
    : { ok: true, features: features.row, protectedFeatures: guarded };
}

/** One row of features without protected ones, as models are given it; the result has the contract's order of names. */
export function validateRow(contract: FeatureContract, input: unknown): CheckedRow {
  if (!isObject(input)) return oneProblem("", "`features` must be an object of feature names and values");
  const { names, rules, protectedRules } = compile(contract);
  const problems: FeatureProblem[] = [];
  const row: Record<string, FeatureValue> = {};
  let seen = 0;
  for (const name of names) {
    if (!Object.hasOwn(input, name) || input[name] === undefined) {
      addProblem(problems, name, "is missing; send null only where the contract says nullable");
      continue;
    }
    seen++;
    const value = input[name];
    const broken = rules.get(name)!(value);
    if (broken === undefined) row[name] = value as FeatureValue;
    else addProblem(problems, name, broken);
  }
  const given = Object.keys(input);
  if (given.length > seen) {
    for (const name of given) {
      if (rules.has(name)) continue;
      const message = protectedRules.has(name)
        ? "is a protected feature; send it under `protected`"
        : `is not in contract ${contract.name}${didYouMean(name, names)}`;
      addProblem(problems, name, message);
    }
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, row };
}

function checkProtected(
  contract: FeatureContract,
  input: unknown,
  problems: FeatureProblem[],
): Record<string, FeatureValue> | undefined {
  if (!isObject(input)) {
    addProblem(problems, "protected", "must be an object of feature names and values");
    return undefined;
  }
  const { rules, protectedRules } = compile(contract);
  const row: Record<string, FeatureValue> = {};
  for (const name of Object.keys(input)) {
    const rule = protectedRules.get(name);
    if (rule === undefined) {
      const message = rules.has(name)
        ? "is not a protected feature; send it under `features`"
        : `is not a protected feature of contract ${contract.name}${didYouMean(name, [...protectedRules.keys()])}`;
      addProblem(problems, name, message);
      continue;
    }
    const broken = rule(input[name]);
    if (broken === undefined) row[name] = input[name] as FeatureValue;
    else addProblem(problems, name, broken);
  }
  return row;
}

function compile(contract: FeatureContract): CompiledContract {
  const known = compiled.get(contract);
  if (known !== undefined) return known;
  const fresh: CompiledContract = {
    names: contract.features.map((feature) => feature.name),
    rules: new Map(contract.features.map((feature) => [feature.name, ruleOf(feature)])),
    protectedRules: new Map(contract.protectedFeatures.map((feature) => [feature.name, ruleOf(feature)])),
  };
  const all = [...fresh.names, ...fresh.protectedRules.keys()];
  if (all.includes("__proto__")) throw new Error(`contract ${contract.name}: __proto__ cannot be a feature's name`);
  if (new Set(all).size !== contract.features.length + contract.protectedFeatures.length)
    throw new Error(`contract ${contract.name}: a feature is named twice`);
  compiled.set(contract, fresh);
  return fresh;
}

function ruleOf(feature: Feature): Rule {
  const rule = feature.type === "category" ? categoryRule(feature) : numberRule(feature);
  if (feature.nullable) return (value) => (value === null ? undefined : rule(value));
  return (value) => (value === null ? "must not be null; the contract does not say nullable" : rule(value));
}

function numberRule(feature: Feature): Rule {
  const { min = -Infinity, max = Infinity } = feature;
  const integer = feature.type === "integer";
  const wanted = integer ? "must be an integer" : "must be a number";
  const range = rangeText(feature);
  return (value) => {
    if (typeof value !== "number") return wanted;
    if (!Number.isFinite(value)) return "must be finite; NaN and infinities are not values";
    if (integer && !Number.isSafeInteger(value)) return wanted;
    return value < min || value > max ? range : undefined;
  };
}

function rangeText({ min, max, unit }: Feature): string {
  const suffix = unit === undefined ? "" : ` ${unit}`;
  if (min === undefined) return `must be at most ${max}${suffix}`;
  return max === undefined ? `must be at least ${min}${suffix}` : `must be from ${min} to ${max}${suffix}`;
}

function categoryRule(feature: Feature): Rule {
  const values = new Set<unknown>(feature.values);
  const shown = (feature.values ?? []).slice(0, 12).join(", ") + (values.size > 12 ? ", …" : "");
  return (value) => {
    if (typeof value !== "string") return "must be a string";
    // The empty string stands for null in models' graphs.
    if (value === "") return "must not be empty; null is how to say unknown, where the contract says nullable";
    if (feature.values === undefined || values.has(value)) return undefined;
    return `must be one of ${shown}`;
  };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const oneProblem = (feature: string, message: string): { ok: false; problems: FeatureProblem[] } => ({
  ok: false,
  problems: [{ feature, message }],
});

function addProblem(problems: FeatureProblem[], name: string, message: string): void {
  if (problems.length >= maxProblems) return;
  problems.push({ feature: name.length > maxNameShown ? `${name.slice(0, maxNameShown)}…` : name, message });
}

function didYouMean(name: string, candidates: readonly string[]): string {
  if (name.length > maxNameShown) return "";
  const wanted = name.toLowerCase();
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(wanted, candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best === undefined ? "" : `; did you mean ${best}?`;
}

/** Levenshtein's, over one row. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substituted, previous[j]! + 1, next[j - 1]! + 1));
    }
    previous = next;
  }
  return previous[b.length]!;
}
