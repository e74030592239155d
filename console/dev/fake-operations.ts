/** What runs in the made-up bank: targets, routes, money, limits, cache and alerts, in every state that a screen shows. */
import type {
  AlertsAnswer,
  Budgets,
  CacheAnswer,
  CostsAnswer,
  LimitsAnswer,
  Override,
  RouteOfUseCase,
  Spend,
  Targets,
  WhatIf,
} from "../src/api/operations.ts";
import type { FakeDecision } from "./fake-records.ts";
import { seeded } from "./fake-records.ts";

export interface FakeOperations {
  nowMs(): number;
  decisions: readonly FakeDecision[];
  overrides: Override[];
}

const idle = { critical: 0, interactive: 0, standard: 0, batch: 0 };

export const targetsOf = ({ nowMs }: FakeOperations): Targets => ({
  at_ms: nowMs(),
  targets: [
    {
      target: "openai/gpt-5.2-main",
      vendor: "openai",
      region: "eu",
      models: ["gpt-main"],
      use_cases: ["assistant"],
      state: {
        breaker: "closed",
        open: true,
        ejected: false,
        in_flight: 14,
        requests: 812,
        failures: 3,
        consecutive_failures: 0,
        ttft_ms: 412.7,
        total_ms: 2840,
        per_token_ms: 11.3,
        output_tokens: 231,
        cached_share: 0.41,
        load_ms: 6400,
        share: 1,
        retries_left: 9.4,
      },
      capacity: { limit: 42.6, running: 14, waiting: { ...idle, interactive: 2, batch: 9 } },
    },
    {
      target: "local/qwen3-4b",
      vendor: "local",
      region: "onprem",
      models: ["qwen-small"],
      use_cases: ["assistant", "triage"],
      state: {
        breaker: "open",
        open: false,
        ejected: false,
        for_ms: 7400,
        in_flight: 0,
        requests: 41,
        failures: 29,
        consecutive_failures: 6,
        ttft_ms: 96.2,
        total_ms: 611,
        per_token_ms: 6.1,
        load_ms: 140,
        share: 1,
        retries_left: 0.3,
      },
      capacity: { limit: 4, running: 0, waiting: idle },
    },
    {
      target: "openai-west/gpt-5.2-main",
      vendor: "openai-west",
      region: "eu",
      models: ["gpt-west"],
      use_cases: ["assistant"],
      state: {
        breaker: "closed",
        open: true,
        ejected: false,
        in_flight: 1,
        requests: 0,
        failures: 0,
        consecutive_failures: 0,
        load_ms: 1,
        share: 0.34,
        retries_left: 10,
      },
    },
  ],
  vendors: [
    {
      name: "openai",
      dialect: "openai-chat",
      region: "eu",
      data_class: "personal",
      keys: [
        { id: "openai#1", state: "live" },
        { id: "openai#2", state: "cooling", for_ms: 12_400 },
        { id: "openai#3", state: "dead", for_ms: 512_000 },
      ],
    },
    {
      name: "openai-west",
      dialect: "openai-chat",
      region: "eu",
      data_class: "internal",
      keys: [{ id: "openai-west#1", state: "live" }],
    },
    { name: "local", dialect: "openai-chat", region: "onprem", data_class: "sensitive", keys: [] },
  ],
  in_process: [
    { model: "scorecard-7", runtime: "onnx", use_cases: ["credit"] },
    {
      model: "baseline",
      runtime: "rules",
      use_cases: ["credit"],
      fault: "models/baseline.yaml, line 4: there is no feature Incme",
    },
  ],
});

export function routeOf(world: FakeOperations, name: string): RouteOfUseCase | undefined {
  const rows = world.decisions.map(({ row }) => row).filter((row) => row.use_case === name);
  const ladder = ladders[name];
  if (ladder === undefined) return undefined;
  const groups = [...Map.groupBy(rows, ({ rung, model }) => JSON.stringify([rung, model])).values()];
  const lines = new Map<string, RouteOfUseCase["reasons"]["lines"][number]>();
  const read = world.decisions.filter(({ row }) => row.use_case === name).slice(0, 40);
  for (const { detail } of read)
    for (const { rung, target, reason, eligible } of detail.settled?.route ?? []) {
      const key = `${rung}/${target}/${reason}`;
      const line = lines.get(key) ?? { rung, target, reason, eligible, count: 0 };
      line.count += 1;
      lines.set(key, line);
    }
  return {
    name,
    kind: name === "credit" ? "score" : "chat",
    risk: name === "credit" ? "high" : "limited",
    data_class: name === "credit" ? "personal" : "internal",
    tenants: ["lindenbank", "lindenbank-ch"],
    ladder,
    cascades:
      name === "assistant"
        ? [
            {
              rung: 0,
              model: "qwen-small",
              state: "on",
              judged: 214,
              accepted: 0.713,
              accepted_at_most: 0.781,
              c1_nano_usd: 21_300,
              c2_nano_usd: 391_200,
              break_even: 0.054,
            },
          ]
        : [],
    overrides: world.overrides,
    recent: {
      decisions: rows.length,
      ...(rows.length > 0 && { from_ms: rows.at(-1)!.at_ms }),
      choices: groups
        .map((own) => ({
          ...(own[0]!.rung !== undefined && { rung: own[0]!.rung }),
          ...(own[0]!.model !== undefined && { model: own[0]!.model }),
          decisions: own.length,
          answered: own.filter(({ state }) => state === "answered").length,
          cache_hits: own.filter(({ cache }) => cache === "hit").length,
          cost_nano_usd: own.reduce((sum, row) => sum + row.cost_nano_usd, 0),
          mean_ms: own.reduce((sum, row) => sum + row.duration_ms, 0) / own.length,
        }))
        .sort((a, b) => b.decisions - a.decisions),
    },
    reasons: { looked_at: read.length, lines: [...lines.values()].sort((a, b) => a.rung - b.rung) },
  };
}

type Rung = RouteOfUseCase["ladder"][number];
const refer = (rung: number, to: string): Rung => ({
  rung,
  type: "refer",
  commit: "complete",
  members: [],
  refer_to: to,
});
const ladders: Record<string, Rung[]> = {
  credit: [
    { rung: 0, type: "model", commit: "complete", members: [{ model: "scorecard-7", slot: "scorecard" }] },
    { rung: 1, type: "model", commit: "complete", members: [{ model: "baseline" }] },
    refer(2, "underwriters"),
  ],
  assistant: [
    {
      rung: 0,
      type: "model",
      commit: "complete",
      when: "tokens < 4000 && data_class != 'sensitive'",
      accept: { schema: true, confidence: 0.7, abstains: false },
      members: [{ model: "qwen-small", target: "local/qwen3-4b", region: "onprem", data_class: "sensitive" }],
    },
    {
      rung: 1,
      type: "pool",
      strategy: "least-loaded",
      commit: "first-byte",
      members: [
        { model: "gpt-main", target: "openai/gpt-5.2-main", region: "eu", data_class: "personal", weight: 3 },
        {
          model: "gpt-west",
          target: "openai-west/gpt-5.2-main",
          region: "eu",
          data_class: "internal",
          weight: 1,
          up_to_tokens: 32_000,
        },
      ],
    },
    { rung: 2, type: "model", commit: "complete", members: [{ model: "extractive" }] },
    { rung: 3, type: "template", commit: "complete", members: [] },
  ],
  triage: [
    {
      rung: 0,
      type: "model",
      commit: "complete",
      members: [{ model: "qwen-small", target: "local/qwen3-4b", region: "onprem", data_class: "sensitive" }],
    },
  ],
};

export const whatIfOf = (query: URLSearchParams): WhatIf => ({
  input_tokens: Number(query.get("input_tokens") ?? 0) + 61,
  data_class: (query.get("data_class") ?? "internal") as WhatIf["data_class"],
  regions: ["eu", "onprem"],
  budget_level: "warn",
  route: [
    {
      rung: 0,
      target: "qwen-small",
      eligible: false,
      reason: "breaker_open",
      detail: "local/qwen3-4b keeps failing",
    },
    {
      rung: 1,
      target: "gpt-main",
      eligible: true,
      reason: "eligible",
      pool: { strategy: "least-loaded", place: 1, figures: { load_ms: 2133.333, in_flight: 14 } },
    },
    {
      rung: 1,
      target: "gpt-west",
      eligible: query.get("data_class") !== "personal",
      reason: query.get("data_class") === "personal" ? "data_class_not_allowed" : "eligible",
      ...(query.get("data_class") === "personal" && {
        detail: "the agreement covers internal, the data is personal",
      }),
    },
    { rung: 2, target: "extractive", eligible: true, reason: "eligible" },
  ],
  order: [
    { rung: 1, target: "gpt-main" },
    { rung: 2, target: "extractive" },
  ],
});

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
