/**
 * Reads a use case's decision rules as bands on the score axis. First match wins, as in the rules themselves.
 * Rules that ask for more than the score can't be drawn; then there are no bands and the picture says so.
 */
export interface ThresholdRule {
  when?: string;
  result: string;
}

export interface ScoreBand {
  from: number;
  to: number;
  result: string;
  /** Index of the rule that decides here. */
  rule: number;
}

export interface ScoreBands {
  bands: ScoreBand[];
  /** Conditions that name more than the score, as written. */
  undrawable: string[];
}

interface Comparison {
  operator: ">=" | ">" | "<=" | "<";
  value: number;
}

const number = String.raw`(\d+(?:\.\d+)?|\.\d+)`;
const scoreFirst = new RegExp(String.raw`^score\s*(>=|<=|>|<)\s*${number}$`);
const scoreLast = new RegExp(String.raw`^${number}\s*(>=|<=|>|<)\s*score$`);
const mirrored = { ">=": "<=", ">": "<", "<=": ">=", "<": ">" } as const;

/** `score >= 0.72 && score < 0.9` as comparisons; empty list: always; undefined: not about the score alone. */
export function parseCondition(when: string | undefined): Comparison[] | undefined {
  const text = (when ?? "").trim();
  if (text === "" || text === "true" || text === "otherwise") return [];
  const comparisons: Comparison[] = [];
  for (const part of text.split("&&")) {
    const comparison = parseComparison(
      part
        .trim()
        .replace(/^\((.*)\)$/, "$1")
        .trim(),
    );
    if (comparison === undefined) return undefined;
    comparisons.push(comparison);
  }
  return comparisons;
}

function parseComparison(text: string): Comparison | undefined {
  const first = scoreFirst.exec(text);
  if (first) return { operator: first[1] as Comparison["operator"], value: Number(first[2]) };
  const last = scoreLast.exec(text);
  if (last) return { operator: mirrored[last[2] as Comparison["operator"]], value: Number(last[1]) };
  return undefined;
}

const holds = ({ operator, value }: Comparison, score: number): boolean =>
  operator === ">="
    ? score >= value
    : operator === ">"
      ? score > value
      : operator === "<="
        ? score <= value
        : score < value;

export function scoreBands(rules: readonly ThresholdRule[]): ScoreBands {
  const conditions = rules.map((rule) => parseCondition(rule.when));
  const undrawable = rules.filter((_, index) => conditions[index] === undefined).map((rule) => rule.when ?? "");
  if (undrawable.length > 0) return { bands: [], undrawable };
  const cuts = conditions.flatMap((comparisons) => comparisons!.map(({ value }) => value));
  const edges = [...new Set([0, ...cuts.filter((cut) => cut > 0 && cut < 1), 1])].sort((a, b) => a - b);
  const bands: ScoreBand[] = [];
  for (let i = 0; i + 1 < edges.length; i++) {
    const [from, to] = [edges[i]!, edges[i + 1]!];
    const middle = (from + to) / 2;
    const rule = conditions.findIndex((comparisons) => comparisons!.every((comparison) => holds(comparison, middle)));
    if (rule < 0) continue;
    const last = bands.at(-1);
    if (last !== undefined && last.rule === rule && last.to === from) last.to = to;
    else bands.push({ from, to, result: rules[rule]!.result, rule });
  }
  return { bands, undrawable };
}

/** The picture in words, for those who don't see it. */
export function describeScore(
  score: number,
  result: string | undefined,
  rules: readonly ThresholdRule[],
  rule?: number,
): string {
  const parts = rules.map(
    ({ when, result: to }) =>
      `${when === undefined || when.trim() === "" || when === "true" ? "otherwise" : when}: ${to}`,
  );
  const decided = rule !== undefined && rules[rule] !== undefined ? ` Rule ${rule + 1} decided.` : "";
  return `Score ${score} on an axis from 0 to 1. Rules in order: ${parts.join("; ")}. Result: ${result ?? "none"}.${decided}`;
}
