/** The rates of one price: tiers filled up, service classes over tiers, factors folded in without rounding. */
import { femtoUsdOf } from "../kernel/money.ts";
import { type Meter, type Price, type Rates, type TieredRates, type TokenMeter, tokenMeters } from "../kernel/usage.ts";
import { commonScale, dividedBy, type Fraction, fractionOf, times, whole } from "./fraction.ts";
import type { OwnPriceConfig } from "./schema-price.ts";
import { femtoPerToken } from "./values.ts";

type TokenConfig = Partial<Record<TokenMeter, string | number | undefined>>;
type TierConfig = TokenConfig & { above: number };
type ClassConfig = NonNullable<NonNullable<OwnPriceConfig["classes"]>["flex"]>;

type TokenRates = Partial<Record<TokenMeter, Fraction>>;
/** Rates with their cliffs, ascending. */
interface Card {
  rates: TokenRates;
  tiers: { above: number; rates: TokenRates }[];
}

const one = whole(1n);

/** A price without name and dates. */
export function compileRates(config: OwnPriceConfig): Omit<Price, "version"> {
  const standard: Card = { rates: tokenRates(config), tiers: filledTiers(tokenRates(config), config.tiers) };
  const classes = Object.entries(config.classes ?? {}).flatMap(([name, own]) =>
    own ? [[name, charged(classCard(standard, own), config)] as const] : [],
  );
  const usual = charged(standard, config);
  const scale = commonScale([usual, ...classes.map(([, card]) => card)].flatMap(fractionsOf));
  return {
    ...scaled(usual, scale),
    ...(scale !== 1n && { scale }),
    ...(classes.length > 0 && {
      classes: Object.fromEntries(classes.map(([name, card]) => [name, scaled(card, scale)])),
    }),
  };
}

type AllRates = Partial<Record<Meter, Fraction>>;
type ChargedCard = { rates: AllRates; tiers: { above: number; rates: AllRates }[] };

/** With what is charged by use, under the factors of contract and region. */
function charged({ rates, tiers }: Card, config: OwnPriceConfig): ChargedCard {
  const contract = config.contract === undefined ? one : fractionOf(config.contract);
  const ofTokens = config.uplift === undefined ? contract : times(contract, fractionOf(config.uplift));
  const perUse = mapped(useRates(config), (rate) => times(rate, contract));
  const all = (some: TokenRates): AllRates => ({ ...mapped(some, (rate) => times(rate, ofTokens)), ...perUse });
  return { rates: all(rates), tiers: tiers.map((tier) => ({ above: tier.above, rates: all(tier.rates) })) };
}

const fractionsOf = ({ rates, tiers }: ChargedCard): Fraction[] =>
  [rates, ...tiers.map((tier) => tier.rates)].flatMap((some) => Object.values(some));

function tokenRates(config: TokenConfig): TokenRates {
  const rates: TokenRates = {};
  for (const meter of tokenMeters) {
    const usd = config[meter];
    if (usd !== undefined) rates[meter] = whole(femtoPerToken(usd));
  }
  return rates;
}

function useRates(config: OwnPriceConfig): AllRates {
  const rate = (usd: string | number) => whole(femtoUsdOf(usd));
  return {
    call: rate(config.per_request ?? 0),
    ...(config.web_search !== undefined && { web_searches: rate(config.web_search) }),
    ...(config.search_unit !== undefined && { search_units: rate(config.search_unit) }),
  };
}

/** Each tier with what it takes over from below. */
function filledTiers(base: TokenRates, tiers: readonly TierConfig[] = []): Card["tiers"] {
  let rates = base;
  return tiers
    .toSorted((a, b) => a.above - b.above)
    .map((tier) => {
      rates = { ...rates, ...tokenRates(tier) };
      return { above: tier.above, rates };
    });
}

/**
 * A class that names a rate only for short requests has the standard tiers' ratio over it, as vendors state them
 * ("2x input above 272K, for standard, batch and flex").
 */
function classCard(standard: Card, config: ClassConfig): Card {
  const factor = config.factor === undefined ? one : fractionOf(config.factor);
  const named = tokenRates(config);
  const own = filledTiers({}, config.tiers);
  const under = (rates: TokenRates, tierOwn: TokenRates): TokenRates => {
    const standing: TokenRates = mapped(rates, (rate, meter) => {
      const [usual, mine] = [standard.rates[meter], named[meter]];
      if (mine === undefined) return times(rate, factor);
      return usual === undefined || usual.of === 0n ? mine : times(rate, dividedBy(mine, usual));
    });
    return { ...named, ...standing, ...tierOwn };
  };
  const cliffs = [...new Set([...standard.tiers, ...own].map(({ above }) => above))].toSorted((a, b) => a - b);
  return {
    rates: under(standard.rates, {}),
    tiers: cliffs.map((above) => ({
      above,
      rates: under(at(standard.tiers, above) ?? standard.rates, at(own, above) ?? {}),
    })),
  };
}

const at = (tiers: Card["tiers"], above: number): TokenRates | undefined =>
  tiers.findLast((tier) => tier.above <= above)?.rates;

function mapped<Key extends string>(
  rates: Partial<Record<Key, Fraction>>,
  change: (rate: Fraction, meter: Key) => Fraction,
): Partial<Record<Key, Fraction>> {
  const changed: Partial<Record<Key, Fraction>> = {};
  for (const meter of Object.keys(rates) as Key[]) changed[meter] = change(rates[meter]!, meter);
  return changed;
}

function scaled({ rates, tiers }: ChargedCard, scale: bigint): TieredRates {
  const steps = tiers.map((tier) => ({ above: tier.above, rates: toRates(tier.rates, scale) }));
  return { ...toRates(rates, scale), ...(steps.length > 0 && { tiers: steps }) };
}

function toRates(rates: AllRates, scale: bigint): Rates {
  const wholes: Partial<Record<Meter, bigint>> = {};
  for (const [meter, { of, per }] of Object.entries(rates)) wholes[meter as Meter] = (of * scale) / per;
  const { input = 0n, output = 0n, call = 0n } = wholes;
  return { ...wholes, input, output, call, cached_input: wholes.cached_input ?? input };
}
