/** What applying a configuration would change, in sentences: the semantic difference and its impact. */
import type { UseCase } from "../kernel/snapshot.ts";
import { sortBundles } from "./apply.ts";
import type { CompiledConfig } from "./compile.ts";
import { describeBundle } from "./plan-bundle.ts";
import { describeSections, shown } from "./plan-sections.ts";
import { tiers } from "./tiers.ts";

export interface PlanChange {
  mark: "+" | "-" | "~";
  /** What it is about, e.g. `use case credit`. */
  subject: string;
  text: string;
  /** What it means for what serves, where that is not plain. */
  impact?: string;
}

export interface Plan {
  changes: readonly PlanChange[];
  /** Use cases whose changed bundle would wait as a candidate. */
  waiting: readonly string[];
  /** What the risk tiers promise and Weir does not enforce yet, by use case. */
  notEnforced: readonly { useCase: string; risk: UseCase["risk"]; columns: readonly string[] }[];
}

export interface PlanBase {
  /** What serves now, and what was declared with it. */
  serving: CompiledConfig;
  declared: CompiledConfig;
}

export function planConfig(
  base: PlanBase | undefined,
  candidate: CompiledConfig,
  activate: boolean | readonly string[] = false,
): Plan {
  const { activated, waiting } = sortBundles(base?.serving, candidate, activate);
  const changes = [
    ...describeSections(base?.declared, candidate),
    ...describeUseCases(base?.serving, candidate, new Set(activated)),
  ];
  const notEnforced = [...candidate.snapshot.useCases.values()]
    .map(({ name, risk }) => ({ useCase: name, risk, columns: tiers[risk].notEnforced }))
    .filter(({ columns }) => columns.length > 0);
  return { changes, waiting, notEnforced };
}

/** The plan as the CLI prints it. */
export function printPlan(plan: Plan): string {
  const lines = plan.changes.map(
    ({ mark, subject, text, impact }) => `${mark} ${subject}: ${text}${impact === undefined ? "" : `; ${impact}`}`,
  );
  if (lines.length === 0) lines.push("No changes: this is what was applied last.");
  for (const { useCase, risk, columns } of plan.notEnforced) {
    lines.push(`! use case ${useCase}: not enforced yet for ${risk} risk: ${columns.join("; ")}`);
  }
  return lines.join("\n");
}

function describeUseCases(
  serving: CompiledConfig | undefined,
  candidate: CompiledConfig,
  activated: ReadonlySet<string>,
): PlanChange[] {
  const before = serving?.snapshot.useCases ?? new Map<string, UseCase>();
  const removed = [...before.keys()]
    .filter((name) => !candidate.snapshot.useCases.has(name))
    .map((name): PlanChange => ({
      mark: "-",
      subject: `use case ${name}`,
      text: "removed",
      impact: "callers get unknown_use_case",
    }));
  const others = [...candidate.snapshot.useCases.values()].flatMap((useCase): PlanChange[] => {
    const old = before.get(useCase.name);
    const subject = `use case ${useCase.name}`;
    if (!old || !serving) {
      return [
        {
          mark: "+",
          subject,
          text: `${useCase.kind}, ${useCase.risk} risk, ${rungs(useCase)}`,
          impact: "serves at once",
        },
      ];
    }
    const impact = activated.has(useCase.name) ? "bundle changes; serves at once" : "bundle changes; needs --activate";
    const bundle = old.bundle === useCase.bundle ? [] : describeBundle(serving, candidate, useCase.name);
    return [
      ...describePolicy(old, useCase).map((text): PlanChange => ({ mark: "~", subject, text })),
      ...bundle.map((text): PlanChange => ({ mark: "~", subject, text, impact })),
    ];
  });
  return [...removed, ...others];
}

const rungs = (useCase: UseCase): string => `${useCase.ladder.length} rung${useCase.ladder.length === 1 ? "" : "s"}`;

/** What applies at once, whatever bundle serves. */
const policyFields: readonly [keyof UseCase, string][] = [
  ["risk", "risk"],
  ["dataClass", "data class"],
  ["owner", "owner"],
  ["tenants", "tenants"],
  ["purposes", "purposes"],
  ["basis", "lawful basis"],
  ["consent", "consent"],
  ["regions", "regions"],
  ["condition", "condition on callers"],
  ["limits", "limits"],
  ["cache", "cache"],
  ["deadlineMs", "deadline in ms"],
  ["retries", "retries"],
  ["durability", "durability"],
  ["record", "record"],
  ["release", "release policy"],
];

function describePolicy(old: UseCase, now: UseCase): string[] {
  return policyFields.flatMap(([field, words]) => {
    const [before, after] = [shown(old[field]), shown(now[field])];
    return before === after ? [] : [`${words} ${before} → ${after}`];
  });
}
