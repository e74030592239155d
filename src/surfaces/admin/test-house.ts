/** An admin surface over memory twins, for tests: real operators, keys and index; a recorded journal; no files. */
import { expect } from "vitest";
import { VirtualClock } from "../../kernel/clock.ts";
import type { AdminMeta, SettledContent } from "../../kernel/decision.ts";
import { type ErrorCode, errorKinds, WeirError } from "../../kernel/errors.ts";
import type { Snapshot } from "../../kernel/snapshot.ts";
import { Accounts, linkProvider, passwordProvider, Passkeys, type Role, Sessions } from "../../operators/index.ts";
import { begunMeta, decisionId, entryOf, outcomeMeta, settledEntry } from "../../projection/entry-samples.ts";
import { MemoryIndex } from "../../projection/index.ts";
import { KeyAdmin } from "../../stages/identify/key-admin.ts";
import { MemoryOverrides, OverrideAdmin } from "../../stages/route/overrides.ts";
import { memoryControlStore } from "../../stores/memory/control-store.ts";
import { createAdmin } from "./admin.ts";
import type { AdminDeps, Operations } from "./port.ts";

export const sampleDecision = decisionId(1);
export const keyBody = { label: "app", tenant: "retail", principal_id: "branch", use_cases: ["credit"] };
const origin = "https://weir.example";
export const password = "correct horse battery";
const cost = { n: 2, r: 1, p: 1 };

export function buildHouse(change: Partial<AdminDeps> = {}) {
  const clock = new VirtualClock();
  const stores = memoryControlStore();
  const index = new MemoryIndex();
  const recorded: AdminMeta[] = [];
  const logged: string[] = [];
  const house = { content: undefined as SettledContent | "erased" | undefined, journalFails: false };
  const sessions = new Sessions({ stores, clock });
  const accounts = new Accounts({ stores, clock, cost });
  const deps: AdminDeps = {
    clock,
    log: (message) => logged.push(message),
    about: { environment: "dev", install: "test-install", version: "0.1.0", example: false },
    origins: [origin],
    index,
    async record(act) {
      if (house.journalFails) throw new WeirError("record_unavailable", "disk full");
      recorded.push(act);
    },
    accounts,
    sessions,
    passwords: passwordProvider({ stores, clock, cost }),
    links: linkProvider({ stores, clock }),
    passkeys: new Passkeys({ stores, clock }),
    keys: new KeyAdmin({ keys: stores.keys, clock, pepper: new Uint8Array(32), environment: "dev" }),
    snapshot: () => ({ snapshot: sampleSnapshot, appliedAtMs: clock.now(), appliedBy: "cli" }),
    ledger: async () => ({
      nodes: [{ node: "a", entries: 3, writable: true, checkpoint: { size: 3, at_ms: clock.now() } }],
      public_key: "weir/test+00+key",
    }),
    content: {
      available: async () => house.content !== undefined && house.content !== "erased",
      open: async () => house.content ?? "not_recorded",
    },
    proof: async (decision, withContent) => ({ decision: decision.decision_id, with_content: withContent }),
    operations: idleOperations(),
    overrides: new OverrideAdmin(new MemoryOverrides(), clock),
    passkeyList: { of: (id) => stores.passkeys.of(id), byId: (id) => stores.passkeys.byId(id), remove: async () => {} },
    ...change,
  };
  const app = createAdmin(deps);

  const send = (method: string, path: string, options: Sent = {}) => {
    const headers = new Headers({ origin, "sec-fetch-site": "same-origin", ...options.headers });
    if (options.body !== undefined) headers.set("content-type", "application/json");
    if (options.as) headers.set("cookie", `weir_session=${options.as.token}`);
    if (options.as) headers.set("x-weir-csrf", options.as.csrf);
    for (const name of options.without ?? []) headers.delete(name);
    return app.request(`/admin/v1${path}`, {
      method,
      headers,
      ...(options.body !== undefined && { body: JSON.stringify(options.body) }),
    });
  };

  async function operator(name: string, roles: readonly Role[]) {
    const invited = await accounts.invite({ name, roles }, { id: "cli", name: "cli" });
    if ("refused" in invited) throw new Error(invited.message);
    const accepted = await accounts.accept({ token: await invited.commit(), password });
    if ("refused" in accepted) throw new Error(accepted.message);
    return accepted.commit();
  }
  const signedIn = async (...roles: Role[]): Promise<SignedIn> =>
    sessions.start(await operator(`user-${roles.join("-")}`, roles), "password").commit();

  return { app, clock, stores, index, recorded, logged, house, deps, send, operator, signedIn };
}

/** Nothing runs, and nothing that a server may lack is there. */
export const idleOperations = (change: Partial<Operations> = {}): Operations => ({
  targetState: (target) => ({
    target,
    breaker: "closed",
    ejected: false,
    open: true,
    inFlight: 0,
    requests: 0,
    failures: 0,
    consecutiveFailures: 0,
    load: 1,
    share: 1,
    retriesLeft: 10,
  }),
  keysOf: () => [],
  loadFault: () => undefined,
  cascadesOf: () => [],
  route: () => undefined,
  countTokens: () => 0,
  budgetLevel: () => "ok",
  scopes: () => [],
  budgetsOf: () => [],
  capacity: () => [],
  cache: { figures: () => ({ entries: 0, bytes: 0, hits: 0, misses: 0, savedNanoUsd: 0 }), invalidate: () => 0 },
  alerts: () => [],
  running: () => 0,
  heldNanoUsd: () => 0,
  overridesChanged: () => {},
  ...change,
});

/** With one whole decision, id `sampleDecision`, in the index. */
export function houseWithDecision() {
  const built = buildHouse();
  built.house.content = { features: { income: 3 } };
  built.index.apply([
    entryOf(0, "begun", sampleDecision, begunMeta),
    entryOf(1, "attempt", sampleDecision, { n: 1 }),
    settledEntry(2, sampleDecision, { result: "approve", score: 0.9 }),
    entryOf(3, "amended", sampleDecision, outcomeMeta("o1")),
  ]);
  return built;
}
/** The problem document of a refusal, checked to be a true one. */
export const refusalOf = async (
  response: Response,
): Promise<{ code: ErrorCode; status: number; detail: string; fix: string; param?: string }> => {
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  expect(response.headers.get("cache-control")).toBe("no-store");
  const problem = (await response.json()) as Awaited<ReturnType<typeof refusalOf>>;
  expect(problem).toMatchObject({ status: response.status, type: `urn:weir:error:${problem.code}` });
  expect(errorKinds[problem.code].status).toBe(response.status);
  return problem;
};

export interface SignedIn {
  token: string;
  csrf: string;
}
export interface Sent {
  as?: SignedIn;
  body?: unknown;
  headers?: Record<string, string>;
  without?: string[];
}

const useCase = {
  name: "credit",
  kind: "score",
  risk: "high",
  dataClass: "personal",
  tenants: [],
  regions: [],
  owner: "lending",
  ladder: [
    { type: "model", model: "scorecard", commit: "complete" },
    { type: "refer", to: "underwriters", commit: "complete" },
    { type: "template", text: "no", commit: "complete" },
  ],
  bundle: "b1",
  release: "four-eyes",
} as const;

const sampleSnapshot = {
  number: 3,
  hash: "abc",
  tenants: new Map([["retail", { name: "retail", limits: {}, residency: [] }]]),
  useCases: new Map([["credit", useCase]]),
  vendors: new Map(),
  models: new Map(),
} as unknown as Snapshot;
