/** Embeddings of the Gemini API (batchEmbedContents) and of Vertex AI (predict). */
import type { EmbedPurpose, EmbedRequest } from "../../kernel/task.ts";
import { countOf, isFields } from "../dialects/body-reader.ts";
import type { VendorTask } from "./port.ts";
import { vectorOf } from "./reading.ts";

const words: Record<EmbedPurpose, string> = {
  query: "RETRIEVAL_QUERY",
  document: "RETRIEVAL_DOCUMENT",
  classification: "CLASSIFICATION",
  clustering: "CLUSTERING",
  similarity: "SEMANTIC_SIMILARITY",
};

/** Token ids of another vendor's tokenizer mean nothing here. */
function textInputs(request: EmbedRequest, dropped: string[]): string[] {
  return request.inputs.map((input, i) => {
    if (typeof input === "string") return input;
    dropped.push(`input[${i}]`);
    return "";
  });
}

const droppedOf = (request: EmbedRequest): string[] => [
  ...request.unmodelled,
  ...(request.user === undefined ? [] : ["user"]),
];

export const geminiEmbeddings: VendorTask<EmbedRequest> = {
  name: "gemini-embeddings",
  path: (model) => `/models/${encodeURIComponent(model)}:batchEmbedContents`,
  mostInputs: 100,
  encodeRequest(request, model) {
    const dropped = droppedOf(request);
    if (request.truncate !== undefined) dropped.push("auto_truncate");
    const requests = textInputs(request, dropped).map((text) => ({
      model: `models/${model}`,
      content: { parts: [{ text }] },
      ...(request.purpose !== undefined && { taskType: words[request.purpose] }),
      ...(request.dimensions !== undefined && { outputDimensionality: request.dimensions }),
    }));
    return { body: { requests }, dropped };
  },
  decodeResponse(body, { inputs }, model) {
    const list = isFields(body) ? body["embeddings"] : undefined;
    const vectors = Array.isArray(list)
      ? (list as unknown[]).map((item) => (isFields(item) ? vectorOf(item["values"]) : undefined))
      : [];
    if (vectors.length !== inputs.length || !vectors.every((vector) => vector !== undefined))
      return { ok: false, message: `The vendor's answer doesn't hold ${inputs.length} vectors.` };
    const usage = isFields(body) && isFields(body["usageMetadata"]) ? body["usageMetadata"] : undefined;
    const input = usage && countOf(usage["promptTokenCount"]);
    return {
      ok: true,
      response: {
        kind: "embed",
        model,
        vectors,
        ...(input !== undefined && { usage: { input, cached_input: 0, output: 0, estimated: false } }),
      },
    };
  },
};

export const vertexEmbeddings: VendorTask<EmbedRequest> = {
  name: "vertex-embeddings",
  path: (model) => `/publishers/google/models/${encodeURIComponent(model)}:predict`,
  mostInputs: 250,
  encodeRequest(request, _model) {
    const dropped = droppedOf(request);
    const parameters = {
      ...(request.dimensions !== undefined && { outputDimensionality: request.dimensions }),
      ...(request.truncate !== undefined && { autoTruncate: request.truncate }),
    };
    const instances = textInputs(request, dropped).map((content) => ({
      content,
      ...(request.purpose !== undefined && { task_type: words[request.purpose] }),
    }));
    return { body: { instances, ...(Object.keys(parameters).length > 0 && { parameters }) }, dropped };
  },
  decodeResponse(body, { inputs }, model) {
    const list = isFields(body) ? body["predictions"] : undefined;
    const found = Array.isArray(list)
      ? (list as unknown[]).map((item) => (isFields(item) && isFields(item["embeddings"]) ? item["embeddings"] : {}))
      : [];
    const vectors = found.map((embeddings) => vectorOf(embeddings["values"]));
    if (vectors.length !== inputs.length || !vectors.every((vector) => vector !== undefined))
      return { ok: false, message: `The vendor's answer doesn't hold ${inputs.length} vectors.` };
    const counts = found.map(({ statistics }) =>
      isFields(statistics) ? countOf(statistics["token_count"]) : undefined,
    );
    const known = counts.every((count) => count !== undefined);
    const input = counts.reduce<number>((sum, count) => sum + (count ?? 0), 0);
    return {
      ok: true,
      response: {
        kind: "embed",
        model,
        vectors,
        ...(known && { usage: { input, cached_input: 0, output: 0, estimated: false } }),
      },
    };
  },
};
