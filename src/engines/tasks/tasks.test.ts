import { existsSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { EmbedRequest, RerankRequest } from "../../kernel/task.ts";
import { novaEmbeddings, titanEmbeddings } from "./bedrock-embeddings.ts";
import { bedrockCohereEmbeddings, cohereEmbeddings } from "./cohere-embeddings.ts";
import { geminiEmbeddings, vertexEmbeddings } from "./google-embeddings.ts";
import {
  cohereRerankClient,
  embedTaskOf,
  openaiEmbeddingsClient,
  openaiModerationsClient,
  rerankTaskOf,
} from "./index.ts";
import { openaiEmbeddingsVendor } from "./openai-embeddings.ts";
import type { VendorTask } from "./port.ts";
import { bedrockRerank, cohereRerank, vertexRerank } from "./rerank.ts";

const wire = new URL("../../../../shared/data/wire/", import.meta.url);
const isThere = existsSync(wire);
if (!isThere) console.warn("*** ../shared/data/wire is not there: recorded embeddings and rerankings are SKIPPED ***");
const json = (path: string): unknown => JSON.parse(readFileSync(new URL(path, wire), "utf8"));

const embed = (inputs: EmbedRequest["inputs"], more: Partial<EmbedRequest> = {}): EmbedRequest => ({
  kind: "embed",
  inputs,
  unmodelled: [],
  ...more,
});
const rerank = (documents: string[], more: Partial<RerankRequest> = {}): RerankRequest => ({
  kind: "rerank",
  query: "q",
  documents,
  unmodelled: [],
  ...more,
});

describe.runIf(isThere)("recorded requests", () => {
  it.each([
    ["array", { inputs: ["hello", "world"] }],
    ["basic", { inputs: ["hello world"], dimensions: 1024 }],
    ["cohere-v4", { inputs: ["hello world"], dimensions: 512 }],
    [
      "full",
      { inputs: ["hello", "world"], dimensions: 512, purpose: "document", truncate: true, unmodelled: ["title"] },
    ],
  ])("embeddings/%s", (name, expected) => {
    const decoded = openaiEmbeddingsClient.decodeRequest(json(`requests/embeddings/${name}.json`));
    expect(decoded).toMatchObject({ ok: true, request: expected });
  });

  it.each([
    ["basic", { top_n: 2, unmodelled: [] }],
    ["passthrough-fields", { max_tokens_per_document: 512, unmodelled: ["truncation"] }],
  ])("rerank/%s", (name, expected) => {
    const decoded = cohereRerankClient.decodeRequest(json(`requests/rerank/${name}.json`));
    expect(decoded).toMatchObject({ ok: true, request: expected });
  });
});

describe.runIf(isThere)("recorded answers", () => {
  const tokens = (input: number) => ({ input, cached_input: 0, output: 0, estimated: false });
  it.each<[string, VendorTask<EmbedRequest>, string, number, unknown]>([
    ["OpenAI", openaiEmbeddingsVendor, "openai/embeddings", 1, tokens(8)],
    [
      "Gemini in OpenAI's form, without index and usage",
      openaiEmbeddingsVendor,
      "openai/gemini-embeddings",
      1,
      undefined,
    ],
    ["Vertex", vertexEmbeddings, "vertex/embeddings", 2, tokens(9)],
    ["Titan", titanEmbeddings, "bedrock-titan/embeddings", 1, tokens(3)],
    ["Nova", novaEmbeddings, "bedrock-nova/embeddings", 1, undefined],
    ["Cohere on Bedrock", bedrockCohereEmbeddings, "bedrock-cohere/embeddings", 2, undefined],
  ])("embeddings of %s", (_name, task, file, count, usage) => {
    const inputs = Array.from({ length: count }, (_, i) => `t${i}`);
    const decoded = task.decodeResponse(json(`response/${file}.json`), embed(inputs), "m");
    if (!decoded.ok) throw new Error(decoded.message);
    expect(decoded.response.vectors).toHaveLength(count);
    expect(decoded.response.usage).toEqual(usage);
    const raw = JSON.stringify(json(`response/${file}.json`));
    for (const vector of decoded.response.vectors) for (const value of vector) expect(raw).toContain(String(value));
  });

  it.each<[string, VendorTask<RerankRequest>, string, number, unknown]>([
    [
      "Cohere",
      cohereRerank,
      "cohere/rerank",
      3,
      [
        { index: 2, score: 0.91 },
        { index: 0, score: 0.42 },
      ],
    ],
    [
      "Vertex",
      vertexRerank,
      "vertex/rerank",
      3,
      [
        { index: 2, score: 0.97 },
        { index: 0, score: 0.3 },
      ],
    ],
    ["Vertex without scores", vertexRerank, "vertex/rerank-no-details", 2, [{ index: 1 }, { index: 0 }]],
    [
      "Bedrock",
      bedrockRerank,
      "bedrock/rerank",
      3,
      [
        { index: 2, score: 0.9 },
        { index: 0, score: 0.1 },
      ],
    ],
  ])("rerankings of %s", (_name, task, file, count, results) => {
    const documents = Array.from({ length: count }, (_, i) => `d${i}`);
    expect(task.decodeResponse(json(`response/${file}.json`), rerank(documents), "m")).toMatchObject({
      ok: true,
      response: { results },
    });
  });

  it("Cohere's search units are the usage", () => {
    const decoded = cohereRerank.decodeResponse(json("response/cohere/rerank.json"), rerank(["a", "b", "c"]), "m");
    expect(decoded).toMatchObject({
      response: { usage: { search_units: 1, input: 214, output: 0, estimated: false } },
    });
  });
});

describe("what a translation can't carry is named", () => {
  const all = embed(["a", [1, 2]], {
    dimensions: 3,
    purpose: "query",
    truncate: false,
    user: "u",
    unmodelled: ["title"],
  });
  it.each<[string, VendorTask<EmbedRequest>, string[]]>([
    ["OpenAI", openaiEmbeddingsVendor, ["title", "task_type", "auto_truncate"]],
    ["Gemini", geminiEmbeddings, ["title", "user", "auto_truncate", "input[1]"]],
    ["Vertex", vertexEmbeddings, ["title", "user", "input[1]"]],
    ["Titan", titanEmbeddings, ["title", "user", "task_type", "auto_truncate"]],
    ["Nova", novaEmbeddings, ["title", "user"]],
    ["Cohere", cohereEmbeddings, ["title", "user", "input[1]"]],
  ])("%s", (_name, task, dropped) => {
    expect(task.encodeRequest(all, "m").dropped).toEqual(dropped);
  });

  it("a ranking's", () => {
    const asked = rerank(["a"], { max_tokens_per_document: 9, unmodelled: ["truncation"] });
    expect(cohereRerank.encodeRequest(asked, "m").dropped).toEqual(["truncation"]);
    expect(vertexRerank.encodeRequest(asked, "m").dropped).toEqual(["truncation", "max_tokens_per_doc"]);
    expect(bedrockRerank.encodeRequest(asked, "m").dropped).toEqual(["truncation", "max_tokens_per_doc"]);
  });
});

describe("the client's form", () => {
  it.each([
    [{ model: "m" }, "input"],
    [{ model: "m", input: [] }, "input"],
    [{ model: "m", input: ["a", ""] }, "input[1]"],
    [{ model: "m", input: [1.5] }, "input[0]"],
    [{ model: "m", input: "a", encoding_format: "hex" }, "encoding_format"],
    [{ model: "m", input: "a", dimensions: 0 }, "dimensions"],
    [{ input: "a" }, "model"],
  ])("refuses %j at %s", (body, path) =>
    expect(openaiEmbeddingsClient.decodeRequest(body)).toMatchObject({ ok: false, path }),
  );

  it("takes tokens, one list or many", () => {
    const inputs = (input: unknown) => {
      const decoded = openaiEmbeddingsClient.decodeRequest({ model: "m", input });
      return decoded.ok && decoded.request.inputs;
    };
    expect(inputs([1, 2])).toEqual([[1, 2]]);
    expect(inputs([[1], [2, 3]])).toEqual([[1], [2, 3]]);
  });

  it("answers base64 of 32-bit floats where asked, which reads back to the same vectors", () => {
    const vectors = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(vectors, (vector) => {
        const asked = { decision: "d", useCase: "u", body: { encoding_format: "base64" } };
        const request = embed(["a"]);
        const sent = openaiEmbeddingsClient.encodeResponse(
          { kind: "embed", model: "m", vectors: [vector] },
          request,
          asked,
        );
        const read = openaiEmbeddingsVendor.decodeResponse(JSON.parse(JSON.stringify(sent)), request, "m");
        expect(read.ok && read.response.vectors[0]!.map((x) => x + 0)).toEqual(vector.map((x) => x + 0));
      }),
    );
  });

  it("shows a moderation's detectors and claims nothing about others", () => {
    const decoded = openaiModerationsClient.decodeRequest({ model: "m", input: ["a", { type: "text", text: "b" }] });
    if (!decoded.ok) throw new Error(decoded.message);
    const results = [{ findings: { card: 2, email: 0 } }, { findings: { card: 0, email: 0 } }];
    const asked = { decision: "d", useCase: "u", body: {} };
    expect(
      openaiModerationsClient.encodeResponse({ kind: "moderate", model: "detectors", results }, decoded.request, asked),
    ).toMatchObject({
      results: [
        { flagged: true, categories: { card: true, email: false }, category_scores: { card: 1, email: 0 } },
        { flagged: false, categories: { card: false, email: false } },
      ],
    });
  });

  it("a moderation of an image is refused, not passed", () => {
    const input = [{ type: "image_url", image_url: { url: "https://x" } }];
    expect(openaiModerationsClient.decodeRequest({ model: "m", input })).toMatchObject({ ok: false, path: "input[0]" });
  });
});

describe("answers that are none", () => {
  const tasks = [openaiEmbeddingsVendor, geminiEmbeddings, vertexEmbeddings, titanEmbeddings, novaEmbeddings];
  it("no vendor's words make a decoder throw", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (body) => {
        for (const task of [...tasks, cohereEmbeddings, bedrockCohereEmbeddings])
          expect(typeof task.decodeResponse(body, embed(["a"]), "m").ok).toBe("boolean");
        for (const task of [cohereRerank, vertexRerank, bedrockRerank])
          expect(typeof task.decodeResponse(body, rerank(["a"]), "m").ok).toBe("boolean");
      }),
    );
  });

  it.each([
    ["fewer vectors than inputs", { data: [{ index: 0, embedding: [1] }] }],
    [
      "an index beyond the inputs",
      {
        data: [
          { index: 0, embedding: [1] },
          { index: 7, embedding: [1] },
        ],
      },
    ],
    [
      "one index twice",
      {
        data: [
          { index: 0, embedding: [1] },
          { index: 0, embedding: [1] },
        ],
      },
    ],
    [
      "a number that is none, in base64",
      {
        data: [
          { index: 0, embedding: "AADAfw==" },
          { index: 1, embedding: [1] },
        ],
      },
    ],
    [
      "an empty vector",
      {
        data: [
          { index: 0, embedding: [] },
          { index: 1, embedding: [1] },
        ],
      },
    ],
  ])("%s", (_what, body) => expect(openaiEmbeddingsVendor.decodeResponse(body, embed(["a", "b"]), "m").ok).toBe(false));

  it.each([
    ["an index beyond the documents", { results: [{ index: 9, relevance_score: 1 }] }],
    ["one index twice", { results: [{ index: 0 }, { index: 0 }] }],
  ])("%s", (_what, body) => expect(cohereRerank.decodeResponse(body, rerank(["a", "b"]), "m").ok).toBe(false));
});

it("every vendor dialect has its task or says that it has none", () => {
  const at = (dialect: "cohere" | "gemini" | "anthropic-messages" | "bedrock-converse", model = "m") => ({
    dialect,
    model,
  });
  expect(embedTaskOf({ ...at("gemini"), platform: "vertex" })?.name).toBe("vertex-embeddings");
  expect(embedTaskOf(at("bedrock-converse", "cohere.embed-v4:0"))?.name).toBe("bedrock-cohere-embeddings");
  expect(embedTaskOf(at("anthropic-messages"))).toBeUndefined();
  expect(rerankTaskOf(at("anthropic-messages"))).toBeUndefined();
  expect(rerankTaskOf(at("cohere"))?.name).toBe("cohere-rerank");
});
