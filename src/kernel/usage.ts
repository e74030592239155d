import { type NanoUsd, roundToNano } from "./money.ts";

/** What one attempt consumed. Token counts are exclusive of each other: `input` excludes `cached_input`. */
export interface Usage {
  input: number;
  cached_input: number;
  /** Includes reasoning tokens, as vendors bill them. */
  output: number;
  /** True when the vendor never reported it and Weir counted instead. */
  estimated: boolean;
}

export const noUsage: Usage = Object.freeze({ input: 0, cached_input: 0, output: 0, estimated: false });

/** Integer femto-USD per token and per call; `version` names the dated price list entry. */
export interface Price {
  version: string;
  input: bigint;
  cached_input: bigint;
  output: bigint;
  call: bigint;
}

export const freePrice: Price = Object.freeze({ version: "none", input: 0n, cached_input: 0n, output: 0n, call: 0n });

/** One attempt, summed exactly and rounded once. */
export function costOf(usage: Usage, price: Price): NanoUsd {
  return roundToNano(
    BigInt(usage.input) * price.input +
      BigInt(usage.cached_input) * price.cached_input +
      BigInt(usage.output) * price.output +
      price.call,
  );
}
