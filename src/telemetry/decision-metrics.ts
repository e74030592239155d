/** What is counted of decisions. `begun` and `settled` counts must meet when the server is idle: the parity test holds it. */
import type { SettledMeta } from "../kernel/decision.ts";
import type { Refusal } from "../kernel/errors.ts";
import type { Metrics } from "./metrics.ts";

export interface DecisionMetrics {
  begun(useCase: string): void;
  settled(meta: SettledMeta): void;
  replayed(useCase: string): void;
  refusedBefore(refusal: Refusal): void;
}

export function countDecisions(metrics: Metrics): DecisionMetrics {
  const begun = metrics.counter("weir_decisions_begun_total", "Decisions whose begun entry was appended.");
  const settled = metrics.counter(
    "weir_decisions_total",
    "Settled decisions by state; the ones refused before any side effect included.",
  );
  const unbegun = metrics.counter(
    "weir_decisions_unbegun_total",
    "Settled decisions that were refused before begun was written.",
  );
  const refusals = metrics.counter("weir_refusals_total", "Requests refused before a decision began, by code.");
  const replays = metrics.counter(
    "weir_replays_total",
    "Requests answered from an earlier decision with the same idempotency key.",
  );
  const codes = metrics.counter("weir_decision_errors_total", "Settled decisions that ended with an error code.");
  const seconds = metrics.histogram("weir_decision_duration_seconds", "Time from request to settle.");
  const firstToken = metrics.histogram("weir_ttft_seconds", "Time to the first content.");
  const tokens = metrics.counter("weir_tokens_total", "Tokens by direction.");
  const cost = metrics.counter("weir_cost_nano_usd_total", "Booked cost in nano-USD.");
  const cache = metrics.counter("weir_cache_total", "Decisions by cache status.");
  const useCases = new Remembered((use_case: string) => ({
    begun: new Remembered(() => begun.of({ use_case })),
    unbegun: new Remembered(() => unbegun.of({ use_case })),
    cost: new Remembered(() => cost.of({ use_case })),
    seconds: new Remembered(() => seconds({ use_case })),
    firstToken: new Remembered(() => firstToken({ use_case })),
    states: new Remembered((state: string) => settled.of({ use_case, state })),
    codes: new Remembered((code: string) => codes.of({ use_case, code })),
    caches: new Remembered((status: string) => cache.of({ use_case, status })),
    tokens: new Remembered((direction: string) => tokens.of({ use_case, direction })),
  }));
  return {
    begun: (use_case) => useCases.of(use_case).begun.of("").add(),
    replayed: (use_case) => replays({ use_case }),
    refusedBefore: (refusal) => refusals({ code: refusal.code }),
    settled(meta) {
      const of = useCases.of(meta.use_case);
      of.states.of(meta.state).add();
      if (meta.refused_before_begin) of.unbegun.of("").add();
      if (meta.code) of.codes.of(meta.code).add();
      of.seconds.of("").observe(meta.duration_ms / 1000);
      if (meta.ttft_ms !== undefined) of.firstToken.of("").observe(meta.ttft_ms / 1000);
      if (meta.cache.status !== "off") of.caches.of(meta.cache.status).add();
      if (meta.usage.input + meta.usage.output + meta.usage.cached_input > 0) {
        of.tokens.of("input").add(meta.usage.input + meta.usage.cached_input);
        of.tokens.of("output").add(meta.usage.output);
      }
      if (meta.cost_nano_usd > 0) of.cost.of("").add(meta.cost_nano_usd);
    },
  };
}

/** What stands for a label's value, made when it is first counted: this runs for every decision. */
class Remembered<T> {
  readonly #made = new Map<string, T>();
  readonly #make: (value: string) => T;
  constructor(make: (value: string) => T) {
    this.#make = make;
  }
  of(value: string): T {
    let made = this.#made.get(value);
    if (made === undefined) this.#made.set(value, (made = this.#make(value)));
    return made;
  }
}
