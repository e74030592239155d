/** API keys of clients. */
import { isRefusal, type Refusal, refuse } from "../../kernel/errors.ts";
import { actBy, perform } from "./perform.ts";
import type { AdminDeps } from "./port.ts";
import { type Route, route } from "./route.ts";
import * as schemas from "./schemas.ts";

export function keyRoutes(deps: AdminDeps): Route[] {
  return [
    route({
      method: "get",
      path: "/keys",
      name: "listKeys",
      summary: "All API keys, without their secrets.",
      access: "keys.read",
      answer: schemas.keys,
      async handle() {
        const keys = deps.keys.list().map((key) => ({
          id: key.id,
          label: key.label,
          tenant: key.tenant,
          environment: key.environment,
          principal_id: key.principal.id,
          use_cases: key.use_cases,
          created_at_ms: key.created_at_ms,
          ...(key.expires_at_ms !== undefined && { expires_at_ms: key.expires_at_ms }),
          ...(key.revoked_at_ms !== undefined && { revoked_at_ms: key.revoked_at_ms }),
          ...(key.rotated_from !== undefined && { rotated_from: key.rotated_from }),
        }));
        return { keys };
      },
    }),
    route({
      method: "post",
      path: "/keys",
      name: "mintKey",
      summary: "Mints an API key; its secret is in this answer and nowhere else.",
      access: "keys.write",
      body: schemas.mintBody,
      answer: schemas.mintedKey,
      async handle({ session, body: { principal_id, ...request } }) {
        const unknown = unknownName(deps, request);
        if (unknown) return unknown;
        const pending = deps.keys.mint({ ...request, principal: { type: "service", id: principal_id } });
        const { key, record } = await perform(deps, { ...pending, act: actBy(session, pending.act) });
        return { key, id: record.id };
      },
    }),
    route({
      method: "post",
      path: "/keys/:id/rotate",
      name: "rotateKey",
      summary: "Mints a successor; the old key keeps working for the overlap.",
      access: "keys.write",
      errors: ["not_found"],
      body: schemas.rotateBody,
      answer: schemas.mintedKey,
      async handle({ id, session, body }) {
        const pending = deps.keys.rotate(id, Math.round(body.overlap_minutes * 60_000));
        if (isRefusal(pending)) return pending;
        const { key, record } = await perform(deps, { ...pending, act: actBy(session, pending.act) });
        return { key, id: record.id };
      },
    }),
    route({
      method: "post",
      path: "/keys/:id/revoke",
      name: "revokeKey",
      summary: "Ends a key at once, even when the journal cannot record it (then 503, and the key is revoked).",
      access: "keys.write",
      errors: ["not_found"],
      body: schemas.reasonBody,
      async handle({ id, session, body }) {
        const pending = deps.keys.revoke(id, body.reason);
        if (isRefusal(pending)) return pending;
        pending.commit();
        return deps.record(actBy(session, pending.act));
      },
    }),
  ];
}

/** A key for a name that nobody declared would only fail later, at its first call. */
function unknownName(deps: AdminDeps, request: { tenant: string; use_cases: string[] }): Refusal | undefined {
  const { snapshot } = deps.snapshot();
  if (!snapshot.tenants.has(request.tenant))
    return refuse("invalid_request", "tenant: the configuration declares no such tenant.", { param: "tenant" });
  const at = request.use_cases.findIndex((name) => name !== "*" && !snapshot.useCases.has(name));
  if (at < 0) return undefined;
  const param = `use_cases.${at}`;
  return refuse("invalid_request", `${param}: the configuration declares no such use case.`, { param });
}
