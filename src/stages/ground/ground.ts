import type { ChatRequest } from "../../kernel/chat.ts";
import type { Decision } from "../../path/context.ts";
import type { Collection } from "../../retrieval/port.ts";
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
    // A passage that a guard would block is left out; the guard's verdict says so. Quotations are never rewritten:
    // their offsets are evidence.
    const kept = found.filter((passage) => {
      const run = runGuards(options.scanner, d.useCase.screen, "passages", [passage.text]);
      const stopped = run.blocked !== undefined || run.failed !== undefined || run.redact !== undefined;
      if (stopped) d.guards.push(...run.verdicts);
      return !stopped;
    });
    d.passages = kept;
    d.retrieval = {
      collection: ground.collection,
      generation: ground.generation,
      passages: kept.map(({ source, score }) => ({ source, score: Math.round(score * 1000) / 1000 })),
    };
  };
}

/** What the caller asks now: the last user message. */
function lastQuestion(request: ChatRequest): string {
  const last = request.messages.findLast((message) => message.role === "user");
  return (last?.parts ?? [])
    .map((part) => (part.type === "text" ? part.text : ""))
    .join(" ")
    .trim();
}
