/** Reranking: Cohere's API, which clients speak too, Vertex AI's ranking and Bedrock's Rerank. */
import type { RerankRequest, RerankResponse } from "../../kernel/task.ts";
import type { Usage } from "../../kernel/usage.ts";
import {
  BodyFault,
  countOf,
  fieldsAt,
  flagAt,
  isFields,
  listAt,
  nonEmptyTextAt,
  positiveIntegerAt,
  textAt,
  textOr,
} from "../dialects/body-reader.ts";
import { spliceTopLevel } from "../dialects/splice.ts";
import type { ClientTask, DecodedTask, VendorTask } from "./port.ts";
import { refusalAsValue } from "./reading.ts";

const mostDocuments = 1000;

export const cohereRerankClient: ClientTask<RerankRequest> = {
  same: "cohere-rerank",
  decodeRequest: (body) =>
    refusalAsValue(() => {
      const fields = fieldsAt(body, "");
      const list = listAt(fields["documents"], "documents");
      if (list.length === 0) throw new BodyFault("documents", "documents must not be empty.");
      if (list.length > mostDocuments)
        throw new BodyFault("documents", `documents has more than ${mostDocuments} items.`);
      const request: RerankRequest = {
        kind: "rerank",
        query: nonEmptyTextAt(fields["query"], "query"),
        documents: list.map((item, i) => documentAt(item, `documents[${i}]`)),
        unmodelled: [],
      };
      for (const key in fields) {
        const value = fields[key];
        if (value === null || value === undefined || known.has(key)) continue;
        if (key === "top_n") request.top_n = positiveIntegerAt(value, key);
        else if (key === "max_tokens_per_doc") request.max_tokens_per_document = positiveIntegerAt(value, key);
        else if (key === "return_documents") flagAt(value, key);
        else request.unmodelled.push(key);
      }
      return { model: nonEmptyTextAt(fields["model"], "model"), request };
    }),
  encodeResponse({ results, usage }, { documents }, { decision, body }) {
    const withDocuments = isFields(body) && body["return_documents"] === true;
    return {
      id: decision,
      results: results.map(({ index, score }) => ({
        index,
        relevance_score: score ?? null,
        ...(withDocuments && { document: { text: documents[index] } }),
      })),
      meta: {
        api_version: { version: "2" },
        billed_units: { search_units: usage?.search_units ?? 1 },
      },
    };
  },
};

const known = new Set(["model", "query", "documents"]);

/** A text, or an object with one (Cohere's v1 form). */
function documentAt(value: unknown, path: string): string {
  return typeof value === "string" ? value : textAt(fieldsAt(value, path)["text"], `${path}.text`);
}

export const cohereRerank: VendorTask<RerankRequest> = {
  name: "cohere-rerank",
  path: () => "/v2/rerank",
  mostInputs: mostDocuments,
  encodeRequest({ query, documents, top_n, max_tokens_per_document, unmodelled }, model) {
    return {
      body: {
        model,
        query,
        documents,
        ...(top_n !== undefined && { top_n }),
        ...(max_tokens_per_document !== undefined && { max_tokens_per_doc: max_tokens_per_document }),
      },
      dropped: [...unmodelled],
    };
  },
  decodeResponse(body, request, model) {
    const meta = isFields(body) && isFields(body["meta"]) ? body["meta"] : {};
    const billed = isFields(meta["billed_units"]) ? meta["billed_units"] : {};
    const tokens = isFields(meta["tokens"]) ? meta["tokens"] : {};
    const units = countOf(billed["search_units"]);
    const usage: Usage | undefined =
      units === undefined
        ? undefined
        : {
            input: countOf(billed["input_tokens"]) ?? countOf(tokens["input_tokens"]) ?? 0,
            cached_input: 0,
            output: countOf(billed["output_tokens"]) ?? 0,
            search_units: units,
            estimated: false,
          };
    return ranked(body, "results", request, model, usage, (item) => ({
      index: item["index"],
      score: item["relevance_score"],
    }));
  },
  forward: (body, model) => spliceTopLevel(body, { model }),
};

/** vLLM, Together, llama.cpp: the same body below the base URL of their OpenAI imitation. */
export const compatibleRerank: VendorTask<RerankRequest> = { ...cohereRerank, path: () => "/rerank" };

export const vertexRerank: VendorTask<RerankRequest> = {
  name: "vertex-rerank",
  path: () => "/rankingConfigs/default_ranking_config:rank",
  mostInputs: 200,
  encodeRequest({ query, documents, top_n, max_tokens_per_document, unmodelled }, model) {
    return {
      body: {
        model,
        query,
        records: documents.map((content, i) => ({ id: String(i), content })),
        ...(top_n !== undefined && { topN: top_n }),
        ignoreRecordDetailsInResponse: true,
      },
      dropped: [...unmodelled, ...(max_tokens_per_document === undefined ? [] : ["max_tokens_per_doc"])],
    };
  },
  decodeResponse: (body, request, model) =>
    ranked(body, "records", request, model, undefined, (item) => ({
      index: Number(textOr(item["id"], "x")),
      score: item["score"],
    })),
};

export const bedrockRerank: VendorTask<RerankRequest> = {
  name: "bedrock-rerank",
  path: () => "/rerank",
  mostInputs: mostDocuments,
  encodeRequest({ query, documents, top_n, max_tokens_per_document, unmodelled }, model) {
    return {
      body: {
        queries: [{ type: "TEXT", textQuery: { text: query } }],
        sources: documents.map((text) => ({
          type: "INLINE",
          inlineDocumentSource: { type: "TEXT", textDocument: { text } },
        })),
        rerankingConfiguration: {
          type: "BEDROCK_RERANKING_MODEL",
          bedrockRerankingConfiguration: {
            modelConfiguration: { modelArn: model },
            ...(top_n !== undefined && { numberOfResults: top_n }),
          },
        },
      },
      dropped: [...unmodelled, ...(max_tokens_per_document === undefined ? [] : ["max_tokens_per_doc"])],
    };
  },
  decodeResponse: (body, request, model) =>
    ranked(body, "results", request, model, undefined, (item) => ({
      index: item["index"],
      score: item["relevanceScore"],
    })),
};

/** Every index once and within the documents, or it is no ranking. */
function ranked(
  body: unknown,
  list: "results" | "records",
  { documents, top_n }: RerankRequest,
  model: string,
  usage: Usage | undefined,
  read: (item: Record<string, unknown>) => { index: unknown; score: unknown },
): DecodedTask<RerankResponse> {
  const items = isFields(body) ? body[list] : undefined;
  if (!Array.isArray(items)) return { ok: false, message: `The vendor's answer has no ${list}.` };
  const seen = new Set<number>();
  const results: RerankResponse["results"] = [];
  for (const item of items as unknown[]) {
    const { index, score } = isFields(item) ? read(item) : { index: undefined, score: undefined };
    if (
      typeof index !== "number" ||
      !Number.isInteger(index) ||
      index < 0 ||
      index >= documents.length ||
      seen.has(index)
    )
      return { ok: false, message: "The vendor's answer ranks what was not asked." };
    seen.add(index);
    results.push({ index, ...(typeof score === "number" && Number.isFinite(score) && { score }) });
  }
  return {
    ok: true,
    response: { kind: "rerank", model, results: results.slice(0, top_n ?? results.length), ...(usage && { usage }) },
  };
}
