/** What is wrong with a configuration, where, and what to do; all of it at once. */
export interface ConfigProblem {
  severity: "error" | "warning";
  /** As the operator named it, relative to the configuration's folder. */
  file: string;
  /** 1-based; columns count UTF-16 code units. */
  line: number;
  column: number;
  /** Path inside the file, e.g. `use_cases.credit.ladder.0`; empty for the file itself. */
  path: string;
  message: string;
  fix?: string;
  /** The source line, for the printed form. */
  source?: string;
}

/** Thrown where a configuration that must compile does not; its message is the printed problems. */
export class ConfigError extends Error {
  readonly problems: readonly ConfigProblem[];
  constructor(problems: readonly ConfigProblem[]) {
    super(printProblems(problems));
    this.name = "ConfigError";
    this.problems = problems;
  }
}

export const hasErrors = (problems: readonly ConfigProblem[]): boolean =>
  problems.some((problem) => problem.severity === "error");

const longestLine = 160;

/** One problem: place and message, the source line with a caret under the spot, the fix. */
export function printProblem(problem: ConfigProblem): string {
  const lines = [`${problem.file}:${problem.line}:${problem.column}: ${problem.severity}: ${problem.message}`];
  if (problem.path) lines[0] += ` (at ${problem.path})`;
  if (problem.source !== undefined && problem.column <= longestLine) {
    const gutter = String(problem.line);
    lines.push(`  ${gutter} | ${problem.source.slice(0, longestLine)}`);
    lines.push(
      `  ${" ".repeat(gutter.length)} | ${problem.source.slice(0, problem.column - 1).replace(/[^\t]/g, " ")}^`,
    );
  }
  if (problem.fix) lines.push(`  fix: ${problem.fix}`);
  return lines.join("\n");
}

export function printProblems(problems: readonly ConfigProblem[]): string {
  const errors = problems.filter((problem) => problem.severity === "error").length;
  const warnings = problems.length - errors;
  const count = (n: number, word: string) => (n === 0 ? [] : [`${n} ${word}${n === 1 ? "" : "s"}`]);
  const summary = [...count(errors, "error"), ...count(warnings, "warning")].join(", ");
  return [...problems.map(printProblem), summary].join("\n");
}

/** By file, then from top to bottom. */
export const sortProblems = (problems: readonly ConfigProblem[]): ConfigProblem[] =>
  problems.toSorted((a, b) => a.file.localeCompare(b.file) || a.line - b.line || a.column - b.column);

/** `did you mean "…"?` where one of the known names is close, else the list of them where it is short. */
export function suggestion(unknown: string, known: readonly string[]): string | undefined {
  const close = closest(unknown, known);
  if (close !== undefined) return `did you mean "${close}"?`;
  if (known.length === 0 || known.length > 24) return undefined;
  return `known here: ${known.join(", ")}`;
}

/** The nearest known name within a third of its length (at least 1, at most 3 edits). */
export function closest(unknown: string, known: readonly string[]): string | undefined {
  let best: { name: string; distance: number } | undefined;
  for (const name of known) {
    const limit = Math.min(3, Math.max(1, Math.floor(Math.max(name.length, unknown.length) / 3)));
    const distance = editDistance(unknown.toLowerCase(), name.toLowerCase());
    if (distance <= limit && (!best || distance < best.distance)) best = { name, distance };
  }
  return best?.name;
}

/** Optimal string alignment: Levenshtein that counts a swap of neighbours as one edit. */
export function editDistance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let best = Math.min(substitution, previous[j]! + 1, row[j - 1]! + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, beforePrevious[j - 2]! + 1);
      row.push(best);
    }
    beforePrevious = previous;
    previous = row;
  }
  return previous[b.length]!;
}
