/** What runs in the made-up bank: targets and routes, in every state that a screen shows. */
import type { Override, RouteOfUseCase, Targets, WhatIf } from "../src/api/operations.ts";
import type { FakeDecision } from "./fake-records.ts";

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
