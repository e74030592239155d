/** Everything that a client can get wrong: a status, a stable code, words that help, a decision id; and never its content. */
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { SettledMeta } from "../../src/kernel/decision.ts";
import { errorKinds } from "../../src/kernel/errors.ts";
import type { DecisionId } from "../../src/kernel/ids.ts";
import { findDecision } from "../../src/ledger/index.ts";
import { nodeFiles } from "../../src/stores/files/index.ts";
import type { TestHouse } from "../fixtures/house.ts";
import { type Keys, applicant, decisionId, marker, startBadHouse } from "./bad-house.ts";
import { type Case, chat, decisions, deep, infer, message, table } from "./mistakes.ts";
import { open } from "./raw-http.ts";

let house: TestHouse;
let keys: Keys;
beforeAll(async () => {
  ({ house, keys } = await startBadHouse());
});
afterAll(() => house.stop());

/** What a correct request to `credit` sends; a case changes one thing. Null leaves a header out. */
const good = (): Record<string, string> => ({
  authorization: `Bearer ${keys.good}`,
  "content-type": "application/json",
  "x-weir-subject": marker,
  "x-weir-consent": "loan-application-2026",
});

function send({
  path = decisions,
  method = "POST",
  headers,
  body = applicant,
}: Omit<Case, "name" | "code" | "says">): Promise<Response> {
  const merged: Record<string, string> = good();
  for (const [name, value] of Object.entries(typeof headers === "function" ? headers(keys) : (headers ?? {})))
    if (value === null) delete merged[name];
    else merged[name] = value;
  const bytes =
    typeof body === "string"
      ? Buffer.from(body)
      : body instanceof Uint8Array
        ? body
        : Buffer.from(JSON.stringify(body));
  return fetch(house.origin + path, {
    method,
    headers: merged,
    ...(method === "POST" && { body: bytes as Uint8Array<ArrayBuffer> }),
  });
}

interface Problem {
  code: string;
  said: string;
  fix?: string;
}

/** Each surface's own envelope, the same codes in it. */
function problemIn(body: string): Problem {
  const parsed = JSON.parse(body) as {
    code?: string;
    detail?: string;
    fix?: string;
    error?: { code?: string; message?: string };
  };
  if (parsed.error) return { code: parsed.error.code ?? "", said: parsed.error.message ?? "" };
  return { code: parsed.code ?? "", said: parsed.detail ?? "", ...(parsed.fix !== undefined && { fix: parsed.fix }) };
}

async function settledOf(decision: string): Promise<SettledMeta | undefined> {
  await house.house.journal.flush();
  const dir = house.house.paths.ledger;
  const entries = await findDecision({ dir, files: nodeFiles, node: "server", decision: decision as DecisionId });
  return entries.find(({ entry }) => entry.kind === "settled")?.entry.meta as unknown as SettledMeta | undefined;
}

describe("each mistake has its answer", () => {
  it.each(table)("$code: $name", async (given) => {
    const response = await send(given);
    const body = await response.text();
    expect(response.status, body).toBe(errorKinds[given.code].status);
    const isChat = given.path === chat || given.path === "/v1/messages" || given.path?.startsWith("/v1/models");
    expect(response.headers.get("content-type")).toBe(isChat ? "application/json" : "application/problem+json");
    const problem = problemIn(body);
    // Anthropic's envelope has no place for a code: its type says the class, the message says the rest.
    if (given.path !== "/v1/messages") expect(problem.code).toBe(given.code);
    expect(problem.said).toMatch(given.says);
    if (!isChat) expect(problem.fix).toBe(errorKinds[given.code].fix);
    expect(body.length).toBeLessThan(2000);
    expect(body).not.toContain(marker);
    const decision = response.headers.get("x-weir-decision-id") ?? "";
    expect(decision).toMatch(decisionId);
    if (given.allow) expect(response.headers.get("allow")).toMatch(given.allow);
    const settled = await settledOf(decision);
    if (given.recorded) expect(settled).toMatchObject({ code: given.code, status: response.status });
    else expect(settled).toBeUndefined();
  });

  it.each(["/v1/models", "/v1/models/credit", "/v2", "/v2/health/live", "/v2/health/ready", "/v2/models/credit"])(
    "an id stands on good answers too: %s",
    async (path) => {
      const response = await send({ method: "GET", path });
      await response.text();
      expect(response.status).toBe(200);
      expect(response.headers.get("x-weir-decision-id")).toMatch(decisionId);
    },
  );

  it("answers HEAD without a body", async () => {
    const response = await send({ method: "HEAD" });
    expect(response.status).toBe(405);
    expect(await response.text()).toBe("");
    expect(response.headers.get("x-weir-decision-id")).toMatch(decisionId);
  });

  it("takes the last of two equal names, and the record says what the model saw", async () => {
    const twice = JSON.stringify(applicant).replace('"Amount":', '"Amount":49999,"Amount":');
    const [doubled, plain] = [await send({ body: twice }), await send({})];
    expect(doubled.status).toBe(200);
    const score = async (response: Response) => ((await response.json()) as { score: number }).score;
    expect(await score(doubled)).toBe(await score(plain));
  });

  it("serves a chat with lone surrogates and records it", async () => {
    const body = JSON.stringify(message("hours? X")).replace("X", "\\ud800");
    const response = await send({ path: chat, body });
    expect(response.status).toBe(200);
    expect(await settledOf(response.headers.get("x-weir-decision-id")!)).toMatchObject({ state: "answered" });
  });

  it.each([
    ["a tool's parameters", `"tools":[{"type":"function","function":{"name":"f","parameters":{"a":${deep(50_000)}}}}]`],
    ["metadata", `"metadata":{"a":${deep(50_000)}}`],
    ["an unknown field", `"more":${deep(50_000)}`],
  ])("never fails on 50,000 nested lists in %s", async (_, text) => {
    const body = JSON.stringify(message("opening hours?")).replace(/^\{/, `{${text},`);
    const response = await send({ path: chat, body });
    await response.text();
    expect(response.status).toBeLessThan(500);
    expect(response.headers.get("x-weir-decision-id")).toMatch(decisionId);
  });

  it("left no prototype changed", () => {
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
    expect(({} as Record<string, unknown>)["a"]).toBeUndefined();
  });
});

describe("Open Inference V2 says no in its own shape", () => {
  const tensor = (name: string, data: unknown[], datatype = typeof data[0] === "string" ? "BYTES" : "FP64") => ({
    name,
    shape: [data.length, 1],
    datatype,
    data,
  });
  const row = (change: object = {}, rows = 1) => ({
    inputs: Object.entries({ ...applicant.features, ...change }).map(([name, value]) =>
      tensor(
        name,
        Array.from({ length: rows }, () => value),
      ),
    ),
  });
  const cases: (Omit<Case, "body"> & { body: () => unknown })[] = [
    {
      name: "malformed JSON",
      body: () => `{"inputs": [${marker}]}`,
      code: "malformed_json",
      says: /line 1, column 13\b/,
    },
    { name: "no inputs", body: () => ({}), code: "invalid_request", says: /inputs/ },
    { name: "an unknown field", body: () => ({ ...row(), who: marker }), code: "invalid_request", says: /who/ },
    {
      name: "an unknown tensor",
      body: () => ({ inputs: [...row().inputs, tensor("Incme", [1])] }),
      code: "invalid_request",
      says: /Incme/,
    },
    { name: "text as FP64", body: () => row({ Amount: marker }), code: "invalid_request", says: /Amount/ },
    { name: "a category that is not known", body: () => row({ Home: marker }), code: "invalid_input", says: /Home/ },
    {
      name: "many rows where each needs consent",
      headers: { "x-weir-subject": null },
      body: () => row({}, 2),
      code: "unsupported_feature",
      says: /one row per request/,
    },
    {
      name: "another version",
      path: "/v2/models/credit/versions/0/infer",
      body: () => row(),
      code: "not_found",
      says: /ersion/,
    },
    {
      name: "an unknown model",
      path: "/v2/models/nothing/infer",
      body: () => row(),
      code: "unknown_use_case",
      says: /use case/,
    },
    {
      name: "a chat use case",
      path: "/v2/models/assistant/infer",
      body: () => row(),
      code: "kind_mismatch",
      says: /\/v1\/chat/,
    },
    { name: "no key", headers: { authorization: null }, body: () => row(), code: "unauthenticated", says: /API key/ },
  ];
  it.each(cases)("$code: $name", async ({ body, ...given }) => {
    const response = await send({ path: infer, ...given, body: body() as object });
    const text = await response.text();
    expect(response.status, text).toBe(errorKinds[given.code].status);
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(response.headers.get("x-weir-decision-id")).toMatch(decisionId);
    const answer = JSON.parse(text) as Record<string, unknown>;
    expect(Object.keys(answer)).toEqual(["error"]);
    expect(answer["error"]).toMatch(given.says);
    expect(answer["error"]).toContain(errorKinds[given.code].fix);
    expect(text).not.toContain(marker);
  });
});

describe("too much at once", () => {
  it("rate_limited: the second request of a minute, with the honest wait", async () => {
    const path = "/v1/decisions/once";
    expect((await send({ path })).status).toBe(200);
    const second = await send({ path });
    expect(second.status).toBe(429);
    expect(await second.json()).toMatchObject({
      code: "rate_limited",
      detail: "Over 1 requests a minute for this use case.",
    });
    const wait = Number(second.headers.get("retry-after"));
    expect(wait).toBeGreaterThan(0);
    expect(wait).toBeLessThanOrEqual(60);
    expect(await settledOf(second.headers.get("x-weir-decision-id")!)).toMatchObject({
      state: "refused",
      code: "rate_limited",
    });
  });

  /** Both in one packet: the second is read while the first waits for the disk. */
  async function together(path: string, body: object): Promise<string> {
    const text = JSON.stringify(body);
    const request = `POST ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${keys.good}\r\ncontent-type: application/json\r\ncontent-length: ${text.length}\r\n`;
    const exchange = open(house.origin);
    exchange.send(`${request}\r\n${text}${request}connection: close\r\n\r\n${text}`);
    return exchange.closed;
  }

  it.each([
    ["token_limited", chat, message(`${marker} `.repeat(500), { model: "few-tokens" })],
    ["concurrency_limited", "/v1/decisions/one-at-once", applicant],
  ])("%s: one of two requests that arrive together", async (code, path, body) => {
    const received = await together(path, body);
    expect(received.match(/HTTP\/1\.1 (\d+)/g)).toEqual(["HTTP/1.1 200", "HTTP/1.1 429"]);
    expect(received).toContain(`"code":"${code}"`);
    expect(received.toLowerCase()).toMatch(/retry-after: [1-9]/);
    expect(received).not.toContain(marker);
    expect(house.house.limits.running).toBe(0);
  });
});

describe("what is left of all that", () => {
  it("nothing personal in the log, in the metrics, or in the list of decisions", async () => {
    expect(house.logged.join("")).not.toContain(marker);
    const metrics = await (await fetch(`${house.opsOrigin}/metrics`)).text();
    expect(metrics).toContain("weir_refusals_total");
    expect(metrics).not.toContain(marker);
    const { rows } = await house.house.index.list({}, undefined, 1000);
    expect(rows.length).toBeGreaterThan(20);
    expect(JSON.stringify(rows)).not.toContain(marker);
  });

  it("nothing personal and no key in any file of the data directory", async () => {
    await house.house.journal.checkpoint();
    const files = readdirSync(house.dataDir, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    expect(files.length).toBeGreaterThan(5);
    for (const { parentPath, name } of files) {
      const bytes = readFileSync(join(parentPath, name));
      for (const secret of [marker, keys.good.split("_")[3]!, "4111 1111 1111 1111"])
        expect(bytes.includes(secret), `${name} holds ${secret}`).toBe(false);
    }
  });

  it("no fault was logged: every mistake was expected", () => {
    expect(house.logged.filter((line) => line.includes('"level":"error"'))).toEqual([]);
  });

  it("no place and no money is held", () => {
    expect(house.house.limits.running).toBe(0);
    expect(house.house.money.held).toBe(0);
  });

  it("draining: a request that arrives while the server stops is told so, the one before it is answered", async () => {
    const leaving = await startBadHouse();
    const text = JSON.stringify(applicant);
    const exchange = open(leaving.house.origin);
    const headers = `host: x\r\nauthorization: Bearer ${leaving.keys.good}\r\ncontent-type: application/json\r\nx-weir-subject: a\r\nx-weir-consent: loan-application-2026\r\ncontent-length: ${text.length}\r\n`;
    exchange.send(`POST ${decisions} HTTP/1.1\r\n${headers}expect: 100-continue\r\n\r\n`);
    await exchange.continued;
    const stopped = leaving.house.stop(5000);
    exchange.send(`${text}POST ${decisions} HTTP/1.1\r\n${headers}\r\n${text}`);
    const received = await exchange.closed;
    await stopped;
    expect(received.match(/HTTP\/1\.1 (\d+)/g)).toEqual(["HTTP/1.1 100", "HTTP/1.1 200", "HTTP/1.1 503"]);
    expect(received).toContain('"code":"draining"');
    expect(received.toLowerCase()).toContain("retry-after: 1");
  });
});
