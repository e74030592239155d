/** The whole table, in the order of matching: fixed paths stand before those with an id. */
import { cacheRoutes } from "./cache-routes.ts";
import { costRoutes } from "./cost-routes.ts";
import { decisionRoutes } from "./decision-routes.ts";
import { installRoutes } from "./install-routes.ts";
import { healthRoutes } from "./health-routes.ts";
import { keyRoutes } from "./key-routes.ts";
import { ladderRoutes } from "./ladder-routes.ts";
import { limitRoutes } from "./limit-routes.ts";
import { operatorRoutes } from "./operator-routes.ts";
import { overrideRoutes } from "./override-routes.ts";
import type { AdminDeps } from "./port.ts";
import type { Route } from "./route.ts";
import { sessionRoutes } from "./session-routes.ts";

export const routesOf = (deps: AdminDeps): readonly Route[] => [
  ...sessionRoutes(deps),
  ...installRoutes(deps),
  ...decisionRoutes(deps),
  ...keyRoutes(deps),
  ...operatorRoutes(deps),
  ...healthRoutes(deps),
  ...overrideRoutes(deps),
  ...ladderRoutes(deps),
  ...costRoutes(deps),
  ...limitRoutes(deps),
  ...cacheRoutes(deps),
];
