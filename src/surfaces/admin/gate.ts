/** Who may pass: origin, session, CSRF token, role. In this order, before anything of the body is read. */
import { getCookie } from "hono/cookie";
import { type Refusal, refuse } from "../../kernel/errors.ts";
import { allows, isCsrf, type Permission, rolesWith, type Session } from "../../operators/index.ts";
import type { AdminDeps } from "./port.ts";
import type { AdminContext, Route } from "./route.ts";

export const cookieName = "weir_session";

export interface Passed {
  session: Session | undefined;
  token: string;
}

export async function pass(deps: AdminDeps, route: Route, http: AdminContext): Promise<Passed | Refusal> {
  const foreign = refuseForeign(deps, route.method, http);
  if (foreign) return foreign;
  const token = getCookie(http, cookieName) ?? "";
  const session = await deps.sessions.find(token);
  if (route.access === "anyone") return { session, token };
  if (!session) return refuse("not_signed_in");
  if (route.method !== "get" && !isCsrf(session, http.req.header("x-weir-csrf")))
    return refuse("origin_refused", "The CSRF token is missing or not this session's.", { param: "x-weir-csrf" });
  if (route.access === "signed-in") return { session, token };
  return refuseRole(session, route.access) ?? { session, token };
}

export function refuseRole(session: Session, permission: Permission): Refusal | undefined {
  if (allows(session.operator.roles, permission)) return undefined;
  return refuse("role_required", `This needs one of the roles ${rolesWith(permission).join(", ")}.`);
}

/** A page of another site may make a browser send requests; it cannot make it lie about where they come from. */
function refuseForeign(deps: AdminDeps, method: Route["method"], http: AdminContext): Refusal | undefined {
  const origin = http.req.header("origin");
  const site = http.req.header("sec-fetch-site");
  if (origin !== undefined && !deps.origins.includes(origin))
    return refuse("origin_refused", "The request comes from another origin than the console's.", { param: "origin" });
  if (method === "get") {
    // Typed addresses and bookmarks are "none"; a link on another site is "cross-site".
    if (site === "cross-site" || site === "same-site")
      return refuse("origin_refused", "The request comes from another site.", { param: "sec-fetch-site" });
    return undefined;
  }
  if (site !== undefined && site !== "same-origin")
    return refuse("origin_refused", "The request comes from another site.", { param: "sec-fetch-site" });
  if (origin === undefined && site === undefined)
    return refuse("origin_refused", "The request names no origin; send the Origin header.", { param: "origin" });
  return undefined;
}

/** The console's origin that this request came from: the header was checked above. */
export const originOf = (deps: AdminDeps, http: AdminContext): string => http.req.header("origin") ?? deps.origins[0];
