/** The small values of the configuration file: durations and prices, from their text to exact integers. */
import { femtoUsdOf, type NanoUsd, nanoUsd, roundToNano } from "../kernel/money.ts";

const millisecondsPer = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const durationPattern = /^(\d{1,9})(ms|s|m|h|d)$/;

/** "1500ms" → 1500, "10m" → 600000; undefined where the text is no duration. */
export function durationMs(text: string): number | undefined {
  const match = durationPattern.exec(text);
  if (!match) return undefined;
  return Number(match[1]) * millisecondsPer[match[2] as keyof typeof millisecondsPer];
}

const femtoPerUsdPerMillion = 1_000_000n;

/** USD per million tokens → femto-USD per token; throws RangeError where that is not a whole number. */
export function femtoPerToken(usdPerMillion: string | number): bigint {
  const femto = femtoUsdOf(usdPerMillion);
  if (femto % femtoPerUsdPerMillion !== 0n) {
    throw new RangeError(`"${usdPerMillion}" USD per million tokens is finer than 1 femto-USD per token (9 decimals)`);
  }
  return femto / femtoPerUsdPerMillion;
}

/** A USD amount → nano-USD; throws RangeError where that is not exact or too large. */
export function nanoUsdOf(usd: string | number): NanoUsd {
  const femto = femtoUsdOf(usd);
  if (femto % 1_000_000n !== 0n) throw new RangeError(`"${usd}" USD is finer than 1 nano-USD (9 decimals)`);
  if (femto / 1_000_000n > BigInt(Number.MAX_SAFE_INTEGER)) return nanoUsd(Number.POSITIVE_INFINITY);
  return roundToNano(femto);
}

/** The declared name of what an earlier snapshot pinned: `gpt-main@3` → `gpt-main`. */
export const unpinned = (name: string): string => name.replace(/@[0-9]+$/, "");
