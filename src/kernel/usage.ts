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
