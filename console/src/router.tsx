/** Addresses of the console. Whatever a screen can be set to is in its search part, as plain strings. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
import {
  costDimensions,
  type CostDimension,
  type CostRange,
  costRanges,
  type LimitRange,
  limitRanges,
} from "./api/operations.ts";
import { overviewRanges, type OverviewRange } from "./api/types.ts";
import { readFilters } from "./decisions/filters.ts";
import { Gate } from "./session/gate.tsx";
import { NotFound, ScreenFault } from "./shell/notice.tsx";

const rootRoute = createRootRoute({ component: Gate, notFoundComponent: NotFound, errorComponent: ScreenFault });

export interface OverviewSearch {
  range?: OverviewRange;
}

const overviewRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/",
  validateSearch: (search): OverviewSearch => {
    const range = overviewRanges.find((known) => known === search["range"]);
    return range === undefined ? {} : { range };
  },
  component: lazyRouteComponent(() => import("./overview/overview-screen.tsx"), "OverviewScreen"),
});

const decisionsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/decisions",
  validateSearch: readFilters,
  component: lazyRouteComponent(() => import("./decisions/decisions-screen.tsx"), "DecisionsScreen"),
});

const decisionRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/decisions/$id",
  component: lazyRouteComponent(() => import("./decision/decision-screen.tsx"), "DecisionScreen"),
});

const oneOf = <Choice extends string>(choices: readonly Choice[], value: unknown): Choice | undefined =>
  choices.find((choice) => choice === value);
const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);

const routesRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/routes",
  validateSearch: (search): { use_case?: string | undefined; decision?: string | undefined } => ({
    use_case: text(search["use_case"]),
    decision: text(search["decision"]),
  }),
  component: lazyRouteComponent(() => import("./routes/routes-screen.tsx"), "RoutesScreen"),
});

const healthRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/health",
  component: lazyRouteComponent(() => import("./health/health-screen.tsx"), "HealthScreen"),
});

export interface CostSearch {
  range?: CostRange | undefined;
  by?: CostDimension | undefined;
  tenant?: string | undefined;
  use_case?: string | undefined;
  model?: string | undefined;
}

const costRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/cost",
  validateSearch: (search): CostSearch => ({
    range: oneOf(costRanges, search["range"]),
    by: oneOf(costDimensions, search["by"]),
    tenant: text(search["tenant"]),
    use_case: text(search["use_case"]),
    model: text(search["model"]),
  }),
  component: lazyRouteComponent(() => import("./cost/cost-screen.tsx"), "CostScreen"),
});

const limitsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/limits",
  validateSearch: (search): { range?: LimitRange | undefined } => ({ range: oneOf(limitRanges, search["range"]) }),
  component: lazyRouteComponent(() => import("./limits/limits-screen.tsx"), "LimitsScreen"),
});

const cacheRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/cache",
  component: lazyRouteComponent(() => import("./cache/cache-screen.tsx"), "CacheScreen"),
});

const alertsRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/alerts",
  component: lazyRouteComponent(() => import("./alerts/alerts-screen.tsx"), "AlertsScreen"),
});

export const router = createRouter({
  routeTree: rootRoute.addChildren([
    overviewRoute,
    decisionsRoute,
    decisionRoute,
    routesRoute,
    healthRoute,
    costRoute,
    limitsRoute,
    cacheRoute,
    alertsRoute,
  ]),
  basepath: "/console",
  defaultPreload: "intent",
  scrollRestoration: false,
  parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
  stringifySearch: (search) => {
    const text = new URLSearchParams(
      Object.entries(search).filter(
        (entry): entry is [string, string] => typeof entry[1] === "string" && entry[1] !== "",
      ),
    ).toString();
    return text === "" ? "" : `?${text}`;
  },
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
