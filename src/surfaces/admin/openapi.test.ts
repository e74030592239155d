import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { begunMeta, decisionId, entryOf, outcomeMeta, settledEntry } from "../../projection/entry-samples.ts";
import { routesOf } from "./routes.ts";
import { buildHouse } from "./test-house.ts";

interface Document {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, object> };
}
interface Operation {
  operationId: string;
  security: object[];
  parameters?: { name: string; in: string; schema: object }[];
  requestBody?: { content: Record<string, { schema: object }> };
  responses: Record<string, { content?: Record<string, { schema: object }> }>;
}

async function load() {
  const house = buildHouse();
  const response = await house.app.request("/admin/v1/openapi.json");
  const document = (await response.json()) as Document;
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  ajv.addSchema({ $id: "doc", ...document });
  const compile = (schema: object) =>
    ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/components', '"doc#/components')));
  const operation = (method: string, path: string) => document.paths[`/admin/v1${path}`]![method]!;
  return { ...house, document, compile, operation };
}

describe("openapi.json", () => {
  it("holds every route with a unique operation id", async () => {
    const { document, deps } = await load();
    expect(document.openapi).toBe("3.1.0");
    const listed = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, o]) => `${method} ${path} ${o.operationId}`),
    );
    const table = routesOf(deps).map((r) => `${r.method} /admin/v1${r.path.replace(":id", "{id}")} ${r.name}`);
    expect(listed.sort()).toEqual(table.sort());
    expect(new Set(routesOf(deps).map((r) => r.name)).size).toBe(table.length);
  });

  it("has only schemas that compile and references that lead somewhere", async () => {
    const { document, compile } = await load();
    let compiled = 0;
    for (const operation of Object.values(document.paths).flatMap((methods) => Object.values(methods))) {
      const schemas = [
        ...(operation.parameters ?? []).map((p) => p.schema),
        ...Object.values(operation.requestBody?.content ?? {}).map((c) => c.schema),
        ...Object.values(operation.responses).flatMap((r) => Object.values(r.content ?? {}).map((c) => c.schema)),
      ];
      for (const schema of schemas) {
        // Throws, naming the reference or keyword, when it is no schema.
        compile(schema);
        compiled++;
      }
    }
    expect(compiled).toBeGreaterThan(80);
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map((m) => m[1]!);
    expect(references.length).toBeGreaterThan(20);
    for (const reference of references)
      expect(document.components.schemas).toHaveProperty([reference.replace("#/components/schemas/", "")]);
  });

  it("says which operations need session and CSRF token", async () => {
    const { operation } = await load();
    expect(operation("post", "/session").security).toEqual([]);
    expect(operation("get", "/keys").security).toEqual([{ session: [] }]);
    expect(operation("post", "/keys").security).toEqual([{ session: [], csrf: [] }]);
    expect(Object.keys(operation("get", "/keys").responses)).toEqual(
      expect.arrayContaining(["200", "401", "403", "500"]),
    );
  });

  it("describes what is answered", async () => {
    const { send, signedIn, index, house, compile, operation } = await load();
    house.content = { features: { income: 3, note: null }, citations: [] };
    const attempt = {
      n: 1,
      rung: 0,
      arm: "champion",
      probability: 1,
      model: "m",
      target: "t",
      region: "eu",
      status: "ok",
    };
    const usage = { input: 1, cached_input: 0, output: 1, estimated: false };
    const costs = { usage, price: "p", cost_nano_usd: 1, held_nano_usd: 2, started_at_ms: 1, duration_ms: 1 };
    index.apply([
      entryOf(0, "begun", decisionId(1), begunMeta),
      entryOf(1, "attempt", decisionId(1), { ...attempt, ...costs }),
      settledEntry(2, decisionId(1), { score: 0.5, result: "approve", stages: { serve: 1 } }),
      entryOf(3, "amended", decisionId(1), outcomeMeta("o")),
    ]);
    const as = await signedIn("admin");
    const requests: [string, string, string, unknown?][] = [
      ["get", "/session", "/session"],
      ["get", "/use-cases", "/use-cases"],
      ["get", "/snapshot", "/snapshot"],
      ["get", "/ledger", "/ledger"],
      ["get", "/overview", "/overview?range=7d"],
      ["get", "/decisions", "/decisions"],
      ["get", "/decisions/{id}", `/decisions/${decisionId(1)}`],
      ["post", "/decisions/{id}/content", `/decisions/${decisionId(1)}/content`, { reason: "why not" }],
      ["get", "/operators", "/operators"],
      ["post", "/keys", "/keys", { label: "a", tenant: "retail", principal_id: "b", use_cases: ["*"] }],
      ["get", "/keys", "/keys"],
      ["get", "/targets", "/targets"],
      ["get", "/alerts", "/alerts"],
      ["get", "/routes/{id}", "/routes/credit"],
      ["get", "/routes/{id}/what-if", "/routes/credit/what-if?tenant=retail"],
      ["post", "/overrides", "/overrides", { act: "force", on: { rung: 1 }, for_minutes: 5, reason: "slow" }],
      ["get", "/overrides", "/overrides"],
      ["get", "/costs", "/costs?by=model"],
      ["get", "/budgets", "/budgets"],
      ["get", "/limits", "/limits"],
      ["get", "/cache", "/cache"],
      ["get", "/passkeys", "/passkeys"],
    ];
    for (const [method, path, address, body] of requests) {
      const response = await send(method.toUpperCase(), address, { as, ...(body !== undefined && { body }) });
      expect([path, response.status]).toEqual([path, 200]);
      const answer: unknown = await response.json();
      const validate = compile(operation(method, path).responses["200"]!.content!["application/json"]!.schema);
      expect([path, validate(answer), validate.errors]).toEqual([path, true, null]);
      expect([path, validate("nonsense")]).toEqual([path, false]);
    }
  });
});
