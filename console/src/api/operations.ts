/** What runs now, as the admin API answers it: shapes from its own schemas, asked for as query options. */
import { queryOptions } from "@tanstack/react-query";
import type {
  AlertsAnswer,
  Budgets,
  CacheAnswer,
  CostsAnswer,
  LimitsAnswer,
  Overrides,
  RouteOfUseCase,
  Targets,
  WhatIf,
} from "../../../src/surfaces/admin/operation-schemas.ts";
import { call, queryOf } from "./client.ts";

export type { AlertsAnswer, Budgets, CacheAnswer, CostsAnswer, LimitsAnswer, RouteOfUseCase, Targets, WhatIf };
export type Override = Overrides["overrides"][number];
export type Target = Targets["targets"][number];
export type LadderRung = RouteOfUseCase["ladder"][number];
export type Spend = CostsAnswer["totals"];

export const costRanges = ["24h", "7d", "30d", "90d"] as const;
export type CostRange = (typeof costRanges)[number];
export const costDimensions = ["use_case", "tenant", "model"] as const;
export type CostDimension = (typeof costDimensions)[number];

const nowMs = 5_000;

export const targetsQuery = queryOptions({
  queryKey: ["targets"],
  queryFn: ({ signal }) => call<Targets>("/targets", { signal }),
  refetchInterval: nowMs,
});

export const overridesQuery = queryOptions({
  queryKey: ["overrides"],
  queryFn: ({ signal }) => call<Overrides>("/overrides", { signal }),
  refetchInterval: nowMs,
});

export const routeQuery = (useCase: string) =>
  queryOptions({
    queryKey: ["routes", useCase],
    queryFn: ({ signal }) => call<RouteOfUseCase>(`/routes/${encodeURIComponent(useCase)}`, { signal }),
    refetchInterval: nowMs,
  });

export const askWhatIf = (useCase: string, question: Record<string, string | number | undefined>) =>
  call<WhatIf>(`/routes/${encodeURIComponent(useCase)}/what-if${queryOf(question)}`);

export interface CostQuestion {
  range: CostRange;
  by: CostDimension;
  tenant?: string | undefined;
  use_case?: string | undefined;
  model?: string | undefined;
}

export const costsQuery = (question: CostQuestion) =>
  queryOptions({
    queryKey: ["costs", question],
    queryFn: ({ signal }) => call<CostsAnswer>(`/costs${queryOf({ ...question })}`, { signal }),
    refetchInterval: 15_000,
    placeholderData: (previous) => previous,
  });

export const budgetsQuery = queryOptions({
  queryKey: ["budgets"],
  queryFn: ({ signal }) => call<Budgets>("/budgets", { signal }),
  refetchInterval: nowMs,
});

export const limitRanges = ["15m", "1h", "24h"] as const;
export type LimitRange = (typeof limitRanges)[number];

export const limitsQuery = (range: LimitRange) =>
  queryOptions({
    queryKey: ["limits", range],
    queryFn: ({ signal }) => call<LimitsAnswer>(`/limits${queryOf({ range })}`, { signal }),
    refetchInterval: nowMs,
    placeholderData: (previous) => previous,
  });

export const cacheQuery = queryOptions({
  queryKey: ["cache"],
  queryFn: ({ signal }) => call<CacheAnswer>("/cache", { signal }),
  refetchInterval: nowMs,
});

export const alertsQuery = queryOptions({
  queryKey: ["alerts"],
  queryFn: ({ signal }) => call<AlertsAnswer>("/alerts", { signal }),
  refetchInterval: nowMs,
});
