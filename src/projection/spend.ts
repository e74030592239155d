/** What decisions cost: a settled decision's share of an hour, and hours summed up to the figures of a range. */
import type { SettledMeta } from "../kernel/decision.ts";
import type { CostGroup, CostQuestion, CostRange, Costs, DecisionRow, Spend } from "./port.ts";

const hour = 3_600_000;
const day = 24 * hour;
const windows: Record<CostRange, { lengthMs: number; stepMs: number }> = {
  "24h": { lengthMs: day, stepMs: hour },
  "7d": { lengthMs: 7 * day, stepMs: 6 * hour },
  "30d": { lengthMs: 30 * day, stepMs: day },
  "90d": { lengthMs: 90 * day, stepMs: day },
};

/** Whole steps in UTC, the running one included. */
export function costWindowOf(range: CostRange, nowMs: number): { fromMs: number; toMs: number; stepMs: number } {
  const { lengthMs, stepMs } = windows[range];
  const toMs = (Math.floor(nowMs / stepMs) + 1) * stepMs;
  return { fromMs: toMs - lengthMs, toMs, stepMs };
}

export const spendNames = [
  "decisions",
  "answered",
  "cache_hits",
  "estimated",
  "cost_nano_usd",
  "estimated_nano_usd",
  "saved_nano_usd",
  "input",
  "cached_input",
  "cache_write",
  "output",
  "reasoning",
  "audio_input",
  "audio_output",
  "image_output",
] as const satisfies (keyof Spend)[];

/** What a decision's row doesn't say of its cost; a decision of input and output alone has none. */
export type Meters = Partial<
  Pick<Spend, "cached_input" | "cache_write" | "reasoning" | "audio_input" | "audio_output" | "image_output">
> & { estimated?: true; saved_nano_usd?: number };

export function metersOf({ usage, cache }: SettledMeta): Meters | undefined {
  const meters: Meters = {};
  const put = (name: Exclude<keyof Meters, "estimated">, amount: number): void => {
    if (amount > 0) meters[name] = amount;
  };
  put("cached_input", usage.cached_input);
  put("cache_write", (usage.cache_write ?? 0) + (usage.cache_write_1h ?? 0));
  put("reasoning", usage.reasoning ?? 0);
  put("audio_input", (usage.audio_input ?? 0) + (usage.cached_audio_input ?? 0));
  put("audio_output", usage.audio_output ?? 0);
  put("image_output", usage.image_output ?? 0);
  put("saved_nano_usd", cache.saved_nano_usd ?? 0);
  if (usage.estimated) meters.estimated = true;
  return Object.keys(meters).length > 0 ? meters : undefined;
}

/** Summable, like the minutes: the rollup is the sum of this over all decision rows. */
export interface HourDelta extends Spend {
  hour_ms: number;
  tenant: string;
  use_case: string;
  /** That answered, or was tried last; empty where none was. */
  model: string;
}

export function hourOf(row: DecisionRow, meters: Meters = {}): HourDelta {
  const { cached_input = 0, estimated = false, ...more } = meters;
  return {
    ...noSpend,
    ...more,
    hour_ms: row.at_ms - (row.at_ms % hour),
    tenant: row.tenant,
    use_case: row.use_case,
    model: row.model ?? "",
    decisions: 1,
    answered: row.state === "answered" ? 1 : 0,
    cache_hits: row.cache === "hit" || row.cache === "follower" ? 1 : 0,
    estimated: estimated ? 1 : 0,
    cost_nano_usd: row.cost_nano_usd,
    estimated_nano_usd: estimated ? row.cost_nano_usd : 0,
    input: row.input_tokens - cached_input,
    cached_input,
    output: row.output_tokens,
  };
}

const noSpend = Object.fromEntries(spendNames.map((name) => [name, 0])) as unknown as Spend;

/** All hours of one group within one step. */
export interface CostStep extends Spend {
  name: string;
  at_ms: number;
}

export function buildCosts(question: CostQuestion, nowMs: number, steps: readonly CostStep[]): Costs {
  const { fromMs, toMs, stepMs } = costWindowOf(question.range, nowMs);
  const groups = [...Map.groupBy(steps, (step) => step.name)].map(([name, own]): CostGroup => {
    const byTime = Map.groupBy(own, (step) => step.at_ms);
    const series: CostGroup["series"] = [];
    for (let at = fromMs; at < toMs; at += stepMs)
      series.push({ at_ms: at, cost_nano_usd: sumOf(byTime.get(at) ?? []).cost_nano_usd });
    return { name, spend: sumOf(own), series };
  });
  // The dearest first; among equals by name, so that the order holds still.
  groups.sort((a, b) => b.spend.cost_nano_usd - a.spend.cost_nano_usd || (a.name < b.name ? -1 : 1));
  return {
    range: question.range,
    by: question.by,
    from_ms: fromMs,
    to_ms: toMs,
    step_ms: stepMs,
    totals: sumOf(steps),
    groups,
  };
}

function sumOf(parts: readonly Spend[]): Spend {
  const sum = { ...noSpend };
  for (const part of parts) for (const name of spendNames) sum[name] += part[name];
  return sum;
}
