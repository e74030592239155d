/** Finds a model in the package's data and adds what that lacks. */
import { createRequire } from "node:module";
import type { ConditionalPrice, ModelInfo, ModelPrice, Provider } from "@pydantic/genai-prices";
import { femtoUsdOf, usdDecimal } from "../kernel/money.ts";
import { type TokenMeter, tokenMeters } from "../kernel/usage.ts";
import type { BookEntry, ClassFigures, PricedClass, PriceFigures } from "./figures.ts";
import { type ClassRatio, doubtful, type FurtherMeters, furtherMeters, furtherMetersAsOf } from "./further-meters.ts";

const packageVersion = "0.1.8";
/** The package's day of publication. */
export const bookAsOf = "2026-09-23";

/** Names the data of both sources. */
export const bookVersion = `genai-prices-${packageVersion}+${furtherMetersAsOf}`;

/** Where a model is sold: the vendor's address, or a provider as the book names it. */
type BookPlace = { baseUrl: string } | { provider: string };

/** Undefined where the book does not know the place or the model, or has no rate per token for it. */
export function findInBook(place: BookPlace, model: string): BookEntry | undefined {
  const provider = findProvider(place);
  if (!provider) return undefined;
  for (const name of spellings(model)) {
    const found = lookUp(provider, name);
    const entry = found && entryOf(found.provider, found.model);
    if (entry) return entry;
  }
  return undefined;
}

type Package = typeof import("@pydantic/genai-prices");

let loaded: Package | undefined;

/** Half a megabyte of JavaScript: not read before the first configuration that needs it. */
const thePackage = (): Package => (loaded ??= createRequire(import.meta.url)("@pydantic/genai-prices") as Package);

const findProvider = (place: BookPlace): Provider | undefined =>
  thePackage().findProvider("provider" in place ? { providerId: place.provider } : { providerApiUrl: place.baseUrl });

/** Only which model is meant is asked of the package; its sums are floating point. */
const lookUp = (provider: Provider, name: string): { provider: Provider; model: ModelInfo } | undefined =>
  thePackage().calcPrice({}, name, { provider, timestamp: new Date(0) }) ?? undefined;

/** As written, without a path before it (`models/gemini-2.5-pro`), without a date behind it (`gpt-5.4-2026-03-01`). */
function spellings(model: string): string[] {
  const bare = model.slice(model.lastIndexOf("/") + 1);
  const undated = (name: string) => name.replace(/[-@](20\d{6}|20\d{2}-\d{2}-\d{2})$/, "");
  return [...new Set([model, bare, undated(model), undated(bare)])];
}

function entryOf(provider: Provider, model: ModelInfo): BookEntry | undefined {
  const name = `${provider.id}/${model.id}`;
  if (doubtful.has(name)) return undefined;
  const further = furtherMeters[name];
  const listed: ConditionalPrice[] = Array.isArray(model.prices) ? model.prices : [{ prices: model.prices }];
  const figures = listed.map((one) => figuresOf(one, further)).filter((one) => one !== undefined);
  if (figures.length < listed.length) return undefined;
  return {
    name,
    figures,
    ...(further && { maxOutputTokens: further.maxOutput }),
  };
}

/** The package's names of what we meter. Rates of images, documents, video and seconds have no counterpart. */
const perMillion = {
  input: "input_mtok",
  cached_input: "cache_read_mtok",
  cache_write: "cache_write_mtok",
  cache_write_1h: "cache_write_1h_mtok",
  output: "output_mtok",
  reasoning: "output_reasoning_mtok",
  audio_input: "input_audio_mtok",
  cached_audio_input: "cache_audio_read_mtok",
  audio_output: "output_audio_mtok",
  image_output: "output_image_mtok",
} as const satisfies Record<TokenMeter, string>;

function figuresOf(
  { constraint, prices }: ConditionalPrice,
  further: FurtherMeters = noMore,
): PriceFigures | undefined {
  const rates: Partial<Record<TokenMeter, string>> = {};
  for (const meter of tokenMeters) {
    const rate = baseOf(prices[perMillion[meter]]);
    if (rate !== undefined) rates[meter] = decimal(rate);
  }
  const { input, output = "0" } = rates;
  if (input === undefined) return undefined;
  const all = { ...further.rates, ...rates, input, output };
  const tiers = tiersOf(prices);
  const classes = classesOf(further, all.cached_input ?? input);
  const webSearch = perUse(prices.web_searches_kcount) ?? further.webSearch;
  const perRequest = perUse(prices.requests_kcount);
  return {
    ...(constraint && whenOf(constraint)),
    ...all,
    ...(tiers.length > 0 && { tiers }),
    ...(Object.keys(classes).length > 0 && { classes }),
    ...(webSearch !== undefined && { web_search: webSearch }),
    ...(perRequest !== undefined && { per_request: perRequest }),
  };
}

const noMore: FurtherMeters = { maxOutput: 0 };

type Listed = ModelPrice[string];

const baseOf = (rate: Listed): number | undefined => (typeof rate === "object" ? rate.base : rate);

function tiersOf(prices: ModelPrice): NonNullable<PriceFigures["tiers"]> {
  const byStart = new Map<number, Partial<Record<TokenMeter, string>>>();
  for (const meter of tokenMeters) {
    const rate = prices[perMillion[meter]];
    if (typeof rate !== "object") continue;
    for (const { start, price } of rate.tiers) {
      byStart.set(start, { ...byStart.get(start), [meter]: decimal(price) });
    }
  }
  return [...byStart].toSorted(([a], [b]) => a - b).map(([above, rates]) => ({ above, ...rates }));
}

function classesOf(further: FurtherMeters, cachedInput: string): Partial<Record<PricedClass, ClassFigures>> {
  const classes: Partial<Record<PricedClass, ClassFigures>> = {};
  for (const name of ["batch", "flex", "priority"] as const) {
    const ratio = further[name];
    if (ratio !== undefined) classes[name] = classOf(ratio, cachedInput);
  }
  return classes;
}

function classOf(ratio: ClassRatio, cachedInput: string): ClassFigures {
  if (typeof ratio === "string") return { factor: ratio };
  return { ...ratio, cached_input: ratio.cached_input === "standard" ? cachedInput : ratio.cached_input };
}

function whenOf(constraint: NonNullable<ConditionalPrice["constraint"]>): Pick<PriceFigures, "from" | "hours"> {
  if (constraint.type === "start_date") return { from: constraint.start_date };
  return { hours: { from: minuteOf(constraint.start_time), until: minuteOf(constraint.end_time) } };
}

function minuteOf(time: string): string {
  const match = /^(\d{2}:\d{2})(:00)?Z$/.exec(time);
  if (!match) throw new Error(`the price package has a time of day that is not understood: "${time}"; report this`);
  return match[1]!;
}

/** The package's numbers carry floating dust (0.18000000000000002); no list has more than nine decimals. */
const exactly = (usd: number): bigint => femtoUsdOf(usd.toFixed(9));

const decimal = (usd: number): string => usdDecimal(exactly(usd));

const perUse = (perThousand: Listed): string | undefined => {
  const rate = baseOf(perThousand);
  return rate === undefined ? undefined : usdDecimal(exactly(rate) / 1000n);
};
