/** The schema of one use case: what it is, who may call it, and how it comes to an answer. */
import { z } from "zod";
import { dataClasses, decisionKinds, riskTiers } from "../kernel/decision.ts";
import { ruleSchema, rungSchema, whenSchema } from "./schema-ladder.ts";
import { useCaseLimits } from "./schema-limits.ts";
import { duration, file, name, oneOrMore, strict, text } from "./schema-values.ts";

export const useCaseSchema = strict({
  kind: z
    .enum(decisionKinds)
    .describe(
      "chat; score: a predictive model's; embed: vectors for texts; rerank: documents in the order of a query; moderate: what detectors find in texts.",
    ),
  risk: z
    .enum(riskTiers)
    .describe("Risk tier. It sets the defaults of durability, record and guard failure, and forbids weaker ones.")
    .default("limited"),
  data_class: z
    .enum(dataClasses)
    .describe(
      "Highest class of data that may enter. Targets whose agreement covers less are not eligible. Default: the highest class of the contract's features for score, else internal.",
    )
    .optional(),
  owner: text.describe("The person or team that answers for it.").optional(),
  tenants: z.array(name).min(1).describe("Tenants that may call it. Default: all.").optional(),
  purpose: oneOrMore
    .describe("Purposes that a caller may state; one or a list. With it, stating one is required.")
    .optional(),
  basis: text.describe("Lawful basis of the processing, as recorded.").optional(),
  consent: z
    .enum(["none", "required"])
    .describe("Whether a valid consent reference of the subject is needed.")
    .default("none"),
  regions: z
    .array(text)
    .min(1)
    .describe("Regions where it may be served. Default: anywhere that the tenant allows.")
    .optional(),
  when: whenSchema.describe("A CEL condition on callers: who may ask, and for what.").optional(),
  ...useCaseLimits,
  prompt: file.describe("File with the system prompt (chat).").optional(),
  input: file.describe("File with the feature contract (score).").optional(),
  detect: z.array(name).min(1).describe("Detectors whose findings are the answer (moderate). Default: all.").optional(),
  screen: z.array(name).describe("Guards over the input, in order.").default([]),
  check: z.array(name).describe("Guards over the output, in order.").default([]),
  ground: strict({
    folder: file.describe("Folder of Markdown files that answers are grounded in; subfolders included."),
    passages: z.int().min(1).max(50).describe("How many passages a request gets.").default(4),
  })
    .describe("Retrieval from a folder of documents (chat).")
    .optional(),
  ladder: z
    .array(rungSchema)
    .min(1)
    .describe("Ordered ways to an outcome; the next is taken where one fails, abstains or is not allowed."),
  decide: z
    .array(ruleSchema)
    .describe("Rules over the answer, first match wins. For score the last rule has no `when`.")
    .default([]),
  cache: strict({
    exact: duration.describe("How long an answer is served again for the same request."),
    tags: z
      .array(name)
      .describe("What the answers depend on; an operator may drop all of one tag at once.")
      .default([]),
  })
    .describe("Answers kept for identical requests. Default: off.")
    .optional(),
  strict: z
    .boolean()
    .describe("Refuse a request of which the model's dialect would lose something, as x-weir-strict does.")
    .default(false),
  deadline: duration.describe("Time for the whole decision. Default: 5s for score and moderate, else 60s.").optional(),
  retries: z
    .int()
    .min(0)
    .max(5)
    .describe("Further attempts at the same rung after a failure that may pass.")
    .default(1),
  record: z
    .enum(["redacted", "full", "digest"])
    .describe("What of the content is recorded (encrypted). Default: redacted, and full for high risk.")
    .optional(),
  durability: z
    .enum(["sealed", "queued"])
    .describe("sealed: on disk before it is answered. Default: queued, and sealed for high risk.")
    .optional(),
  release: z
    .enum(["direct", "one-person", "four-eyes"])
    .describe(
      "Who may let a changed bundle serve. Default: one-person, and four-eyes for high risk; direct only for minimal risk.",
    )
    .optional(),
}).describe("A named AI capability that clients call.");

export type UseCaseConfig = z.output<typeof useCaseSchema>;
export type RungConfig = UseCaseConfig["ladder"][number];
export type RuleConfig = UseCaseConfig["decide"][number];
