/** The money of one attempt: within the use case's cap for a single call, and within every budget that it counts for. */
import { type Refusal, refuse } from "../../kernel/errors.ts";
import { type NanoUsd, formatUsd } from "../../kernel/money.ts";
import type { Decision } from "../../path/context.ts";
import type { MoneyBook, MoneyHold, Shortfall } from "./money-book.ts";
import { whose } from "./reserve.ts";
import { scopesOf } from "./scopes.ts";

/** Beyond the deadline at which serve gives up: time to settle what was under way. */
const graceMs = 60_000;

/** A refusal where it can't be borne: the rung is passed over, and it is the answer if no other rung is left. */
export function holdMoney(money: MoneyBook, d: Decision, worstCase: NanoUsd): MoneyHold | Refusal {
  const { maxCost } = d.useCase;
  if (maxCost !== undefined && worstCase > maxCost)
    return refuse(
      "cost_too_high",
      `The call could cost ${formatUsd(worstCase)}; this use case allows ${formatUsd(maxCost)}.`,
    );
  const leaseMs = Math.max(0, d.deadlineAt - d.clock.monotonic()) + graceMs;
  const hold = money.hold(scopesOf(d), worstCase, leaseMs);
  return "settle" in hold ? hold : exhausted(hold, worstCase);
}

function exhausted({ scope, budget, waitMs }: Shortfall, worstCase: NanoUsd): Refusal {
  const budgetOf = `the budget of ${whose[scope.level]} for this ${budget.per}`;
  if (waitMs === undefined)
    return refuse(
      "budget_exhausted",
      `The call could cost ${formatUsd(worstCase)}, more than ${budgetOf} allows at all.`,
    );
  return refuse("budget_exhausted", `What is left of ${budgetOf} can't bear what the call could cost.`, {
    retryAfterMs: waitMs,
  });
}
