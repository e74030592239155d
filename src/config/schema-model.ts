/** The schema of models: at a vendor, or in this process from a pinned file. */
import { z } from "zod";
import { priceSchema } from "./schema-price.ts";
import { count, file, name, strict, text } from "./schema-values.ts";

const card = file.describe("The model card, Markdown.").optional();
const sha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/, "a SHA-256 has 64 lower-case hexadecimal digits")
  .describe("Digest of the file; a file that differs is refused.")
  .optional();

export const modelSchema = z.union([
  strict({
    vendor: name.describe("An entry of `vendors`."),
    model: text.describe("The model's name at the vendor."),
    price: priceSchema.describe("`free`, or USD per million tokens.").optional(),
    max_output: count
      .describe("Most output tokens of an answer; the worst case that money is held for. Needed with a price.")
      .optional(),
    context: count.describe("Tokens of input and output together.").optional(),
  }).describe("A model at a vendor."),
  strict({
    runtime: z.literal("onnx").describe("An ONNX graph in this process."),
    file: file.describe("The .onnx file."),
    sha256,
    card,
  }).describe("A predictive model from a file."),
  strict({
    runtime: z.literal("rules").describe("A rules file in this process."),
    file: file.describe("The rules file."),
    sha256,
    card,
  }).describe("A rules baseline from a file."),
  strict({
    runtime: z.literal("extractive").describe("Sentences of the retrieved passages, verbatim with citations."),
  }).describe("Answers without a language model."),
]);
