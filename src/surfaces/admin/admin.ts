/** Dispatch: every route of the table passes the same gate, the same checks and the same error documents. */
import { Hono } from "hono";
import { isRefusal, type Refusal, refuse } from "../../kernel/errors.ts";
import type { Session } from "../../operators/index.ts";
import { pass } from "./gate.ts";
import { openApiOf } from "./openapi.ts";
import type { AdminDeps } from "./port.ts";
import { codeOfFault, problemResponse } from "./problem.ts";
import { check, readJson } from "./read-body.ts";
import type { AdminContext, Bindings, Call, Route } from "./route.ts";
import { routesOf } from "./routes.ts";

const adminPath = "/admin/v1";

export function createAdmin(deps: AdminDeps): Hono<{ Bindings: Bindings }> {
  const app = new Hono<{ Bindings: Bindings }>();
  const routes = routesOf(deps);
  for (const route of routes) {
    app[route.method](adminPath + route.path, async (http) => withoutCaching(await answer(deps, route, http)));
  }
  // Made when first asked for: it is seldom needed and costs some milliseconds.
  let document: object | undefined;
  app.get(`${adminPath}/openapi.json`, () =>
    withoutCaching(Response.json((document ??= openApiOf(routes, deps.about.version)))),
  );

  const methods = methodsByPath(routes);
  app.all("*", (http) => withoutCaching(refuseUnknown(methods, http.req.path)));
  app.onError((error) => withoutCaching(faulted(deps, error)));
  return app;
}

async function answer(deps: AdminDeps, route: Route, http: AdminContext): Promise<Response> {
  try {
    // Hono answers HEAD by way of GET; a live view would then never be read nor closed.
    if (http.req.raw.method === "HEAD") return problemResponse(refuse("method_not_allowed", "Use GET."));
    const result = await run(deps, route, http);
    if (isRefusal(result)) return problemResponse(result, decisionIn(http));
    if (result instanceof Response) return result;
    // Headers that a handler set, such as the cookie, are on the context.
    return route.answer === undefined ? http.body(null, 204) : http.json(result as object);
  } catch (error) {
    return faulted(deps, error, decisionIn(http));
  }
}

async function run(deps: AdminDeps, route: Route, http: AdminContext): Promise<unknown> {
  const passed = await pass(deps, route, http);
  if (isRefusal(passed)) return passed;
  const query = check(route.query, http.req.query());
  if (isRefusal(query)) return query;
  let body: unknown;
  if (route.body) {
    const read = await readJson(http);
    if (isRefusal(read)) return read;
    const checked = check(route.body, read.json);
    if (isRefusal(checked)) return checked;
    body = checked.value;
  }
  const call: Call<unknown, unknown> = {
    http,
    session: passed.session as Session,
    token: passed.token,
    id: http.req.param("id") ?? "",
    query: query.value,
    body,
  };
  return route.handle(call as Call<never, never>);
}

function faulted(deps: AdminDeps, error: unknown, decisionId?: string): Response {
  const code = codeOfFault(error);
  deps.log(`admin: ${code}: ${error instanceof Error ? error.message : String(error)}`);
  return problemResponse(refuse(code), decisionId);
}

const decisionIn = (http: AdminContext): string | undefined => {
  const id = http.req.param("id");
  return id?.startsWith("dec_") ? id : undefined;
};

function withoutCaching(response: Response): Response {
  const { headers } = response;
  headers.set("cache-control", "no-store");
  headers.set("x-content-type-options", "nosniff");
  headers.set("referrer-policy", "no-referrer");
  return response;
}

function methodsByPath(routes: readonly Route[]): { shape: RegExp; method: string }[] {
  return routes.map(({ path, method }) => ({
    shape: new RegExp(`^${adminPath}${path.replace(":id", "[^/]+")}$`),
    method: method.toUpperCase(),
  }));
}

function refuseUnknown(methods: readonly { shape: RegExp; method: string }[], path: string): Response {
  const allowed = [...new Set(methods.filter(({ shape }) => shape.test(path)).map(({ method }) => method))];
  const refusal: Refusal =
    allowed.length > 0
      ? refuse("method_not_allowed", `This path answers to ${allowed.join(", ")}.`)
      : refuse("route_not_found");
  const response = problemResponse(refusal);
  if (allowed.length > 0) response.headers.set("allow", allowed.join(", "));
  return response;
}
