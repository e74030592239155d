/** One model of the ladder as a possible way for one decision: open or not, and by what it may be compared. */
import type { RouteReason } from "../../kernel/decision.ts";
import type { ModelRung, PoolMember, Rung, VendorTarget } from "../../kernel/snapshot.ts";
import { costOf, priceAt } from "../../kernel/usage.ts";
import type { Decision } from "../../path/context.ts";
import type { TargetState } from "../serve/health/port.ts";
import type { Bar, VendorModel } from "./bars.ts";
import type { Facts } from "./facts.ts";

export interface Candidate {
  index: number;
  rung: Rung;
  reason: RouteReason;
  member?: PoolMember;
  /** Of a model at a vendor. */
  elsewhere?: { model: VendorModel; vendor: VendorTarget; target: string; state?: TargetState };
  /** Every key cools: it is tried after the others. */
  cooling?: true;
}

export function candidateOf(index: number, rung: Rung, bar: Bar): Candidate {
  return {
    index,
    rung,
    reason: {
      rung: index,
      target: labelOf(rung),
      eligible: bar === undefined,
      reason: bar?.reason ?? "eligible",
      ...(bar?.detail !== undefined && { detail: bar.detail }),
    },
  };
}

export function close(candidate: Candidate, reason: string, detail?: string): void {
  candidate.reason.eligible = false;
  candidate.reason.reason = reason;
  if (detail !== undefined) candidate.reason.detail = detail;
}

export const isOpenModel = ({ reason, rung }: Candidate): boolean => reason.eligible && rung.type === "model";

function labelOf(rung: Rung): string {
  switch (rung.type) {
    case "model":
      return rung.slot === undefined ? rung.model : `${rung.slot} → ${rung.model}`;
    case "template":
      return "template";
    case "refer":
      return `refer → ${rung.to}`;
  }
}

export const nameOf = ({ rung }: Candidate): string => (rung as ModelRung).model;

// What an answer usually has, until a target's own are known.
const usualOutput = 400;

/** Nano-USD that the call will probably cost: estimated input, usual output, the usual share of cached input. */
export function expectedCost(facts: Facts, { elsewhere }: Candidate): number {
  if (!elsewhere) return 0;
  const { model, state } = elsewhere;
  const cached = Math.round(facts.tokens * (state?.cachedShare ?? 0));
  const most = facts.d.task ? 0 : (facts.d.request?.max_tokens ?? model.maxOutputTokens);
  const output = Math.min(most, Math.round(state?.outputTokens ?? usualOutput)) * answersOf(facts.d);
  const usage = { input: facts.tokens - cached, cached_input: cached, output, estimated: true };
  return costOf(usage, priceAt(model.price, facts.d.clock.now()));
}

const answersOf = (d: Decision): number => d.request?.n ?? 1;
