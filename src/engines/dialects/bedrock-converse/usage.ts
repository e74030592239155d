/** Token counts: Converse's are exclusive of each other, as the neutral ones are. */
import type { Usage } from "../../../kernel/usage.ts";
import { type Fields, countOf, isFields } from "../body-reader.ts";
import { serviceClassOf } from "./words.ts";

export function usageOf(value: unknown, tier: unknown): Usage | undefined {
  if (!isFields(value)) return undefined;
  const input = countOf(value["inputTokens"]);
  const output = countOf(value["outputTokens"]);
  if (input === undefined && output === undefined) return undefined;
  const written = count(value, "cacheWriteInputTokens", "cacheWriteInputTokenCount");
  const hour = Math.min(hourOf(value["cacheDetails"]), written);
  const served = serviceClassOf(tier);
  return {
    input: input ?? 0,
    cached_input: count(value, "cacheReadInputTokens", "cacheReadInputTokenCount"),
    output: output ?? 0,
    estimated: false,
    ...(written > hour && { cache_write: written - hour }),
    ...(hour > 0 && { cache_write_1h: hour }),
    ...(served !== undefined && { service_class: served }),
  };
}

/** The second name is that of early versions. */
const count = (usage: Fields, name: string, early: string): number =>
  countOf(usage[name]) ?? countOf(usage[early]) ?? 0;

/** Of the tokens written, those that are kept an hour. */
function hourOf(details: unknown): number {
  if (!Array.isArray(details)) return 0;
  let sum = 0;
  for (const detail of details as unknown[]) {
    if (isFields(detail) && detail["ttl"] === "1h") sum += countOf(detail["inputTokens"]) ?? 0;
  }
  return sum;
}
