/** OpenAI's Embeddings, as clients and as many vendors speak it (Azure, Mistral, Together, vLLM, Ollama, Gemini's twin). */
import type { EmbedPurpose, EmbedRequest } from "../../kernel/task.ts";
import {
  BodyFault,
  countOf,
  fieldsAt,
  flagAt,
  integerAt,
  isFields,
  listAt,
  nonEmptyTextAt,
  positiveIntegerAt,
  textAt,
  textOr,
} from "../dialects/body-reader.ts";
import { spliceTopLevel } from "../dialects/splice.ts";
import type { ClientTask, VendorTask } from "./port.ts";
import { refusalAsValue, vectorOf } from "./reading.ts";

const mostInputs = 2048;

/** Google's names, which OpenAI-compatible clients of its models send along. */
const purposes = new Map<string, EmbedPurpose>([
  ["RETRIEVAL_QUERY", "query"],
  ["RETRIEVAL_DOCUMENT", "document"],
  ["CLASSIFICATION", "classification"],
  ["CLUSTERING", "clustering"],
  ["SEMANTIC_SIMILARITY", "similarity"],
]);

export const openaiEmbeddingsClient: ClientTask<EmbedRequest> = {
  same: "openai-embeddings",
  decodeRequest: (body) =>
    refusalAsValue(() => {
      const fields = fieldsAt(body, "");
      const request: EmbedRequest = { kind: "embed", inputs: inputsAt(fields["input"]), unmodelled: [] };
      for (const key in fields) {
        const value = fields[key];
        if (value === null || value === undefined || key === "model" || key === "input") continue;
        if (key === "dimensions") request.dimensions = positiveIntegerAt(value, key);
        else if (key === "user") request.user = textAt(value, key);
        else if (key === "auto_truncate") request.truncate = flagAt(value, key);
        else if (key === "task_type") {
          const purpose = purposes.get(textAt(value, key));
          if (purpose === undefined) request.unmodelled.push(key);
          else request.purpose = purpose;
        } else if (key === "encoding_format") formatAt(value);
        else request.unmodelled.push(key);
      }
      return { model: nonEmptyTextAt(fields["model"], "model"), request };
    }),
  encodeResponse({ vectors, model, usage }, _request, { body }) {
    const base64 = isFields(body) && body["encoding_format"] === "base64";
    const tokens = usage?.input ?? 0;
    return {
      object: "list",
      data: vectors.map((vector, index) => ({
        object: "embedding",
        index,
        embedding: base64 ? base64Of(vector) : vector,
      })),
      model,
      usage: { prompt_tokens: tokens, total_tokens: tokens },
    };
  },
};

function formatAt(value: unknown): "float" | "base64" {
  if (value === "float" || value === "base64") return value;
  throw new BodyFault("encoding_format", "encoding_format must be float or base64.");
}

function inputsAt(value: unknown): EmbedRequest["inputs"] {
  if (typeof value === "string") return [nonEmptyTextAt(value, "input")];
  const list = listAt(value, "input");
  if (list.length === 0) throw new BodyFault("input", "input must not be empty.");
  if (typeof list[0] === "number") return [tokensAt(list, "input")];
  if (list.length > mostInputs) throw new BodyFault("input", `input has more than ${mostInputs} items.`);
  return list.map((item, i) =>
    Array.isArray(item) ? tokensAt(item as unknown[], `input[${i}]`) : nonEmptyTextAt(item, `input[${i}]`),
  );
}

const tokensAt = (list: unknown[], path: string): number[] => {
  if (list.length === 0) throw new BodyFault(path, `${path} must not be empty.`);
  return list.map((item, i) => integerAt(item, `${path}[${i}]`));
};

/** Little-endian 32-bit floats, as the official clients ask for by default. */
const base64Of = (vector: readonly number[]): string =>
  Buffer.from(Float32Array.from(vector).buffer).toString("base64");

export const openaiEmbeddingsVendor: VendorTask<EmbedRequest> = {
  name: "openai-embeddings",
  path: () => "/embeddings",
  mostInputs,
  encodeRequest(request, model) {
    const dropped = [...request.unmodelled];
    if (request.purpose !== undefined) dropped.push("task_type");
    if (request.truncate !== undefined) dropped.push("auto_truncate");
    const { inputs, dimensions, user } = request;
    const body: Record<string, unknown> = { model, input: inputs.length === 1 ? inputs[0] : inputs };
    if (dimensions !== undefined) body["dimensions"] = dimensions;
    if (user !== undefined) body["user"] = user;
    // No encoding_format: null breaks vLLM, and servers that don't know base64 answer with floats anyway.
    return { body, dropped };
  },
  decodeResponse(body, { inputs }, model) {
    const data = isFields(body) ? body["data"] : undefined;
    if (!isFields(body) || !Array.isArray(data))
      return { ok: false, message: "The vendor's answer has no data array." };
    const vectors: number[][] = [];
    for (const [i, item] of (data as unknown[]).entries()) {
      const vector = isFields(item) ? vectorOf(item["embedding"]) : undefined;
      const index = isFields(item) ? (countOf(item["index"]) ?? i) : i;
      if (!vector || index >= inputs.length)
        return { ok: false, message: "The vendor's answer holds no vector where one belongs." };
      vectors[index] = vector;
    }
    if (Object.keys(vectors).length !== inputs.length)
      return { ok: false, message: `The vendor answered ${vectors.length} vectors for ${inputs.length} inputs.` };
    const input = isFields(body["usage"]) ? countOf(body["usage"]["prompt_tokens"]) : undefined;
    return {
      ok: true,
      response: {
        kind: "embed",
        model: textOr(body["model"], model),
        vectors,
        ...(input !== undefined && { usage: { input, cached_input: 0, output: 0, estimated: false } }),
      },
    };
  },
  forward: (body, model) => spliceTopLevel(body, { model }),
};
