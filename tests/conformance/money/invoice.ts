/**
 * A vendor's invoice, computed from what the vendor reported and from the price list as it is written, in fractions of
 * whole numbers. It shares no code with Weir: it is what Weir's books are held against.
 */

/** Numerator and denominator, the latter positive. */
type Fraction = readonly [bigint, bigint];

function fraction(text: string): Fraction {
  const [over, under] = text.split("/");
  if (under !== undefined) return [BigInt(over!), BigInt(under)];
  const [whole, decimals = ""] = text.split(".");
  return [BigInt(whole! + decimals), 10n ** BigInt(decimals.length)];
}

const product = (...all: Fraction[]): Fraction => all.reduce(([a, b], [c, d]) => [a * c, b * d], [1n, 1n]);
const sum = ([a, b]: Fraction, [c, d]: Fraction): Fraction => [a * d + c * b, b * d];
const isLess = ([a, b]: Fraction, [c, d]: Fraction): boolean => a * d < c * b;
const nothing: Fraction = [0n, 1n];

/** Half to even. */
function rounded([over, under]: Fraction): bigint {
  const [below, rest] = [over / under, (over % under) * 2n];
  return rest > under || (rest === under && below % 2n === 1n) ? below + 1n : below;
}

type Meter =
  | "input"
  | "cached_input"
  | "cache_write"
  | "cache_write_1h"
  | "output"
  | "reasoning"
  | "audio_input"
  | "audio_output";
type Rates = Partial<Record<Meter, string>>;

/** USD per million tokens, as decimals. */
export interface PriceList extends Rates {
  /** In force from this day on, UTC. */
  from?: string;
  input: string;
  output: string;
  tiers?: readonly ({ above: number } & Rates)[];
  classes?: Partial<Record<"flex" | "priority", { factor?: string } & Rates>>;
  per_request?: string;
  contract?: string;
  uplift?: string;
}

/** Exclusive counts, but `reasoning`, a part of `output`. */
export interface Billed extends Partial<Record<Meter, number>> {
  input: number;
  cached_input: number;
  output: number;
  service_class?: string;
}

export function listAt(lists: readonly PriceList[], ms: number): PriceList {
  return lists.findLast(({ from }) => from === undefined || Date.parse(from) <= ms)!;
}

/** One call, in nano-USD. */
export function invoice(billed: Billed, list: PriceList): bigint {
  const length =
    billed.input +
    billed.cached_input +
    (billed.cache_write ?? 0) +
    (billed.cache_write_1h ?? 0) +
    (billed.audio_input ?? 0);
  const rate = (meter: Meter): Fraction | undefined => listed(list, meter, length, billed.service_class);
  const text = rate("input")!;
  const spoken = rate("output")!;
  const written = rate("cache_write");
  const lines: (readonly [number, Fraction])[] = [
    [billed.input, text],
    [billed.cached_input, rate("cached_input") ?? text],
    [billed.cache_write ?? 0, written ?? text],
    [billed.cache_write_1h ?? 0, rate("cache_write_1h") ?? (written && isLess(text, written) ? written : text)],
    [billed.audio_input ?? 0, rate("audio_input") ?? text],
    [billed.output - (billed.reasoning ?? 0), spoken],
    [billed.reasoning ?? 0, rate("reasoning") ?? spoken],
    [billed.audio_output ?? 0, rate("audio_output") ?? spoken],
  ];
  const perMillion = lines.reduce((total, [count, each]) => sum(total, product([BigInt(count), 1n], each)), nothing);
  const tokens = product(perMillion, [1n, 1_000_000n], fraction(list.uplift ?? "1"));
  const usd = product(sum(tokens, fraction(list.per_request ?? "0")), fraction(list.contract ?? "1"));
  return rounded(product(usd, [1_000_000_000n, 1n]));
}

/** What the list says of a meter itself, at this length of the input and in this class. */
function listed(list: PriceList, meter: Meter, length: number, serviceClass = "standard"): Fraction | undefined {
  const tiers = (list.tiers ?? []).filter(({ above }) => length > above);
  const usual = tiers.findLast((tier) => tier[meter] !== undefined)?.[meter] ?? list[meter];
  const own = serviceClass === "flex" || serviceClass === "priority" ? list.classes?.[serviceClass] : undefined;
  if (!own || usual === undefined) return usual === undefined ? undefined : fraction(usual);
  const named = own[meter];
  if (named === undefined) return product(fraction(usual), fraction(own.factor ?? "1"));
  // The class's own rate, and over a cliff as much more as the standard rate is.
  const [over, under] = fraction(list[meter]!);
  return product(fraction(usual), fraction(named), [under, over]);
}
