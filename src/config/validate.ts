/** From zod's issues to problems with a place: the likeliest branch of a choice, one problem per unknown key. */
import type { z } from "zod";
import { closest, type ConfigProblem, suggestion } from "./problem.ts";
import type { Path, YamlSource } from "./yaml-source.ts";

type Issue = z.core.$ZodIssue;

/** Checks a file against a schema; undefined with problems where it does not fit. */
export function validate<Schema extends z.ZodType>(
  source: YamlSource,
  schema: Schema,
  problems: ConfigProblem[],
): z.output<Schema> | undefined {
  return validateEntries(source, schema, [], problems)?.value;
}

/**
 * Like `validate`, but entries of the named sections that do not fit are left out and named in `broken`, so that the
 * others can still be checked against each other. Undefined where something else does not fit.
 */
export function validateEntries<Schema extends z.ZodType>(
  source: YamlSource,
  schema: Schema,
  sections: readonly string[],
  problems: ConfigProblem[],
): { value: z.output<Schema>; broken: readonly string[] } | undefined {
  if (source.syntaxProblems.length > 0) {
    problems.push(...source.syntaxProblems);
    return undefined;
  }
  const result = schema.safeParse(source.data);
  if (result.success) return { value: result.data, broken: [] };
  const flat = result.error.issues.flatMap((issue) => flatten(source, issue, []));
  problems.push(...flat.filter((issue) => !isRenamed(issue, flat)).map((issue) => problemOf(source, issue)));
  if (flat.some(({ path }) => path.length < 2 || !sections.includes(String(path[0])))) return undefined;
  const rest = structuredClone(source.data) as Record<string, Record<string, unknown>>;
  for (const { path } of flat) delete rest[path[0]!]?.[path[1]!];
  const sound = schema.safeParse(rest);
  return sound.success ? { value: sound.data, broken: flat.map(({ path }) => String(path[1])) } : undefined;
}

interface FlatIssue {
  issue: Issue;
  path: Path;
  unknownKey?: { key: string; known: string[] };
}

function flatten(source: YamlSource, issue: Issue, base: Path): FlatIssue[] {
  const path = [...base, ...(issue.path as (string | number)[])];
  if (issue.code === "unrecognized_keys") {
    const known = issue.message.split(", ");
    return issue.keys.map((key) => ({ issue, path: [...path, key], unknownKey: { key, known } }));
  }
  if (issue.code !== "invalid_union") return [{ issue, path }];
  const branches = issue.errors.map((errors) => errors.flatMap((inner) => flatten(source, inner, path)));
  const ranked = branches
    .map((branch) => ({ branch, cost: branch.reduce((sum, inner) => sum + costOf(source, inner, path), 0) }))
    .toSorted((a, b) => a.cost - b.cost);
  const best = ranked[0];
  if (!best || best.cost >= wrongShape) return [{ issue, path }];
  return best.branch;
}

const wrongShape = 100;

/** How unlikely it is that the author meant the branch with this issue. */
function costOf(source: YamlSource, { issue, path, unknownKey }: FlatIssue, at: Path): number {
  if (unknownKey) return closest(unknownKey.key, unknownKey.known) === undefined ? 2 : 1;
  if (issue.code === "invalid_type" && path.length === at.length) return wrongShape;
  if (issue.code === "invalid_value") return path.length === at.length ? wrongShape : 3;
  return source.valueAt(path) === undefined ? 2 : 1;
}

/** A missing key whose misspelling is reported already. */
const isRenamed = (issue: FlatIssue, all: readonly FlatIssue[]): boolean =>
  !issue.unknownKey &&
  all.some(
    (other) =>
      other.unknownKey !== undefined &&
      other.path.slice(0, -1).join("\n") === issue.path.slice(0, -1).join("\n") &&
      closest(other.unknownKey.key, other.unknownKey.known) === issue.path.at(-1),
  );

function problemOf(source: YamlSource, { issue, path, unknownKey }: FlatIssue): ConfigProblem {
  if (unknownKey) {
    const fix = suggestion(unknownKey.key, unknownKey.known);
    return source.problem(path, `unknown key "${unknownKey.key}"`, { key: true, fix });
  }
  const value = source.valueAt(path);
  if (value === undefined && path.length > 0) {
    const expected = expectation(issue);
    return source.problem(path, `"${path.at(-1)}" is missing`, { key: true, fix: expected && `add it: ${expected}` });
  }
  if (issue.code === "invalid_key")
    return source.problem(path, issue.issues[0]?.message ?? issue.message, { key: true });
  if (issue.code === "invalid_value") {
    const known = issue.values.map(String);
    const fix = suggestion(String(value), known);
    return source.problem(path, `${shown(value)} is not allowed here`, { fix });
  }
  if (issue.code === "invalid_type" || issue.code === "invalid_union") {
    return source.problem(path, `expected ${expectation(issue) ?? "something else"}, found ${shapeOf(value)}`);
  }
  return source.problem(path, issue.message);
}

function expectation(issue: Issue): string | undefined {
  if (issue.code === "invalid_type") return shapeNames[issue.expected] ?? issue.expected;
  if (issue.code === "invalid_value") return issue.values.map(String).join(" | ");
  if (issue.code !== "invalid_union") return undefined;
  const all = issue.errors.flatMap((errors) => errors.filter((inner) => inner.path.length === 0).map(expectation));
  const names = [...new Set(all.filter((item) => item !== undefined))];
  return names.length > 0 ? names.join(" or ") : undefined;
}

const shapeNames: Record<string, string> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object with keys",
  record: "an object with keys",
};

function shapeOf(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object with keys" : shown(value);
}

const shown = (value: unknown): string => {
  const text = typeof value === "string" ? JSON.stringify(value) : typeof value === "object" ? "this" : String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
};
