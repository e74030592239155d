/** What is wrong now: one pure look at the windows and at the house. */
import type { AlertSettings, BudgetLine, HouseState, Severity, ShareRule } from "../port.ts";
import type { Firing } from "./alert-book.ts";
import { burning } from "./burn-rate.ts";
import { type DecisionCounts, type DecisionWindows, faults } from "./decision-windows.ts";

const minuteMs = 60_000;
const shareWindowMs = 5 * minuteMs;
const hitsWindowMs = 15 * minuteMs;
const hitsBaselineMs = 360 * minuteMs;
// Below this a cache hardly helps anyway.
const leastHitShare = 0.1;

export function wrongInWindows(now: number, windows: DecisionWindows, settings: AlertSettings): Firing[] {
  return [...windows.all()].flatMap(([useCase, counts]) => [
    ...burning(now, useCase, counts, settings.objectives.get(useCase) ?? settings.defaultObjective),
    ...faults.flatMap((fault) =>
      above(now, counts, settings.errors, fault, {
        rule: "error_rate",
        severity: fault === "upstream" || fault === "weir" ? "warning" : "info",
        labels: { use_case: useCase, fault },
        what: `of ${useCase}'s decisions end with an error (${fault})`,
      }),
    ),
    ...above(now, counts, settings.fallbacks, "fallback", {
      rule: "fallback_rate",
      severity: "warning",
      labels: { use_case: useCase },
      what: `of ${useCase}'s decisions fall back to a further rung`,
    }),
    ...above(now, counts, settings.climbs, "climb", {
      rule: "climb_rate",
      severity: "info",
      labels: { use_case: useCase },
      what: `of ${useCase}'s decisions climb because the light answer is not accepted`,
    }),
    ...hitsDropped(now, useCase, counts, settings.cache),
  ]);
}

function above(
  now: number,
  counts: DecisionCounts,
  rule: ShareRule,
  column: Parameters<DecisionCounts["sum"]>[1],
  told: Pick<Firing, "rule" | "severity" | "labels"> & { what: string },
): Firing[] {
  const all = counts.sum(now, "all", shareWindowMs);
  const value = counts.sum(now, column, shareWindowMs) / all;
  if (!rule.enabled || all < rule.minRequests || value <= rule.above) return [];
  const { what, ...firing } = told;
  return [{ ...firing, summary: `${percent(value)} ${what}.`, value, threshold: rule.above }];
}

function hitsDropped(
  now: number,
  useCase: string,
  counts: DecisionCounts,
  { dropTo, minRequests }: AlertSettings["cache"],
): Firing[] {
  const looks = counts.sum(now, "cache_looks", hitsWindowMs);
  const before = counts.sum(now, "cache_looks", hitsBaselineMs, hitsWindowMs);
  if (looks < minRequests || before < minRequests) return [];
  const value = counts.sum(now, "cache_hits", hitsWindowMs) / looks;
  const usual = counts.sum(now, "cache_hits", hitsBaselineMs, hitsWindowMs) / before;
  const threshold = usual * dropTo;
  if (usual < leastHitShare || value >= threshold) return [];
  const summary = `${useCase}'s cache answers ${percent(value)} of what it is asked; it was ${percent(usual)}.`;
  return [{ rule: "cache_hits", severity: "info", labels: { use_case: useCase }, summary, value, threshold }];
}

const budgetSeverity: Readonly<Record<Exclude<BudgetLine["level"], "ok">, Severity>> = {
  warn: "info",
  degrade: "warning",
  blocked: "critical",
};

export function wrongInHouse(house: HouseState): Firing[] {
  const firings: Firing[] = [];
  if (!house.journal().writable)
    firings.push({
      rule: "journal_unwritable",
      severity: "critical",
      labels: {},
      summary: "The journal can't be written: sealed use cases refuse, the others until its queue is full.",
    });
  for (const { scope, per, level, spent, amount } of house.budgets()) {
    if (level === "ok") continue;
    const value = amount === 0 ? 1 : spent / amount;
    const summary = `The budget of ${scope} per ${per} stands at ${percent(value)}: ${level}.`;
    firings.push({ rule: "budget", severity: budgetSeverity[level], labels: { scope, per }, summary, value });
  }
  for (const { target, breaker, ejected } of house.targets()) {
    if (breaker === "closed" && !ejected) continue;
    const why = breaker === "closed" ? "left out as an outlier" : `breaker ${breaker}`;
    firings.push({ rule: "target_down", severity: "warning", labels: { target }, summary: `${target}: ${why}.` });
  }
  for (const { vendor, id, state } of house.vendorKeys()) {
    if (state !== "dead") continue;
    const summary = `The vendor ${vendor} no longer takes key ${id}.`;
    firings.push({ rule: "vendor_key_dead", severity: "warning", labels: { vendor, key: id }, summary });
  }
  return firings;
}

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
