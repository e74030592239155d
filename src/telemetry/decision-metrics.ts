/** What is counted of decisions. `begun` and `settled` counts must meet when the server is idle: the parity test holds it. */
import type { AttemptMeta, SettledMeta } from "../kernel/decision.ts";
import { type Refusal, errorKinds } from "../kernel/errors.ts";
import type { Model } from "../kernel/snapshot.ts";
import { tokenMeters } from "../kernel/usage.ts";
import { countAttempts } from "./attempt-metrics.ts";
import type { Metrics } from "./metrics.ts";
import { Remembered } from "./remembered.ts";

export interface DecisionMetrics {
  begun(useCase: string): void;
  settled(meta: SettledMeta, tenant: string): void;
  attempted(useCase: string, meta: AttemptMeta): void;
  replayed(useCase: string): void;
  refusedBefore(refusal: Refusal): void;
}

/** `models` are those of the serving snapshot: what prices and energy are declared of. */
export function countDecisions(
  metrics: Metrics,
  models: () => ReadonlyMap<string, Model> = () => new Map(),
): DecisionMetrics {
  const refusals = metrics.counter(
    "weir_refusals_total",
    "Requests refused before a decision began, by code and by whose doing it is.",
    ["code", "fault"],
  );
  const replays = metrics.counter(
    "weir_replays_total",
    "Requests answered from an earlier decision with the same idempotency key.",
    ["use_case"],
  );
  const stageSeconds = metrics.histogram(
    "weir_stage_duration_seconds",
    "Time spent in a stage, summed over a decision's visits.",
    ["kind", "stage"],
  );
  const stages = new Remembered((kind: string) => new Remembered((stage: string) => stageSeconds({ kind, stage })));
  const useCases = byUseCase(metrics);
  const attempts = countAttempts(metrics, models);
  metrics.gauge(
    "weir_cost_per_success_nano_usd",
    "Booked cost of all decisions since the start, divided by those that were answered.",
    () => costPerSuccess(useCases.all()),
    ["use_case"],
  );
  return {
    begun: (use_case) => useCases.of(use_case).begun.of("").add(),
    replayed: (use_case) => replays({ use_case }),
    refusedBefore: ({ code }) => refusals({ code, fault: errorKinds[code].fault }),
    attempted: attempts,
    settled(meta, tenant) {
      const of = useCases.of(meta.use_case);
      countEnding(of, meta, tenant);
      countFigures(of, meta, tenant);
      const byStage = stages.of(meta.kind);
      const spent = meta.stages as Record<string, number>;
      for (const stage in spent) byStage.of(stage).observe(spent[stage]! / 1000);
    },
  };
}

type OfUseCase = ReturnType<ReturnType<typeof byUseCase>["of"]>;

function countEnding(of: OfUseCase, meta: SettledMeta, tenant: string): void {
  of.states.of(tenant).of(meta.kind).of(meta.state).add();
  if (meta.refused_before_begin) of.unbegun.of("").add();
  if (meta.code) of.codes.of(meta.code).add();
  if (meta.model !== undefined) of.models.of(meta.model).of(meta.bundle).add();
  if (meta.rung !== undefined) of.rungs.of(String(meta.rung)).add();
  for (const { reason } of meta.route) of.reasons.of(reason).add();
  if (meta.state === "answered") of.totals.answered += 1;
}

function countFigures(of: OfUseCase, meta: SettledMeta, tenant: string): void {
  of.seconds.of("").observe(meta.duration_ms / 1000);
  if (meta.ttft_ms !== undefined) of.firstToken.of("").observe(meta.ttft_ms / 1000);
  if (meta.cache.status !== "off") of.caches.of(meta.cache.status).add();
  if (meta.cache.saved_nano_usd) of.saved.of(tenant).add(meta.cache.saved_nano_usd);
  const { usage } = meta;
  if (usage.input + usage.output + usage.cached_input > 0)
    for (const meter of tokenMeters) {
      const used = usage[meter];
      if (used) of.tokens.of(meter).add(used);
    }
  if (usage.estimated) of.estimated.of("").add();
  if (meta.cost_nano_usd > 0) {
    of.cost.of(tenant).add(meta.cost_nano_usd);
    of.totals.costNanoUsd += meta.cost_nano_usd;
  }
}

function byUseCase(metrics: Metrics) {
  const begun = metrics.counter("weir_decisions_begun_total", "Decisions whose begun entry was appended.", [
    "use_case",
  ]);
  const settled = metrics.counter(
    "weir_decisions_total",
    "Settled decisions by state; the ones refused before any side effect included.",
    ["tenant", "use_case", "kind", "state"],
  );
  const unbegun = metrics.counter(
    "weir_decisions_unbegun_total",
    "Settled decisions that were refused before begun was written.",
    ["use_case"],
  );
  const codes = metrics.counter(
    "weir_decision_errors_total",
    "Settled decisions that ended with an error code, and whose doing it is.",
    ["use_case", "code", "fault"],
  );
  const models = metrics.counter(
    "weir_model_decisions_total",
    "Settled decisions by the model that answered and the first eight digits of the bundle it served in.",
    ["use_case", "model", "bundle"],
  );
  const rungs = metrics.counter("weir_rung_decisions_total", "Settled decisions by the rung that ended them, from 0.", [
    "use_case",
    "rung",
  ]);
  const reasons = metrics.counter("weir_route_reasons_total", "What routing said of each target that it looked at.", [
    "use_case",
    "reason",
  ]);
  const seconds = metrics.histogram("weir_decision_duration_seconds", "Time from request to settle.", ["use_case"]);
  const firstToken = metrics.histogram("weir_ttft_seconds", "Time from request to the first content.", ["use_case"]);
  const tokens = metrics.counter(
    "weir_tokens_total",
    "Tokens by meter. Meters exclude each other, but for `reasoning`, which is part of `output`.",
    ["use_case", "meter"],
  );
  const estimated = metrics.counter(
    "weir_estimated_usage_total",
    "Decisions with usage that the vendor never reported and Weir counted.",
    ["use_case"],
  );
  const cost = metrics.counter("weir_cost_nano_usd_total", "Booked cost in nano-USD.", ["tenant", "use_case"]);
  const cache = metrics.counter("weir_cache_total", "Decisions by cache status.", ["use_case", "status"]);
  const saved = metrics.counter(
    "weir_cache_saved_nano_usd_total",
    "What answers from the cache had cost when they were made, in nano-USD.",
    ["tenant", "use_case"],
  );
  return new Remembered((use_case: string) => ({
    /** Of all tenants, since the start. */
    totals: { answered: 0, costNanoUsd: 0 },
    begun: new Remembered(() => begun.of({ use_case })),
    unbegun: new Remembered(() => unbegun.of({ use_case })),
    cost: new Remembered((tenant: string) => cost.of({ tenant, use_case })),
    saved: new Remembered((tenant: string) => saved.of({ tenant, use_case })),
    seconds: new Remembered(() => seconds({ use_case })),
    firstToken: new Remembered(() => firstToken({ use_case })),
    states: new Remembered(
      (tenant: string) =>
        new Remembered(
          (kind: string) => new Remembered((state: string) => settled.of({ tenant, use_case, kind, state })),
        ),
    ),
    codes: new Remembered((code: string) =>
      codes.of({ use_case, code, fault: errorKinds[code as keyof typeof errorKinds].fault }),
    ),
    models: new Remembered(
      (model: string) => new Remembered((bundle: string) => models.of({ use_case, model, bundle: bundle.slice(0, 8) })),
    ),
    rungs: new Remembered((rung: string) => rungs.of({ use_case, rung })),
    reasons: new Remembered((reason: string) => reasons.of({ use_case, reason })),
    caches: new Remembered((status: string) => cache.of({ use_case, status })),
    tokens: new Remembered((meter: string) => tokens.of({ use_case, meter })),
    estimated: new Remembered(() => estimated.of({ use_case })),
  }));
}

function* costPerSuccess(of: Iterable<[string, OfUseCase]>): Generator<readonly [{ use_case: string }, number]> {
  for (const [use_case, { totals }] of of)
    if (totals.answered > 0) yield [{ use_case }, totals.costNanoUsd / totals.answered];
}
