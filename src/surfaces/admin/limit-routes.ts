/** Limits as declared and as they stand, who waits where, and who was refused. */
import { capacityOf } from "./health-routes.ts";
import { visibleScopes } from "./cost-routes.ts";
import * as schemas from "./operation-schemas.ts";
import type { AdminDeps, LimitLevel, ScopeFacts } from "./port.ts";
import { type Route, route } from "./route.ts";

const rangeMs = { "15m": 15 * 60_000, "1h": 3_600_000, "24h": 24 * 3_600_000 };
const mostLines = 100;

export function limitRoutes(deps: AdminDeps): Route[] {
  return [
    route({
      method: "get",
      path: "/limits",
      name: "listLimits",
      summary: "Limits by scope with what is left of them, queues by class, and recent refusals by code and caller.",
      access: "metadata.read",
      query: schemas.limitsQuery,
      answer: schemas.limits,
      async handle({ session, query }) {
        const { operations, clock, index } = deps;
        const scopes = visibleScopes(deps, session).filter(({ limits }) =>
          Object.values(limits).some((limit) => limit !== undefined),
        );
        const levels = new Map(operations.limitLevels?.(scopes).map((level) => [level.scope, level]));
        return {
          at_ms: clock.now(),
          running: operations.running(),
          scopes: scopes.map((scope) => lineOf(scope, levels.get(scope.name))),
          levels_known: operations.limitLevels !== undefined,
          targets: operations.capacity().map((room) => ({ target: room.target, ...capacityOf(room) })),
          refusals: await index.refusals(clock.now() - rangeMs[query.range], mostLines),
        };
      },
    }),
  ];
}

function lineOf({ name, level, limits }: ScopeFacts, now: LimitLevel | undefined) {
  const { requestsPerMinute, tokensPerMinute, concurrency } = limits;
  const bucketOf = ({ left, waitMs }: { left: number; waitMs: number }) => ({ left, wait_ms: waitMs });
  return {
    scope: name,
    level,
    ...(requestsPerMinute !== undefined && { requests_per_minute: requestsPerMinute }),
    ...(tokensPerMinute !== undefined && { tokens_per_minute: tokensPerMinute }),
    ...(concurrency !== undefined && { concurrency }),
    ...(now && {
      now: {
        ...(now.requests && { requests: bucketOf(now.requests) }),
        ...(now.tokens && { tokens: bucketOf(now.tokens) }),
        running: now.running,
      },
    }),
  };
}
