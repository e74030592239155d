/** What this install is: use cases, snapshot, ledger. */
import type { LadderRung } from "../../kernel/snapshot.ts";
import type { AdminDeps } from "./port.ts";
import { type Route, route } from "./route.ts";
import * as schemas from "./schemas.ts";

export function installRoutes(deps: AdminDeps): Route[] {
  return [
    route({
      method: "get",
      path: "/use-cases",
      name: "listUseCases",
      summary: "The use cases of the running snapshot.",
      access: "metadata.read",
      answer: schemas.useCases,
      async handle() {
        const { snapshot } = deps.snapshot();
        const useCases = [...snapshot.useCases.values()].map((u) => ({
          name: u.name,
          kind: u.kind,
          risk: u.risk,
          data_class: u.dataClass,
          ...(u.owner !== undefined && { owner: u.owner }),
          ladder: u.ladder.map(labelOf),
          bundle: u.bundle,
          release: u.release,
        }));
        return { use_cases: useCases };
      },
    }),
    route({
      method: "get",
      path: "/snapshot",
      name: "getSnapshot",
      summary: "The configuration that requests run under.",
      access: "metadata.read",
      answer: schemas.snapshot,
      async handle() {
        const { snapshot, appliedAtMs, appliedBy } = deps.snapshot();
        return { number: snapshot.number, hash: snapshot.hash, applied_at_ms: appliedAtMs, applied_by: appliedBy };
      },
    }),
    route({
      method: "get",
      path: "/ledger",
      name: "getLedger",
      summary: "Journals, checkpoints and the key that checks them.",
      access: "metadata.read",
      answer: schemas.ledger,
      handle: () => deps.ledger(),
    }),
  ];
}

function labelOf(rung: LadderRung): string {
  if (rung.type === "pool") return `pool (${rung.strategy}): ${rung.members.map(({ model }) => model).join(", ")}`;
  if (rung.type === "model") return rung.model;
  return rung.type === "refer" ? `refer: ${rung.to}` : "template";
}
