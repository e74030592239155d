/** The schema of models: at a vendor, or in this process from a pinned file. */
import { z } from "zod";
import { capabilities } from "../kernel/snapshot.ts";
import { priceSchema, runtimePriceSchema } from "./schema-price.ts";
import { quirksSchema } from "./schema-vendor.ts";
import { count, energyRate, file, name, strict, text } from "./schema-values.ts";

const card = file.describe("The model card, Markdown.").optional();
const sha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/, "a SHA-256 has 64 lower-case hexadecimal digits")
  .describe("Digest of the file; a file that differs is refused.")
  .optional();

const energy = strict({
  wh_per_1k_input: energyRate.describe("Watt-hours per thousand input tokens.").optional(),
  wh_per_1k_output: energyRate.describe("Watt-hours per thousand output tokens.").optional(),
  watts: energyRate.describe("Watts drawn while a call runs.").optional(),
  parallel: count.describe("Calls that share these watts at a time.").default(1),
})
  .describe("What the vendor or host declares it to draw; an estimate is recorded from it.")
  .optional();
const runtimePrice = runtimePriceSchema.describe("What computing costs. Default: free.").optional();

export const modelSchema = z.union([
  strict({
    vendor: name.describe("An entry of `vendors`."),
    model: text.describe("The model's name at the vendor."),
    price: priceSchema
      .describe(
        "`book`, `free`, USD per million tokens, or USD per hour of own hardware. Default: as the price book lists the model at this vendor.",
      )
      .optional(),
    max_output: count
      .describe(
        "Most output tokens of an answer; the worst case that money is held for. Needed with a price. Default: as the price book has it.",
      )
      .optional(),
    context: count.describe("Tokens of input and output together.").optional(),
    lacks: z
      .array(z.enum(capabilities))
      .describe("What it can't do: requests that need it go to other rungs. Default: it can do all that is asked.")
      .default([]),
    quirks: quirksSchema,
    energy,
  }).describe("A model at a vendor."),
  strict({
    runtime: z.literal("onnx").describe("An ONNX graph in this process."),
    file: file.describe("The .onnx file."),
    sha256,
    card,
    price: runtimePrice,
    energy,
  }).describe("A predictive model from a file."),
  strict({
    runtime: z.literal("rules").describe("A rules file in this process."),
    file: file.describe("The rules file."),
    sha256,
    card,
    price: runtimePrice,
    energy,
  }).describe("A rules baseline from a file."),
  strict({
    runtime: z.literal("extractive").describe("Sentences of the retrieved passages, verbatim with citations."),
    price: runtimePrice,
    energy,
  }).describe("Answers without a language model."),
]);
