/** Exact fractions, for prices under factors. */
import { femtoUsdOf } from "../kernel/money.ts";

/** Never reduced needlessly; `per` is positive. */
export interface Fraction {
  of: bigint;
  per: bigint;
}

export const whole = (of: bigint): Fraction => ({ of, per: 1n });

export const times = (a: Fraction, b: Fraction): Fraction => ({ of: a.of * b.of, per: a.per * b.per });

export const dividedBy = (a: Fraction, b: Fraction): Fraction => ({ of: a.of * b.per, per: a.per * b.of });

function gcd(a: bigint, b: bigint): bigint {
  let [large, small] = [a, b];
  while (small !== 0n) [large, small] = [small, large % small];
  return large;
}

/** The smallest scale that makes all of them whole. */
export function commonScale(fractions: Iterable<Fraction>): bigint {
  let scale = 1n;
  for (const { of, per } of fractions) {
    const needed = per / gcd(of < 0n ? -of : of, per);
    scale = (scale / gcd(scale, needed)) * needed;
  }
  return scale;
}

/** 0.85, "0.85" or "5/3"; throws RangeError where it is neither or not positive. */
export function fractionOf(value: string | number): Fraction {
  const match = typeof value === "string" ? /^(\d{1,9})\/(\d{1,9})$/.exec(value.trim()) : null;
  const fraction = match
    ? { of: BigInt(match[1]!), per: BigInt(match[2]!) }
    : { of: femtoUsdOf(value), per: 10n ** 15n };
  if (fraction.of === 0n || fraction.per === 0n) throw new RangeError(`"${value}" is no factor above zero`);
  return fraction;
}
