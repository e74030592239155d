/**
 * Money is integer nano-USD (1e-9 USD) in a `number` (safe up to 9.0 million USD per amount; larger amounts throw).
 * Prices are integer femto-USD (1e-15 USD) per unit, so that every published price per million tokens is exact.
 */
declare const nano: unique symbol;
export type NanoUsd = number & { readonly [nano]: "NanoUsd" };

export const zeroUsd = 0 as NanoUsd;

export function nanoUsd(amount: number): NanoUsd {
  if (!Number.isSafeInteger(amount)) throw new RangeError(`${amount} is not a whole number of nano-USD`);
  return amount as NanoUsd;
}

const femtoPerNano = 1_000_000n;

/** The whole number nearest to a fraction, half to even; the denominator is positive. */
export function roundHalfEven(numerator: bigint, denominator: bigint): bigint {
  const magnitude = numerator < 0n ? -numerator : numerator;
  let whole = magnitude / denominator;
  const rest = (magnitude % denominator) * 2n;
  if (rest > denominator || (rest === denominator && whole % 2n === 1n)) whole += 1n;
  return numerator < 0n ? -whole : whole;
}

/** Rounds a sum of femto-USD, or of a fraction of them, to nano-USD once, half to even. */
export function roundToNano(femtoUsd: bigint, scale = 1n): NanoUsd {
  return nanoUsd(Number(roundHalfEven(femtoUsd, femtoPerNano * scale)));
}

/** Parses a decimal USD amount ("2.50", 0.0000025) into femto-USD exactly; throws on more than 15 decimals. */
export function femtoUsdOf(usd: string | number): bigint {
  const text = typeof usd === "number" ? plainDecimal(usd) : usd.trim();
  const match = /^(\d+)(?:\.(\d{1,15})0*)?$/.exec(text);
  if (!match) throw new RangeError(`"${text}" is not a non-negative USD amount with at most 15 decimals`);
  return BigInt(match[1]!) * 10n ** 15n + BigInt((match[2] ?? "").padEnd(15, "0"));
}

/** The shortest decimal of a femto-USD amount: what `femtoUsdOf` reads back as the same. */
export function usdDecimal(femtoUsd: bigint): string {
  const digits = femtoUsd.toString().padStart(16, "0");
  const decimals = digits.slice(-15).replace(/0+$/, "");
  return decimals === "" ? digits.slice(0, -15) : `${digits.slice(0, -15)}.${decimals}`;
}

/** The shortest decimal of the number, without an exponent: 2.5e-7 is 0.00000025, digit for digit. */
function plainDecimal(value: number): string {
  const match = /^(\d+)(?:\.(\d+))?e-(\d+)$/.exec(String(value));
  if (!match) return String(value);
  const [, whole, fraction = "", shift] = match;
  return `0.${"0".repeat(Number(shift) - whole!.length)}${whole}${fraction}`;
}

/** "$0.000125" with as many decimals as the amount has, at least two. */
export function formatUsd(amount: NanoUsd): string {
  const sign = amount < 0 ? "-" : "";
  const digits = Math.abs(amount).toString().padStart(10, "0");
  const decimals = digits.slice(-9).replace(/0+$/, "").padEnd(2, "0");
  return `${sign}$${digits.slice(0, -9)}.${decimals}`;
}
