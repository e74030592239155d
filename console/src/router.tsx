/** Addresses of the console. Whatever a screen can be set to is in its search part, as plain strings. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";
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

export const router = createRouter({
  routeTree: rootRoute.addChildren([overviewRoute, decisionsRoute, decisionRoute]),
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
