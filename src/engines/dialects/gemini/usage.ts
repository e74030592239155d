/**
 * Token counts: Gemini's prompt includes what came from the cache, its candidates exclude thoughts; the neutral counts
 * are exclusive, and thoughts a part of the output.
 */
import type { Usage } from "../../../kernel/usage.ts";
import { type Fields, countOf, isFields } from "../body-reader.ts";
import { serviceClassOf } from "./words.ts";

export interface Counted {
  usage: Usage;
  /** Whether the output was counted: the first chunks of a stream often count the prompt alone. */
  whole: boolean;
}

export function usageOf(metadata: unknown): Counted | undefined {
  if (!isFields(metadata)) return undefined;
  const prompt = countOf(metadata["promptTokenCount"]);
  const candidates = countOf(metadata["candidatesTokenCount"]);
  const thoughts = countOf(metadata["thoughtsTokenCount"]);
  const total = countOf(metadata["totalTokenCount"]);
  if (prompt === undefined && candidates === undefined && thoughts === undefined) return undefined;
  // What Google's own tools put before the model is billed as input, and counted apart from the prompt.
  const input = (prompt ?? 0) + (countOf(metadata["toolUsePromptTokenCount"]) ?? 0);
  const beyond = Math.max(0, (total ?? 0) - input);
  const usage: Usage = {
    ...inputOf(metadata, input),
    ...outputOf(metadata, { candidates: candidates ?? 0, thoughts: thoughts ?? 0, beyond }),
    estimated: false,
  };
  const served = serviceClassOf(metadata["trafficType"]) ?? serviceClassOf(metadata["serviceTier"]);
  if (served !== undefined) usage.service_class = served;
  return { usage, whole: candidates !== undefined || thoughts !== undefined || beyond > 0 };
}

function inputOf(metadata: Fields, whole: number) {
  const cached = Math.min(countOf(metadata["cachedContentTokenCount"]) ?? 0, whole);
  const heard = tokensOf("AUDIO", metadata["promptTokensDetails"], metadata["toolUsePromptTokensDetails"]);
  const cachedAudio = Math.min(tokensOf("AUDIO", metadata["cacheTokensDetails"]), cached, heard);
  const audio = Math.min(heard - cachedAudio, whole - cached);
  return {
    input: whole - cached - audio,
    cached_input: cached - cachedAudio,
    ...(audio > 0 && { audio_input: audio }),
    ...(cachedAudio > 0 && { cached_audio_input: cachedAudio }),
  };
}

/** `beyond`: what the total holds beside the input; some answers leave out the counts that it is made of. */
function outputOf(
  metadata: Fields,
  { candidates, thoughts, beyond }: { candidates: number; thoughts: number; beyond: number },
) {
  // Some models count their thoughts among the candidates: the total tells.
  const within = thoughts <= candidates && beyond === candidates;
  const whole = Math.max(within ? candidates : candidates + thoughts, beyond);
  const audio = Math.min(tokensOf("AUDIO", metadata["candidatesTokensDetails"]), whole);
  const image = Math.min(tokensOf("IMAGE", metadata["candidatesTokensDetails"]), whole - audio);
  const output = whole - audio - image;
  const reasoning = Math.min(thoughts, output);
  return {
    output,
    ...(audio > 0 && { audio_output: audio }),
    ...(image > 0 && { image_output: image }),
    ...(reasoning > 0 && { reasoning }),
  };
}

function tokensOf(modality: string, ...lists: unknown[]): number {
  let sum = 0;
  for (const list of lists) {
    if (!Array.isArray(list)) continue;
    for (const detail of list as unknown[]) {
      if (isFields(detail) && detail["modality"] === modality) sum += countOf(detail["tokenCount"]) ?? 0;
    }
  }
  return sum;
}
