import { describe, expect, it } from "vitest";
import { type ErrorCode, errorKinds } from "../../kernel/errors.ts";
import { allows, type Permission, type Role, roles } from "../../operators/index.ts";
import { begunMeta, decisionId, entryOf, outcomeMeta, settledEntry } from "../../projection/entry-samples.ts";
import { routesOf } from "./routes.ts";
import { buildHouse, password, type Sent } from "./test-house.ts";

const id = decisionId(1);
const keyBody = { label: "app", tenant: "retail", principal_id: "branch", use_cases: ["credit"] };

interface Example {
  method: string;
  path: string;
  needs: Permission | "signed-in" | "anyone";
  status: number;
  body?: unknown;
}
/** Each route once, as an admin who may do everything would call it. */
const examples: Example[] = [
  { method: "GET", path: "/session", needs: "signed-in", status: 200 },
  { method: "POST", path: "/session", needs: "anyone", status: 401, body: { name: "eve", password } },
  { method: "POST", path: "/session/token", needs: "anyone", status: 401, body: { token: "t" } },
  { method: "DELETE", path: "/session", needs: "signed-in", status: 204 },
  { method: "POST", path: "/invitations/accept", needs: "anyone", status: 401, body: { token: "t", password } },
  { method: "POST", path: "/passkeys/registration/options", needs: "signed-in", status: 200 },
  { method: "POST", path: "/passkeys/registration", needs: "signed-in", status: 400, body: { id: "x", rawId: "x", type: "public-key" } },
  { method: "POST", path: "/passkeys/authentication/options", needs: "anyone", status: 200, body: { name: "eve" } },
  { method: "POST", path: "/passkeys/authentication", needs: "anyone", status: 401, body: { id: "x", rawId: "x", type: "public-key" } },
  { method: "GET", path: "/use-cases", needs: "metadata.read", status: 200 },
  { method: "GET", path: "/snapshot", needs: "metadata.read", status: 200 },
  { method: "GET", path: "/ledger", needs: "metadata.read", status: 200 },
  { method: "GET", path: "/overview?range=24h", needs: "metadata.read", status: 200 },
  { method: "GET", path: "/decisions?state=answered", needs: "metadata.read", status: 200 },
  { method: "GET", path: "/decisions/stream", needs: "live.read", status: 200 },
  { method: "GET", path: `/decisions/${id}`, needs: "metadata.read", status: 200 },
  { method: "POST", path: `/decisions/${id}/content`, needs: "content.open", status: 200, body: { reason: "appeal 7" } },
  { method: "GET", path: `/decisions/${id}/proof`, needs: "proofs.read", status: 200 },
  { method: "GET", path: "/keys", needs: "keys.read", status: 200 },
  { method: "POST", path: "/keys", needs: "keys.write", status: 200, body: keyBody },
  { method: "POST", path: "/keys/nokey/rotate", needs: "keys.write", status: 404, body: { overlap_minutes: 5 } },
  { method: "POST", path: "/keys/nokey/revoke", needs: "keys.write", status: 404, body: { reason: "leaked" } },
  { method: "GET", path: "/operators", needs: "operators.read", status: 200 },
  { method: "POST", path: "/operators/invitations", needs: "operators.write", status: 200, body: { name: "bob", roles: ["viewer"] } },
];

function withDecision() {
  const built = buildHouse();
  built.house.content = { features: { income: 3 } };
  built.index.apply([
    entryOf(0, "begun", id, begunMeta),
    entryOf(1, "attempt", id, { n: 1 }),
    settledEntry(2, id, { result: "approve", score: 0.9 }),
    entryOf(3, "amended", id, outcomeMeta("o1")),
  ]);
  return built;
}
const problemOf = async (response: Response): Promise<{ code: ErrorCode; status: number; detail: string; fix: string; param?: string }> => {
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  expect(response.headers.get("cache-control")).toBe("no-store");
  const problem = (await response.json()) as Awaited<ReturnType<typeof problemOf>>;
  expect(problem).toMatchObject({ status: response.status, type: `urn:weir:error:${problem.code}` });
  expect(errorKinds[problem.code].status).toBe(response.status);
  return problem;
};

describe("the gate", () => {
  it("has an example for every route of the table", () => {
    const pattern = (path: string) => path.split("?")[0]!.replace(/(dec_\w+|nokey)/, ":id");
    const table = routesOf(buildHouse().deps).map((r) => `${r.method.toUpperCase()} ${r.path} ${r.access}`);
    expect(examples.map((e) => `${e.method} ${pattern(e.path)} ${e.needs}`).sort()).toEqual(table.sort());
  });

  it.each(examples)("$method $path for each role", async ({ method, path, needs, status, body }) => {
    for (const role of [...roles, undefined] as (Role | undefined)[]) {
      const { send, signedIn } = withDecision();
      const sent: Sent = { ...(body !== undefined && { body }), ...(role && { as: await signedIn(role) }) };
      const response = await send(method, path, sent);
      const open = needs === "anyone" || (role !== undefined && (needs === "signed-in" || allows([role], needs)));
      expect([role, response.status]).toEqual([role, open ? status : role ? 403 : 401]);
      if (!open) expect((await problemOf(response)).code).toBe(role ? "role_required" : "not_signed_in");
      expect(response.headers.get("cache-control")).toBe("no-store");
      if (!response.bodyUsed) await response.body?.cancel();
    }
  });

  const foreign: [string, Partial<Sent>][] = [
    ["another origin", { headers: { origin: "https://evil.example" } }],
    ["an opaque origin", { headers: { origin: "null" } }],
    ["another site", { headers: { "sec-fetch-site": "cross-site" } }],
    ["a sister site", { headers: { "sec-fetch-site": "same-site" } }],
    ["no origin at all", { without: ["origin", "sec-fetch-site"] }],
  ];
  const changing = examples.filter((e) => e.method !== "GET");
  it.each(changing)("$method $path refuses foreign requests", async ({ method, path, body }) => {
    for (const [name, sent] of foreign) {
      const { send, signedIn, recorded } = withDecision();
      const response = await send(method, path, { as: await signedIn("admin"), body, ...sent });
      expect([name, (await problemOf(response)).code]).toEqual([name, "origin_refused"]);
      expect(recorded).toEqual([]);
    }
  });

  it.each(changing.filter((e) => e.needs !== "anyone"))("$method $path needs this session's CSRF token", async (example) => {
    const { send, signedIn, recorded } = withDecision();
    const as = await signedIn("admin");
    const other = await signedIn("viewer");
    for (const csrf of [other.csrf, ""]) {
      const response = await send(example.method, example.path, { as: { ...as, csrf }, body: example.body });
      expect(await problemOf(response)).toMatchObject({ code: "origin_refused", param: "x-weir-csrf" });
    }
    expect(recorded).toEqual([]);
  });

  it("lets a GET pass by address bar and refuses it from another site", async () => {
    const { send, signedIn } = withDecision();
    const as = await signedIn("viewer");
    expect((await send("GET", "/session", { as, without: ["origin"], headers: { "sec-fetch-site": "none" } })).status).toBe(200);
    const response = await send("GET", "/session", { as, without: ["origin"], headers: { "sec-fetch-site": "cross-site" } });
    expect((await problemOf(response)).code).toBe("origin_refused");
  });
});

describe("signing in", () => {
  it("sets a strict cookie, journals, and the session works until signed out", async () => {
    const { app, send, operator, recorded } = buildHouse();
    await operator("ada", ["auditor"]);
    const response = await send("POST", "/session", { body: { name: "Ada", password } });
    expect(response.status).toBe(200);
    const cookie = response.headers.get("set-cookie")!;
    for (const flag of ["HttpOnly", "SameSite=Strict", "Path=/", "Secure", "Max-Age=43200"]) expect(cookie).toContain(flag);
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
    expect((await problemOf(response)).code).toBe("record_unavailable");
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
    expect((await problemOf(response)).code).toBe("rate_limited");
    expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(0);
  });

  it("works once with a link, and once with an invitation", async () => {
    const { send, deps, operator, signedIn, recorded } = buildHouse();
    await operator("ada", ["admin"]);
    const link = await deps.accounts.createLink("ada", { id: "cli", name: "cli" });
    const token = "refused" in link ? "" : await link.commit();
    const statuses = [];
    for (let n = 0; n < 2; n++) statuses.push((await send("POST", "/session/token", { body: { token } })).status);
    const invited = await send("POST", "/operators/invitations", { as: await signedIn("admin"), body: { name: "bob", roles: ["viewer"] } });
    const { link: address } = (await invited.json()) as { link: string };
    expect(address).toMatch(/^https:\/\/weir\.example\/console\/#invite=[\w-]{43}$/);
    const body = { token: address.split("=")[1], password };
    for (let n = 0; n < 2; n++) statuses.push((await send("POST", "/invitations/accept", { body })).status);
    expect(statuses).toEqual([200, 401, 200, 401]);
    expect(recorded.map((r) => r.act)).toEqual(["session.start", "operator.invite", "operator.accept", "session.start"]);
    expect(JSON.stringify(recorded)).not.toContain(body.token);
  });
});

describe("decisions", () => {
  it("show their parts and nothing of the content", async () => {
    const { send, signedIn, recorded } = withDecision();
    const response = await send("GET", `/decisions/${id}`, { as: await signedIn("viewer") });
    const detail = (await response.json()) as Record<string, unknown>;
    expect(detail).toMatchObject({
      decision_id: id,
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
    expect(await problemOf(await send("GET", "/decisions?cursor=nonsense", { as }))).toMatchObject({ param: "cursor" });
  });

  it("open content only after the act and its reason are journaled", async () => {
    const { send, signedIn, recorded, house } = withDecision();
    const as = await signedIn("reviewer");
    const open = () => send("POST", `/decisions/${id}/content`, { as, body: { reason: " appeal 7 " } });
    house.content = { features: { income: 3 }, kept_answer: { secret: 1 } };
    expect(await (await open()).json()).toEqual({ content: { features: { income: 3 } } });
    expect(recorded).toEqual([
      {
        act: "content.open",
        operator: { id: expect.any(String), name: "user-reviewer" },
        on: `decision:${id}`,
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
    const { send, signedIn, house } = withDecision();
    house.content = content;
    const response = await send("POST", `/decisions/${id}/content`, { as: await signedIn("auditor"), body: { reason: "audit" } });
    expect([response.status, (await problemOf(response)).code]).toEqual([status, code]);
  });

  it("prove themselves, with content only for those who may open it, and journaled", async () => {
    const { send, signedIn, recorded } = withDecision();
    const operator = await signedIn("operator");
    expect(await (await send("GET", `/decisions/${id}/proof`, { as: operator })).json()).toMatchObject({ with_content: false });
    const withContent = (role: Sent["as"], reason = "&reason=audit") =>
      send("GET", `/decisions/${id}/proof?content=true${reason}`, { as: role! });
    expect((await problemOf(await withContent(operator))).code).toBe("role_required");
    const auditor = await signedIn("auditor");
    expect(await problemOf(await withContent(auditor, ""))).toMatchObject({ code: "invalid_request", param: "reason" });
    expect(recorded).toEqual([]);
    expect(await (await withContent(auditor)).json()).toMatchObject({ with_content: true });
    expect(recorded.map((r) => [r.act, r.detail])).toEqual([["content.open", { reason: "audit" }]]);
  });

  it.each(["dec_nope", decisionId(9), "..%2f..%2fetc"])("are unknown by id %s", async (unknown) => {
    const { send, signedIn } = withDecision();
    const response = await send("GET", `/decisions/${unknown}`, { as: await signedIn("viewer") });
    expect((await problemOf(response)).code).toBe("unknown_decision");
  });
});

describe("keys", () => {
  it("are minted, rotated and revoked, each act journaled without the secret", async () => {
    const { send, signedIn, recorded, clock } = buildHouse();
    const as = await signedIn("admin");
    const minted = (await (await send("POST", "/keys", { as, body: { ...keyBody, expires_in_days: 30 } })).json()) as { key: string; id: string };
    expect(minted.key).toMatch(/^wr_dev_/);
    const rotated = (await (await send("POST", `/keys/${minted.id}/rotate`, { as, body: { overlap_minutes: 5 } })).json()) as { id: string };
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
    expect(await problemOf(response)).toMatchObject({ code: "invalid_request", param });
  });
});

describe("bad input", () => {
  const cases: [string, string, RequestInit & { headers?: Record<string, string> }, ErrorCode][] = [
    ["no JSON", "/session", { body: "{", headers: { "content-type": "application/json" } }, "malformed_json"],
    ["no UTF-8", "/session", { body: new Uint8Array([0xff, 0xfe]), headers: { "content-type": "application/json" } }, "malformed_json"],
    ["a form", "/session", { body: "name=a", headers: { "content-type": "application/x-www-form-urlencoded" } }, "unsupported_media_type"],
    ["no type", "/session", { body: new Uint8Array([123, 125]) }, "unsupported_media_type"],
    ["too much", "/session", { body: `"${"x".repeat(70_000)}"`, headers: { "content-type": "application/json" } }, "body_too_large"],
    ["an array", "/session", { body: "[]", headers: { "content-type": "application/json" } }, "invalid_request"],
    ["another path", "/nothing", { body: "{}" }, "route_not_found"],
    ["another method", "/keys/x", { body: "{}" }, "route_not_found"],
    ["a method that is not there", "/overview", { body: "{}" }, "method_not_allowed"],
  ];
  it.each(cases)("%s", async (_name, path, init, code) => {
    const { app } = buildHouse();
    const headers = { origin: "https://weir.example", ...init.headers };
    const response = await app.request(`/admin/v1${path}`, { method: "POST", ...init, headers });
    expect((await problemOf(response)).code).toBe(code);
  });

  it.each(["limit=0", "limit=201", "limit=x", "state=open", "since_ms=-1", "unknown=1", `q=${"x".repeat(201)}`])(
    "query %s",
    async (query) => {
      const { send, signedIn } = buildHouse();
      const response = await send("GET", `/decisions?${query}`, { as: await signedIn("viewer") });
      expect(await problemOf(response)).toMatchObject({ code: "invalid_request", param: query.split("=")[0] });
    },
  );

  it("never shows the cause of a fault, but logs it", async () => {
    const { send, signedIn, logged } = buildHouse({
      ledger: () => Promise.reject(new Error("cannot read /srv/weir/ledger")),
    });
    const response = await send("GET", "/ledger", { as: await signedIn("viewer") });
    const problem = await problemOf(response);
    expect(problem.code).toBe("internal");
    expect(JSON.stringify(problem)).not.toContain("/srv");
    expect(logged.join()).toContain("/srv/weir");
  });
});
