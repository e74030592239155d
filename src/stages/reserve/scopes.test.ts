import { describe, expect, it } from "vitest";
import { aPrincipal, aTenant, aUseCase } from "../../../tests/fixtures/decision.ts";
import type { RiskTier } from "../../kernel/decision.ts";
import type { PriorityClass } from "../../kernel/snapshot.ts";
import { priorityOf, scopesOf } from "./scopes.ts";

describe("scopes of a decision", () => {
  it("are built once for each snapshot, use case and key", () => {
    const caller = { tenant: aTenant(), useCase: aUseCase(), principal: aPrincipal() };
    expect(scopesOf(caller)).toBe(scopesOf({ ...caller }));
    for (const other of [{ tenant: aTenant() }, { useCase: aUseCase() }, { principal: aPrincipal() }])
      expect(scopesOf({ ...caller, ...other })).not.toBe(scopesOf(caller));
  });

  it("go from the tenant down to the key, and say which are limited", () => {
    const { all, limited, budgeted } = scopesOf({
      tenant: aTenant({ limits: { concurrency: 3 } }),
      useCase: aUseCase(),
      principal: aPrincipal({ tokens_per_minute: 5 }),
    });
    expect(all.map(({ name }) => name)).toEqual([
      "tenant:retail",
      "use:retail/assistant",
      "principal:retail/branch-app",
      "key:k00000000001",
    ]);
    expect([limited.map(({ level }) => level), budgeted]).toEqual([["tenant", "key"], []]);
  });

  it("a key tightens what the tenant allows each key, and never widens it", () => {
    const tenant = aTenant({ eachKey: { limits: { requestsPerMinute: 10, concurrency: 2 }, budgets: [] } });
    const keyOf = (over: object) =>
      scopesOf({ tenant, useCase: aUseCase(), principal: aPrincipal(over) }).all.at(-1)!.limits;
    expect(keyOf({ requests_per_minute: 5, concurrency: 9, tokens_per_minute: 7 })).toEqual({
      requestsPerMinute: 5,
      concurrency: 2,
      tokensPerMinute: 7,
    });
  });
});

describe("who goes first", () => {
  it.each([
    ["the usual", "limited", undefined, undefined, undefined, "standard"],
    ["high risk", "high", undefined, undefined, undefined, "critical"],
    ["what is declared", "high", "interactive", undefined, undefined, "interactive"],
    ["a tenant's principal, lowered", "limited", "interactive", "batch", undefined, "batch"],
    ["a key, lowered", "limited", "interactive", undefined, "batch", "batch"],
    ["never raised", "limited", "batch", "critical", "interactive", "batch"],
  ] as [string, RiskTier, ...(PriorityClass | undefined)[]][])(
    "%s",
    (_what, risk, declared, ofPrincipal, ofKey, expected) => {
      const tenant = aTenant(
        ofPrincipal && { principals: new Map([["branch-app", { limits: {}, budgets: [], priority: ofPrincipal }]]) },
      );
      const useCase = aUseCase({ risk, ...(declared && { priority: declared }) });
      const principal = aPrincipal(ofKey && { priority: ofKey });
      expect(priorityOf({ tenant, useCase, principal })).toBe(expected);
    },
  );
});
