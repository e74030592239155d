/** The schema of a vendor account: wire format, address, credentials, region, agreement, time limits. */
import { z } from "zod";
import { dataClasses } from "../kernel/decision.ts";
import { duration, secret, strict, text } from "./schema-values.ts";

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
  region: text.describe("Where it processes data, e.g. us, eu, onprem."),
  data_class: z.enum(dataClasses).describe("Highest data class that the data agreement covers.").default("internal"),
  timeouts: strict({
    connect: duration.describe("Until connected.").default("2s"),
    first_byte: duration.describe("Until the first byte of the answer.").default("30s"),
    idle: duration.describe("Between two chunks of a stream.").default("30s"),
  })
    .describe("Time limits of one attempt.")
    .prefault({}),
}).describe("A vendor account: address, key, region, agreement.");
