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
    // Only blocking guards read passages: a redacting guard protects what callers send, and a quotation is never rewritten,
    // for its offsets are evidence.
    const blocking = d.useCase.screen.filter((guard) => guard.action === "block");
    const kept = found.filter((passage) => {
      const run = runGuards(options.scanner, blocking, "passages", [passage.text]);
      const stopped = run.blocked !== undefined || run.failed !== undefined;
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
