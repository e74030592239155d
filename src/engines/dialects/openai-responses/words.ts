/** Words that the Responses API and the neutral form share only in part: statuses, usage, service tiers. */
import type { ChatPart, FinishReason } from "../../../kernel/chat.ts";
import type { ServiceClass, Usage } from "../../../kernel/usage.ts";
import { type Fields, countOf, isFields } from "../body-reader.ts";
import type { AnswerId } from "../port.ts";

/** Items are named after the answer and their place in it: the same answer again has the same names. */
export const itemName = (prefix: string, id: AnswerId, index: number): string => `${prefix}_${id.decision}_${index}`;

/** `pause` is not a whole answer: the client may go on, as after a length limit. */
const incompleteReasons = new Map<FinishReason, string>([
  ["length", "max_output_tokens"],
  ["pause", "max_output_tokens"],
  ["content_filter", "content_filter"],
]);

/** `declined`: the answer itself holds the words of a refusal; without any, nothing but the status can tell of it. */
export function encodeStatus(
  finish: FinishReason,
  declined: boolean,
): {
  status: "completed" | "incomplete";
  incomplete_details: unknown;
} {
  const reason = finish === "refusal" && !declined ? "content_filter" : incompleteReasons.get(finish);
  return reason === undefined
    ? { status: "completed", incomplete_details: null }
    : { status: "incomplete", incomplete_details: { reason } };
}

/** What was answered tells a whole answer's kind: the API's own status knows only completed. */
export function finishOf(response: Fields, said: { calledTools: boolean; refused: boolean }): FinishReason {
  if (response["status"] === "incomplete") {
    const details = response["incomplete_details"];
    return isFields(details) && details["reason"] === "content_filter" ? "content_filter" : "length";
  }
  return said.calledTools ? "tool_calls" : said.refused ? "refusal" : "stop";
}

export const said = (parts: readonly ChatPart[]) => ({
  calledTools: parts.some((part) => part.type === "tool_call"),
  refused: parts.some((part) => part.type === "text" && part.refusal === true),
});

const tiers = new Map<unknown, ServiceClass>([
  ["default", "standard"],
  ["flex", "flex"],
  ["priority", "priority"],
]);
const tierWords: Partial<Record<ServiceClass, string>> = { standard: "default", flex: "flex", priority: "priority" };

export const serviceClassOf = (tier: unknown): ServiceClass | undefined => tiers.get(tier);
/** Undefined for what can't be asked for in a call (batch). */
export const tierOf = (serviceClass: ServiceClass): string | undefined => tierWords[serviceClass];

/** `searches`: web search calls among the answer's items, for vendors that don't sum them up themselves. */
export function usageOf(response: Fields, searches: number): Usage | undefined {
  const value = response["usage"];
  if (!isFields(value)) return undefined;
  const input = countOf(value["input_tokens"]);
  const output = countOf(value["output_tokens"]);
  if (input === undefined && output === undefined) return undefined;
  const details = isFields(value["input_tokens_details"]) ? value["input_tokens_details"] : {};
  const left = { tokens: input ?? 0 };
  const usage: Usage = {
    input: 0,
    cached_input: take(left, details["cached_tokens"]),
    ...outputOf(value, input ?? 0, output ?? 0),
    estimated: false,
  };
  const writes = isFields(details["cache_write_tokens_details"]) ? details["cache_write_tokens_details"] : {};
  const longWrites = take(left, writes["ttl_12h_tokens"]);
  const writesInAll = countOf(details["cache_write_tokens"]) ?? countOf(writes["ttl_30m_tokens"]) ?? 0;
  const shortWrites = take(left, Math.max(0, writesInAll - longWrites));
  usage.input = left.tokens;
  if (shortWrites > 0) usage.cache_write = shortWrites;
  if (longWrites > 0) usage.cache_write_1h = longWrites;
  const webSearches = countedSearches(response["tool_usage"]) ?? searches;
  if (webSearches > 0) usage.web_searches = webSearches;
  const serviceClass = serviceClassOf(response["service_tier"]);
  if (serviceClass !== undefined) usage.service_class = serviceClass;
  return usage;
}

/** Reasoning is a part of the output: where it is more, the total says whether it was left out or counted too often. */
function outputOf(value: Fields, input: number, output: number): Pick<Usage, "output" | "reasoning"> {
  const details = value["output_tokens_details"];
  const thought = (isFields(details) && countOf(details["reasoning_tokens"])) || 0;
  const total = countOf(value["total_tokens"]);
  const whole = total === undefined ? output + (thought > output ? thought : 0) : Math.max(output, total - input);
  const reasoning = Math.min(thought, whole);
  return { output: whole, ...(reasoning > 0 && { reasoning }) };
}

/** Meters are exclusive: what one takes is no longer there for the next, however much the vendor claims. */
function take(left: { tokens: number }, claimed: unknown): number {
  const taken = Math.min(left.tokens, countOf(claimed) ?? 0);
  left.tokens -= taken;
  return taken;
}

function countedSearches(toolUsage: unknown): number | undefined {
  const search = isFields(toolUsage) ? toolUsage["web_search"] : undefined;
  return isFields(search) ? countOf(search["num_requests"]) : undefined;
}

/** Searches are billed; opening a page that was found, or looking for words in it, is not. */
export function isWebSearch(item: Fields): boolean {
  if (item["type"] !== "web_search_call") return false;
  const action = item["action"];
  return !isFields(action) || action["type"] === undefined || action["type"] === "search";
}

export function encodeUsage(usage: Usage): unknown {
  const long = usage.cache_write_1h ?? 0;
  const writes = (usage.cache_write ?? 0) + long;
  const audio = (usage.audio_input ?? 0) + (usage.cached_audio_input ?? 0);
  const input = usage.input + usage.cached_input + writes + audio;
  const output = usage.output + (usage.audio_output ?? 0) + (usage.image_output ?? 0);
  return {
    input_tokens: input,
    input_tokens_details: {
      cached_tokens: usage.cached_input + (usage.cached_audio_input ?? 0),
      cache_write_tokens: writes,
      ...(long === 0 ? {} : { cache_write_tokens_details: { ttl_30m_tokens: writes - long, ttl_12h_tokens: long } }),
    },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: usage.reasoning ?? 0 },
    total_tokens: input + output,
  };
}
