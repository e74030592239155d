/** What is recorded of an answer to a task, and what is kept of it for a repeated idempotency key. */
import type { TaskResponse } from "../../kernel/task.ts";
import type { Outcome } from "../../path/context.ts";

type TaskOutcome = Extract<Outcome, { type: "task" }>;

/** Vectors stand for their texts and can be turned back into them, so whatever `record` says only their form is kept. */
export function recordedTask(response: TaskResponse): unknown {
  if (response.kind !== "embed") return response.results;
  return { vectors: response.vectors.length, dimensions: response.vectors[0]?.length ?? 0 };
}

/** Where the vendor's bytes were passed on they are enough; vectors hold no text to scrub, in bytes or as numbers. */
export function keptTask({ response, raw: bytes }: TaskOutcome, scrub: (text: string) => string): TaskOutcome {
  if (bytes === undefined) return { type: "task", response };
  const raw = typeof bytes === "string" ? bytes : Buffer.from(bytes).toString("utf8");
  if (response.kind !== "embed") return { type: "task", response, raw: scrub(raw) };
  return { type: "task", response: { ...response, vectors: [] }, raw };
}
