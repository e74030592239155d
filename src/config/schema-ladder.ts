/** The schema of a ladder's rungs and of the rules over what they bring. */
import { z } from "zod";
import { name, strict, text } from "./schema-values.ts";

const commit = z
  .enum(["first-byte", "complete"])
  .describe(
    "When the rung is final: at its first content byte, or when its whole answer was seen. Default: complete where a decide rule or an output guard must see the whole answer and for models in this process, else first-byte.",
  );
export const whenSchema = text.describe("A CEL condition; see Conditions below.");

export const rungSchema = z.union([
  name.describe("A model, a slot, or the built-in `extractive`."),
  strict({
    model: name.describe("A model of `models`, or `extractive`."),
    when: whenSchema.describe("The rung is taken only where this CEL condition holds.").optional(),
    commit: commit.optional(),
  }),
  strict({
    slot: name.describe("A slot of `slots`."),
    when: whenSchema.describe("The rung is taken only where this CEL condition holds.").optional(),
    commit: commit.optional(),
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
