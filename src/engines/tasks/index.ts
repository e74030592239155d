/**
 * Wire formats of embeddings, rerankings and moderations: what a client's body asks, what a vendor must be sent, what
 * it answered. Pure functions over values; what a translation can't carry is named.
 * Never sends, prices or judges, and never says of a text more than its detectors looked for.
 */
import type { DialectName } from "../../kernel/chat.ts";
import type { EmbedRequest, RerankRequest } from "../../kernel/task.ts";
import { novaEmbeddings, titanEmbeddings } from "./bedrock-embeddings.ts";
import { bedrockCohereEmbeddings, cohereEmbeddings } from "./cohere-embeddings.ts";
import { geminiEmbeddings, vertexEmbeddings } from "./google-embeddings.ts";
import { openaiEmbeddingsVendor } from "./openai-embeddings.ts";
import type { VendorTask, VendorTaskRequest } from "./port.ts";
import { bedrockRerank, cohereRerank, compatibleRerank, vertexRerank } from "./rerank.ts";

export { openaiEmbeddingsClient } from "./openai-embeddings.ts";
export { openaiModerationsClient } from "./openai-moderations.ts";
export { cohereRerankClient } from "./rerank.ts";

/** `platform` tells Vertex AI from the Gemini API, which share a dialect. */
interface At {
  dialect: DialectName;
  platform?: "vertex" | undefined;
  model: string;
}

/** How this vendor wants to be asked for this kind, and for no other; `undefined` where it has no API for that. */
export const vendorTaskOf = (kind: VendorTaskRequest["kind"], at: At): VendorTask | undefined =>
  (kind === "embed" ? embedTaskOf(at) : rerankTaskOf(at)) as VendorTask | undefined;

/** How this vendor wants to be asked for vectors; `undefined` where it has no such API. */
export function embedTaskOf({ dialect, platform, model }: At): VendorTask<EmbedRequest> | undefined {
  switch (dialect) {
    case "openai-chat":
    case "openai-responses":
      return openaiEmbeddingsVendor;
    case "gemini":
      return platform === "vertex" ? vertexEmbeddings : geminiEmbeddings;
    case "cohere":
      return cohereEmbeddings;
    case "bedrock-converse":
      if (model.includes("cohere.embed")) return bedrockCohereEmbeddings;
      return model.includes("nova") ? novaEmbeddings : titanEmbeddings;
    default:
      return undefined;
  }
}

/** How this vendor wants to be asked for an order; `undefined` where it has no such API. */
export function rerankTaskOf({ dialect }: At): VendorTask<RerankRequest> | undefined {
  switch (dialect) {
    // Servers that imitate OpenAI's chat (vLLM, Together, llama.cpp) imitate Cohere's rerank.
    case "openai-chat":
      return compatibleRerank;
    case "cohere":
      return cohereRerank;
    case "gemini":
      return vertexRerank;
    case "bedrock-converse":
      return bedrockRerank;
    default:
      return undefined;
  }
}
