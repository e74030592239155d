import type { ChatRequest } from "../../../kernel/chat.ts";
import { type Fields, leaveOut } from "../body-reader.ts";
import type { EncodeTarget } from "../port.ts";
import { encodeContents } from "./encode-contents.ts";
import { encodeThinking } from "./thinking.ts";

/** The model stands in the path, and whether to stream too. */
export function encodeRequest(request: ChatRequest, target: EncodeTarget): { body: unknown; dropped: string[] } {
  const dropped = new Set(request.unmodelled);
  const body: Fields = { ...encodeContents(request.messages, target.model, dropped) };
  encodeTools(request, body, dropped);
  const config = encodeConfig(request, target.model, dropped);
  if (Object.keys(config).length > 0) body["generationConfig"] = config;
  encodeServiceClass(request, body, dropped);
  encodeLabels(request, body, dropped);
  for (const field of unknownHere) if (request[field] !== undefined) dropped.add(field);
  leaveOut(body, target.refuses, dropped);
  return { body, dropped: [...dropped] };
}

const unknownHere = ["logit_bias", "user", "previous_response_id"] as const satisfies (keyof ChatRequest)[];

const plainFields = [
  ["temperature", "temperature"],
  ["top_p", "topP"],
  ["top_k", "topK"],
  ["max_tokens", "maxOutputTokens"],
  ["n", "candidateCount"],
  ["seed", "seed"],
  ["presence_penalty", "presencePenalty"],
  ["frequency_penalty", "frequencyPenalty"],
  ["logprobs", "responseLogprobs"],
  ["top_logprobs", "logprobs"],
] as const satisfies [keyof ChatRequest, string][];

const mostStops = 5;

function encodeConfig(request: ChatRequest, model: string, dropped: Set<string>): Fields {
  const config: Fields = {};
  for (const [field, wire] of plainFields) if (request[field] !== undefined) config[wire] = request[field];
  const stop = request.stop?.filter((sequence) => sequence !== "").slice(0, mostStops) ?? [];
  if (stop.length > 0) config["stopSequences"] = stop;
  if (stop.length < (request.stop?.length ?? 0)) dropped.add("stop");
  const format = request.response_format;
  if (format !== undefined && format.type !== "text") config["responseMimeType"] = "application/json";
  // Gemini holds every schema strictly, and has no name for it.
  if (format?.type === "json_schema") config["responseJsonSchema"] = format.schema;
  if (request.audio !== undefined) {
    config["responseModalities"] = ["AUDIO"];
    config["speechConfig"] = { voiceConfig: { prebuiltVoiceConfig: { voiceName: request.audio.voice } } };
    dropped.add("audio.format");
  }
  return { ...config, ...encodeThinking(request, model, dropped) };
}

function encodeTools(request: ChatRequest, body: Fields, dropped: Set<string>): void {
  const { tool_choice: choice } = request;
  const tools = request.tools?.filter((tool) => !tool.custom) ?? [];
  if (tools.length < (request.tools?.length ?? 0)) dropped.add("tools.custom");
  if (tools.length === 0) {
    if (choice !== undefined && choice !== "auto" && choice !== "none") dropped.add("tool_choice");
    return;
  }
  // Gemini decides by itself whether to call several at once.
  if (request.parallel_tool_calls === false) dropped.add("parallel_tool_calls");
  const functionDeclarations = tools.map(({ name, description, parameters, strict, cache }) => {
    if (strict === true) dropped.add("tools.strict");
    if (cache !== undefined) dropped.add("cache_control");
    return {
      name,
      ...(description !== undefined && { description }),
      ...(parameters !== undefined && { parametersJsonSchema: parameters }),
    };
  });
  body["tools"] = [{ functionDeclarations }];
  if (choice === undefined) return;
  if (typeof choice === "object" && !tools.some(({ name }) => name === choice.name)) {
    dropped.add("tool_choice");
    return;
  }
  const functionCallingConfig =
    typeof choice === "object" ? { mode: "ANY", allowedFunctionNames: [choice.name] } : { mode: modes[choice] };
  body["toolConfig"] = { functionCallingConfig };
}

const modes = { auto: "AUTO", none: "NONE", required: "ANY" } as const;

/** The Gemini API knows tiers, Vertex refuses the field: see the vendor's `refuses`. */
function encodeServiceClass({ service_class: wanted }: ChatRequest, body: Fields, dropped: Set<string>): void {
  if (wanted === "batch") dropped.add("service_class");
  else if (wanted !== undefined) body["serviceTier"] = wanted;
}

const labelKey = /^[a-z][a-z0-9_-]{0,62}$/;
const labelValue = /^[a-z0-9_-]{0,63}$/;
const mostLabels = 64;

/** Vertex books costs by label, the Gemini API refuses the field: see the vendor's `refuses`. */
function encodeLabels({ metadata }: ChatRequest, body: Fields, dropped: Set<string>): void {
  const given = Object.entries(metadata ?? {});
  const labels = given.filter(([key, value]) => labelKey.test(key) && labelValue.test(value)).slice(0, mostLabels);
  if (labels.length > 0) body["labels"] = Object.fromEntries(labels);
  if (labels.length < given.length) dropped.add("metadata");
}
