import { describe, expect, it } from "vitest";
import type { ErrorCode } from "../../kernel/errors.ts";
import { begunMeta, decisionId, settledEntry } from "../../projection/entry-samples.ts";
import {
  buildHouse,
  houseWithDecision,
  keyBody,
  password,
  refusalOf,
  sampleDecision,
  type Sent,
} from "./test-house.ts";

describe("signing in", () => {
  it("sets a strict cookie, journals, and the session works until signed out", async () => {
    const { app, send, operator, recorded } = buildHouse();
    await operator("ada", ["auditor"]);
    const response = await send("POST", "/session", { body: { name: "Ada", password } });
    expect(response.status).toBe(200);
    const cookie = response.headers.get("set-cookie")!;
    for (const flag of ["HttpOnly", "SameSite=Strict", "Path=/", "Secure", "Max-Age=43200"])
      expect(cookie).toContain(flag);
    const { csrf, ...rest } = (await response.json()) as { csrf: string; operator: object };
    expect(rest).toEqual({
      operator: { id: expect.stringMatching(/^op_/), name: "ada", roles: ["auditor"] },
      environment: "dev",
      install: "test-install",
      version: "0.1.0",
      example: false,
    });
    expect(recorded.map((r) => [r.act, r.operator.name])).toEqual([["session.start", "ada"]]);
    const as = { token: /weir_session=([^;]+)/.exec(cookie)![1]!, csrf };
    expect((await send("GET", "/session", { as })).status).toBe(200);
    const out = await send("DELETE", "/session", { as });
    expect([out.status, out.headers.get("set-cookie")]).toEqual([204, expect.stringContaining("Max-Age=0")]);
    expect((await send("GET", "/session", { as })).status).toBe(401);
    expect(recorded.map((r) => r.act)).toEqual(["session.start", "session.end"]);
    expect(app).toBeDefined();
  });

  it("gives no session when the journal cannot record it; signing out works all the same", async () => {
    const { send, operator, house, signedIn } = buildHouse();
    await operator("ada", ["admin"]);
    const as = await signedIn("viewer");
    house.journalFails = true;
    const response = await send("POST", "/session", { body: { name: "ada", password } });
    expect((await refusalOf(response)).code).toBe("record_unavailable");
    expect(response.headers.get("set-cookie")).toBeNull();
    expect((await send("DELETE", "/session", { as })).status).toBe(503);
    house.journalFails = false;
    expect((await send("GET", "/session", { as })).status).toBe(401);
  });

  it("answers the wait after too many guesses", async () => {
    const { send } = buildHouse();
    const guess = () => send("POST", "/session", { body: { name: "ada", password: "guess" } });
    for (let n = 0; n < 5; n++) await guess();
    const response = await guess();
    expect((await refusalOf(response)).code).toBe("rate_limited");
    expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
  });

  it("works once with a link, and once with an invitation", async () => {
    const { send, deps, operator, signedIn, recorded } = buildHouse();
    await operator("ada", ["admin"]);
    const link = await deps.accounts.createLink("ada", { id: "cli", name: "cli" });
    const token = "refused" in link ? "" : await link.commit();
    const statuses = [];
    for (let n = 0; n < 2; n++) statuses.push((await send("POST", "/session/token", { body: { token } })).status);
    const invited = await send("POST", "/operators/invitations", {
      as: await signedIn("admin"),
      body: { name: "bob", roles: ["viewer"] },
    });
    const { link: address } = (await invited.json()) as { link: string };
    expect(address).toMatch(/^https:\/\/weir\.example\/console\/#invite=[\w-]{43}$/);
    const body = { token: address.split("=")[1], password };
    for (let n = 0; n < 2; n++) statuses.push((await send("POST", "/invitations/accept", { body })).status);
    expect(statuses).toEqual([200, 401, 200, 401]);
    expect(recorded.map((r) => r.act)).toEqual([
      "session.start",
      "operator.invite",
      "operator.accept",
      "session.start",
    ]);
    expect(JSON.stringify(recorded)).not.toContain(body.token);
  });
});

describe("decisions", () => {
  it("show their parts and nothing of the content", async () => {
    const { send, signedIn, recorded } = houseWithDecision();
    const response = await send("GET", `/decisions/${sampleDecision}`, { as: await signedIn("viewer") });
    const detail = (await response.json()) as Record<string, unknown>;
    expect(detail).toMatchObject({
      decision_id: sampleDecision,
      tenant: "retail",
      begun: begunMeta,
      attempts: [{ n: 1 }],
      settled: { result: "approve", score: 0.9 },
      amendments: [{ seq: 3, node: "a", meta: { amends: "outcome" } }],
      content_available: true,
    });
    // Entry 3 is not yet under the checkpoint of size 3.
    expect(detail).not.toHaveProperty("checkpoint");
    expect(JSON.stringify(detail)).not.toContain("income");
    expect(recorded).toEqual([]);
  });

  it("are paged by a cursor that must be ours", async () => {
    const { send, signedIn, index } = buildHouse();
    index.apply(Array.from({ length: 5 }, (_, n) => settledEntry(n, decisionId(n))));
    const as = await signedIn("viewer");
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const response = await send("GET", `/decisions?limit=2${cursor ? `&cursor=${cursor}` : ""}`, { as });
      const page = (await response.json()) as { decisions: { decision_id: string }[]; next_cursor?: string };
      seen.push(...page.decisions.map((d) => d.decision_id));
      cursor = page.next_cursor;
    } while (cursor);
    expect(seen).toEqual([4, 3, 2, 1, 0].map(decisionId));
    expect(await refusalOf(await send("GET", "/decisions?cursor=nonsense", { as }))).toMatchObject({ param: "cursor" });
  });

  it("open content only after the act and its reason are journaled", async () => {
    const { send, signedIn, recorded, house } = houseWithDecision();
    const as = await signedIn("reviewer");
    const open = () => send("POST", `/decisions/${sampleDecision}/content`, { as, body: { reason: " appeal 7 " } });
    house.content = { features: { income: 3 }, kept_answer: { secret: 1 } };
    expect(await (await open()).json()).toEqual({ content: { features: { income: 3 } } });
    expect(recorded).toEqual([
      {
        act: "content.open",
        operator: { id: expect.any(String), name: "user-reviewer" },
        on: `decision:${sampleDecision}`,
        detail: { reason: "appeal 7" },
      },
    ]);
    house.journalFails = true;
    const failed = await open();
    expect(failed.status).toBe(503);
    expect(await failed.text()).not.toContain("income");
  });

  it.each([
    ["erased", 410, "content_erased"],
    [undefined, 404, "content_not_recorded"],
    [{ kept_answer: {} }, 404, "content_not_recorded"],
  ] as const)("with content %j answer %d", async (content, status, code) => {
    const { send, signedIn, house } = houseWithDecision();
    house.content = content;
    const response = await send("POST", `/decisions/${sampleDecision}/content`, {
      as: await signedIn("auditor"),
      body: { reason: "audit" },
    });
    expect([response.status, (await refusalOf(response)).code]).toEqual([status, code]);
  });

  it("prove themselves, with content only for those who may open it, and journaled", async () => {
    const { send, signedIn, recorded } = houseWithDecision();
    const operator = await signedIn("operator");
    expect(await (await send("GET", `/decisions/${sampleDecision}/proof`, { as: operator })).json()).toMatchObject({
      with_content: false,
    });
    const withContent = (role: Sent["as"], reason = "&reason=audit") =>
      send("GET", `/decisions/${sampleDecision}/proof?content=true${reason}`, { as: role! });
    expect((await refusalOf(await withContent(operator))).code).toBe("role_required");
    const auditor = await signedIn("auditor");
    expect(await refusalOf(await withContent(auditor, ""))).toMatchObject({ code: "invalid_request", param: "reason" });
    expect(recorded).toEqual([]);
    expect(await (await withContent(auditor)).json()).toMatchObject({ with_content: true });
    expect(recorded.map((r) => [r.act, r.detail])).toEqual([["content.open", { reason: "audit" }]]);
  });

  it.each(["dec_nope", decisionId(9), "..%2f..%2fetc"])("are unknown by id %s", async (unknown) => {
    const { send, signedIn } = houseWithDecision();
    const response = await send("GET", `/decisions/${unknown}`, { as: await signedIn("viewer") });
    expect((await refusalOf(response)).code).toBe("unknown_decision");
  });
});

describe("keys", () => {
  it("are minted, rotated and revoked, each act journaled without the secret", async () => {
    const { send, signedIn, recorded, clock } = buildHouse();
    const as = await signedIn("admin");
    const minted = (await (await send("POST", "/keys", { as, body: { ...keyBody, expires_in_days: 30 } })).json()) as {
      key: string;
      id: string;
    };
    expect(minted.key).toMatch(/^wr_dev_/);
    const rotated = (await (
      await send("POST", `/keys/${minted.id}/rotate`, { as, body: { overlap_minutes: 5 } })
    ).json()) as { id: string };
    expect((await send("POST", `/keys/${rotated.id}/revoke`, { as, body: { reason: "leaked" } })).status).toBe(204);
    const text = await (await send("GET", "/keys", { as })).text();
    const { keys } = JSON.parse(text) as { keys: { id: string }[] };
    const byId = Object.fromEntries(keys.map((k) => [k.id, k]));
    expect(byId[minted.id]).toMatchObject({ expires_at_ms: clock.now() + 300_000, principal_id: "branch" });
    expect(byId[rotated.id]).toMatchObject({ rotated_from: minted.id, revoked_at_ms: clock.now() });
    expect(text).not.toContain("secret");
    expect(recorded.map((r) => [r.act, r.on])).toEqual([
      ["key.mint", `key:${minted.id}`],
      ["key.rotate", `key:${minted.id}`],
      ["key.revoke", `key:${rotated.id}`],
    ]);
    expect(JSON.stringify(recorded)).not.toContain(minted.key.split("_")[3]);
  });

  it("are not minted unrecorded, but revoked even then", async () => {
    const { send, signedIn, house, stores } = buildHouse();
    const as = await signedIn("admin");
    const { id: keyId } = (await (await send("POST", "/keys", { as, body: keyBody })).json()) as { id: string };
    house.journalFails = true;
    expect((await send("POST", "/keys", { as, body: keyBody })).status).toBe(503);
    expect(stores.keys.all()).toHaveLength(1);
    expect((await send("POST", `/keys/${keyId}/revoke`, { as, body: { reason: "leaked" } })).status).toBe(503);
    expect(stores.keys.all()[0]).toHaveProperty("revoked_at_ms");
  });

  it.each([
    [{ ...keyBody, tenant: "nobody" }, "tenant"],
    [{ ...keyBody, use_cases: ["credit", "nothing"] }, "use_cases.1"],
    [{ ...keyBody, use_cases: [] }, "use_cases"],
    [{ ...keyBody, roles: ["admin"] }, "roles"],
    [{ ...keyBody, expires_in_days: 0 }, "expires_in_days"],
    [{ ...keyBody, principal_id: "a b" }, "principal_id"],
  ])("refuse %j", async (body, param) => {
    const { send, signedIn } = buildHouse();
    const response = await send("POST", "/keys", { as: await signedIn("admin"), body });
    expect(await refusalOf(response)).toMatchObject({ code: "invalid_request", param });
  });
});

describe("bad input", () => {
  const cases: [string, string, RequestInit & { headers?: Record<string, string> }, ErrorCode][] = [
    ["no JSON", "/session", { body: "{", headers: { "content-type": "application/json" } }, "malformed_json"],
    [
      "no UTF-8",
      "/session",
      { body: new Uint8Array([0xff, 0xfe]), headers: { "content-type": "application/json" } },
      "malformed_json",
    ],
    [
      "a form",
      "/session",
      { body: "name=a", headers: { "content-type": "application/x-www-form-urlencoded" } },
      "unsupported_media_type",
    ],
    ["no type", "/session", { body: new Uint8Array([123, 125]) }, "unsupported_media_type"],
    [
      "too much",
      "/session",
      { body: `"${"x".repeat(70_000)}"`, headers: { "content-type": "application/json" } },
      "body_too_large",
    ],
    ["an array", "/session", { body: "[]", headers: { "content-type": "application/json" } }, "invalid_request"],
    ["another path", "/nothing", { body: "{}" }, "route_not_found"],
    ["another method", "/keys/x", { body: "{}" }, "route_not_found"],
    ["a method that is not there", "/overview", { body: "{}" }, "method_not_allowed"],
  ];
  it.each(cases)("%s", async (_name, path, init, code) => {
    const { app } = buildHouse();
    const headers = { origin: "https://weir.example", ...init.headers };
    const response = await app.request(`/admin/v1${path}`, { method: "POST", ...init, headers });
    expect((await refusalOf(response)).code).toBe(code);
  });

  it.each(["limit=0", "limit=201", "limit=x", "state=open", "since_ms=-1", "unknown=1", `q=${"x".repeat(201)}`])(
    "query %s",
    async (query) => {
      const { send, signedIn } = buildHouse();
      const response = await send("GET", `/decisions?${query}`, { as: await signedIn("viewer") });
      expect(await refusalOf(response)).toMatchObject({ code: "invalid_request", param: query.split("=")[0] });
    },
  );

  it("a HEAD, which would leave a live view open", async () => {
    const { send, signedIn } = buildHouse();
    expect((await send("HEAD", "/decisions/stream", { as: await signedIn("admin") })).status).toBe(405);
  });

  it("never shows the cause of a fault, but logs it", async () => {
    const { send, signedIn, logged } = buildHouse({
      ledger: () => Promise.reject(new Error("cannot read /srv/weir/ledger")),
    });
    const response = await send("GET", "/ledger", { as: await signedIn("viewer") });
    const problem = await refusalOf(response);
    expect(problem.code).toBe("internal");
    expect(JSON.stringify(problem)).not.toContain("/srv");
    expect(logged.join()).toContain("/srv/weir");
  });
});
