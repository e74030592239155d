/** Made-up money, limits, cache and alerts. */
import type { AlertsAnswer, Budgets, CacheAnswer, CostsAnswer, LimitsAnswer, Spend } from "../src/api/operations.ts";
import { seeded } from "./fake-draw.ts";
import { type FakeOperations, targetsOf } from "./fake-operations.ts";

const spans: Record<string, [lengthMs: number, stepMs: number]> = {
  "24h": [86_400_000, 3_600_000],
  "7d": [604_800_000, 21_600_000],
  "30d": [2_592_000_000, 86_400_000],
  "90d": [7_776_000_000, 86_400_000],
};
const groupsBy: Record<string, [name: string, each: number][]> = {
  use_case: [
    ["assistant", 391_200],
    ["triage", 7_300],
    ["credit", 0],
  ],
  tenant: [
    ["lindenbank", 214_000],
    ["lindenbank-ch", 61_000],
  ],
  model: [
    ["gpt-main", 402_000],
    ["gpt-west", 398_000],
    ["qwen-small", 7_100],
    ["scorecard-7", 0],
    ["", 0],
  ],
};

export function costsOf(world: FakeOperations, query: URLSearchParams): CostsAnswer {
  const range = (query.get("range") ?? "24h") as CostsAnswer["range"];
  const by = (query.get("by") ?? "use_case") as CostsAnswer["by"];
  const [length, step] = spans[range]!;
  const toMs = Math.floor(world.nowMs() / step) * step + step;
  const empty = world.decisions.length === 0;
  const wanted = query.get(by);
  const groups = (empty ? [] : groupsBy[by]!)
    .filter(([name]) => wanted === null || wanted === name)
    .map(([name, each], index) => {
      const draw = seeded(index * 31 + length);
      const series = Array.from({ length: length / step }, (_, at) => {
        const wave = 1 + 0.5 * Math.sin(at / 4 + index) + 0.3 * draw();
        return { at_ms: toMs - length + at * step, cost_nano_usd: Math.round((each * wave * step) / 14_000) };
      });
      const cost = series.reduce((sum, point) => sum + point.cost_nano_usd, 0);
      return { name, series, spend: spendOf(cost, each, length / (4_000 + index * 9_000)) };
    });
  const totals = groups.map(({ spend }) => spend).reduce(addSpend, spendOf(0, 0, 0));
  return { range, by, from_ms: toMs - length, to_ms: toMs, step_ms: step, totals, groups };
}

function spendOf(cost: number, each: number, count: number): Spend {
  const decisions = Math.round(count);
  const chat = each > 0 ? decisions : 0;
  return {
    decisions,
    answered: Math.round(decisions * 0.93),
    cache_hits: Math.round(chat * 0.12),
    estimated: Math.round(chat * 0.02),
    cost_nano_usd: cost,
    estimated_nano_usd: Math.round(cost * 0.017),
    saved_nano_usd: Math.round(cost * 0.11),
    input: chat * 812,
    cached_input: chat * 420,
    cache_write: chat * 35,
    output: chat * 214,
    reasoning: chat * 61,
    audio_input: 0,
    audio_output: 0,
    image_output: 0,
  };
}

const addSpend = (a: Spend, b: Spend): Spend =>
  Object.fromEntries((Object.keys(a) as (keyof Spend)[]).map((name) => [name, a[name] + b[name]])) as unknown as Spend;

const hourMs = 3_600_000;
export function budgetsOf(world: FakeOperations): Budgets {
  if (world.decisions.length === 0) return { held_nano_usd: 0, budgets: [] };
  const at = world.nowMs();
  const line = (
    scope: string,
    level: Budgets["budgets"][number]["level"],
    spent: number,
    amount: number,
    more: Partial<Budgets["budgets"][number]>,
  ): Budgets["budgets"][number] => ({
    scope,
    level,
    per: "month",
    amount_nano_usd: amount * 1e9,
    spent_nano_usd: Math.round(spent * 1e9) + 123_456,
    held_nano_usd: 0,
    state: "ok",
    at_limit: "block",
    steps: [],
    ends_at_ms: at + 200 * hourMs,
    ...more,
  });
  const steps = [
    { at: 80, do: "warn" as const },
    { at: 95, do: "degrade" as const },
  ];
  return {
    held_nano_usd: 41_220_400,
    budgets: [
      line("tenant:lindenbank", "tenant", 1684.21, 4000, { held_nano_usd: 41_220_400, steps }),
      line("use:lindenbank/assistant", "use", 43.7, 50, {
        per: "day",
        state: "warn",
        steps,
        ends_at_ms: at + 6 * hourMs,
      }),
      line("use:lindenbank/triage", "use", 9.71, 10, {
        per: "day",
        state: "degrade",
        steps,
        ends_at_ms: at + 6 * hourMs,
      }),
      line("principal:lindenbank/branch-app", "principal", 12.4, 25, { per: "week", at_limit: "warn" }),
      line("key:k7f3q2m9aaaa", "key", 2, 2, { per: "hour", state: "blocked", ends_at_ms: at + hourMs / 3 }),
    ],
  };
}

export const limitsOf = (world: FakeOperations): LimitsAnswer => ({
  at_ms: world.nowMs(),
  running: 17,
  levels_known: true,
  scopes: [
    {
      scope: "tenant:lindenbank",
      level: "tenant",
      requests_per_minute: 6000,
      tokens_per_minute: 2_000_000,
      concurrency: 200,
      now: { requests: { left: 4812.4, wait_ms: 0 }, tokens: { left: 1_214_400, wait_ms: 0 }, running: 17 },
    },
    {
      scope: "use:lindenbank/assistant",
      level: "use",
      requests_per_minute: 600,
      tokens_per_minute: 400_000,
      now: { requests: { left: 212.1, wait_ms: 0 }, tokens: { left: -1200, wait_ms: 181 }, running: 14 },
    },
    {
      scope: "principal:lindenbank/branch-app",
      level: "principal",
      requests_per_minute: 120,
      now: { requests: { left: 0.4, wait_ms: 300 }, running: 3 },
    },
    { scope: "key:k7f3q2m9aaaa", level: "key", concurrency: 3, now: { running: 3 } },
    { scope: "key:k1d9x2m4bbbb", level: "key", requests_per_minute: 60 },
  ],
  targets: targetsOf(world).targets.flatMap(({ target, capacity }) => (capacity ? [{ target, ...capacity }] : [])),
  refusals:
    world.decisions.length === 0
      ? []
      : [
          {
            code: "rate_limited",
            tenant: "lindenbank",
            use_case: "assistant",
            principal_id: "branch-app",
            count: 41,
            last_ms: world.nowMs() - 3_000,
          },
          {
            code: "consent_required",
            tenant: "lindenbank",
            use_case: "credit",
            principal_id: "web",
            count: 7,
            last_ms: world.nowMs() - 91_000,
          },
          {
            code: "budget_exhausted",
            tenant: "lindenbank",
            use_case: "triage",
            principal_id: "desk",
            count: 2,
            last_ms: world.nowMs() - 600_000,
          },
        ],
});

export const cacheOf = (world: FakeOperations): CacheAnswer => ({
  live: { entries: 1204, bytes: 4_811_220, hits: 8121, misses: 24_402, saved_nano_usd: 2_911_442_100 },
  use_cases:
    world.decisions.length === 0
      ? []
      : [
          {
            name: "assistant",
            exact_ttl_ms: 600_000,
            tags: ["faq", "tariffs-2026"],
            decisions: 21_600,
            cache_hits: 2592,
            saved_nano_usd: 811_204_900,
          },
          { name: "triage", tags: [], decisions: 6646, cache_hits: 12, saved_nano_usd: 87_600 },
        ],
});

export const alertsOf = (world: FakeOperations): AlertsAnswer => ({
  alerts:
    world.decisions.length === 0
      ? []
      : [
          {
            fingerprint: "a1",
            rule: "slo_burn",
            severity: "critical",
            state: "firing",
            silenced: false,
            labels: { use_case: "triage" },
            summary: "The error budget of triage burns 14.4 times as fast as it may.",
            value: 14.4,
            threshold: 10,
            since_ms: world.nowMs() - 1_320_000,
          },
          {
            fingerprint: "a2",
            rule: "budget_step",
            severity: "warning",
            state: "firing",
            silenced: true,
            labels: { scope: "use:lindenbank/assistant", per: "day" },
            summary: "87 % of the day's budget is spent.",
            since_ms: world.nowMs() - 7_320_000,
          },
          {
            fingerprint: "a3",
            rule: "target_open",
            severity: "warning",
            state: "resolved",
            silenced: false,
            labels: { target: "openai/gpt-5.2-main" },
            summary: "Calls to openai/gpt-5.2-main were turned away.",
            since_ms: world.nowMs() - 97_320_000,
            resolved_ms: world.nowMs() - 96_320_000,
          },
        ],
});
