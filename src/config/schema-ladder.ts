/** The schema of a ladder's rungs and of the rules over what they bring. */
import { z } from "zod";
import { poolStrategies } from "../kernel/snapshot.ts";
import { count, name, strict, text } from "./schema-values.ts";

const commit = z
  .enum(["first-byte", "complete"])
  .describe(
    "When the rung is final: at its first content byte, or when its whole answer was seen. Default: complete where a decide rule or acceptance check must see the whole answer, where an output guard blocks and there is another rung to climb to, and for models in this process; else first-byte.",
  );
export const whenSchema = text.describe("A CEL condition; see Conditions below.");

const accept = strict({
  schema: z
    .literal(true)
    .describe("It fits the JSON Schema that the request asks for; its tool calls hold JSON that fits their tools.")
    .optional(),
  confidence: z
    .number()
    .min(0)
    .max(1)
    .describe(
      "Least confidence: the geometric mean of its tokens' probabilities. Without `logprobs` in the answer it is not known, and not accepted.",
    )
    .optional(),
  abstains: z
    .literal(false)
    .describe("Not accepted: an answer that says nothing, is cut short, or says that it can't tell.")
    .optional(),
}).describe(
  "When the rung's answer is good enough; otherwise the next rung is taken. Where the rung costs more than it saves it is left out by itself.",
);

const memberSchema = z.union([
  name.describe("A model, or a slot."),
  strict({
    model: name.describe("A model of `models`, or a slot of `slots`."),
    weight: z.number().min(0.001).max(1000).describe("Its share (weighted, least-loaded, sticky).").default(1),
    up_to: count.describe("Most input tokens that it is taken for (by-length).").optional(),
    when: whenSchema.describe("The member is taken only where this CEL condition holds.").optional(),
  }),
]);

const poolStrategy = z
  .enum(poolStrategies)
  .describe(
    "Which member is tried first; the others follow if it fails. first: in the order written. weighted: by chance, by weight. least-loaded: the better of two by latency and calls in flight. cheapest: by expected cost. fastest: by time to first token, or to the whole answer. by-length: the smallest that fits the input. sticky: the same one for a session or subject, so that the vendor's prompt cache is used.",
  )
  .default("first");

export const rungSchema = z.union([
  name.describe("A model, a slot, or the built-in `extractive` (chat) or `detectors` (moderate)."),
  strict({
    model: name.describe("A model of `models`, `extractive` or `detectors`."),
    when: whenSchema.describe("The rung is taken only where this CEL condition holds.").optional(),
    commit: commit.optional(),
    accept: accept.optional(),
  }),
  strict({
    slot: name.describe("A slot of `slots`."),
    when: whenSchema.describe("The rung is taken only where this CEL condition holds.").optional(),
    commit: commit.optional(),
    accept: accept.optional(),
  }),
  strict({
    pool: z.array(memberSchema).min(2).max(16).describe("Models that stand for one another."),
    strategy: poolStrategy,
    when: whenSchema.describe("The pool is taken only where this CEL condition holds.").optional(),
    commit: commit.optional(),
    accept: accept.optional(),
  }),
  strict({ template: text.describe("A fixed text that is answered; last in the ladder.") }),
  strict({ refer: name.describe("The human queue that takes over; last in the ladder.") }),
]);

export const ruleSchema = z.union([
  strict({
    when: whenSchema.optional(),
    result: name.describe("What was decided, e.g. approve; `refer` hands over to the queue in `to`."),
    to: name.describe("The human queue; with `result: refer`.").optional(),
  }),
  strict({ when: whenSchema.optional(), climb: z.literal(true).describe("Take the next rung.") }),
  strict({ when: whenSchema.optional(), template: text.describe("Answer with this text instead (chat).") }),
]);
