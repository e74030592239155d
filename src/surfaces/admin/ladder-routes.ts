/** The route explorer: a use case's ladder, where decisions went lately and why, and where one would go now. */
import type { z } from "zod";
import type { SettledMeta } from "../../kernel/decision.ts";
import { type Refusal, refuse } from "../../kernel/errors.ts";
import type { LadderRung, PoolMember, Snapshot, UseCase } from "../../kernel/snapshot.ts";
import * as schemas from "./operation-schemas.ts";
import type { AdminDeps } from "./port.ts";
import { type Route, route } from "./route.ts";
import { askWhatIf } from "./what-if.ts";

type Answer = z.input<typeof schemas.routeOfUseCase>;

const countedDecisions = 2000;
/** Each is read from the journal. */
const readRecords = 40;

export function ladderRoutes(deps: AdminDeps): Route[] {
  return [
    route({
      method: "get",
      path: "/routes/:id",
      name: "getRoute",
      summary: "A use case's ladder, cascades and overrides, and where its newest decisions went.",
      access: "metadata.read",
      errors: ["not_found"],
      answer: schemas.routeOfUseCase,
      async handle({ id }) {
        const { snapshot } = deps.snapshot();
        const useCase = snapshot.useCases.get(id);
        return useCase ? routeOf(deps, snapshot, useCase) : noUseCase();
      },
    }),
    route({
      method: "get",
      path: "/routes/:id/what-if",
      name: "askRoute",
      summary: "Which rungs a request would find open now, and why not the others. Calls nobody and counts nowhere.",
      access: "metadata.read",
      errors: ["not_found"],
      query: schemas.whatIfQuery,
      answer: schemas.whatIf,
      async handle({ id, query }) {
        const { snapshot } = deps.snapshot();
        const useCase = snapshot.useCases.get(id);
        if (!useCase) return noUseCase();
        const tenant = snapshot.tenants.get(query.tenant);
        if (!tenant || !mayCall(useCase, tenant.name))
          return refuse("invalid_request", "tenant: no such tenant may call this use case.", { param: "tenant" });
        return askWhatIf(deps, { snapshot, useCase, tenant, query });
      },
    }),
  ];
}

const noUseCase = (): Refusal => refuse("not_found", "The configuration declares no such use case.", { param: "id" });

const mayCall = ({ tenants }: UseCase, tenant: string): boolean => tenants.length === 0 || tenants.includes(tenant);

async function routeOf(deps: AdminDeps, snapshot: Snapshot, useCase: UseCase): Promise<Answer> {
  const { name, kind, risk, dataClass } = useCase;
  const [recent, reasons] = await Promise.all([deps.index.choices(name, countedDecisions), reasonsOf(deps, name)]);
  return {
    name,
    kind,
    risk,
    data_class: dataClass,
    tenants: [...snapshot.tenants.keys()].filter((tenant) => mayCall(useCase, tenant)),
    ladder: useCase.ladder.map((rung, index) => rungOf(snapshot, rung, index)),
    cascades: [...deps.operations.cascadesOf(name)],
    overrides: deps.overrides.list().filter(({ use_case }) => use_case === undefined || use_case === name),
    recent,
    reasons,
  };
}

function rungOf(snapshot: Snapshot, rung: LadderRung, index: number): Answer["ladder"][number] {
  const common = { rung: index, type: rung.type, commit: rung.commit, members: [] };
  if (rung.type === "template") return common;
  if (rung.type === "refer") return { ...common, refer_to: rung.to };
  const { when, accept } = rung;
  return {
    ...common,
    ...(rung.type === "pool" && { strategy: rung.strategy }),
    ...(when && { when: when.source }),
    ...(accept && {
      accept: {
        schema: accept.schema === true,
        ...(accept.confidence !== undefined && { confidence: accept.confidence }),
        abstains: accept.abstains !== false,
      },
    }),
    members: (rung.type === "pool" ? rung.members : [rung]).map((member) => memberOf(snapshot, member)),
  };
}

type Named = Pick<PoolMember, "model" | "slot"> & Partial<PoolMember>;

function memberOf(snapshot: Snapshot, member: Named): Answer["ladder"][number]["members"][number] {
  const { model: name, slot, weight, upToTokens, when } = member;
  const model = snapshot.models.get(name);
  const vendor = model?.type === "vendor" ? snapshot.vendors.get(model.vendor) : undefined;
  return {
    model: name,
    ...(slot !== undefined && { slot }),
    ...(model?.type === "vendor" &&
      vendor && { target: `${vendor.name}/${model.model}`, region: vendor.region, data_class: vendor.dataClass }),
    ...(weight !== undefined && { weight }),
    ...(upToTokens !== undefined && { up_to_tokens: upToTokens }),
    // A rung's own condition stands with the rung.
    ...(weight !== undefined && when && { when: when.source }),
  };
}

/** What spoke for and against each model, in the records of the newest decisions. */
async function reasonsOf(deps: AdminDeps, useCase: string): Promise<Answer["reasons"]> {
  const { rows } = await deps.index.list({ useCase }, undefined, readRecords);
  const records = await Promise.all(rows.map(({ decision_id }) => deps.index.get(decision_id)));
  const lines = new Map<string, Answer["reasons"]["lines"][number]>();
  for (const record of records) {
    const settled = record?.entries.find(({ kind }) => kind === "settled")?.meta as SettledMeta | undefined;
    for (const { rung, target, reason, eligible } of settled?.route ?? []) {
      const key = JSON.stringify([rung, target, reason]);
      const line = lines.get(key) ?? { rung, target, reason, eligible, count: 0 };
      line.count += 1;
      lines.set(key, line);
    }
  }
  const sorted = [...lines.values()].sort(
    (a, b) => a.rung - b.rung || (a.target < b.target ? -1 : a.target > b.target ? 1 : 0) || b.count - a.count,
  );
  return { looked_at: rows.length, lines: sorted };
}
