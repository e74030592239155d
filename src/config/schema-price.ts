/** The schema of prices: free, or USD per million tokens. */
import { z } from "zod";
import { strict, tokenPrice } from "./schema-values.ts";

export const priceSchema = z.union([
  z.literal("free").describe("Nothing is charged, e.g. a local server."),
  strict({
    input: tokenPrice.describe("USD per million input tokens."),
    cached_input: tokenPrice
      .describe("USD per million input tokens read from the vendor's cache. Default: as input.")
      .optional(),
    output: tokenPrice.describe("USD per million output tokens."),
    per: z.literal("1M tokens").describe("The unit; says itself, may be left out.").default("1M tokens"),
    as_of: z
      .string()
      .regex(/^\d{4}-\d{2}-\d{2}$/, 'a date is written "2026-11-22", in quotes')
      .describe("Date of the price list; names the price version in the record.")
      .optional(),
  }),
]);
