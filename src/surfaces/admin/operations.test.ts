import { describe, expect, it } from "vitest";
import { aSnapshot, aTenant, aUseCase, aVendor, aVendorModel } from "../../../tests/fixtures/decision.ts";
import { refuse } from "../../kernel/errors.ts";
import { nanoUsd } from "../../kernel/money.ts";
import type { Snapshot } from "../../kernel/snapshot.ts";
import { decisionId, sampleStart, settledEntry } from "../../projection/entry-samples.ts";
import type { Decision } from "../../path/context.ts";
import type { AdminDeps, Operations, ScopeFacts } from "./port.ts";
import { buildHouse, idleOperations, refusalOf } from "./test-house.ts";

const snapshot: Snapshot = aSnapshot({
  tenants: [aTenant({ name: "retail", residency: ["eu", "us"] }), aTenant({ name: "far", residency: ["mars"] })],
  vendors: [aVendor()],
  models: [aVendorModel(), aVendorModel({ name: "same" }), { name: "quotes", type: "runtime", runtime: "extractive" }],
  useCases: [
    aUseCase({
      name: "assistant",
      dataClass: "internal",
      regions: ["eu"],
      cache: { exactTtlMs: 60_000, tags: ["faq"] },
      ladder: [
        {
          type: "pool",
          strategy: "cheapest",
          commit: "complete",
          accept: { schema: true, confidence: 0.7 },
          members: [
            { model: "large", weight: 2, upToTokens: 900 },
            { model: "same", weight: 1 },
          ],
        },
        { type: "model", model: "quotes", commit: "complete" },
        { type: "refer", to: "desk", commit: "complete" },
      ],
    }),
  ],
});

const houseWith = (operations: Partial<Operations> = {}, change: Partial<AdminDeps> = {}) =>
  buildHouse({
    snapshot: () => ({ snapshot, appliedAtMs: 1, appliedBy: "cli" }),
    operations: idleOperations(operations),
    ...change,
  });

type House = ReturnType<typeof houseWith>;
async function read<T>(house: House, path: string, ...roles: Parameters<House["signedIn"]>): Promise<T> {
  const response = await house.send("GET", path, { as: await house.signedIn(...roles) });
  expect([path, response.status]).toEqual([path, 200]);
  return (await response.json()) as T;
}

describe("targets", () => {
  it("tells each target once, with its models, health, room and keys by id", async () => {
    const house = houseWith({
      targetState: (target) => ({
        ...idleOperations().targetState(target, aVendor()),
        breaker: "open",
        open: false,
        untilMs: 4_000,
        requests: 9,
        failures: 6,
        ttftMs: 120,
      }),
      keysOf: ({ keys }) => keys.map(({ id }) => ({ id, state: "cooling" as const, forMs: 800 })),
      loadFault: () => "the file is gone",
      capacity: () => [
        {
          target: "acme/acme-large-1",
          limit: 12,
          running: 3,
          waiting: { critical: 0, interactive: 2, standard: 0, batch: 5 },
        },
      ],
    });
    const answer = await read<Record<string, unknown[]>>(house, "/targets", "viewer");
    expect(answer["targets"]).toEqual([
      {
        target: "acme/acme-large-1",
        vendor: "acme",
        region: "eu",
        models: ["large", "same"],
        use_cases: ["assistant"],
        state: {
          breaker: "open",
          open: false,
          ejected: false,
          for_ms: 4_000 - house.clock.monotonic(),
          in_flight: 0,
          requests: 9,
          failures: 6,
          consecutive_failures: 0,
          ttft_ms: 120,
          load_ms: 1,
          share: 1,
          retries_left: 10,
        },
        capacity: { limit: 12, running: 3, waiting: { critical: 0, interactive: 2, standard: 0, batch: 5 } },
      },
    ]);
    expect(answer["vendors"]).toEqual([
      expect.objectContaining({ name: "acme", keys: [{ id: "acme#1", state: "cooling", for_ms: 800 }] }),
    ]);
    expect(answer["in_process"]).toEqual([
      { model: "quotes", runtime: "extractive", use_cases: ["assistant"], fault: "the file is gone" },
    ]);
    expect(JSON.stringify(answer)).not.toContain("vendor-secret");
  });
});

describe("overrides", () => {
  const body = {
    act: "exclude",
    on: { model: "large" },
    use_case: "assistant",
    for_minutes: 30,
    reason: "it stutters",
  };

  it("are journaled before they hold, listed, and cleared with a reason", async () => {
    let told = 0;
    const house = houseWith({ overridesChanged: () => void told++ });
    const as = await house.signedIn("admin");
    const made = await house.send("POST", "/overrides", { as, body });
    const { override } = (await made.json()) as { override: { id: string; from_ms: number; until_ms: number } };
    expect(override).toMatchObject({ act: "exclude", on: { model: "large" }, reason: "it stutters" });
    expect(override.until_ms - override.from_ms).toBe(30 * 60_000);
    expect(await read(house, "/overrides", "viewer")).toEqual({ overrides: [override] });
    const cleared = await house.send("POST", `/overrides/${override.id}/clear`, { as, body: { reason: "well again" } });
    expect(cleared.status).toBe(204);
    expect(await read(house, "/overrides", "auditor")).toEqual({ overrides: [] });
    expect(house.recorded.slice(-2).map(({ act, on, operator }) => [act, on, operator.name])).toEqual([
      ["route.override", `override:${override.id}`, "user-admin"],
      ["route.clear", `override:${override.id}`, "user-admin"],
    ]);
    expect(told).toBe(2);
  });

  it.each([
    ["a model that nobody declares", { on: { model: "x" } }, "on.model"],
    ["a vendor that nobody declares", { on: { vendor: "x" } }, "on.vendor"],
    ["a rung beyond the ladder", { on: { rung: 4 } }, "on.rung"],
    ["another use case", { use_case: "x" }, "use_case"],
    ["no reason", { reason: " " }, "reason"],
    ["more than 30 days", { for_minutes: 43_201 }, "for_minutes"],
  ])("refuse %s", async (_what, change, param) => {
    const house = houseWith();
    const response = await house.send("POST", "/overrides", {
      as: await house.signedIn("admin"),
      body: { ...body, ...change },
    });
    expect(await refusalOf(response)).toMatchObject({ code: "invalid_request", param });
    expect(house.recorded).toEqual([]);
  });

  it("are made by nobody but admins, and not at all while the journal can't be written", async () => {
    const house = houseWith();
    for (const role of ["viewer", "operator", "auditor"] as const) {
      const response = await house.send("POST", "/overrides", { as: await house.signedIn(role), body });
      expect((await refusalOf(response)).code).toBe("role_required");
    }
    house.house.journalFails = true;
    const failed = await house.send("POST", "/overrides", { as: await house.signedIn("admin"), body });
    expect((await refusalOf(failed)).code).toBe("record_unavailable");
    expect(house.deps.overrides.list()).toEqual([]);
  });
});

describe("the route of a use case", () => {
  it("shows ladder, pools, acceptance, recent choices and reasons", async () => {
    const house = houseWith({
      cascadesOf: () => [
        {
          rung: 0,
          model: "large",
          state: "on",
          judged: 30,
          accepted: 0.8,
          accepted_at_most: 0.9,
          c1_nano_usd: 10,
          c2_nano_usd: 40,
          break_even: 0.25,
        },
      ],
    });
    const route = [
      { rung: 0, target: "large", eligible: false, reason: "breaker_open" },
      { rung: 1, target: "quotes", eligible: true, reason: "eligible" },
    ];
    house.index.apply(
      [0, 1].map((n) => settledEntry(n, decisionId(n), { use_case: "assistant", model: "quotes", rung: 1, route })),
    );
    const answer = await read<Record<string, unknown>>(house, "/routes/assistant", "viewer");
    expect(answer).toMatchObject({
      tenants: ["retail", "far"],
      ladder: [
        {
          rung: 0,
          type: "pool",
          strategy: "cheapest",
          accept: { schema: true, confidence: 0.7, abstains: true },
          members: [
            { model: "large", target: "acme/acme-large-1", region: "eu", weight: 2, up_to_tokens: 900 },
            { model: "same", weight: 1 },
          ],
        },
        { rung: 1, type: "model", members: [{ model: "quotes" }] },
        { rung: 2, type: "refer", refer_to: "desk", members: [] },
      ],
      cascades: [{ rung: 0, break_even: 0.25 }],
      recent: { decisions: 2, choices: [{ rung: 1, model: "quotes", decisions: 2 }] },
      reasons: {
        looked_at: 2,
        lines: [
          { rung: 0, target: "large", reason: "breaker_open", eligible: false, count: 2 },
          { rung: 1, target: "quotes", reason: "eligible", eligible: true, count: 2 },
        ],
      },
    });
    const missing = await house.send("GET", "/routes/nothing", { as: await house.signedIn("auditor") });
    expect((await refusalOf(missing)).code).toBe("not_found");
  });

  it("routes a decision that nobody asked for as the form describes it", async () => {
    const routed: Decision[] = [];
    const house = houseWith({
      // Two tokens a word, and seven around them.
      countTokens: (_useCase, { messages }) => 7 + 2 * JSON.stringify(messages).split("time").length - 2,
      budgetLevel: () => "warn",
      route(d) {
        routed.push(d);
        d.route.push({ rung: 0, target: "large", eligible: true, reason: "eligible" });
        d.rungs.push({ index: 0, rung: { type: "model", model: "large", commit: "complete" } });
        return undefined;
      },
    });
    const query = "?tenant=retail&data_class=personal&input_tokens=6&tools=true&latency=relaxed&stream=true";
    const answer = await read(house, `/routes/assistant/what-if${query}`, "viewer");
    expect(answer).toMatchObject({
      input_tokens: 13,
      data_class: "personal",
      regions: ["eu"],
      budget_level: "warn",
      order: [{ rung: 0, target: "large" }],
    });
    const [d] = routed;
    expect(d).toMatchObject({ dataClass: "personal", budgetLevel: "warn", kind: "chat", begun: false });
    expect(d!.request).toMatchObject({ stream: true, tools: [{ name: "look_up" }] });
    expect(d!.request!.messages[0]!.parts).toEqual([{ type: "text", text: "time time time " }]);
    expect(d!.call.context).toEqual({ latency: "relaxed" });
    expect(house.recorded).toEqual([]);
  });

  it("never lowers the data class, and says what refuses", async () => {
    const house = houseWith({ route: () => refuse("nothing_eligible", "No rung is open.") });
    const low = await read<{ data_class: string; refusal: object }>(
      house,
      "/routes/assistant/what-if?tenant=retail&data_class=public",
      "viewer",
    );
    expect(low).toMatchObject({
      data_class: "internal",
      refusal: { code: "nothing_eligible", message: "No rung is open." },
    });
    const far = await read<{ refusal: object; route: unknown[] }>(
      house,
      "/routes/assistant/what-if?tenant=far",
      "auditor",
    );
    expect(far).toMatchObject({ refusal: { code: "nothing_eligible" }, route: [] });
    const as = await house.signedIn("operator");
    const unknown = await house.send("GET", "/routes/assistant/what-if?tenant=nobody", { as });
    expect(await refusalOf(unknown)).toMatchObject({ code: "invalid_request", param: "tenant" });
  });
});

const scopes: ScopeFacts[] = [
  {
    level: "tenant",
    name: "tenant:retail",
    limits: { requestsPerMinute: 60 },
    budgets: [{ nanoUsd: nanoUsd(100), per: "day", steps: [{ at: 80, do: "warn" }] }],
  },
  {
    level: "key",
    name: "key:k1",
    limits: { concurrency: 2 },
    budgets: [{ nanoUsd: nanoUsd(50), per: "hour", atLimit: "warn" }],
  },
  { level: "use", name: "use:retail/assistant", limits: {}, budgets: [] },
];

describe("money and limits", () => {
  const operations: Partial<Operations> = {
    scopes: () => scopes,
    budgetsOf: (asked) =>
      asked.flatMap(({ name, budgets }) =>
        budgets.map(({ per, nanoUsd: amount }) => ({
          scope: name,
          per,
          amount,
          spent: 85,
          held: 5,
          level: "warn" as const,
          endsAtMs: 9,
        })),
      ),
    heldNanoUsd: () => 5,
    running: () => 4,
    limitLevels: () => [{ scope: "tenant:retail", requests: { left: 0.5, waitMs: 500 }, running: 4 }],
  };

  it("tells budgets with what happens next; keys only to those who may list them", async () => {
    const house = houseWith(operations);
    const whole = await read<{ budgets: object[] }>(house, "/budgets", "auditor");
    expect(whole.budgets).toEqual([
      {
        scope: "tenant:retail",
        level: "tenant",
        per: "day",
        amount_nano_usd: 100,
        spent_nano_usd: 85,
        held_nano_usd: 5,
        state: "warn",
        at_limit: "block",
        steps: [{ at: 80, do: "warn" }],
        ends_at_ms: 9,
      },
      {
        scope: "key:k1",
        level: "key",
        per: "hour",
        amount_nano_usd: 50,
        spent_nano_usd: 85,
        held_nano_usd: 5,
        state: "warn",
        at_limit: "warn",
        steps: [],
        ends_at_ms: 9,
      },
    ]);
    expect((await read<{ budgets: object[] }>(house, "/budgets", "viewer")).budgets).toHaveLength(1);
  });

  it("tells limits, what is left of them, and who was refused lately", async () => {
    const house = houseWith(operations);
    await house.clock.advance(sampleStart + 60_000 - house.clock.now());
    house.index.apply([settledEntry(0, decisionId(1), { state: "refused", code: "rate_limited" })]);
    const answer = await read<Record<string, unknown>>(house, "/limits?range=15m", "viewer");
    expect(answer).toMatchObject({
      running: 4,
      levels_known: true,
      scopes: [
        { scope: "tenant:retail", requests_per_minute: 60, now: { requests: { left: 0.5, wait_ms: 500 }, running: 4 } },
      ],
      refusals: [{ code: "rate_limited", tenant: "retail", count: 1 }],
    });
    const without = await read<object>(houseWith({ scopes: () => scopes }), "/limits", "viewer");
    expect(without).toMatchObject({ levels_known: false, targets: [] });
  });

  it("tells costs by the asked dimension", async () => {
    const house = houseWith();
    await house.clock.advance(sampleStart + 60_000 - house.clock.now());
    house.index.apply([settledEntry(0, decisionId(1), { model: "large", cost_nano_usd: nanoUsd(70) })]);
    const answer = await read(house, "/costs?range=7d&by=model&tenant=retail", "viewer");
    expect(answer).toMatchObject({ by: "model", totals: { cost_nano_usd: 70 }, groups: [{ name: "large" }] });
  });
});

describe("the cache", () => {
  const figures = { entries: 2, bytes: 900, hits: 5, misses: 7, savedNanoUsd: 44 };

  it("tells its figures, and drops answers as a journaled act", async () => {
    const asked: object[] = [];
    const invalidate = (filter: object) => asked.push(filter) * 3;
    const house = houseWith({ cache: { figures: () => figures, invalidate } });
    expect(await read(house, "/cache", "viewer")).toEqual({
      live: { entries: 2, bytes: 900, hits: 5, misses: 7, saved_nano_usd: 44 },
      use_cases: [
        { name: "assistant", exact_ttl_ms: 60_000, tags: ["faq"], decisions: 0, cache_hits: 0, saved_nano_usd: 0 },
      ],
    });
    const as = await house.signedIn("admin");
    const body = { use_case: "assistant", tag: "faq", reason: "the tariffs changed" };
    expect(await (await house.send("POST", "/cache/invalidate", { as, body })).json()).toEqual({ dropped: 3 });
    expect(asked).toEqual([{ useCase: "assistant", tag: "faq" }]);
    expect(house.recorded.at(-1)).toMatchObject({
      act: "cache.invalidate",
      detail: { tag: "faq", reason: "the tariffs changed" },
    });
    house.house.journalFails = true;
    expect((await house.send("POST", "/cache/invalidate", { as, body })).status).toBe(503);
    expect(asked).toHaveLength(1);
  });

  it("drops nothing for use cases that nobody declares", async () => {
    const house = houseWith();
    const body = { use_case: "x", reason: "why not" };
    const unknown = await house.send("POST", "/cache/invalidate", { as: await house.signedIn("admin"), body });
    expect((await refusalOf(unknown)).param).toBe("use_case");
    expect(house.recorded).toEqual([]);
  });
});

describe("alerts", () => {
  it("are listed", async () => {
    const alert = {
      fingerprint: "f",
      rule: "errors",
      severity: "critical",
      state: "firing",
      silenced: false,
      labels: { use_case: "assistant" },
      summary: "9 % fail",
      sinceMs: 5,
    } as const;
    const { sinceMs: _, ...same } = alert;
    expect(await read(houseWith({ alerts: () => [alert] }), "/alerts", "viewer")).toEqual({
      alerts: [{ ...same, since_ms: 5 }],
    });
  });
});

describe("operators and passkeys", () => {
  it("disables another operator, whose session ends, but not oneself", async () => {
    const house = houseWith();
    const as = await house.signedIn("admin");
    const other = await house.signedIn("viewer");
    const [admin, viewer] = ["user-admin", "user-viewer"].map(async (name) =>
      (await house.deps.accounts.list()).find((each) => each.name === name),
    );
    const disable = async (operator: typeof admin) =>
      house.send("POST", `/operators/${(await operator)!.id}/disable`, { as, body: { reason: "has left" } });
    expect((await refusalOf(await disable(admin))).code).toBe("invalid_request");
    expect((await disable(viewer)).status).toBe(204);
    expect(house.recorded.at(-1)).toMatchObject({
      act: "operator.disable",
      on: "operator:user-viewer",
      detail: { reason: "has left" },
    });
    expect((await house.send("GET", "/session", { as: other })).status).toBe(401);
    const nobody = await house.send("POST", "/operators/op_x/disable", { as, body: { reason: "has left" } });
    expect((await refusalOf(nobody)).code).toBe("not_found");
  });

  it("lists and revokes one's own passkeys, others' only with the role", async () => {
    const removed: string[] = [];
    const house = houseWith();
    const viewer = await house.operator("vera", ["viewer"]);
    const passkey = {
      id: "pk",
      operator_id: viewer.id,
      public_key: "k",
      counter: 0,
      transports: ["usb"],
      created_at_ms: 7,
    };
    Object.assign(house.deps.passkeyList, {
      of: async (id: string) => (id === viewer.id ? [passkey] : []),
      byId: async (id: string) => (id === "pk" ? passkey : undefined),
      remove: async (id: string) => void removed.push(id),
    });
    const own = await house.deps.sessions.start(viewer, "password").commit();
    const listed = { passkeys: [{ id: "pk", operator: "vera", created_at_ms: 7, transports: ["usb"] }] };
    expect(await (await house.send("GET", "/passkeys", { as: own })).json()).toEqual(listed);
    const other = await house.signedIn("operator");
    expect((await refusalOf(await house.send("GET", "/passkeys?operator=vera", { as: other }))).code).toBe(
      "role_required",
    );
    const revoke = (as: typeof other, id: string) =>
      house.send("POST", `/passkeys/${id}/revoke`, { as, body: { reason: "lost it" } });
    expect((await refusalOf(await revoke(other, "pk"))).code).toBe("not_found");
    const admin = await house.signedIn("admin");
    expect(await (await house.send("GET", "/passkeys?operator=vera", { as: admin })).json()).toEqual(listed);
    expect((await refusalOf(await revoke(admin, "none"))).code).toBe("not_found");
    expect((await revoke(own, "pk")).status).toBe(204);
    expect(removed).toEqual(["pk"]);
    expect(house.recorded.at(-1)).toMatchObject({ act: "passkey.revoke", on: "operator:vera" });
  });
});
