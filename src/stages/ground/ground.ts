import type { ChatRequest } from "../../kernel/chat.ts";
import type { Decision } from "../../path/context.ts";
import type { Collection, Passage } from "../../retrieval/port.ts";
import { type Scanner, runGuards } from "../screen/index.ts";

export interface GroundOptions {
  collection(generation: string): Collection | undefined;
  scanner: Scanner;
}

export function createGround(options: GroundOptions): (d: Decision) => void {
  return (d) => {
    const { ground } = d.useCase;
    if (!ground || !d.request) return;
    const collection = options.collection(ground.generation);
    const query = lastQuestion(d.request);
    if (!collection || query === "") return;
    const found = collection.search(query, ground.passages, d.principal.groups);
    // Only blocking guards read passages: a redacting guard protects what callers send, and a quotation is never rewritten,
    // for its offsets are evidence.
    const blocking = d.useCase.screen.filter((guard) => guard.action === "block");
    const kept = found.filter((passage) => {
      const run = runGuards(options.scanner, blocking, "passages", [passage.text]);
      const stopped = run.blocked !== undefined || run.failed !== undefined;
      if (stopped) d.guards.push(...run.verdicts);
      return !stopped;
    });
    const distinct = withoutRepeats(kept);
    d.passages = distinct;
    d.retrieval = {
      collection: ground.collection,
      generation: ground.generation,
      passages: distinct.map(({ source, score }) => ({ source, score: Math.round(score * 1000) / 1000 })),
    };
  };
}

/** Documents repeat themselves: a passage that says what a better one has said is paid for and tells nothing. */
function withoutRepeats(passages: readonly Passage[]): Passage[] {
  const kept: { passage: Passage; shingles: ReadonlySet<string> }[] = [];
  for (const passage of passages) {
    const shingles = shinglesOf(passage.text);
    if (!kept.some((one) => likeness(one.shingles, shingles) > repeated)) kept.push({ passage, shingles });
  }
  return kept.map(({ passage }) => passage);
}

// Jaccard index of five-word shingles (Broder 1997); above this two passages differ in a word or two.
const repeated = 0.9;
const shingleWords = 5;

function shinglesOf(text: string): ReadonlySet<string> {
  const words = text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  if (words.length <= shingleWords) return new Set([words.join(" ")]);
  return new Set(words.slice(shingleWords - 1).map((_, i) => words.slice(i, i + shingleWords).join(" ")));
}

function likeness(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let both = 0;
  for (const one of a) if (b.has(one)) both += 1;
  return both / (a.size + b.size - both);
}

/** What the caller asks now: the last user message. */
function lastQuestion(request: ChatRequest): string {
  const last = request.messages.findLast((message) => message.role === "user");
  return (last?.parts ?? [])
    .map((part) => (part.type === "text" ? part.text : ""))
    .join(" ")
    .trim();
}
