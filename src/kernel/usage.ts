import { type NanoUsd, roundToNano } from "./money.ts";

/** The vendor's price class of a call; `standard` unless asked or told otherwise. */
export type ServiceClass = "standard" | "flex" | "priority" | "batch";

/**
 * What one attempt consumed. Token counts are exclusive of each other and sum to what the vendor bills, but for
 * `reasoning`, which is a part of `output`. Absent means none.
 */
export interface Usage {
  /** Text and image input that was neither read from nor written to the vendor's cache. */
  input: number;
  cached_input: number;
  /** Includes reasoning tokens, as vendors bill them. */
  output: number;
  /** Written to the vendor's cache, to be kept five minutes (or as long as the vendor likes). */
  cache_write?: number;
  /** Written to the vendor's cache, to be kept an hour. */
  cache_write_1h?: number;
  audio_input?: number;
  cached_audio_input?: number;
  audio_output?: number;
  image_output?: number;
  /** Of `output`: told apart because some vendors price it apart. */
  reasoning?: number;
  /** Calls of the vendor's own web search. */
  web_searches?: number;
  /** Documents × queries as the vendor counts them (rerank). */
  search_units?: number;
  service_class?: ServiceClass;
  /** True when the vendor never reported it and Weir counted instead. */
  estimated: boolean;
}

export const noUsage: Usage = Object.freeze({ input: 0, cached_input: 0, output: 0, estimated: false });

export const tokenMeters = [
  "input",
  "cached_input",
  "cache_write",
  "cache_write_1h",
  "output",
  "reasoning",
  "audio_input",
  "cached_audio_input",
  "audio_output",
  "image_output",
] as const satisfies (keyof Usage)[];
export type TokenMeter = (typeof tokenMeters)[number];

/** What a price has rates for. */
export type Meter = TokenMeter | "web_searches" | "search_units" | "call";

/**
 * Femto-USD per unit, times the price's `scale`. A meter without a rate is charged as another one: cache writes as
 * input (the hour's never below the five minutes'), reasoning and image output as output, audio as text, cached audio as audio;
 * `unpriced` names those of them that are a guess.
 */
export interface Rates extends Readonly<Partial<Record<Meter, bigint>>> {
  readonly input: bigint;
  readonly cached_input: bigint;
  readonly output: bigint;
  readonly call: bigint;
}

/** A cliff: where the input is longer than `above` tokens, the whole request is charged at these rates. */
interface PriceTier {
  readonly above: number;
  readonly rates: Rates;
}

export interface TieredRates extends Rates {
  /** Ascending. */
  readonly tiers?: readonly PriceTier[];
}

/** `version` names the dated price list entry. */
export interface Price extends TieredRates {
  readonly version: string;
  /** Where factors left fractions of a femto-USD, all rates are multiplied by this; absent is 1. */
  readonly scale?: bigint;
  readonly classes?: Readonly<Partial<Record<Exclude<ServiceClass, "standard">, TieredRates>>>;
  /** Own hardware: an hour of it, shared by so many calls at a time. */
  readonly hour?: { readonly rate: bigint; readonly parallel: number };
  /** Later prices and those of certain hours; the last that is in force holds, see `priceAt`. */
  readonly dated?: readonly DatedPrice[];
}

interface DatedPrice {
  readonly fromMs: number;
  /** Milliseconds of the day in UTC, from inclusive, until exclusive; may reach past midnight. */
  readonly hours?: { readonly fromMs: number; readonly untilMs: number };
  readonly price: Price;
}

export const freePrice: Price = Object.freeze({
  version: "none",
  input: 0n,
  cached_input: 0n,
  output: 0n,
  audio_input: 0n,
  audio_output: 0n,
  image_output: 0n,
  web_searches: 0n,
  search_units: 0n,
  call: 0n,
});

const dayMs = 86_400_000;

/** The price in force at a time, which is the attempt's start. */
export function priceAt(price: Price, ms: number): Price {
  return price.dated?.findLast(({ fromMs, hours }) => fromMs <= ms && within(hours, ms % dayMs))?.price ?? price;
}

function within(hours: DatedPrice["hours"], ms: number): boolean {
  if (!hours) return true;
  const { fromMs, untilMs } = hours;
  return fromMs <= untilMs ? fromMs <= ms && ms < untilMs : fromMs <= ms || ms < untilMs;
}

export const inputTokens = (usage: Usage): number =>
  usage.input +
  usage.cached_input +
  (usage.cache_write ?? 0) +
  (usage.cache_write_1h ?? 0) +
  (usage.audio_input ?? 0) +
  (usage.cached_audio_input ?? 0);

function ratesOf(usage: Usage, price: Price): Rates {
  const { service_class: serviceClass = "standard" } = usage;
  const card = (serviceClass !== "standard" && price.classes?.[serviceClass]) || price;
  if (!card.tiers) return card;
  const length = inputTokens(usage);
  return card.tiers.findLast(({ above }) => length > above)?.rates ?? card;
}

const larger = (a: bigint, b: bigint): bigint => (a > b ? a : b);

const fallbacks = {
  cache_write: (rates) => rates.cache_write ?? rates.input,
  cache_write_1h: (rates) => rates.cache_write_1h ?? larger(rates.cache_write ?? 0n, rates.input),
  reasoning: (rates) => rates.reasoning ?? rates.output,
  audio_input: (rates) => rates.audio_input ?? rates.input,
  cached_audio_input: (rates) => rates.cached_audio_input ?? rates.audio_input ?? rates.input,
  audio_output: (rates) => rates.audio_output ?? rates.output,
  image_output: (rates) => rates.image_output ?? rates.output,
  web_searches: (rates) => rates.web_searches ?? 0n,
  search_units: (rates) => rates.search_units ?? 0n,
} as const satisfies Partial<Record<Meter, (rates: Rates) => bigint>>;

type OptionalMeter = keyof typeof fallbacks;

const optionalMeters = Object.keys(fallbacks) as OptionalMeter[];

/** One attempt, summed exactly and rounded once. `durationMs` matters where an hour has a price. */
export function costOf(usage: Usage, price: Price, { durationMs = 0 }: { durationMs?: number } = {}): NanoUsd {
  const rates = ratesOf(usage, price);
  let sum = rates.call + BigInt(usage.input) * rates.input + BigInt(usage.cached_input) * rates.cached_input;
  sum += BigInt(usage.output) * rates.output;
  for (const meter of optionalMeters) {
    const used = usage[meter];
    if (!used) continue;
    // Reasoning is within output already.
    if (meter === "reasoning")
      sum += BigInt(Math.min(used, usage.output)) * (fallbacks.reasoning(rates) - rates.output);
    else sum += BigInt(used) * fallbacks[meter](rates);
  }
  return withTime(sum, price, durationMs);
}

const microsecondsPerHour = 3_600_000_000n;

function withTime(sum: bigint, { scale = 1n, hour }: Price, durationMs: number): NanoUsd {
  if (!hour) return roundToNano(sum, scale);
  const share = microsecondsPerHour * BigInt(hour.parallel);
  return roundToNano(sum * share + hour.rate * BigInt(Math.round(durationMs * 1000)), scale * share);
}

/** What was used and the price has no rate for, so that `costOf` guessed (searches: took as nothing). Empty: exact. */
export function unpriced(usage: Usage, price: Price): (Meter | "service_class")[] {
  const rates = ratesOf(usage, price);
  const missing: (Meter | "service_class")[] = optionalMeters.filter(
    (meter) => usage[meter] && rates[meter] === undefined && !derived(meter, rates),
  );
  const { service_class: serviceClass = "standard" } = usage;
  if (serviceClass !== "standard" && !isFree(price) && !price.classes?.[serviceClass]) missing.push("service_class");
  return missing;
}

/** Whether the vendor is known to charge this meter as the one that it falls back to. */
function derived(meter: OptionalMeter, rates: Rates): boolean {
  if (meter === "cache_write" || meter === "reasoning") return true;
  if (meter === "cache_write_1h") return rates.cache_write === undefined;
  return meter === "cached_audio_input" && rates.audio_input !== undefined;
}

const isFree = ({ input, cached_input, output }: Rates): boolean => input + cached_input + output === 0n;

/** Upper bounds of what one request can use. */
export interface Bounds {
  inputTokens: number;
  maxOutputTokens: number;
  serviceClass?: ServiceClass;
  /** The longest that it may ask the vendor to keep a prompt; default an hour, the dearest. */
  cacheWrite?: "none" | "5m" | "1h";
  /** Whether audio may go in or come out. */
  audio?: boolean;
  imageOutput?: boolean;
  webSearches?: number;
  searchUnits?: number;
  durationMs?: number;
}

/** The most that a request within these bounds can cost: never less than `costOf` what it then uses. */
export function worstCaseOf(price: Price, bounds: Bounds): NanoUsd {
  const { serviceClass = "standard" } = bounds;
  const asked = serviceClass === "standard" ? undefined : price.classes?.[serviceClass];
  // A vendor may serve a request in its standard class whatever was asked for.
  const cards = (asked ? [price, asked] : [price]).flatMap((card) => [
    card,
    ...(card.tiers ?? []).filter(({ above }) => bounds.inputTokens > above).map(({ rates }) => rates),
  ]);
  const worst = cards.map((rates) => dearest(rates, bounds)).reduce(larger);
  return withTime(worst, price, bounds.durationMs ?? 0);
}

function dearest(rates: Rates, bounds: Bounds): bigint {
  const { cacheWrite = "1h", audio = false, imageOutput = false } = bounds;
  const input = [rates.input, rates.cached_input];
  if (cacheWrite !== "none") input.push(fallbacks.cache_write(rates));
  if (cacheWrite === "1h") input.push(fallbacks.cache_write_1h(rates));
  if (audio) input.push(fallbacks.audio_input(rates), fallbacks.cached_audio_input(rates));
  const output = [rates.output, fallbacks.reasoning(rates)];
  if (audio) output.push(fallbacks.audio_output(rates));
  if (imageOutput) output.push(fallbacks.image_output(rates));
  return (
    rates.call +
    BigInt(bounds.inputTokens) * input.reduce(larger) +
    BigInt(bounds.maxOutputTokens) * output.reduce(larger) +
    BigInt(bounds.webSearches ?? 0) * fallbacks.web_searches(rates) +
    BigInt(bounds.searchUnits ?? 0) * fallbacks.search_units(rates)
  );
}

/** What the vendor's cache saved: its hits at their rate against the same tokens as fresh input. */
export function savingOf(usage: Usage, price: Price): NanoUsd {
  const rates = ratesOf(usage, price);
  const text = BigInt(usage.cached_input) * (rates.input - rates.cached_input);
  const audio = BigInt(usage.cached_audio_input ?? 0);
  const saved = text + audio * (fallbacks.audio_input(rates) - fallbacks.cached_audio_input(rates));
  return roundToNano(saved, price.scale);
}

const counted = [
  "cache_write",
  "cache_write_1h",
  "audio_input",
  "cached_audio_input",
  "audio_output",
  "image_output",
  "reasoning",
  "web_searches",
  "search_units",
] as const satisfies (keyof Usage)[];

/** Both together; the service class is the later one's. */
export function addUsage(a: Usage, b: Usage): Usage {
  if (a === noUsage) return b;
  const sum: Usage = {
    input: a.input + b.input,
    cached_input: a.cached_input + b.cached_input,
    output: a.output + b.output,
    estimated: a.estimated || b.estimated,
  };
  for (const meter of counted) {
    const total = (a[meter] ?? 0) + (b[meter] ?? 0);
    if (total > 0) sum[meter] = total;
  }
  const serviceClass = b.service_class ?? a.service_class;
  if (serviceClass !== undefined) sum.service_class = serviceClass;
  return sum;
}
