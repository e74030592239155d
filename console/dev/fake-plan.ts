/** What a made-up decision is drawn as, before it becomes a row and a record. */
import type { AttemptMeta, SettledContent, SettledMeta } from "../../src/kernel/decision.ts";

export type Plan = Pick<
  SettledMeta,
  "state" | "status" | "route" | "guards" | "reasons" | "stages" | "cache" | "usage" | "automation"
> &
  Partial<SettledMeta> & { useCase: "credit" | "assistant" | "triage"; drawn: AttemptMeta[]; content?: SettledContent };

export function attempt(
  n: number,
  rung: number,
  more: Partial<AttemptMeta> & Pick<AttemptMeta, "model" | "target" | "region">,
): AttemptMeta {
  return {
    n,
    rung,
    arm: "champion",
    probability: 1,
    status: "ok",
    usage: { input: 0, cached_input: 0, output: 0, estimated: false },
    price: "none",
    cost_nano_usd: 0 as AttemptMeta["cost_nano_usd"],
    held_nano_usd: 0 as AttemptMeta["held_nano_usd"],
    started_at_ms: 0,
    duration_ms: 1,
    ...more,
  };
}
