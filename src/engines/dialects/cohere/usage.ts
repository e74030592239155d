/**
 * Token counts. Cohere bills `billed_units`: its `tokens` include the preamble that it adds itself. What was read from
 * its cache (`cached_tokens`) is billed like any other input, and so is not counted apart.
 */
import type { Usage } from "../../../kernel/usage.ts";
import { countOf, isFields } from "../body-reader.ts";

export function usageOf(usage: unknown): Usage | undefined {
  if (!isFields(usage)) return undefined;
  const billed = isFields(usage["billed_units"]) ? usage["billed_units"] : {};
  const counted = isFields(usage["tokens"]) ? usage["tokens"] : {};
  const input = countOf(billed["input_tokens"]) ?? countOf(counted["input_tokens"]);
  const output = countOf(billed["output_tokens"]) ?? countOf(counted["output_tokens"]);
  if (input === undefined && output === undefined) return undefined;
  const searches = countOf(billed["search_units"]) ?? 0;
  return {
    input: input ?? 0,
    cached_input: 0,
    output: output ?? 0,
    ...(searches > 0 && { search_units: searches }),
    estimated: false,
  };
}
