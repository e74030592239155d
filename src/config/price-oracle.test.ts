/**
 * An invoice by another way: fractions of decimal strings, one line per meter, rounded at the end. It shares no code
 * with the compiler of prices and `costOf`.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { costOf, noUsage, type ServiceClass, type Usage, worstCaseOf } from "../kernel/usage.ts";
import { priceOf } from "./price-fixture.ts";

type Q = readonly [bigint, bigint];
const q = (text: string): Q => {
  if (text.includes("/")) return [BigInt(text.split("/")[0]!), BigInt(text.split("/")[1]!)];
  const [whole, decimals = ""] = text.split(".");
  return [BigInt(whole! + decimals), 10n ** BigInt(decimals.length)];
};
const mul = (a: Q, b: Q): Q => [a[0] * b[0], a[1] * b[1]];
const add = (a: Q, b: Q): Q => [a[0] * b[1] + b[0] * a[1], a[1] * b[1]];
const less = (a: Q, b: Q): boolean => a[0] * b[1] < b[0] * a[1];
const count = (n: number): Q => [BigInt(n), 1n];

/** Nearest whole number by comparing both neighbours, halves to the even one. */
function nearest([n, d]: Q): bigint {
  const below = n / d;
  const [toBelow, toAbove] = [n - below * d, (below + 1n) * d - n];
  if (toBelow === toAbove) return below % 2n === 0n ? below : below + 1n;
  return toBelow < toAbove ? below : below + 1n;
}

type List = Record<string, string | undefined>;
interface Declared {
  rates: List;
  tiers: { above: number; rates: List }[];
  classes: Partial<Record<ServiceClass, { factor: string; rates: List; tiers: { above: number; rates: List }[] }>>;
  perRequest: string;
  search: string | undefined;
  contract: string;
  uplift: string;
}

function declaredRate(lists: { rates: List; tiers: { above: number; rates: List }[] }, meter: string, length: number) {
  let rate = lists.rates[meter];
  for (const tier of lists.tiers) if (length > tier.above && tier.rates[meter] !== undefined) rate = tier.rates[meter];
  return rate;
}

/** What the price says of one meter itself; undefined where it is silent. */
function ownRate(price: Declared, meter: string, length: number, serviceClass: ServiceClass): Q | undefined {
  const usual = declaredRate(price, meter, length);
  const card = price.classes[serviceClass];
  if (!card) return usual === undefined ? undefined : q(usual);
  const cliff = declaredRate({ rates: {}, tiers: card.tiers }, meter, length);
  if (cliff !== undefined) return q(cliff);
  const [named, base] = [card.rates[meter], price.rates[meter]];
  if (named === undefined) return usual === undefined ? undefined : mul(q(usual), q(card.factor));
  if (usual === undefined || base === undefined || q(base)[0] === 0n) return q(named);
  return mul(q(usual), [q(named)[0] * q(base)[1], q(named)[1] * q(base)[0]]);
}

function rate(price: Declared, meter: string, length: number, serviceClass: ServiceClass): Q {
  const own = (name: string) => ownRate(price, name, length, serviceClass);
  const input = own("input")!;
  const output = own("output")!;
  const write = own("cache_write") ?? input;
  switch (meter) {
    case "cached_input":
      return own(meter) ?? input;
    case "cache_write":
      return write;
    case "cache_write_1h":
      return own(meter) ?? (less(write, input) || own("cache_write") === undefined ? input : write);
    case "audio_input":
      return own(meter) ?? input;
    case "cached_audio_input":
      return own(meter) ?? own("audio_input") ?? input;
    case "reasoning":
    case "audio_output":
    case "image_output":
      return own(meter) ?? output;
    default:
      return own(meter)!;
  }
}

function invoice(price: Declared, usage: Usage): bigint {
  const { reasoning = 0, web_searches = 0, service_class = "standard" } = usage;
  const tokens: Record<string, number> = {
    input: usage.input,
    cached_input: usage.cached_input,
    cache_write: usage.cache_write ?? 0,
    cache_write_1h: usage.cache_write_1h ?? 0,
    audio_input: usage.audio_input ?? 0,
    cached_audio_input: usage.cached_audio_input ?? 0,
  };
  const length = Object.values(tokens).reduce((a, b) => a + b, 0);
  const lines: [string, number][] = [
    ...Object.entries(tokens),
    ["output", usage.output - reasoning],
    ["reasoning", reasoning],
    ["audio_output", usage.audio_output ?? 0],
    ["image_output", usage.image_output ?? 0],
  ];
  let sum: Q = [0n, 1n];
  for (const [meter, used] of lines) {
    sum = add(sum, mul(mul(count(used), rate(price, meter, length, service_class)), q(price.uplift)));
  }
  sum = mul(sum, [1n, 1_000_000n]);
  sum = add(sum, add(q(price.perRequest), mul(count(web_searches), q(price.search ?? "0"))));
  return nearest(mul(mul(sum, q(price.contract)), [1_000_000_000n, 1n]));
}

/** Nothing, or from a cent on: a class thousands of times the standard rate over a cliff exceeds what money can hold. */
const usd = fc.oneof(
  { weight: 1, arbitrary: fc.constant("0") },
  {
    weight: 9,
    arbitrary: fc
      .tuple(fc.integer({ min: 0, max: 80 }), fc.integer({ min: 10_000, max: 999_999 }))
      .map(([whole, decimals]) => `${whole}.${String(decimals).padStart(6, "0")}`),
  },
);
const maybe = fc.option(usd, { nil: undefined });
const optional = {
  cached_input: maybe,
  cache_write: maybe,
  cache_write_1h: maybe,
  reasoning: maybe,
  audio_input: maybe,
  cached_audio_input: maybe,
  audio_output: maybe,
  image_output: maybe,
};
const someRates = fc.record({ ...optional, input: maybe, output: maybe });
const tiers = fc
  .uniqueArray(fc.record({ above: fc.integer({ min: 1, max: 400_000 }), rates: someRates }), {
    maxLength: 3,
    selector: ({ above }) => above,
  })
  .map((list) => list.toSorted((a, b) => a.above - b.above));
const factor = fc.constantFrom("1", "0.5", "1.1", "0.85", "5/3", "20/11", "0.000001");
const serviceClass = fc.record({ factor, rates: someRates, tiers });
const declared: fc.Arbitrary<Declared> = fc.record({
  rates: fc.record({ ...optional, input: usd, output: usd }),
  tiers,
  classes: fc.record({ batch: serviceClass, priority: serviceClass }, { requiredKeys: [] }),
  perRequest: usd,
  search: maybe,
  contract: factor,
  uplift: factor,
});

const tokens = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2000 }), fc.integer({ min: 0, max: 300_000 }));
const usage: fc.Arbitrary<Usage> = fc
  .record({
    input: tokens,
    cached_input: tokens,
    cache_write: tokens,
    cache_write_1h: tokens,
    audio_input: tokens,
    cached_audio_input: tokens,
    output: tokens,
    audio_output: tokens,
    image_output: tokens,
    web_searches: fc.integer({ min: 0, max: 9 }),
    thinking: fc.double({ min: 0, max: 1, noNaN: true }),
    service_class: fc.constantFrom<ServiceClass>("standard", "flex", "batch", "priority"),
  })
  .map(({ thinking, ...used }) => ({ ...used, reasoning: Math.floor(used.output * thinking), estimated: false }));

const withoutGaps = (list: List) =>
  Object.fromEntries(Object.entries(list).filter(([, figure]) => figure !== undefined));
const tierConfig = (list: Declared["tiers"]) => list.map(({ above, rates }) => ({ above, ...withoutGaps(rates) }));

const asConfig = ({ rates, tiers: cliffs, classes, perRequest, search, contract, uplift }: Declared) => ({
  ...withoutGaps(rates),
  ...(cliffs.length > 0 && { tiers: tierConfig(cliffs) }),
  classes: Object.fromEntries(
    Object.entries(classes).map(([name, one]) => [
      name,
      { factor: one.factor, ...withoutGaps(one.rates), ...(one.tiers.length > 0 && { tiers: tierConfig(one.tiers) }) },
    ]),
  ),
  per_request: perRequest,
  ...(search !== undefined && { web_search: search }),
  contract,
  uplift,
});

describe("costOf against an independent invoice", () => {
  it("is equal to the nano-USD on 10,000 usages under 200 prices", () => {
    fc.assert(
      fc.property(declared, fc.array(usage, { minLength: 50, maxLength: 50 }), (list, many) => {
        const price = priceOf(asConfig(list));
        for (const used of many) expect(BigInt(costOf(used, price))).toBe(invoice(list, used));
      }),
      { numRuns: 200 },
    );
  });

  it("never exceeds the worst case that was held", () => {
    fc.assert(
      fc.property(declared, fc.array(usage, { minLength: 20, maxLength: 20 }), (list, many) => {
        const price = priceOf(asConfig(list));
        for (const used of many) {
          const input = invoiceLength(used);
          const output = used.output + used.audio_output! + used.image_output!;
          const held = worstCaseOf(price, {
            inputTokens: input,
            maxOutputTokens: output,
            audio: true,
            imageOutput: true,
            webSearches: 9,
            ...(used.service_class && { serviceClass: used.service_class }),
          });
          expect(costOf(used, price)).toBeLessThanOrEqual(held);
        }
      }),
      { numRuns: 100 },
    );
  });

  it("sums parts: two requests cost at most one nano-USD more or less than their lines together", () => {
    const price = priceOf({ input: "0.333333", cached_input: "0.1", output: "7.777777" });
    fc.assert(
      fc.property(tokens, tokens, tokens, (input, cached_input, output) => {
        const cost = (part: Partial<Usage>) => costOf({ ...noUsage, ...part }, price);
        const apart = cost({ input }) + cost({ cached_input }) + cost({ output });
        expect(Math.abs(cost({ input, cached_input, output }) - apart)).toBeLessThanOrEqual(2);
      }),
    );
  });
});

const invoiceLength = ({ input, cached_input, ...used }: Usage): number =>
  input + cached_input + used.cache_write! + used.cache_write_1h! + used.audio_input! + used.cached_audio_input!;
