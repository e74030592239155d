import type { CacheMark, ChatRequest, ChatTool } from "../../../kernel/chat.ts";
import { type Fields, leaveOut } from "../body-reader.ts";
import type { EncodeTarget } from "../port.ts";
import { encodeMessages } from "./encode-message.ts";
import { type ModelFamily, cachesIn, familyOf } from "./family.ts";
import { cachePoint } from "./cache-point.ts";
import { encodeModelFields } from "./model-fields.ts";
import { tierOf } from "./words.ts";

/** The model stands in the path, and the path says whether it streams. */
export function encodeRequest(request: ChatRequest, target: EncodeTarget): { body: unknown; dropped: string[] } {
  const dropped = new Set(request.unmodelled);
  const family = target.modelFamily ?? familyOf(target.model);
  const body: Fields = { ...encodeMessages(request.messages, family, dropped) };
  const inference = inferenceOf(request, dropped);
  const fields = encodeModelFields(family, { request, target, inference, dropped });
  if (Object.keys(inference).length > 0) body["inferenceConfig"] = inference;
  const toolConfig = toolConfigOf(request, target, family, dropped);
  if (toolConfig !== undefined) body["toolConfig"] = toolConfig;
  encodeFormat(request, body, dropped);
  if (Object.keys(fields).length > 0) body["additionalModelRequestFields"] = fields;
  if (family === "claude" && inference["stopSequences"] !== undefined) {
    body["additionalModelResponseFieldPaths"] = ["/stop_sequence"];
  }
  encodeServiceClass(request, body, dropped);
  encodeMetadata(request, body, dropped);
  for (const field of unknownHere) if (request[field] !== undefined) dropped.add(field);
  leaveOut(body, target.refuses, dropped);
  return { body, dropped: [...dropped] };
}

const unknownHere = [
  "seed",
  "presence_penalty",
  "frequency_penalty",
  "logit_bias",
  "n",
  "logprobs",
  "top_logprobs",
  "audio",
  "user",
  "previous_response_id",
] as const satisfies (keyof ChatRequest)[];

function inferenceOf(request: ChatRequest, dropped: Set<string>): Fields {
  const { max_tokens, temperature, top_p, stop } = request;
  const inference: Fields = {};
  if (max_tokens !== undefined) inference["maxTokens"] = max_tokens;
  if (temperature !== undefined) {
    // OpenAI's scale ends at 2, Converse's at 1.
    inference["temperature"] = Math.min(temperature, 1);
    if (temperature > 1) dropped.add("temperature");
  }
  if (top_p !== undefined) inference["topP"] = top_p;
  const sequences = stop?.filter((sequence) => sequence.trim() !== "") ?? [];
  if (sequences.length > 0) inference["stopSequences"] = sequences;
  if (sequences.length < (stop?.length ?? 0)) dropped.add("stop");
  return inference;
}

function toolConfigOf(
  request: ChatRequest,
  target: EncodeTarget,
  family: ModelFamily | undefined,
  dropped: Set<string>,
): Fields | undefined {
  const choice = request.tool_choice;
  if (request.tools?.some((tool) => tool.custom)) dropped.add("tools.custom");
  const declared = request.tools?.filter((tool) => !tool.custom) ?? [];
  const unchosen = declared.length === 0 || choice === "none";
  const tools = unchosen ? calledBefore(request, declared) : declared;
  if (tools.length === 0) {
    if (typeof choice === "object" || choice === "required") dropped.add("tool_choice");
    return undefined;
  }
  if (request.parallel_tool_calls === false) dropped.add("parallel_tool_calls");
  const wire = tools.flatMap((tool) => [encodeTool(tool, target, dropped), ...marked(tool.cache, family, dropped)]);
  if (choice === undefined) return { tools: wire };
  // Converse can't forbid the tools that it must be told of.
  if (choice === "none" || (typeof choice === "object" && !declared.some(({ name }) => name === choice.name))) {
    dropped.add("tool_choice");
    return { tools: wire };
  }
  if (unchosen) {
    if (choice !== "auto") dropped.add("tool_choice");
    return { tools: wire };
  }
  const toolChoice =
    typeof choice === "object" ? { tool: { name: choice.name } } : { [choice === "required" ? "any" : "auto"]: {} };
  return { tools: wire, toolChoice };
}

/** Converse refuses a history with calls where no tools are declared: those that were called are, if need be by name alone. */
function calledBefore({ messages }: ChatRequest, declared: readonly ChatTool[]): ChatTool[] {
  const names = new Set<string>();
  for (const { parts } of messages) for (const part of parts) if (part.type === "tool_call") names.add(part.name);
  return [...names].map((name) => declared.find((tool) => tool.name === name) ?? { name });
}

function encodeTool(tool: ChatTool, { refuses }: EncodeTarget, dropped: Set<string>): Fields {
  const { name, description, parameters, strict } = tool;
  const isStrict = strict === true && !refuses?.includes("strict");
  if (strict === true && !isStrict) dropped.add("tools.strict");
  return {
    toolSpec: {
      name,
      // Converse refuses an empty one.
      ...(description !== undefined && description !== "" && { description }),
      inputSchema: { json: parameters ?? { type: "object" } },
      ...(isStrict && { strict: true }),
    },
  };
}

function marked(mark: CacheMark | undefined, family: ModelFamily | undefined, dropped: Set<string>): Fields[] {
  return mark === undefined ? [] : cachePoint(mark, cachesIn(family, "tools"), family, dropped);
}

/** The schema travels as text. */
function encodeFormat({ response_format: format }: ChatRequest, body: Fields, dropped: Set<string>): void {
  if (format?.type === "json_object") dropped.add("response_format");
  if (format?.type !== "json_schema") return;
  const jsonSchema = { schema: JSON.stringify(format.schema ?? {}), name: format.name };
  body["outputConfig"] = { textFormat: { type: "json_schema", structure: { jsonSchema } } };
}

function encodeServiceClass({ service_class: wanted }: ChatRequest, body: Fields, dropped: Set<string>): void {
  if (wanted === undefined) return;
  const type = tierOf[wanted];
  if (type === undefined) dropped.add("service_class");
  else body["serviceTier"] = { type };
}

const metadataWord = /^[a-zA-Z0-9\s:_@$#=/+,.-]{0,256}$/;
const mostMetadata = 16;

/** Tags of the invocation log. */
function encodeMetadata({ metadata }: ChatRequest, body: Fields, dropped: Set<string>): void {
  if (metadata === undefined) return;
  const given = Object.entries(metadata);
  const kept = given.filter(([key, value]) => key !== "" && metadataWord.test(key) && metadataWord.test(value));
  if (kept.length > mostMetadata) kept.length = mostMetadata;
  if (kept.length < given.length) dropped.add("metadata");
  if (kept.length > 0) body["requestMetadata"] = Object.fromEntries(kept);
}
