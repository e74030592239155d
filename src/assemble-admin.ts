/** The control plane of a house: operators, keys, content and proofs, behind the admin surface. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { getRequestListener } from "@hono/node-server";
import type { House } from "./assemble.ts";
import { vendorDialectOf } from "./engines/dialects/index.ts";
import { vendorTaskOf } from "./engines/tasks/index.ts";
import type { AdminMeta, SettledContent } from "./kernel/decision.ts";
import { buildProof, openContent, readEntryAt, verifierKey } from "./ledger/index.ts";
import type { KeyRing, Position, StoredEntry } from "./ledger/index.ts";
import { Accounts, Passkeys, Sessions, linkProvider, passwordProvider, strongScrypt } from "./operators/index.ts";
import type { IndexedDecision } from "./projection/index.ts";
import type { Principal } from "./kernel/principal.ts";
import type { Snapshot, TenantPolicy, UseCase } from "./kernel/snapshot.ts";
import { KeyAdmin } from "./stages/identify/index.ts";
import { type Scope, scopesOf } from "./stages/reserve/scopes.ts";
import { CascadeBook, OverrideAdmin, createRoute } from "./stages/route/index.ts";
import type { CascadeView } from "./stages/route/port.ts";
import type { HealthView } from "./stages/serve/health/port.ts";
import { nodeFiles } from "./stores/files/index.ts";
import { type ContentOpener, type Operations, createAdmin } from "./surfaces/admin/index.ts";

export interface AdminSide {
  accounts: Accounts;
  keys: KeyAdmin;
  overrides: OverrideAdmin;
  record(act: AdminMeta): Promise<void>;
  /** True when it took the request. */
  handle(request: IncomingMessage, response: ServerResponse): boolean;
}

/** Limits that tell how full they are. */
interface TellingLimits {
  limits: { statesOf?: NonNullable<Operations["limitLevels"]> };
}

/** Acts of administration belong to no tenant: they are entries of the house itself. */
const ownTenant = "weir";

export function assembleAdmin(
  house: House & TellingLimits,
  about: { version: string; example: boolean; origin: string; stopping: AbortSignal },
): AdminSide {
  const { clock, log } = house.options;
  const { environment } = house.options.settings.server;
  const stores = house.control;
  const accounts = new Accounts({ stores, clock, cost: strongScrypt });
  const keys = new KeyAdmin({ keys: stores.keys, clock, pepper: house.pepper, environment });
  const overrides = new OverrideAdmin(stores.overrides, clock);
  const record = (act: AdminMeta) => house.journal.append({ kind: "admin", tenant: ownTenant, meta: act }).durable();
  const app = createAdmin({
    clock,
    log: (message) => log.warn(message),
    about: { environment, install: house.signer.install, version: about.version, example: about.example },
    stopping: about.stopping,
    // A browser on this machine may name loopback either way; the session cookie belongs to the name that it used.
    origins: [
      about.origin,
      ...(about.origin.startsWith("http://127.0.0.1:") ? [about.origin.replace("127.0.0.1", "localhost")] : []),
    ],
    index: house.index,
    record,
    accounts,
    sessions: new Sessions({ stores, clock }),
    passwords: passwordProvider({ stores, clock, cost: strongScrypt }),
    links: linkProvider({ stores, clock }),
    passkeys: new Passkeys({ stores, clock }),
    keys,
    snapshot: () => house.serving(),
    ledger: async () => ledgerInfo(house),
    content: contentOpener(house),
    proof: (decision, withContent) => proofOf(house, decision, withContent),
    operations: operationsOf(house, keys),
    overrides,
    passkeyList: stores.passkeys,
  });
  const listener = getRequestListener(app.fetch);
  return {
    accounts,
    keys,
    overrides,
    record,
    handle(request, response) {
      if (!request.url?.startsWith("/admin/")) return false;
      void listener(request, response);
      return true;
    },
  };
}

function ledgerInfo(house: House) {
  const { entries, writable, checkpoint } = house.journal.health();
  return {
    nodes: [
      {
        node: house.journal.node,
        entries,
        writable,
        ...(checkpoint && { checkpoint: { size: checkpoint.size, at_ms: checkpoint.atMs } }),
      },
    ],
    public_key: verifierKey(`weir/${house.signer.install}/${house.journal.node}`, house.signer.publicKey),
  };
}

/** The stored entries of a decision, all from one node: that of the process that decided it. */
async function storedOf(house: House, decision: IndexedDecision): Promise<{ node: string; entries: StoredEntry[] }> {
  const node =
    decision.entries.find((entry) => entry.kind === "begun" || entry.kind === "settled")?.node ?? house.journal.node;
  const entries: StoredEntry[] = [];
  for (const { node: at, position } of decision.entries) {
    if (at !== node) continue;
    const stored = await readEntryAt({ dir: house.paths.ledger, files: nodeFiles, node }, position as Position);
    if (stored) entries.push(stored);
  }
  return { node, entries };
}

function contentOpener(house: House): ContentOpener {
  const settledOf = async (decision: IndexedDecision) =>
    (await storedOf(house, decision)).entries.find(({ entry }) => entry.kind === "settled");
  return {
    async available(decision) {
      const stored = await settledOf(decision);
      const ref = stored?.entry.content;
      return ref !== undefined && (await house.keyRing.find(ref.key)) instanceof Uint8Array;
    },
    async open(decision) {
      const stored = await settledOf(decision);
      const opened = stored && (await openContent(stored, house.keyRing));
      if (!opened) return "not_recorded";
      if ("erased" in opened) return "erased";
      // What is kept for idempotency alone is not part of what the use case records.
      const { kept_answer: _kept, ...content } = opened.value as SettledContent;
      return content;
    },
  };
}

async function proofOf(house: House, decision: IndexedDecision, withContent: boolean) {
  const { node, entries } = await storedOf(house, decision);
  const sealed = house.journal.health().checkpoint?.size ?? 0;
  if (node === house.journal.node && entries.some(({ entry }) => entry.seq >= sealed)) return undefined;
  const keys: Pick<KeyRing, "find"> | undefined = withContent ? house.keyRing : undefined;
  return buildProof({ dir: house.paths.ledger, files: nodeFiles, node, entries, ...(keys && { keys }) });
}

function operationsOf(house: House & TellingLimits, keys: KeyAdmin): Operations {
  const { health, vendorKeys, models, cascades, money, limits } = house;
  const { cache, capacity, telemetry } = house;
  const clock = house.options.clock;
  const route = createRoute({
    models,
    dialects: vendorDialectOf,
    tasks: vendorTaskOf,
    health: lookingAt(health),
    keys: vendorKeys,
    cascades: {
      consider: (question) =>
        cascades
          .cascadeOf(question.useCase)
          .find(({ rung, model }) => rung === question.light.rung && model === question.light.model) ??
        new CascadeBook(clock).consider(question),
    } satisfies CascadeView,
    overrides: house.overrides,
  });
  return {
    targetState: (target, vendor) => health.stateOf(target, vendor.health),
    keysOf: (vendor) => vendorKeys.of(vendor),
    loadFault(model) {
      const loaded = models.get(model);
      return "failed" in loaded ? loaded.failed : undefined;
    },
    cascadesOf: (useCase) => cascades.cascadeOf(useCase),
    route,
    countTokens: house.countTokens,
    budgetLevel: (tenant, useCase) => money.levelOf(scopesOf({ tenant, useCase, principal: nobody(tenant) })),
    scopes: () => scopesIn(house.serving().snapshot, keys),
    budgetsOf: (scopes) => money.statesOf(scopes),
    running: () => limits.running,
    heldNanoUsd: () => money.held,
    overridesChanged: () => house.overrides.refresh(),
    capacity: () => capacity.states(),
    cache,
    alerts: () => telemetry.alerts(),
    ...(limits.statesOf && { limitLevels: limits.statesOf.bind(limits) }),
  };
}

/** Comparing peers may eject one of them: only decisions that are served do that. */
const lookingAt = (health: HealthView): HealthView => ({
  admits: (target, policy) => health.admits(target, policy),
  stateOf: (target, policy) => health.stateOf(target, policy),
  compare: () => {},
});

const nobody = ({ name }: TenantPolicy): Principal => ({
  type: "service",
  id: "",
  credential: "",
  tenant: name,
  environment: "dev",
  use_cases: [],
  purposes: [],
  groups: [],
});

/** Every scope that a decision could be counted at now: by tenant and use case, then by live key and its principal. */
function scopesIn({ tenants, useCases }: Snapshot, keys: KeyAdmin): Scope[] {
  const found = new Map<string, Scope>();
  const add = (tenant: TenantPolicy, useCase: UseCase, principal: Principal, levels: readonly Scope["level"][]) => {
    for (const scope of scopesOf({ tenant, useCase, principal }).all)
      if (levels.includes(scope.level)) found.set(scope.name, scope);
  };
  for (const tenant of tenants.values())
    for (const useCase of useCases.values())
      if (mayCall(useCase, tenant)) add(tenant, useCase, nobody(tenant), ["tenant", "use"]);
  for (const key of keys.list()) {
    const tenant = tenants.get(key.tenant);
    const useCase = tenant && [...useCases.values()].find((each) => mayCall(each, tenant));
    if (!tenant || !useCase || key.revoked_at_ms !== undefined) continue;
    const { id, principal, secret_hmac: _secret, ...rights } = key;
    add(tenant, useCase, { ...rights, ...principal, credential: id }, ["principal", "key"]);
  }
  return [...found.values()];
}

const mayCall = ({ tenants }: UseCase, { name }: TenantPolicy): boolean =>
  tenants.length === 0 || tenants.includes(name);
