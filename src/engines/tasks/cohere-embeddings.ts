/** Cohere's Embed v2, at Cohere and (without the model's name) on Bedrock. */
import type { EmbedPurpose, EmbedRequest } from "../../kernel/task.ts";
import { type Fields, countOf, isFields } from "../dialects/body-reader.ts";
import type { VendorTask } from "./port.ts";
import { vectorOf } from "./reading.ts";

const words: Record<EmbedPurpose, string> = {
  query: "search_query",
  document: "search_document",
  classification: "classification",
  clustering: "clustering",
  similarity: "search_document",
};

const bodyOf = (request: EmbedRequest, dropped: string[]): Fields => ({
  texts: request.inputs.map((input, i) => {
    if (typeof input === "string") return input;
    dropped.push(`input[${i}]`);
    return "";
  }),
  // Required by every Cohere model since v3.
  input_type: words[request.purpose ?? "document"],
  embedding_types: ["float"],
  ...(request.dimensions !== undefined && { output_dimension: request.dimensions }),
  ...(request.truncate !== undefined && { truncate: request.truncate ? "END" : "NONE" }),
});

const droppedOf = (request: EmbedRequest): string[] => [
  ...request.unmodelled,
  ...(request.user === undefined ? [] : ["user"]),
];

const decodeResponse: VendorTask<EmbedRequest>["decodeResponse"] = (body, { inputs }, model) => {
  // With embedding_types the vectors lie by type, without it they are the list itself.
  const found = isFields(body) ? body["embeddings"] : undefined;
  const list: unknown = isFields(found) ? found["float"] : found;
  const vectors = Array.isArray(list) ? (list as unknown[]).map(vectorOf) : [];
  if (!isFields(body) || vectors.length !== inputs.length || !vectors.every((vector) => vector !== undefined))
    return { ok: false, message: `The vendor's answer doesn't hold ${inputs.length} vectors.` };
  const meta = isFields(body["meta"]) ? body["meta"] : {};
  const billed = isFields(meta["billed_units"]) ? meta["billed_units"] : {};
  const input = countOf(billed["input_tokens"]);
  return {
    ok: true,
    response: {
      kind: "embed",
      model,
      vectors,
      ...(input !== undefined && { usage: { input, cached_input: 0, output: 0, estimated: false } }),
    },
  };
};

export const cohereEmbeddings: VendorTask<EmbedRequest> = {
  name: "cohere-embeddings",
  path: () => "/v2/embed",
  mostInputs: 96,
  encodeRequest(request, model) {
    const dropped = droppedOf(request);
    return { body: { model, ...bodyOf(request, dropped) }, dropped };
  },
  decodeResponse,
};

export const bedrockCohereEmbeddings: VendorTask<EmbedRequest> = {
  name: "bedrock-cohere-embeddings",
  path: (model) => `/model/${encodeURIComponent(model)}/invoke`,
  mostInputs: 96,
  encodeRequest(request) {
    const dropped = droppedOf(request);
    return { body: bodyOf(request, dropped), dropped };
  },
  decodeResponse,
};
