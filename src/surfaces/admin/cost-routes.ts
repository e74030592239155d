/** What was spent, and how far the budgets are. */
import { allows, type Session } from "../../operators/index.ts";
import * as schemas from "./operation-schemas.ts";
import type { AdminDeps, ScopeFacts } from "./port.ts";
import { type Route, route } from "./route.ts";

export function costRoutes(deps: AdminDeps): Route[] {
  return [
    route({
      method: "get",
      path: "/costs",
      name: "getCosts",
      summary: "Money and tokens by use case, tenant or model over time, from hourly sums.",
      access: "metadata.read",
      query: schemas.costQuery,
      answer: schemas.costs,
      handle: ({ query: { use_case, ...question } }) =>
        deps.index.costs({ ...question, useCase: use_case }, deps.clock.now()),
    }),
    route({
      method: "get",
      path: "/budgets",
      name: "listBudgets",
      summary: "Every budget in its current window: spent, held, and what happens next.",
      access: "metadata.read",
      answer: schemas.budgets,
      handle: async ({ session }) => budgetsOf(deps, session),
    }),
  ];
}

/** Keys are shown to those who may list them. */
export const visibleScopes = (deps: AdminDeps, { operator }: Session): ScopeFacts[] =>
  deps.operations.scopes().filter(({ level }) => level !== "key" || allows(operator.roles, "keys.read"));

function budgetsOf(deps: AdminDeps, session: Session) {
  const { operations } = deps;
  const scopes = visibleScopes(deps, session).filter(({ budgets }) => budgets.length > 0);
  const budgets = scopes.flatMap((scope) => {
    const states = operations.budgetsOf([scope]);
    return scope.budgets.map((budget, at) => {
      const { amount, spent, held, level, endsAtMs } = states[at]!;
      return {
        scope: scope.name,
        level: scope.level,
        per: budget.per,
        amount_nano_usd: amount,
        spent_nano_usd: spent,
        held_nano_usd: held,
        state: level,
        at_limit: budget.atLimit ?? "block",
        steps: [...(budget.steps ?? [])],
        ends_at_ms: endsAtMs,
      };
    });
  });
  return { held_nano_usd: operations.heldNanoUsd(), budgets };
}
