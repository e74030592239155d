/** Token counts: Anthropic's are exclusive of each other, as the neutral ones are. */
import type { ServiceClass, Usage } from "../../../kernel/usage.ts";
import { type Fields, countOf, isFields } from "../body-reader.ts";

const none: Fields = Object.freeze({});
const inner = (value: unknown): Fields => (isFields(value) ? value : none);

const classes = new Map<unknown, ServiceClass>([
  ["standard", "standard"],
  ["priority", "priority"],
  ["batch", "batch"],
]);

export const serviceClassOf = (tier: unknown): ServiceClass | undefined => classes.get(tier);

/**
 * Later reports replace earlier ones, for each is a total: what the closing message_delta says of the input replaces
 * all that message_start said of it, and what it leaves out stands.
 */
export function usageOf(value: unknown, earlier?: Usage): Usage | undefined {
  if (!isFields(value)) return undefined;
  const input = countOf(value["input_tokens"]);
  const output = countOf(value["output_tokens"]);
  if (input === undefined && output === undefined) return undefined;
  const before = input === undefined ? earlier : undefined;
  const [short, long] = writesOf(value, before, earlier?.cache_write_1h ?? 0);
  const whole = output ?? earlier?.output ?? 0;
  const thought = countOf(inner(value["output_tokens_details"])["thinking_tokens"]) ?? earlier?.reasoning ?? 0;
  const searches = countOf(inner(value["server_tool_use"])["web_search_requests"]) ?? earlier?.web_searches ?? 0;
  const served = serviceClassOf(value["service_tier"]) ?? earlier?.service_class;
  const reasoning = Math.min(thought, whole);
  return {
    input: input ?? before?.input ?? 0,
    cached_input: countOf(value["cache_read_input_tokens"]) ?? before?.cached_input ?? 0,
    output: whole,
    estimated: false,
    ...(short > 0 && { cache_write: short }),
    ...(long > 0 && { cache_write_1h: long }),
    ...(reasoning > 0 && { reasoning }),
    ...(searches > 0 && { web_searches: searches }),
    ...(served !== undefined && { service_class: served }),
  };
}

/** Tokens written for five minutes and for an hour. Only message_start splits the total: its share for an hour stands. */
function writesOf(usage: Fields, before: Usage | undefined, earlierHour: number): [short: number, long: number] {
  const split = usage["cache_creation"];
  const short = isFields(split) ? countOf(split["ephemeral_5m_input_tokens"]) : undefined;
  const long = isFields(split) ? countOf(split["ephemeral_1h_input_tokens"]) : undefined;
  const total = countOf(usage["cache_creation_input_tokens"]);
  if (total === undefined) {
    if (short === undefined && long === undefined) return [before?.cache_write ?? 0, before?.cache_write_1h ?? 0];
    return [short ?? 0, long ?? 0];
  }
  const hour = Math.min(long ?? earlierHour, total);
  return [total - hour, hour];
}

/** Anthropic knows no audio: what it can't tell apart is counted as the text that it stands for. */
export function encodeUsage(usage: Usage | undefined): Fields {
  const short = usage?.cache_write ?? 0;
  const long = usage?.cache_write_1h ?? 0;
  return {
    input_tokens: (usage?.input ?? 0) + (usage?.audio_input ?? 0),
    cache_creation_input_tokens: short + long,
    cache_read_input_tokens: (usage?.cached_input ?? 0) + (usage?.cached_audio_input ?? 0),
    output_tokens: (usage?.output ?? 0) + (usage?.audio_output ?? 0) + (usage?.image_output ?? 0),
    ...(short + long > 0 && {
      cache_creation: { ephemeral_5m_input_tokens: short, ephemeral_1h_input_tokens: long },
    }),
    ...(usage?.reasoning !== undefined && { output_tokens_details: { thinking_tokens: usage.reasoning } }),
    ...(usage?.web_searches !== undefined && { server_tool_use: { web_search_requests: usage.web_searches } }),
    ...(usage?.service_class !== undefined && { service_tier: tierOf(usage.service_class) }),
  };
}

/** `flex` is no tier of Anthropic's. */
const tierOf = (served: ServiceClass): ServiceClass | null => (served === "flex" ? null : served);
