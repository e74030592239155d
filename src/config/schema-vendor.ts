/** The schema of a vendor account: wire format, address, credentials, region, agreement, time limits. */
import { z } from "zod";
import { dataClasses } from "../kernel/decision.ts";
import { count, duration, secret, strict, text } from "./schema-values.ts";

export const vendorSchema = strict({
  dialect: z.enum(["openai", "anthropic"]).describe("Wire format that the vendor speaks."),
  base_url: z
    .string()
    .regex(
      /^https?:\/\/[^\s/?#@]+(\/[^\s?#]*)?$/,
      "a base URL starts with http:// or https:// and holds no user, query or fragment",
    )
    .describe(
      "Address as the vendor's own clients take it. Default, by dialect: https://api.openai.com/v1 or https://api.anthropic.com.",
    )
    .optional(),
  key: secret.describe("API key, by reference: { env: NAME } or { file: PATH }.").optional(),
  keys: z
    .array(secret)
    .min(1)
    .max(32)
    .describe(
      "Several API keys, used in turn. One that is limited cools down, one that the vendor no longer takes is left out; the others carry on.",
    )
    .optional(),
  region: text.describe("Where it processes data, e.g. us, eu, onprem."),
  data_class: z.enum(dataClasses).describe("Highest data class that the data agreement covers.").default("internal"),
  timeouts: strict({
    connect: duration.describe("Until connected.").default("2s"),
    first_byte: duration.describe("Until the first byte of the answer.").default("30s"),
    first_token: duration
      .describe("Until the first content of a stream, from the request on. Default: no limit beyond the others.")
      .optional(),
    total: duration.describe("For a whole attempt. Default: the decision's deadline.").optional(),
    min_bytes_per_second: count
      .describe("A stream that brings less, over ten seconds, is given up. Default: any rate will do.")
      .optional(),
    idle: duration.describe("Between two chunks of a stream.").default("30s"),
  })
    .describe("Time limits of one attempt.")
    .prefault({}),
  health: strict({
    failures: count.describe("Failures in a row that open the breaker of one of its models.").default(5),
    failure_rate: z
      .number()
      .min(0.01)
      .max(1)
      .describe("Or this part of the last minute's calls, once there were 20.")
      .default(0.5),
    open: duration
      .describe(
        "How long an open breaker turns calls away before two of them try it; doubled while they fail, up to a minute.",
      )
      .default("5s"),
    slow_start: duration
      .describe("How long a model that came back takes to get its whole share of a pool again.")
      .default("30s"),
    retry_share: z.number().min(0).max(1).describe("Retries as a part of calls; a burst of ten is free.").default(0.1),
  })
    .describe("When one of its models counts as broken, and how it is brought back.")
    .prefault({}),
}).describe("A vendor account: address, key, region, agreement.");
