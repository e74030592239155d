/** Embeddings on Bedrock's InvokeModel: every model family has a format of its own. */
import type { EmbedPurpose, EmbedRequest } from "../../kernel/task.ts";
import { countOf, isFields } from "../dialects/body-reader.ts";
import type { VendorTask } from "./port.ts";
import { vectorOf } from "./reading.ts";

const path = (model: string): string => `/model/${encodeURIComponent(model)}/invoke`;

function textOf(request: EmbedRequest, dropped: string[]): string {
  const [input] = request.inputs;
  if (typeof input === "string") return input;
  dropped.push("input[0]");
  return "";
}

const commonlyDropped = (request: EmbedRequest): string[] => [
  ...request.unmodelled,
  ...(request.user === undefined ? [] : ["user"]),
];

export const titanEmbeddings: VendorTask<EmbedRequest> = {
  name: "bedrock-titan-embeddings",
  path,
  mostInputs: 1,
  encodeRequest(request) {
    const dropped = commonlyDropped(request);
    if (request.purpose !== undefined) dropped.push("task_type");
    if (request.truncate !== undefined) dropped.push("auto_truncate");
    const inputText = textOf(request, dropped);
    return {
      body: { inputText, ...(request.dimensions !== undefined && { dimensions: request.dimensions }) },
      dropped,
    };
  },
  decodeResponse(body, _request, model) {
    const vector = isFields(body) ? vectorOf(body["embedding"]) : undefined;
    if (!isFields(body) || !vector) return { ok: false, message: "The vendor's answer holds no vector." };
    const input = countOf(body["inputTextTokenCount"]);
    return {
      ok: true,
      response: {
        kind: "embed",
        model,
        vectors: [vector],
        ...(input !== undefined && { usage: { input, cached_input: 0, output: 0, estimated: false } }),
      },
    };
  },
};

const novaPurposes: Record<EmbedPurpose, string> = {
  query: "GENERIC_RETRIEVAL",
  document: "GENERIC_INDEX",
  classification: "CLASSIFICATION",
  clustering: "CLUSTERING",
  similarity: "GENERIC_INDEX",
};

export const novaEmbeddings: VendorTask<EmbedRequest> = {
  name: "bedrock-nova-embeddings",
  path,
  mostInputs: 1,
  encodeRequest(request) {
    const dropped = commonlyDropped(request);
    const value = textOf(request, dropped);
    const params: Record<string, unknown> = {
      embeddingPurpose: novaPurposes[request.purpose ?? "document"],
      text: { truncationMode: request.truncate === false ? "NONE" : "END", value },
    };
    if (request.dimensions !== undefined) params["embeddingDimension"] = request.dimensions;
    return { body: { taskType: "SINGLE_EMBEDDING", singleEmbeddingParams: params }, dropped };
  },
  decodeResponse(body, _request, model) {
    const list = isFields(body) ? body["embeddings"] : undefined;
    const first: unknown = Array.isArray(list) ? list[0] : undefined;
    const vector = isFields(first) ? vectorOf(first["embedding"]) : undefined;
    if (!vector) return { ok: false, message: "The vendor's answer holds no vector." };
    return { ok: true, response: { kind: "embed", model, vectors: [vector] } };
  },
};
