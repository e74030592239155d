/** Token counts: OpenAI's are inclusive (cached, audio and cache writes lie within the prompt), the neutral ones exclusive. */
import type { Usage } from "../../../kernel/usage.ts";
import { type Fields, countOf, isFields } from "../body-reader.ts";
import { serviceClassOf } from "./words.ts";

const none: Fields = Object.freeze({});
const inner = (value: unknown): Fields => (isFields(value) ? value : none);
const most = (...counts: (number | undefined)[]): number => Math.max(0, ...counts.map((count) => count ?? 0));

/** What an answer or a chunk says of its use. Zeros that the vendor reports are a report; silence is undefined. */
export function usageOf(answer: Fields): Usage | undefined {
  // Groq's streams say it in a field of their own.
  const usage = answer["usage"] ?? inner(answer["x_groq"])["usage"];
  if (!isFields(usage)) return undefined;
  const prompt = countOf(usage["prompt_tokens"]);
  const completion = countOf(usage["completion_tokens"]);
  if (prompt === undefined && completion === undefined) return undefined;
  const counted: Usage = { ...inputOf(usage, prompt ?? 0, completion ?? 0), estimated: false };
  const searches = countOf(inner(usage["server_tool_use"])["web_search_requests"]);
  if (searches !== undefined && searches > 0) counted.web_searches = searches;
  const served = serviceClassOf(answer["service_tier"] ?? usage["service_tier"]);
  if (served !== undefined) counted.service_class = served;
  return counted;
}

function inputOf(usage: Fields, prompt: number, completion: number): Omit<Usage, "estimated"> {
  const details = inner(usage["prompt_tokens_details"]);
  // DeepSeek, Moonshot and servers in front of Bedrock or Anthropic have names of their own for the same counts.
  const cached = most(
    countOf(details["cached_tokens"]),
    countOf(usage["prompt_cache_hit_tokens"]),
    countOf(usage["cached_tokens"]),
    countOf(usage["cache_read_input_tokens"]),
  );
  const written = most(
    countOf(details["cache_write_tokens"]),
    countOf(details["cache_creation_tokens"]),
    countOf(usage["cache_creation_input_tokens"]),
  );
  const total = countOf(usage["total_tokens"]);
  const apart = cached + written > 0 && isApart(prompt, completion, cached + written, total);
  const whole = apart ? prompt + cached + written : prompt;
  const reads = Math.min(cached, whole);
  const writes = Math.min(written, whole - reads);
  const audio = Math.min(countOf(details["audio_tokens"]) ?? 0, whole - writes);
  // Cached audio is counted on both sides: what doesn't fit apart is the overlap.
  const both = Math.max(0, reads + writes + audio - whole);
  return {
    input: whole - reads - writes - audio + both,
    cached_input: reads - both,
    ...outputOf(usage, completion, Math.max(0, (total ?? 0) - whole)),
    ...(writes > 0 && { cache_write: writes }),
    ...(audio > both && { audio_input: audio - both }),
    ...(both > 0 && { cached_audio_input: both }),
  };
}

/** Some servers count the cache beside the prompt, as Anthropic does: the total tells, or a prompt that can't hold it. */
const isApart = (prompt: number, completion: number, cache: number, total: number | undefined): boolean =>
  total === undefined ? cache > prompt : total === prompt + completion + cache;

/** `beyond`: what the total holds beside the prompt. Gemini's OpenAI surface bills reasoning that only this shows. */
function outputOf(usage: Fields, completion: number, beyond: number) {
  const details = inner(usage["completion_tokens_details"]);
  const thought = countOf(details["reasoning_tokens"]) ?? 0;
  // xAI counts reasoning beside the completion: it can't be a part of fewer tokens than it has.
  const whole = Math.max(completion, beyond, thought > completion ? completion + thought : 0);
  const audio = Math.min(countOf(details["audio_tokens"]) ?? 0, whole);
  const image = Math.min(countOf(details["image_tokens"]) ?? 0, whole - audio);
  const output = whole - audio - image;
  const reasoning = Math.min(thought, output);
  return {
    output,
    ...(audio > 0 && { audio_output: audio }),
    ...(image > 0 && { image_output: image }),
    ...(reasoning > 0 && { reasoning }),
  };
}

export function encodeUsage(usage: Usage): Fields {
  const {
    input,
    cached_input,
    output,
    audio_input = 0,
    cached_audio_input = 0,
    audio_output = 0,
    image_output = 0,
  } = usage;
  const written = (usage.cache_write ?? 0) + (usage.cache_write_1h ?? 0);
  const cached = cached_input + cached_audio_input;
  const prompt = input + cached + written + audio_input;
  const completion = output + audio_output + image_output;
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: {
      cached_tokens: cached,
      audio_tokens: audio_input + cached_audio_input,
      ...(written > 0 && { cache_write_tokens: written }),
    },
    completion_tokens_details: {
      reasoning_tokens: usage.reasoning ?? 0,
      audio_tokens: audio_output,
      ...(image_output > 0 && { image_tokens: image_output }),
    },
    ...(usage.web_searches !== undefined && { server_tool_use: { web_search_requests: usage.web_searches } }),
  };
}
