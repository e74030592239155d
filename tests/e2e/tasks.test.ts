/** Embeddings, moderations and rerankings through a whole Weir: the official client, plain HTTP, and what is recorded. */
import OpenAI, { APIError } from "openai";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { SettledContent } from "../../src/kernel/decision.ts";
import { openContent } from "../../src/ledger/index.ts";
import { entriesOf, metric, recordOf } from "../faults/vendor-house.ts";
import { type TestHouse, startHouse } from "../fixtures/house.ts";
import { type TaskVendor, startTaskVendor, vectorFor } from "../fixtures/scripted-tasks.ts";

const config = (origin: string) => `
weir: 1
server: { port: 0, ops_port: 0, environment: dev }
tenants:
  lindenbank: {}
  poor: { budget: { usd: 0.000001, per: day } }
  abroad: { residency: [us] }
vendors:
  oa: { dialect: openai, base_url: "${origin}/v1", region: eu, data_class: internal, key: { env: OA_KEY } }
  co: { dialect: cohere, base_url: "${origin}", region: eu, key: { env: CO_KEY } }
  aws: { dialect: bedrock, base_url: "${origin}", region: eu, auth: none }
models:
  small: { vendor: oa, model: text-embedding-3-small, price: { input: 2, output: 0, as_of: "2026-01-01" } }
  other: { vendor: oa, model: other-embedding, price: { input: 4, output: 0, as_of: "2026-01-01" } }
  titan: { vendor: aws, model: amazon.titan-embed-text-v2, price: { input: 1, output: 0, as_of: "2026-01-01" } }
  ranker: { vendor: co, model: rerank-v3.5, price: { input: 0, output: 0, search_unit: 0.002, as_of: "2026-01-01" } }
  imitation: { vendor: oa, model: bge-reranker, price: free }
guards:
  cards: { detect: [card], action: block }
  personal: { detect: [email], action: redact }
use_cases:
  vectors: { kind: embed, ladder: [small], retries: 0 }
  careful: { kind: embed, screen: [cards, personal], ladder: [small], retries: 0 }
  laddered: { kind: embed, ladder: [small, other], retries: 0 }
  one-by-one: { kind: embed, ladder: [titan], retries: 0 }
  strictly: { kind: embed, ladder: [titan], strict: true, retries: 0 }
  sensitive-vectors: { kind: embed, data_class: sensitive, ladder: [small] }
  tight: { kind: embed, ladder: [small], limits: { tokens_per_minute: 10 } }
  order: { kind: rerank, ladder: [ranker], retries: 0 }
  order-elsewhere: { kind: rerank, ladder: [imitation], retries: 0 }
  careful-order: { kind: rerank, screen: [personal], ladder: [ranker], retries: 0 }
  judge: { kind: moderate, detect: [card, email], ladder: [detectors] }
  judge-all: { kind: moderate, ladder: [detectors] }
`;

let vendor: TaskVendor;
let house: TestHouse;
let key: string;
beforeAll(async () => {
  vendor = await startTaskVendor();
  house = await startHouse({
    files: { "weir.yaml": config(vendor.origin) },
    secrets: { OA_KEY: "sk-openai", CO_KEY: "co-key" },
  });
  key = house.mintKey();
});
afterAll(async () => {
  await house.stop();
  await vendor.close();
});
beforeEach(() => vendor.reset());

const openai = (own = key) => new OpenAI({ apiKey: own, baseURL: `${house.origin}/v1`, maxRetries: 0 });
const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  house.post(path, body, { authorization: `Bearer ${key}`, ...headers });
const json = async (response: Response) => (await response.json()) as Record<string, unknown>;
const idOf = (response: Response) => response.headers.get("x-weir-decision-id");

async function contentOf(decision: string | null): Promise<SettledContent | undefined> {
  const stored = (await entriesOf(house)).find(({ entry }) => entry.decision === decision && entry.kind === "settled");
  const content = stored && (await openContent(stored, house.house.keyRing));
  return content && "value" in content ? (content.value as SettledContent) : undefined;
}

const card = "4111 1111 1111 1111";

describe("POST /v1/embeddings", () => {
  it("the official client gets the vectors that the vendor gave, its bytes forwarded with only the model changed", async () => {
    const before = metric(house, "weir_decisions_total", 'use_case="vectors"');
    const { data, response } = await openai()
      .embeddings.create({ model: "vectors", input: ["one", "two"], dimensions: 3 })
      .withResponse();
    expect(data.data.map(({ embedding }) => [...embedding])).toEqual([vectorFor("one", 3), vectorFor("two", 3)]);
    expect(data.usage).toEqual({ prompt_tokens: 14, total_tokens: 14 });
    expect(vendor.received).toMatchObject([{ path: "/v1/embeddings", authorization: "Bearer sk-openai" }]);
    expect(JSON.parse(vendor.received[0]!.body)).toEqual({
      model: "text-embedding-3-small",
      input: ["one", "two"],
      dimensions: 3,
      encoding_format: "base64",
    });
    expect(response.headers.get("x-weir-model")).toBe("small");
    const { begun, attempts, settled } = await recordOf(house, response.headers.get("x-weir-decision-id"));
    expect(begun).toHaveLength(1);
    expect(settled).toMatchObject([
      { kind: "embed", state: "answered", model: "small", status: 200, attempts: 1, cost_nano_usd: 28_000 },
    ]);
    expect(attempts).toMatchObject([
      { status: "ok", target: "oa/text-embedding-3-small", usage: { input: 14, output: 0, estimated: false } },
    ]);
    expect(attempts[0]!.held_nano_usd).toBeGreaterThan(0);
    expect(await contentOf(idOf(response as unknown as Response))).toEqual({
      task: { kind: "embed", inputs: ["one", "two"], dimensions: 3, unmodelled: [] },
      answer: { vectors: 2, dimensions: 3 },
    });
    expect(metric(house, "weir_decisions_total", 'use_case="vectors"')).toBe(before + 1);
  });

  it("vendor fields pass untouched, floats where floats were asked", async () => {
    const response = await post("/v1/embeddings", { model: "vectors", input: "one", encoding_format: "float" });
    expect(await json(response)).toMatchObject({ vendor_extra: true, data: [{ embedding: vectorFor("one") }] });
  });

  it("token ids go on as they are", async () => {
    const response = await post("/v1/embeddings", { model: "vectors", input: [[1, 2], [3]] });
    expect(response.status).toBe(200);
    expect(JSON.parse(vendor.received[0]!.body)).toMatchObject({ input: [[1, 2], [3]] });
  });

  it("is redacted before it leaves, and the answer is then in the format that was asked for", async () => {
    const { data } = await openai()
      .embeddings.create({ model: "careful", input: "write to anna@example.org", user: "anna@example.org" })
      .withResponse();
    expect(JSON.parse(vendor.received[0]!.body)).toEqual({
      model: "text-embedding-3-small",
      input: "write to [email]",
      user: "[email]",
    });
    expect([...data.data[0]!.embedding]).toEqual(vectorFor("write to [email]"));
  });

  it("a guard blocks it: nothing leaves, one settled entry", async () => {
    const response = await post("/v1/embeddings", { model: "careful", input: ["fine", card] });
    expect(response.status).toBe(400);
    expect(await json(response)).toMatchObject({ error: { code: "input_blocked" } });
    expect(vendor.received).toEqual([]);
    const { attempts, settled } = await recordOf(house, idOf(response));
    expect(attempts).toEqual([]);
    expect(settled).toMatchObject([
      { state: "refused", code: "input_blocked", guards: [{ guard: "cards", action: "block" }, {}] },
    ]);
  });

  it("guards that can't read token ids refuse them", async () => {
    const response = await post("/v1/embeddings", { model: "careful", input: [1, 2] });
    expect(await json(response)).toMatchObject({ error: { code: "unsupported_feature", param: "input" } });
    expect(vendor.received).toEqual([]);
  });

  it("a rung that fails hands over to the next, each with its entry", async () => {
    vendor.play({ status: 500, body: { error: { message: "no" } } });
    const response = await post("/v1/embeddings", { model: "laddered", input: "one" });
    expect(response.status).toBe(200);
    expect(response.headers.get("x-weir-model")).toBe("other");
    const { attempts, settled } = await recordOf(house, idOf(response));
    expect(attempts).toMatchObject([
      { n: 1, status: "failed", reason: "http_500" },
      { n: 2, status: "ok" },
    ]);
    expect(settled).toMatchObject([{ attempts: 2, rung: 1 }]);
  });

  it("an answer with fewer vectors than texts is no answer", async () => {
    vendor.play({ status: 200, body: { data: [{ index: 0, embedding: [1] }], usage: { prompt_tokens: 3 } } });
    const response = await post("/v1/embeddings", { model: "vectors", input: ["one", "two"] });
    expect(response.status).toBe(502);
    const { attempts } = await recordOf(house, idOf(response));
    expect(attempts).toMatchObject([{ status: "failed", reason: "unreadable_answer", usage: { estimated: true } }]);
  });

  it("usage that no vendor reported is estimated and flagged", async () => {
    vendor.play({ status: 200, body: { data: [{ index: 0, embedding: [1] }] } });
    const response = await post("/v1/embeddings", { model: "vectors", input: "one" });
    expect(response.status).toBe(200);
    const { settled } = await recordOf(house, idOf(response));
    expect(settled[0]!.usage).toMatchObject({ estimated: true });
    expect(settled[0]!.usage.input).toBeGreaterThan(0);
  });

  it("a vendor that takes one text a call is called for each, with an entry for each", async () => {
    const { data, response } = await openai()
      .embeddings.create({ model: "one-by-one", input: ["a", "b", "c"], user: "u" })
      .withResponse();
    expect(data.data.map(({ embedding }) => [...embedding])).toEqual(["a", "b", "c"].map((text) => vectorFor(text)));
    expect(data.usage.prompt_tokens).toBe(15);
    expect(vendor.received.map(({ path }) => path)).toEqual(
      Array.from({ length: 3 }, () => "/model/amazon.titan-embed-text-v2/invoke"),
    );
    expect(response.headers.get("x-weir-attempts")).toBe("3");
    expect(response.headers.get("x-weir-dropped")).toBe("user");
    const { attempts, settled } = await recordOf(house, response.headers.get("x-weir-decision-id"));
    expect(attempts.map(({ n, status, usage }) => [n, status, usage.input])).toEqual([
      [1, "ok", 5],
      [2, "ok", 5],
      [3, "ok", 5],
    ]);
    expect(settled).toMatchObject([{ usage: { input: 15 }, cost_nano_usd: 15_000 }]);
  });

  it.each([
    ["more texts than its vendor takes", { model: "one-by-one", input: Array.from({ length: 17 }, () => "x") }],
    ["token ids where only texts are read", { model: "one-by-one", input: [[1, 2]] }],
  ])("%s: refused as the caller's, naming the field", async (_what, body) => {
    const response = await post("/v1/embeddings", body);
    expect(response.status).toBe(400);
    expect(await json(response)).toMatchObject({ error: { code: "invalid_request", param: "input" } });
    expect(vendor.received).toEqual([]);
  });

  it("strict: what would be lost is named and refused", async () => {
    const response = await post("/v1/embeddings", { model: "strictly", input: "a", user: "u" });
    expect(response.status).toBe(400);
    expect(await json(response)).toMatchObject({
      error: { code: "translation_loss", message: expect.stringContaining("user") as string },
    });
  });

  it("budget, residency, data class, tokens and rights hold as for chats", async () => {
    const as = (tenant: string, useCases = ["*"]) => ({
      authorization: `Bearer ${house.mintKey({ tenant, use_cases: useCases })}`,
    });
    const body = { model: "vectors", input: "some words to pay for" };
    const poor = await post("/v1/embeddings", body, as("poor"));
    expect([poor.status, await json(poor)]).toMatchObject([429, { error: { code: "budget_exhausted" } }]);
    const abroad = await post("/v1/embeddings", body, as("abroad"));
    expect([abroad.status, await json(abroad)]).toMatchObject([503, { error: { code: "nothing_eligible" } }]);
    const rights = await post("/v1/embeddings", body, as("lindenbank", ["order"]));
    expect([rights.status, await json(rights)]).toMatchObject([403, { error: { code: "use_case_not_allowed" } }]);
    const secret = await post("/v1/embeddings", { ...body, model: "sensitive-vectors" });
    expect([secret.status, await json(secret)]).toMatchObject([403, { error: { code: "data_class_not_allowed" } }]);
    expect(vendor.received).toEqual([]);
    const long = { model: "tight", input: "word ".repeat(100) };
    expect((await post("/v1/embeddings", long)).status).toBe(200);
    const longer = await post("/v1/embeddings", long);
    expect([longer.status, await json(longer)]).toMatchObject([429, { error: { code: "token_limited" } }]);
    const { attempts } = await recordOf(house, idOf(poor));
    expect(attempts).toMatchObject([{ status: "unaffordable", reason: "budget" }]);
  });

  it("a repeated idempotency key gets the same bytes without a second call", async () => {
    const headers = { "idempotency-key": "embed-once" };
    const body = { model: "vectors", input: "once", encoding_format: "base64" };
    const first = await post("/v1/embeddings", body, headers);
    const text = await first.text();
    const again = await post("/v1/embeddings", body, headers);
    expect(again.headers.get("x-weir-replayed")).toBe("true");
    expect(await again.text()).toBe(text);
    expect(vendor.received).toHaveLength(1);
  });

  it("kinds don't mix, and the message names the way", async () => {
    const failure = await openai()
      .chat.completions.create({ model: "vectors", messages: [{ role: "user", content: "hi" }] })
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(APIError);
    expect(failure).toMatchObject({ status: 400, code: "kind_mismatch" });
    expect((failure as Error).message).toContain("/v1/embeddings");
    const other = await post("/v1/embeddings", { model: "judge", input: "x" });
    expect(await json(other)).toMatchObject({
      error: { code: "kind_mismatch", message: expect.stringContaining("/v1/moderations") as string },
    });
  });

  it.each([
    ["no input", { model: "vectors" }, "input"],
    ["an empty list", { model: "vectors", input: [] }, "input"],
    ["a wrong format", { model: "vectors", input: "x", encoding_format: "hex" }, "encoding_format"],
  ])("%s is the caller's fault", async (_what, body, param) => {
    const response = await post("/v1/embeddings", body);
    expect(response.status).toBe(400);
    expect(await json(response)).toMatchObject({ error: { code: "invalid_request" } });
    expect(param).not.toBe("");
  });

  it("use cases of every kind are listed", async () => {
    const { data } = await openai().models.list();
    expect(data.map(({ id }) => id)).toEqual(expect.arrayContaining(["vectors", "order", "judge"]));
  });
});

describe("POST /v1/moderations", () => {
  it("the official client is told what the detectors found, and of nothing else", async () => {
    const { data, response } = await openai()
      .moderations.create({ model: "judge", input: [`pay with ${card}`, "nothing here"] })
      .withResponse();
    expect(data.results).toMatchObject([
      { flagged: true, categories: { card: true, email: false } },
      { flagged: false, categories: { card: false, email: false } },
    ]);
    expect(Object.keys(data.results[0]!.categories)).toEqual(["card", "email"]);
    const { attempts, settled } = await recordOf(house, response.headers.get("x-weir-decision-id"));
    expect(attempts).toMatchObject([
      { status: "ok", target: "detectors/detectors", region: "in-process", cost_nano_usd: 0 },
    ]);
    expect(settled).toMatchObject([{ kind: "moderate", state: "answered", model: "detectors" }]);
    expect(await contentOf(response.headers.get("x-weir-decision-id"))).toMatchObject({
      answer: [{ findings: { card: 1, email: 0 } }, { findings: { card: 0, email: 0 } }],
    });
    expect(vendor.received).toEqual([]);
  });

  it("looks for everything that it can where nothing is named", async () => {
    const data = await openai().moderations.create({ model: "judge-all", input: "anna@example.org" });
    expect(data.results[0]).toMatchObject({ flagged: true, categories: { email: true, card: false, iban: false } });
  });
});

describe("POST /v2/rerank and /v1/rerank", () => {
  const documents = ["short", "a somewhat longer text", "the longest text of all of them here"];

  it("v2: bytes go on with only the model changed, the vendor's come back; search units are charged", async () => {
    const response = await post("/v2/rerank", { model: "order", query: "long?", documents, top_n: 2 });
    const body = await json(response);
    expect(body).toMatchObject({ id: "rank-vendor", results: [{ index: 2 }, { index: 1 }] });
    expect(vendor.received).toMatchObject([{ path: "/v2/rerank", authorization: "Bearer co-key" }]);
    expect(JSON.parse(vendor.received[0]!.body)).toEqual({ model: "rerank-v3.5", query: "long?", documents, top_n: 2 });
    const { attempts, settled } = await recordOf(house, idOf(response));
    expect(attempts).toMatchObject([{ status: "ok", usage: { search_units: 1, estimated: false } }]);
    expect(attempts[0]!.cost_nano_usd).toBeGreaterThan(0);
    expect(attempts[0]!.held_nano_usd).toBeGreaterThanOrEqual(attempts[0]!.cost_nano_usd);
    expect(settled).toMatchObject([{ kind: "rerank", surface: "rerank" }]);
    expect(await contentOf(idOf(response))).toMatchObject({
      task: { query: "long?", documents },
      answer: [{ index: 2, score: 0.36 }, { index: 1 }],
    });
  });

  it("v1: documents may be objects and come back where wanted", async () => {
    const response = await post("/v1/rerank", {
      model: "order",
      query: "long?",
      documents: documents.map((text) => ({ text })),
      return_documents: true,
    });
    expect(await json(response)).toMatchObject({
      results: [{ index: 2, document: { text: documents[2] } }, { index: 1 }, { index: 0 }],
      meta: { billed_units: { search_units: 1 } },
    });
    expect(JSON.parse(vendor.received[0]!.body)).toMatchObject({ documents });
  });

  it("servers that imitate OpenAI are asked below their own base URL", async () => {
    const response = await post("/v1/rerank", { model: "order-elsewhere", query: "long?", documents });
    expect(response.status).toBe(200);
    expect(vendor.received).toMatchObject([{ path: "/v1/rerank" }]);
  });

  it("query and documents are redacted before they leave", async () => {
    await post("/v2/rerank", { model: "careful-order", query: "who is a@example.org", documents: ["b@example.org"] });
    expect(JSON.parse(vendor.received[0]!.body)).toEqual({
      model: "rerank-v3.5",
      query: "who is [email]",
      documents: ["[email]"],
    });
  });

  it("errors are Cohere's shape with Weir's code, before and after a decision began", async () => {
    const bad = await post("/v2/rerank", { model: "order", query: "x", documents: [] });
    expect([bad.status, await json(bad)]).toMatchObject([400, { code: "invalid_request", param: "documents" }]);
    const nobody = await house.post("/v1/rerank", { model: "order", query: "x", documents });
    expect([nobody.status, await json(nobody)]).toMatchObject([401, { code: "unauthenticated" }]);
    const wrong = await post("/v2/rerank", { model: "vectors", query: "x", documents });
    expect([wrong.status, await json(wrong)]).toMatchObject([400, { code: "kind_mismatch" }]);
    const method = await fetch(`${house.origin}/v2/rerank`);
    expect([method.status, await json(method)]).toMatchObject([405, { code: "method_not_allowed" }]);
    vendor.play({ status: 429, body: { message: "slow down" } });
    const limited = await post("/v2/rerank", { model: "order", query: "x", documents });
    expect([limited.status, await json(limited)]).toMatchObject([502, { code: "ladder_exhausted" }]);
  });
});
