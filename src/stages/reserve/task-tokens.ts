/** What a task's texts weigh before a vendor reports it: upper estimates, as those of chats. */
import type { EmbedRequest, RerankRequest, TaskRequest } from "../../kernel/task.ts";
import { estimateTokens } from "./text-tokens.ts";

// A task is not changed in place, and several stages ask.
const known = new WeakMap<TaskRequest, number>();

const inputTokens = (input: string | readonly number[]): number =>
  typeof input === "string" ? estimateTokens(input) : input.length;

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

/** Input tokens of the whole request; a reranker reads the query beside every document. */
export function estimateTaskTokens(task: TaskRequest): number {
  const before = known.get(task);
  if (before !== undefined) return before;
  const tokens =
    task.kind === "rerank"
      ? sum(task.documents.map(inputTokens)) + estimateTokens(task.query) * task.documents.length
      : sum(task.inputs.map(inputTokens));
  known.set(task, tokens);
  return tokens;
}

/** Of the longest single input: what has to fit into an embedding model's context. */
export const longestInputTokens = ({ inputs }: EmbedRequest): number =>
  inputs.reduce((most, input) => Math.max(most, inputTokens(input)), 0);

// A search unit is a query with up to 100 documents; one that is longer than 500 tokens, the query's included, counts as
// several (Cohere's pricing; Vertex AI and Bedrock bill the same).
const documentsInUnit = 100;
const tokensInDocument = 500;

export function estimateSearchUnits({ query, documents }: RerankRequest): number {
  const asked = estimateTokens(query);
  const chunks = sum(documents.map((text) => Math.ceil((asked + estimateTokens(text)) / tokensInDocument)));
  return Math.max(1, Math.ceil(chunks / documentsInUnit));
}
