/** What operators decide over the ladder's head, for a while. */
import type { z } from "zod";
import { isRefusal, type Refusal, refuse } from "../../kernel/errors.ts";
import * as schemas from "./operation-schemas.ts";
import { actBy, actorOf, operating, perform } from "./perform.ts";
import type { AdminDeps } from "./port.ts";
import { type Route, route } from "./route.ts";
import { reasonBody } from "./schemas.ts";

export function overrideRoutes(deps: AdminDeps): Route[] {
  return [
    route({
      method: "get",
      path: "/overrides",
      name: "listOverrides",
      summary: "The overrides in force.",
      access: "metadata.read",
      answer: schemas.overrides,
      handle: async () => ({ overrides: deps.overrides.list() }),
    }),
    route({
      method: "post",
      path: "/overrides",
      name: "makeOverride",
      summary: "Prefers or leaves out a model, a vendor or a rung until a time; policy always goes before it.",
      access: operating,
      body: schemas.overrideBody,
      answer: schemas.madeOverride,
      async handle({ session, body: { for_minutes, ...wanted } }) {
        const unknown = unknownName(deps, wanted);
        if (unknown) return unknown;
        const { use_case, ...rest } = wanted;
        const pending = deps.overrides.override({
          ...rest,
          ...(use_case !== undefined && { use_case }),
          forMs: for_minutes * 60_000,
          operator: actorOf(session),
        });
        if (isRefusal(pending)) return pending;
        const made = await perform(deps, { ...pending, act: actBy(session, pending.act) });
        deps.operations.overridesChanged();
        return { override: made };
      },
    }),
    route({
      method: "post",
      path: "/overrides/:id/clear",
      name: "clearOverride",
      summary: "Ends an override now.",
      access: operating,
      errors: ["not_found"],
      body: reasonBody,
      async handle({ id, session, body }) {
        const pending = deps.overrides.clear(id, body.reason);
        if (isRefusal(pending)) return pending;
        await perform(deps, { ...pending, act: actBy(session, pending.act) });
        deps.operations.overridesChanged();
        return undefined;
      },
    }),
  ];
}

type Wanted = Pick<z.output<typeof schemas.overrideBody>, "on" | "use_case">;

/** An override for a name that nobody declared would never do anything. */
function unknownName(deps: AdminDeps, { on, use_case }: Wanted): Refusal | undefined {
  const { snapshot } = deps.snapshot();
  const no = (param: string, what: string) =>
    refuse("invalid_request", `${param}: the configuration declares no such ${what}.`, { param });
  if (use_case !== undefined && !snapshot.useCases.has(use_case)) return no("use_case", "use case");
  if ("model" in on && !snapshot.models.has(on.model)) return no("on.model", "model");
  if ("vendor" in on && !snapshot.vendors.has(on.vendor)) return no("on.vendor", "vendor");
  if (!("rung" in on)) return undefined;
  const ladders = use_case === undefined ? [...snapshot.useCases.values()] : [snapshot.useCases.get(use_case)!];
  return ladders.some(({ ladder }) => on.rung <= ladder.length) ? undefined : no("on.rung", "rung");
}
