import type { ChatRequest } from "../../../kernel/chat.ts";
import { type Fields, leaveOut } from "../body-reader.ts";
import type { EncodeTarget } from "../port.ts";
import { cached, encodeMessages } from "./encode-message.ts";
import { encodeThinking } from "./thinking.ts";

export function encodeRequest(request: ChatRequest, target: EncodeTarget): { body: unknown; dropped: string[] } {
  const dropped = new Set(request.unmodelled);
  const body: Fields = {
    model: target.model,
    max_tokens: request.max_tokens ?? target.defaultMaxTokens,
    ...encodeMessages(request.messages, dropped),
  };
  if (request.stream) body["stream"] = true;
  if (request.temperature !== undefined) body["temperature"] = temperatureWithin(request.temperature, dropped);
  if (request.top_p !== undefined) body["top_p"] = request.top_p;
  if (request.top_k !== undefined) body["top_k"] = request.top_k;
  const stop = request.stop?.filter((sequence) => sequence.trim() !== "") ?? [];
  if (stop.length > 0) body["stop_sequences"] = stop;
  // Anthropic refuses stop sequences of white space alone.
  if (stop.length < (request.stop?.length ?? 0)) dropped.add("stop");
  if (request.user !== undefined) body["metadata"] = { user_id: request.user };
  encodeServiceClass(request, body, dropped);
  encodeTools(request, body, dropped);
  const format = request.response_format;
  if (format?.type === "json_schema") {
    body["output_config"] = { format: { type: "json_schema", schema: format.schema } };
  } else if (format?.type === "json_object") dropped.add("response_format");
  encodeThinking(request, body, dropped);
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
  "metadata",
  "previous_response_id",
] as const satisfies (keyof ChatRequest)[];

/** OpenAI's scale ends at 2, Anthropic's at 1. */
function temperatureWithin(temperature: number, dropped: Set<string>): number {
  if (temperature <= 1) return temperature;
  dropped.add("temperature");
  return 1;
}

/** Priority is what Anthropic gives by itself where it was bought, so it is asked for and yet not sure. */
function encodeServiceClass({ service_class: wanted }: ChatRequest, body: Fields, dropped: Set<string>): void {
  if (wanted === undefined) return;
  if (wanted === "standard") body["service_tier"] = "standard_only";
  else {
    if (wanted === "priority") body["service_tier"] = "auto";
    dropped.add("service_class");
  }
}

function encodeTools(request: ChatRequest, body: Fields, dropped: Set<string>): void {
  const choice = request.tool_choice;
  const parallel = request.parallel_tool_calls;
  const tools = request.tools?.filter((tool) => !tool.custom) ?? [];
  if (tools.length < (request.tools?.length ?? 0)) dropped.add("tools.custom");
  if (tools.length === 0) {
    if (choice !== undefined && choice !== "auto" && choice !== "none") dropped.add("tool_choice");
    return;
  }
  body["tools"] = tools.map(({ name, description, parameters, strict, cache }) =>
    cached(
      {
        name,
        ...(description !== undefined && { description }),
        input_schema: parameters ?? { type: "object" },
        ...(strict !== undefined && { strict }),
      },
      cache,
    ),
  );
  if (choice === undefined && parallel !== false) return;
  if (typeof choice === "object" && request.tools?.some((tool) => tool.custom && tool.name === choice.name)) {
    dropped.add("tool_choice");
    return;
  }
  const wire =
    typeof choice === "object" ? { type: "tool", name: choice.name } : { type: choiceWords[choice ?? "auto"] };
  const alone = parallel === undefined || choice === "none" ? {} : { disable_parallel_tool_use: !parallel };
  body["tool_choice"] = { ...wire, ...alone };
}

const choiceWords = { auto: "auto", none: "none", required: "any" } as const;
