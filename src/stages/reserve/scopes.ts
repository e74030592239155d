/** The levels that a decision is counted at: tenant, use case of the tenant, principal, key. */
import type { Principal } from "../../kernel/principal.ts";
import {
  type Budget,
  type Limits,
  type PriorityClass,
  type TenantPolicy,
  type UseCase,
  priorityClasses,
} from "../../kernel/snapshot.ts";

export type ScopeLevel = "tenant" | "use" | "principal" | "key";

export interface Scope {
  level: ScopeLevel;
  /** E.g. `tenant:retail`, `use:retail/credit`, `principal:retail/branch-app`, `key:k7f3…`. */
  name: string;
  limits: Limits;
  budgets: readonly Budget[];
}

export interface Scopes {
  /** From the tenant down to the key. */
  readonly all: readonly Scope[];
  /** Those with limits. */
  readonly limited: readonly Scope[];
  /** Those with budgets. */
  readonly budgeted: readonly Scope[];
}

interface Caller {
  tenant: TenantPolicy;
  useCase: UseCase;
  principal: Principal;
}

// Use cases belong to one snapshot and principals to one state of the key store, so nothing here can be out of date.
const known = new WeakMap<UseCase, WeakMap<Principal, { tenant: TenantPolicy; scopes: Scopes }>>();

/** Built once for each snapshot, use case and key: this runs for every request. */
export function scopesOf(caller: Caller): Scopes {
  let byPrincipal = known.get(caller.useCase);
  if (!byPrincipal) known.set(caller.useCase, (byPrincipal = new WeakMap()));
  const found = byPrincipal.get(caller.principal);
  if (found?.tenant === caller.tenant) return found.scopes;
  const all = listOf(caller);
  const scopes: Scopes = {
    all,
    limited: all.filter(({ limits }) => Object.values(limits).some((limit) => limit !== undefined)),
    budgeted: all.filter(({ budgets }) => budgets.length > 0),
  };
  byPrincipal.set(caller.principal, { tenant: caller.tenant, scopes });
  return scopes;
}

/** Names as the accounts of both books bear them; the projection's rows are restored under the same ones. */
export const scopeName = {
  tenant: (tenant: string) => `tenant:${tenant}`,
  use: (tenant: string, useCase: string) => `use:${tenant}/${useCase}`,
  principal: (tenant: string, principal: string) => `principal:${tenant}/${principal}`,
  key: (credential: string) => `key:${credential}`,
};

const tenantScope = (tenant: TenantPolicy): Scope => ({
  level: "tenant",
  name: scopeName.tenant(tenant.name),
  limits: tenant.limits,
  budgets: tenant.budgets ?? [],
});

function listOf({ tenant, useCase, principal }: Caller): Scope[] {
  const ofPrincipal = tenant.principals?.get(principal.id) ?? tenant.eachPrincipal;
  return [
    tenantScope(tenant),
    {
      level: "use",
      name: scopeName.use(tenant.name, useCase.name),
      limits: useCase.limits,
      budgets: useCase.budgets ?? [],
    },
    {
      level: "principal",
      name: scopeName.principal(tenant.name, principal.id),
      limits: ofPrincipal?.limits ?? {},
      budgets: ofPrincipal?.budgets ?? [],
    },
    {
      level: "key",
      name: scopeName.key(principal.credential),
      limits: keyLimits(tenant.eachKey?.limits ?? {}, principal),
      budgets: [
        ...(tenant.eachKey?.budgets ?? []),
        ...(principal.budgets ?? []).map(({ nano_usd, per }) => ({ nanoUsd: nano_usd, per })),
      ],
    },
  ];
}

/** A key's own limits tighten what the tenant says for each key; they never widen it. */
function keyLimits(each: Limits, own: Principal): Limits {
  const requests = least(each.requestsPerMinute, own.requests_per_minute);
  const tokens = least(each.tokensPerMinute, own.tokens_per_minute);
  const concurrency = least(each.concurrency, own.concurrency);
  return {
    ...(requests !== undefined && { requestsPerMinute: requests }),
    ...(tokens !== undefined && { tokensPerMinute: tokens }),
    ...(concurrency !== undefined && { concurrency }),
  };
}

const least = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined ? b : b === undefined ? a : Math.min(a, b);

/** The use case's class, lowered by what tenant and key say of the caller; never raised. */
export function priorityOf({ tenant, useCase, principal }: Caller): PriorityClass {
  const own = useCase.priority ?? (useCase.risk === "high" ? "critical" : "standard");
  const rank = (of: PriorityClass | undefined) => (of === undefined ? 0 : priorityClasses.indexOf(of));
  return priorityClasses[
    Math.max(rank(own), rank(tenant.principals?.get(principal.id)?.priority), rank(principal.priority))
  ]!;
}
