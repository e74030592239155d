/**
 * Answers with sentences of the given passages, word for word and cited, or abstains. No language model: what it says
 * stands in a source at the offsets that it names, and a question that the passages do not cover is left to the next rung.
 */
import type { ChatRequest, ChatResponse, Citation } from "../../kernel/chat.ts";
import { noUsage } from "../../kernel/usage.ts";
import { type Passage, sentencesOf, type Span, wordsOf } from "../../retrieval/index.ts";
import type { ChatModel, Runtime } from "./port.ts";

/**
 * Share of the question's words, weighted by rarity, that one passage with its title must contain. Not much more than
 * half, for people ask in other words than policies are written in; at one half, questions about things that no source
 * mentions begin to be answered from sources about their neighbours (tried on the bank example's questions).
 */
const minPassageCoverage = 0.55;
/** The same for a single sentence, whose title counts half: less, as an answer rarely repeats the whole question. */
const minSentenceCoverage = 0.3;
/** Further sentences must come near the best one. */
const nearBest = 0.7;
const maxSentences = 3;
const maxPassages = 2;

interface Candidate extends Span {
  passage: number;
  coverage: number;
  words: number;
}

export function createExtractiveRuntime(): Runtime {
  const model: ChatModel = {
    kind: "chat",
    async answer(request, passages, signal) {
      if (signal?.aborted) throw signal.reason;
      return answerFrom(request, passages);
    },
    async close() {},
  };
  return { name: "extractive", load: async () => model };
}

function answerFrom(request: ChatRequest, passages: readonly Passage[]): ChatResponse | undefined {
  // Prose is all that it can give: no JSON, no tool call.
  if (request.response_format !== undefined && request.response_format.type !== "text") return undefined;
  if (request.tool_choice === "required" || typeof request.tool_choice === "object") return undefined;
  const asked = new Set(wordsOf(questionOf(request)));
  if (asked.size === 0) return undefined;
  const chosen = choose(asked, passages);
  if (chosen.length === 0) return undefined;
  const citations = chosen.map((sentence) => cite(passages[sentence.passage]!, sentence));
  const text = citations.map((citation, index) => `${citation.text} [${index + 1}]`).join(" ");
  return { model: "extractive", parts: [{ type: "text", text }], finish: "stop", usage: noUsage, citations };
}

function questionOf({ messages }: ChatRequest): string {
  const last = messages.findLast((message) => message.role === "user");
  return (last?.parts ?? []).flatMap((part) => (part.type === "text" ? [part.text] : [])).join("\n");
}

function choose(asked: ReadonlySet<string>, passages: readonly Passage[]): Candidate[] {
  const contents = passages.map(({ title, text }) => ({
    title: new Set(wordsOf(title)),
    text: new Set(wordsOf(text)),
  }));
  const weights = rarity(
    asked,
    contents.map(({ title, text }) => new Set([...title, ...text])),
  );
  const candidates = passages.flatMap((passage, index) => {
    const { title, text } = contents[index]!;
    if (coverage(weights, text, title, 1) < minPassageCoverage) return [];
    return sentencesOf(passage.text).map((span): Candidate => {
      const words = new Set(wordsOf(passage.text.slice(span.start, span.end)));
      return { ...span, passage: index, coverage: coverage(weights, words, title, 0.5), words: words.size };
    });
  });
  // Of equals the shorter one says it more to the point; then, sorting being stable, the one in the better passage.
  const ranked = candidates.sort((a, b) => b.coverage - a.coverage || a.words - b.words);
  const best = ranked[0];
  if (best === undefined || best.coverage < minSentenceCoverage) return [];
  return readable(ranked.filter((candidate) => candidate.coverage >= best.coverage * nearBest));
}

/** Few sentences of few passages, each passage's in its own order, the best passage first. */
function readable(ranked: readonly Candidate[]): Candidate[] {
  const order = [...new Set(ranked.map((candidate) => candidate.passage))].slice(0, maxPassages);
  const kept = ranked.filter((candidate) => order.includes(candidate.passage)).slice(0, maxSentences);
  return kept.sort((a, b) => order.indexOf(a.passage) - order.indexOf(b.passage) || a.start - b.start);
}

/** Inverse document frequency over the given passages; a word that none of them has weighs most. */
function rarity(asked: ReadonlySet<string>, contents: readonly ReadonlySet<string>[]): Map<string, number> {
  const weight = (word: string) => {
    const having = contents.filter((words) => words.has(word)).length;
    return Math.log(1 + (contents.length + 1) / (having + 0.5));
  };
  return new Map([...asked].map((word) => [word, weight(word)]));
}

function coverage(
  weights: ReadonlyMap<string, number>,
  words: ReadonlySet<string>,
  title: ReadonlySet<string>,
  titleShare: number,
): number {
  let met = 0;
  let all = 0;
  for (const [word, weight] of weights) {
    all += weight;
    if (words.has(word)) met += weight;
    else if (title.has(word)) met += weight * titleShare;
  }
  return all === 0 ? 0 : met / all;
}

const cite = (passage: Passage, { start, end }: Span): Citation => ({
  source: passage.source,
  title: passage.title,
  start: passage.start + start,
  end: passage.start + end,
  text: passage.text.slice(start, end),
});
