/** The schema of prices: free, from the price book, own rates, own hardware. */
import { z } from "zod";
import { fractionOf } from "./fraction.ts";
import { count, exactly, strict, text, tokenPrice, usdRate } from "./schema-values.ts";

const date = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}$/, 'a date is written "2026-11-22", in quotes')
  .refine((day) => !Number.isNaN(Date.parse(day)), "there is no such day");
const minute = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time of day is written "16:30", in quotes');
const factor = z
  .union([z.number(), z.string()])
  .check(exactly(fractionOf))
  .describe('A factor, exact: 0.5, or a fraction: "5/3".');

const contract = factor.describe("Factor on the whole price by own contract, e.g. 0.85.").optional();
const uplift = factor.describe("Factor on the rates of tokens, e.g. 1.1 for a region.").optional();
const asOf = date.describe("Date of the price list; names the price version in the record.").optional();
const priceVersion = text
  .describe("Name of this price in the record. Default: the model's name, `as_of` and a digest of the figures.")
  .optional();

/** USD per million tokens, by meter; all but the first and the fourth may be left out. */
const optionalRates = {
  cached_input: tokenPrice
    .describe("USD per million input tokens read from the vendor's cache. Default: as input.")
    .optional(),
  cache_write: tokenPrice
    .describe("USD per million input tokens written to the vendor's cache. Default: as input.")
    .optional(),
  cache_write_1h: tokenPrice
    .describe("The same, to be kept for an hour. Default: the dearer of input and cache_write.")
    .optional(),
  reasoning: tokenPrice.describe("USD per million reasoning tokens. Default: as output.").optional(),
  audio_input: tokenPrice.describe("USD per million audio input tokens. Default: as input, flagged.").optional(),
  cached_audio_input: tokenPrice
    .describe("USD per million audio input tokens read from the vendor's cache. Default: as audio_input.")
    .optional(),
  audio_output: tokenPrice.describe("USD per million audio output tokens. Default: as output, flagged.").optional(),
  image_output: tokenPrice.describe("USD per million image output tokens. Default: as output, flagged.").optional(),
};
const rates = {
  input: tokenPrice.describe("USD per million input tokens."),
  ...optionalRates,
  output: tokenPrice.describe("USD per million output tokens."),
};
const changedRates = { ...optionalRates, input: rates.input.optional(), output: rates.output.optional() };

const tiers = z
  .array(
    strict({
      above: count.describe("Input tokens, cached ones among them, above which the whole request has these rates."),
      ...changedRates,
    }),
  )
  .min(1)
  .refine((list) => new Set(list.map(({ above }) => above)).size === list.length, "two tiers begin at the same length")
  .describe("Rates of long requests, ascending; what is left out is as below.")
  .optional();

const serviceClass = strict({
  factor: factor.describe("Of the standard rates, for what is not named here. Default: 1.").optional(),
  ...changedRates,
  tiers,
});

const perUse = {
  per_request: usdRate.describe("USD per request.").optional(),
  web_search: usdRate.describe("USD per call of the vendor's web search.").optional(),
  search_unit: usdRate.describe("USD per search unit (rerank).").optional(),
};

const ownRates = {
  ...rates,
  tiers,
  classes: strict({
    flex: serviceClass.describe("The slow class.").optional(),
    batch: serviceClass.describe("The batch class.").optional(),
    priority: serviceClass.describe("The fast class.").optional(),
  })
    .describe("Rates of the vendor's service classes. One that is used and not named is charged as standard, flagged.")
    .optional(),
  ...perUse,
  contract,
  uplift,
  per: z.literal("1M tokens").describe("The unit; says itself, may be left out.").default("1M tokens"),
  as_of: asOf,
  version: priceVersion,
};

const ownPrice = strict(ownRates);

const datedPrice = strict({
  from: date.describe("In force from this day on, UTC. Default: always.").optional(),
  hours: strict({
    from: minute.describe("From this time of day on, UTC."),
    until: minute.describe("Until before this time of day, UTC."),
  })
    .describe("In force at certain hours of each day only.")
    .optional(),
  ...ownRates,
});

const bookPrice = strict({
  book: z
    .union([z.literal(true), text.regex(/^[^/\s]+\/\S+$/, "an entry of the book is named PROVIDER/MODEL")])
    .describe("The entry of the price book, e.g. openai/gpt-5.4; true: found by the vendor's address and the model."),
  contract,
  uplift,
});

/** What a call's time costs; also of models in this process. */
const hourPrice = strict({
  per_hour: usdRate.describe("USD per hour of the machine, booked by the time that a call takes."),
  parallel: count.describe("Calls that share the machine at a time.").default(1),
  as_of: asOf,
  version: priceVersion,
});
const cpuPrice = strict({
  per_cpu_ms: usdRate.describe("USD per millisecond of computing."),
  as_of: asOf,
  version: priceVersion,
});

const free = z.literal("free").describe("Nothing is charged, e.g. a local server.");

/** Of a model in this process. */
export const runtimePriceSchema = z.union([free, hourPrice, cpuPrice]);

export const priceSchema = z.union([
  free,
  z.literal("book").describe("As the price book lists it; its figures become part of the snapshot."),
  ownPrice,
  z
    .array(datedPrice)
    .min(1)
    .refine(([first]) => !first?.hours, "the first price has no hours, for it holds whenever no other one does")
    .describe("Prices by date; the last one in force when an attempt begins holds."),
  bookPrice,
  hourPrice,
]);

export type PriceConfig = z.output<typeof priceSchema>;
export type RuntimePriceConfig = z.output<typeof runtimePriceSchema>;
export type OwnPriceConfig = z.output<typeof ownPrice>;
export type DatedPriceConfig = z.output<typeof datedPrice>;
