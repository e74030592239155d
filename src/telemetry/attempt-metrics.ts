/** What is counted of attempts: how targets fare, and what models use and cost. */
import type { AttemptMeta } from "../kernel/decision.ts";
import { energyOf } from "../kernel/energy.ts";
import type { Model } from "../kernel/snapshot.ts";
import { priceAt, savingOf, tokenMeters } from "../kernel/usage.ts";
import type { Metrics } from "./metrics.ts";
import { Remembered } from "./remembered.ts";

const tokenSecondsBounds = [0.001, 0.0025, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.25, 0.5, 1];

export function countAttempts(
  metrics: Metrics,
  models: () => ReadonlyMap<string, Model>,
): (useCase: string, meta: AttemptMeta) => void {
  const targets = byTarget(metrics);
  const useCases = byModel(metrics);
  return (useCase, meta) => {
    const target = targets.of(meta.target);
    target.statuses.of(meta.status).add();
    if (meta.reason !== undefined) target.reasons.of(meta.reason).add();
    if (meta.duration_ms > 0) countTimes(target, meta);
    const of = useCases.of(useCase).of(meta.model);
    if (meta.cost_nano_usd > 0) of.cost.of("").add(meta.cost_nano_usd);
    const { usage } = meta;
    if (usage.input + usage.output + usage.cached_input > 0)
      for (const meter of tokenMeters) {
        const used = usage[meter];
        if (used) of.tokens.of(meter).add(used);
      }
    const model = models().get(meta.model);
    if (model) countDeclared(of, meta, model);
  };
}

function countTimes(target: OfTarget, { status, duration_ms, ttft_ms, usage }: AttemptMeta): void {
  target.seconds.of("").observe(duration_ms / 1000);
  if (ttft_ms !== undefined) target.firstToken.of("").observe(ttft_ms / 1000);
  if (status === "ok" && usage.output > 0)
    target.perToken.of("").observe((duration_ms - (ttft_ms ?? 0)) / usage.output / 1000);
}

function countDeclared(of: OfModel, meta: AttemptMeta, { price, energy }: Model): void {
  const { usage } = meta;
  if (price && usage.cached_input + (usage.cached_audio_input ?? 0) > 0) {
    const saved = savingOf(usage, priceAt(price, meta.started_at_ms));
    if (saved > 0) of.saved.of("").add(saved);
  }
  // What was never called drew nothing.
  if (energy && meta.duration_ms > 0) of.energy.of("").add(energyOf(usage, energy, meta.duration_ms));
}

type OfTarget = ReturnType<ReturnType<typeof byTarget>["of"]>;

function byTarget(metrics: Metrics) {
  const attempts = metrics.counter("weir_attempts_total", "Attempts by how they ended.", ["target", "status"]);
  const reasons = metrics.counter(
    "weir_attempt_failures_total",
    "Attempts that ended otherwise than well, by their reason.",
    ["target", "reason"],
  );
  const seconds = metrics.histogram("weir_attempt_duration_seconds", "Time of an attempt that was made.", ["target"]);
  const firstToken = metrics.histogram(
    "weir_attempt_ttft_seconds",
    "Time from the beginning of an attempt to its first content.",
    ["target"],
  );
  const perToken = metrics.histogram(
    "weir_output_token_seconds",
    "Time per output token of an attempt, after the first content where it streams.",
    ["target"],
    tokenSecondsBounds,
  );
  return new Remembered((target: string) => ({
    statuses: new Remembered((status: string) => attempts.of({ target, status })),
    reasons: new Remembered((reason: string) => reasons.of({ target, reason })),
    seconds: new Remembered(() => seconds({ target })),
    firstToken: new Remembered(() => firstToken({ target })),
    perToken: new Remembered(() => perToken({ target })),
  }));
}

type OfModel = ReturnType<ReturnType<ReturnType<typeof byModel>["of"]>["of"]>;

function byModel(metrics: Metrics) {
  const cost = metrics.counter(
    "weir_model_cost_nano_usd_total",
    "Booked cost of attempts by model, in nano-USD; the sum over all is `weir_cost_nano_usd_total`.",
    ["use_case", "model"],
  );
  const tokens = metrics.counter("weir_model_tokens_total", "Tokens of attempts by model and meter.", [
    "use_case",
    "model",
    "meter",
  ]);
  const saved = metrics.counter(
    "weir_prompt_cache_saved_nano_usd_total",
    "What vendors' prompt caches saved against fresh input, in nano-USD.",
    ["use_case", "model"],
  );
  const energy = metrics.counter(
    "weir_energy_mwh_total",
    "Estimated energy of attempts in milliwatt-hours, where the model's declaration says what it draws.",
    ["use_case", "model"],
  );
  return new Remembered(
    (use_case: string) =>
      new Remembered((model: string) => ({
        cost: new Remembered(() => cost.of({ use_case, model })),
        tokens: new Remembered((meter: string) => tokens.of({ use_case, model, meter })),
        saved: new Remembered(() => saved.of({ use_case, model })),
        energy: new Remembered(() => energy.of({ use_case, model })),
      })),
  );
}
