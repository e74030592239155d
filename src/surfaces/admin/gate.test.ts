import { describe, expect, it } from "vitest";
import { allows, type Permission, type Role, roles } from "../../operators/index.ts";
import { routesOf } from "./routes.ts";
import {
  buildHouse,
  houseWithDecision,
  keyBody,
  password,
  refusalOf,
  sampleDecision,
  type Sent,
} from "./test-house.ts";

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
  {
    method: "POST",
    path: "/passkeys/registration",
    needs: "signed-in",
    status: 400,
    body: { id: "x", rawId: "x", type: "public-key" },
  },
  { method: "POST", path: "/passkeys/authentication/options", needs: "anyone", status: 200, body: { name: "eve" } },
  {
    method: "POST",
    path: "/passkeys/authentication",
    needs: "anyone",
    status: 401,
    body: { id: "x", rawId: "x", type: "public-key" },
  },
  { method: "GET", path: "/use-cases", needs: "metadata.read", status: 200 },
  { method: "GET", path: "/snapshot", needs: "metadata.read", status: 200 },
  { method: "GET", path: "/ledger", needs: "metadata.read", status: 200 },
  { method: "GET", path: "/overview?range=24h", needs: "metadata.read", status: 200 },
  { method: "GET", path: "/decisions?state=answered", needs: "metadata.read", status: 200 },
  { method: "GET", path: "/decisions/stream", needs: "live.read", status: 200 },
  { method: "GET", path: `/decisions/${sampleDecision}`, needs: "metadata.read", status: 200 },
  {
    method: "POST",
    path: `/decisions/${sampleDecision}/content`,
    needs: "content.open",
    status: 200,
    body: { reason: "appeal 7" },
  },
  { method: "GET", path: `/decisions/${sampleDecision}/proof`, needs: "proofs.read", status: 200 },
  { method: "GET", path: "/keys", needs: "keys.read", status: 200 },
  { method: "POST", path: "/keys", needs: "keys.write", status: 200, body: keyBody },
  { method: "POST", path: "/keys/nokey/rotate", needs: "keys.write", status: 404, body: { overlap_minutes: 5 } },
  { method: "POST", path: "/keys/nokey/revoke", needs: "keys.write", status: 404, body: { reason: "leaked" } },
  { method: "GET", path: "/operators", needs: "operators.read", status: 200 },
  {
    method: "POST",
    path: "/operators/invitations",
    needs: "operators.write",
    status: 200,
    body: { name: "bob", roles: ["viewer"] },
  },
  {
    method: "POST",
    path: "/operators/nokey/disable",
    needs: "operators.write",
    status: 404,
    body: { reason: "has left" },
  },
  { method: "GET", path: "/passkeys", needs: "signed-in", status: 200 },
  { method: "POST", path: "/passkeys/nokey/revoke", needs: "signed-in", status: 404, body: { reason: "lost it" } },
  { method: "GET", path: "/targets", needs: "metadata.read", status: 200 },
  { method: "GET", path: "/alerts", needs: "metadata.read", status: 200 },
  { method: "GET", path: "/overrides", needs: "metadata.read", status: 200 },
  {
    method: "POST",
    path: "/overrides",
    needs: "keys.write",
    status: 200,
    body: { act: "exclude", on: { rung: 1 }, for_minutes: 5, reason: "slow" },
  },
  { method: "POST", path: "/overrides/nokey/clear", needs: "keys.write", status: 404, body: { reason: "well again" } },
  { method: "GET", path: "/routes/nokey", needs: "metadata.read", status: 404 },
  { method: "GET", path: "/routes/nokey/what-if?tenant=retail", needs: "metadata.read", status: 404 },
  { method: "GET", path: "/costs?range=30d&by=tenant", needs: "metadata.read", status: 200 },
  { method: "GET", path: "/budgets", needs: "metadata.read", status: 200 },
  { method: "GET", path: "/limits?range=24h", needs: "metadata.read", status: 200 },
  { method: "GET", path: "/cache", needs: "metadata.read", status: 200 },
  {
    method: "POST",
    path: "/cache/invalidate",
    needs: "keys.write",
    status: 200,
    body: { reason: "the tariffs changed" },
  },
];

const pattern = (path: string): string => path.split("?")[0]!.replace(/(dec_\w+|nokey)/, ":id");

describe("the gate", () => {
  it("has an example for every route of the table", () => {
    const table = routesOf(buildHouse().deps).map((r) => `${r.method.toUpperCase()} ${r.path} ${r.access}`);
    expect(examples.map((e) => `${e.method} ${pattern(e.path)} ${e.needs}`).sort()).toEqual(table.sort());
  });

  it.each(examples)("$method $path for each role", async ({ method, path, needs, status, body }) => {
    for (const role of [...roles, undefined] as (Role | undefined)[]) {
      const { send, signedIn } = houseWithDecision();
      const sent: Sent = { ...(body !== undefined && { body }), ...(role && { as: await signedIn(role) }) };
      const response = await send(method, path, sent);
      const open = needs === "anyone" || (role !== undefined && (needs === "signed-in" || allows([role], needs)));
      const refusedWith = open ? "nothing" : (await refusalOf(response)).code;
      const expected = open ? [status, "nothing"] : role ? [403, "role_required"] : [401, "not_signed_in"];
      expect([role, response.status, refusedWith]).toEqual([role, ...expected]);
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
      const { send, signedIn, recorded } = houseWithDecision();
      const response = await send(method, path, { as: await signedIn("admin"), body, ...sent });
      expect([name, (await refusalOf(response)).code]).toEqual([name, "origin_refused"]);
      expect(recorded).toEqual([]);
    }
  });

  it.each(changing.filter((e) => e.needs !== "anyone"))(
    "$method $path needs this session's CSRF token",
    async (example) => {
      const { send, signedIn, recorded } = houseWithDecision();
      const as = await signedIn("admin");
      const other = await signedIn("viewer");
      for (const csrf of [other.csrf, ""]) {
        const response = await send(example.method, example.path, { as: { ...as, csrf }, body: example.body });
        expect(await refusalOf(response)).toMatchObject({ code: "origin_refused", param: "x-weir-csrf" });
      }
      expect(recorded).toEqual([]);
    },
  );

  it("lets a GET pass by address bar and refuses it from another site", async () => {
    const { send, signedIn } = houseWithDecision();
    const as = await signedIn("viewer");
    expect(
      (await send("GET", "/session", { as, without: ["origin"], headers: { "sec-fetch-site": "none" } })).status,
    ).toBe(200);
    const response = await send("GET", "/session", {
      as,
      without: ["origin"],
      headers: { "sec-fetch-site": "cross-site" },
    });
    expect((await refusalOf(response)).code).toBe("origin_refused");
  });
});
