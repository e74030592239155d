/** What changes in the price of a model, meter by meter, and by how much. */
import { roundHalfEven } from "../kernel/money.ts";
import { dividedBy, type Fraction, fractionOf } from "./fraction.ts";
import type { PriceConfig } from "./schema-price.ts";

export interface PriceChange {
  text: string;
  impact?: string;
}

const noticeable = 20n;
const warning = `more than ${noticeable} %: check it against the vendor's list`;

export function describePrice(before: PriceConfig | undefined, after: PriceConfig | undefined): PriceChange[] {
  const [old, now] = [new Map(figuresOf(before)), new Map(figuresOf(after))];
  const meters = [...new Set([...old.keys(), ...now.keys()])];
  const changes = meters.flatMap((meter): PriceChange[] => {
    const [was, is] = [old.get(meter), now.get(meter)];
    if (was === is) return [];
    const text = `price${meter === "" ? "" : ` ${meter}`} ${was ?? "none"} → ${is ?? "none"}`;
    const change = changeOf(was, is);
    if (!change) return [{ text }];
    return [{ text: `${text} (${percent(change)})`, ...(isLarge(change) && { impact: warning }) }];
  });
  // A name alone says that the list is another one; beside changed figures it says nothing more.
  const figures = changes.filter(({ text }) => !/^price (.* )?(version|as_of) /.test(text));
  return figures.length > 0 ? figures : changes;
}

/** `[meter, figure]`, e.g. `["batch input above 200000", "1.25"]`. */
function figuresOf(price: PriceConfig | undefined): [string, string][] {
  if (price === undefined) return [];
  if (typeof price === "string") return [["", price]];
  if (!Array.isArray(price)) return leaves(price, []);
  return price.flatMap(({ from, hours, ...figures }) => {
    const when = [
      ...(from === undefined ? [] : [`from ${from}`]),
      ...(hours ? [`${hours.from} to ${hours.until}`] : []),
    ];
    return leaves(figures, when);
  });
}

function leaves(value: object, path: readonly string[]): [string, string][] {
  return Object.entries(value).flatMap(([key, item]): [string, string][] => {
    if (item === undefined || key === "per") return [];
    if (key === "tiers") {
      const tiers = item as { above: number }[];
      return tiers.flatMap(({ above, ...rates }) => leaves(rates, [...path, `above ${above}`]));
    }
    if (key === "classes") return leaves(item as object, path);
    if (typeof item === "object") return leaves(item as object, [...path, key]);
    return [[[...path, key].join(" "), String(item)]];
  });
}

/** By how much of the old figure it changed; undefined where either is no figure above zero. */
function changeOf(was: string | undefined, is: string | undefined): Fraction | undefined {
  if (was === undefined || is === undefined) return undefined;
  try {
    const ratio = dividedBy(fractionOf(is), fractionOf(was));
    return { of: ratio.of - ratio.per, per: ratio.per };
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function percent({ of, per }: Fraction): string {
  const perMille = Number(roundHalfEven(of * 1000n, per));
  return `${perMille > 0 ? "+" : ""}${perMille / 10} %`;
}

const isLarge = ({ of, per }: Fraction): boolean => (of < 0n ? -of : of) * 100n > per * noticeable;
