/** The whole table, in the order of matching: fixed paths stand before those with an id. */
import { decisionRoutes } from "./decision-routes.ts";
import { installRoutes } from "./install-routes.ts";
import { keyRoutes } from "./key-routes.ts";
import { operatorRoutes } from "./operator-routes.ts";
import type { AdminDeps } from "./port.ts";
import type { Route } from "./route.ts";
import { sessionRoutes } from "./session-routes.ts";

export const routesOf = (deps: AdminDeps): readonly Route[] => [
  ...sessionRoutes(deps),
  ...installRoutes(deps),
  ...decisionRoutes(deps),
  ...keyRoutes(deps),
  ...operatorRoutes(deps),
];
