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
  return {
    begun: (use_case) => begun({ use_case }),
    replayed: (use_case) => replays({ use_case }),
    refusedBefore: (refusal) => refusals({ code: refusal.code }),
    settled(meta) {
      const { use_case, state } = meta;
      settled({ use_case, state });
      if (meta.refused_before_begin) unbegun({ use_case });
      if (meta.code) codes({ use_case, code: meta.code });
      seconds({ use_case }, meta.duration_ms / 1000);
      if (meta.ttft_ms !== undefined) firstToken({ use_case }, meta.ttft_ms / 1000);
      if (meta.cache.status !== "off") cache({ use_case, status: meta.cache.status });
      if (meta.usage.input + meta.usage.output + meta.usage.cached_input > 0) {
        tokens({ use_case, direction: "input" }, meta.usage.input + meta.usage.cached_input);
        tokens({ use_case, direction: "output" }, meta.usage.output);
      }
      if (meta.cost_nano_usd > 0) cost({ use_case }, meta.cost_nano_usd);
    },
  };
}
