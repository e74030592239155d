/** Minute rollups, summed by step → totals, series and percentiles. */
import type { DecisionKind } from "../kernel/decision.ts";
import type { MinuteDelta } from "./fold.ts";
import { percentileOf } from "./histogram.ts";
import type { Overview, OverviewRange, SeriesPoint, Totals } from "./port.ts";

const minute = 60_000;
const windows: Record<OverviewRange, { lengthMs: number; stepMs: number }> = {
  "15m": { lengthMs: 15 * minute, stepMs: minute },
  "1h": { lengthMs: 60 * minute, stepMs: minute },
  "24h": { lengthMs: 24 * 60 * minute, stepMs: 15 * minute },
  "7d": { lengthMs: 7 * 24 * 60 * minute, stepMs: 120 * minute },
};

/** Whole steps, the running one included: `toMs` is the end of the step that holds `nowMs`. */
export function windowOf(range: OverviewRange, nowMs: number): { fromMs: number; toMs: number; stepMs: number } {
  const { lengthMs, stepMs } = windows[range];
  const toMs = (Math.floor(nowMs / stepMs) + 1) * stepMs;
  return { fromMs: toMs - lengthMs, toMs, stepMs };
}

const countNames = [
  "decisions",
  "answered",
  "referred",
  "refused",
  "failed",
  "interrupted",
  "errors",
  "cache_hits",
  "cost_nano_usd",
] as const;
type CountName = (typeof countNames)[number];

/** All minutes of one use case within one step. */
export interface OverviewStep extends Pick<MinuteDelta, CountName> {
  use_case: string;
  kind: DecisionKind;
  at_ms: number;
  buckets: ReadonlyMap<number, number>;
}

export function buildOverview(range: OverviewRange, nowMs: number, steps: readonly OverviewStep[]): Overview {
  const { fromMs, toMs, stepMs } = windowOf(range, nowMs);
  const seconds = Math.max(1, (nowMs - fromMs) / 1000);
  const byUseCase = Map.groupBy(steps, (s) => s.use_case);
  const names = [...byUseCase.keys()].sort();
  return {
    range,
    step_ms: stepMs,
    from_ms: fromMs,
    to_ms: toMs,
    totals: totalsOf(steps, seconds),
    use_cases: names.map((name) => {
      const own = byUseCase.get(name)!;
      return { name, kind: own[0]!.kind, totals: totalsOf(own, seconds), series: seriesOf(own, fromMs, toMs, stepMs) };
    }),
  };
}

function totalsOf(steps: readonly OverviewStep[], seconds: number): Totals {
  const counts = Object.fromEntries(countNames.map((name) => [name, 0])) as Record<CountName, number>;
  for (const step of steps) for (const name of countNames) counts[name] += step[name];
  const buckets = mergeBuckets(steps);
  return {
    ...counts,
    p50_ms: percentileOf(buckets, 0.5),
    p95_ms: percentileOf(buckets, 0.95),
    p99_ms: percentileOf(buckets, 0.99),
    rate_per_s: Number((counts.decisions / seconds).toPrecision(4)),
  };
}

function seriesOf(steps: readonly OverviewStep[], fromMs: number, toMs: number, stepMs: number): SeriesPoint[] {
  const byTime = Map.groupBy(steps, (s) => s.at_ms);
  const points: SeriesPoint[] = [];
  for (let at = fromMs; at < toMs; at += stepMs) {
    const here = byTime.get(at) ?? [];
    points.push({
      at_ms: at,
      decisions: sum(here, "decisions"),
      errors: sum(here, "errors"),
      p95_ms: percentileOf(mergeBuckets(here), 0.95),
      cost_nano_usd: sum(here, "cost_nano_usd"),
    });
  }
  return points;
}

const sum = (steps: readonly OverviewStep[], name: CountName): number => steps.reduce((all, s) => all + s[name], 0);

function mergeBuckets(steps: readonly OverviewStep[]): Map<number, number> {
  const merged = new Map<number, number>();
  for (const step of steps) for (const [bucket, n] of step.buckets) merged.set(bucket, (merged.get(bucket) ?? 0) + n);
  return merged;
}
