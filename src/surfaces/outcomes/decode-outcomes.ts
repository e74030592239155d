/** The body of `POST /v1/outcomes` → outcomes, or what is wrong with which field. */
import { z } from "zod";
import { type Refusal, refuse } from "../../kernel/errors.ts";
import { type DecisionId, isDecisionId } from "../../kernel/ids.ts";

export interface OutcomeSent {
  /** Where it stood in the body; empty for a single outcome, `outcomes[3].` in a batch. */
  path: string;
  decision: DecisionId;
  outcomeId: string;
  label: string;
  value?: number;
  /** Absent: at the time of sending. */
  observedAtMs?: number;
  note?: string;
}

const maxBatch = 500;
const maxNoteCharacters = 2000;
/** Clocks differ; more than that is a mistake. */
const maxAheadMs = 5 * 60_000;

const outcome = z.strictObject({
  decision_id: z.custom<DecisionId>(
    (id) => typeof id === "string" && isDecisionId(id),
    "must be a decision id, as x-weir-decision-id gave it",
  ),
  // Both are searchable metadata: no room for free text.
  outcome_id: z.string().regex(/^[\w.:-]{1,128}$/, "must be 1 to 128 letters, digits or any of _ . : -"),
  label: z.string().regex(/^[\w.-]{1,64}$/, "must be 1 to 64 letters, digits or any of _ . -"),
  value: z.number("must be a finite number").optional(),
  observed_at: z.iso
    .datetime({ offset: true, error: "must be an RFC 3339 time, e.g. 2026-03-01T09:30:00Z" })
    .regex(/T\d\d:\d\d:\d\d/, "must be an RFC 3339 time with seconds, e.g. 2026-03-01T09:30:00Z")
    .optional(),
  note: z.string().min(1).max(maxNoteCharacters, `must have at most ${maxNoteCharacters} characters`).optional(),
});
const batch = z.strictObject({
  outcomes: z.array(outcome).min(1).max(maxBatch, `must be at most ${maxBatch} outcomes`),
});

export function decodeOutcomes(body: unknown, nowMs: number): OutcomeSent[] | Refusal {
  const isBatch = typeof body === "object" && body !== null && "outcomes" in body;
  const parsed = (isBatch ? batch : outcome).safeParse(body, {
    error: (issue) => (issue.input === undefined ? "is missing" : undefined),
  });
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    return wrong(pathText(path), message);
  }
  const sent = "outcomes" in parsed.data ? parsed.data.outcomes : [parsed.data];
  const outcomes = sent.map((one, i) => outcomeOf(one, isBatch ? `outcomes[${i}].` : ""));
  const early = outcomes.find(({ observedAtMs }) => observedAtMs !== undefined && observedAtMs > nowMs + maxAheadMs);
  return early ? wrong(`${early.path}observed_at`, "lies in the future") : outcomes;
}

const outcomeOf = (sent: z.infer<typeof outcome>, path: string): OutcomeSent => ({
  path,
  decision: sent.decision_id,
  outcomeId: sent.outcome_id,
  label: sent.label,
  ...(sent.value !== undefined && { value: sent.value }),
  ...(sent.observed_at !== undefined && { observedAtMs: Date.parse(sent.observed_at) }),
  ...(sent.note !== undefined && { note: sent.note }),
});

const wrong = (path: string, what: string): Refusal =>
  refuse("invalid_request", `${path || "The body"}: ${what}`.slice(0, 500), { param: path.slice(0, 200) || "body" });

const pathText = (path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (text, key) => (typeof key === "number" ? `${text}[${key}]` : `${text}${text && "."}${String(key)}`),
    "",
  );
