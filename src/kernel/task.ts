/** Work on texts that is no chat: vectors for them, an order of documents, a judgement of what they hold. */
import type { Usage } from "./usage.ts";

export const taskKinds = ["embed", "rerank", "moderate"] as const;
export type TaskKind = (typeof taskKinds)[number];

/** What the vectors are for; models that are trained for it place queries and documents differently. */
export type EmbedPurpose = "query" | "document" | "classification" | "clustering" | "similarity";

export interface EmbedRequest {
  kind: "embed";
  /** Texts, or token ids of the vendor's own tokenizer. */
  inputs: (string | number[])[];
  dimensions?: number;
  purpose?: EmbedPurpose;
  /** False: refuse what is too long instead of cutting it. */
  truncate?: boolean;
  user?: string;
  /** Client fields that this form doesn't model, by path; named in x-weir-dropped when a translation loses them. */
  unmodelled: string[];
}

export interface RerankRequest {
  kind: "rerank";
  query: string;
  documents: string[];
  /** Best ones wanted; all unless set. */
  top_n?: number;
  max_tokens_per_document?: number;
  unmodelled: string[];
}

export interface ModerateRequest {
  kind: "moderate";
  inputs: string[];
  unmodelled: string[];
}

export type TaskRequest = EmbedRequest | RerankRequest | ModerateRequest;

export interface EmbedResponse {
  kind: "embed";
  model: string;
  /** One vector per input, in their order. */
  vectors: number[][];
  usage?: Usage;
}

export interface RerankResponse {
  kind: "rerank";
  model: string;
  /** Best first; `index` is into the request's documents. `score` is in [0, 1] where the vendor gives one. */
  results: { index: number; score?: number }[];
  usage?: Usage;
}

interface ModerateResponse {
  kind: "moderate";
  model: string;
  /** One per input: findings by detector, counts only. */
  results: { findings: Record<string, number> }[];
  usage?: Usage;
}

export type TaskResponse = EmbedResponse | RerankResponse | ModerateResponse;

/** Every text that a guard has to read, in order. */
export function textsOf(request: TaskRequest): string[] {
  if (request.kind === "rerank") return [request.query, ...request.documents];
  const texts = request.inputs.flatMap((input) => (typeof input === "string" ? [input] : []));
  return request.kind === "embed" && request.user !== undefined ? [...texts, request.user] : texts;
}

/** The same request with every text rewritten. */
export function withTexts(request: TaskRequest, rewrite: (text: string) => string): TaskRequest {
  switch (request.kind) {
    case "rerank":
      return { ...request, query: rewrite(request.query), documents: request.documents.map(rewrite) };
    case "embed":
      return {
        ...request,
        inputs: request.inputs.map((input) => (typeof input === "string" ? rewrite(input) : input)),
        ...(request.user !== undefined && { user: rewrite(request.user) }),
      };
    case "moderate":
      return { ...request, inputs: request.inputs.map(rewrite) };
  }
}
