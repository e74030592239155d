import type { ChatRequest, ReasoningAsk } from "../../../kernel/chat.ts";
import { type Fields, leaveOut } from "../body-reader.ts";
import type { EncodeTarget } from "../port.ts";
import { effortOf } from "../reasoning.ts";
import { encodeMessages } from "./encode-message.ts";
import { tierOf } from "./words.ts";

export function encodeRequest(request: ChatRequest, target: EncodeTarget): { body: unknown; dropped: string[] } {
  const dropped = new Set(request.unmodelled);
  const body: Fields = {
    model: target.model,
    messages: encodeMessages(request.messages, dropped),
  };
  if (request.stream) {
    body["stream"] = true;
    if (target.streamUsage !== false) body["stream_options"] = { include_usage: true };
  }
  if (request.max_tokens !== undefined) body[target.maxTokensField ?? "max_tokens"] = request.max_tokens;
  for (const key of sameName) if (request[key] !== undefined) body[key] = request[key];
  encodeTools(request, body, dropped);
  const format = request.response_format;
  if (format?.type === "json_schema") {
    const { type, ...spec } = format;
    body["response_format"] = { type, json_schema: spec };
  } else if (format !== undefined) body["response_format"] = format;
  if (request.reasoning !== undefined) encodeReasoningAsk(request.reasoning, body, dropped);
  if (request.audio !== undefined) {
    body["modalities"] = ["text", "audio"];
    body["audio"] = request.audio;
  }
  const wanted = request.service_class;
  if (wanted === "batch") dropped.add("service_class");
  else if (wanted !== undefined) body["service_tier"] = tierOf(wanted);
  if (request.previous_response_id !== undefined) dropped.add("previous_response_id");
  leaveOut(body, target.refuses, dropped);
  return { body, dropped: [...dropped] };
}

/** `top_k` is not OpenAI's, but most of its imitators'. */
const sameName = [
  "temperature",
  "top_p",
  "top_k",
  "presence_penalty",
  "frequency_penalty",
  "logit_bias",
  "stop",
  "seed",
  "n",
  "logprobs",
  "top_logprobs",
  "metadata",
  "user",
] as const satisfies (keyof ChatRequest)[];

/**
 * Here a model is told an effort; left alone, it decides by itself. That it shall not think at all is said only where
 * the client said so in this API's own word: most models refuse it. Thoughts are never answered in OpenAI's own words.
 */
function encodeReasoningAsk(ask: ReasoningAsk, body: Fields, dropped: Set<string>): void {
  const { effort, budget_tokens: budget, adaptive, summary } = ask;
  if (effort !== undefined) body["reasoning_effort"] = effort;
  if (budget !== undefined) {
    dropped.add("reasoning.budget_tokens");
    if (effort === undefined && budget > 0) body["reasoning_effort"] = effortOf(budget);
  }
  if (adaptive === true) dropped.add("reasoning.adaptive");
  if (summary !== undefined && summary !== "none") dropped.add("reasoning.summary");
}

/** Without tools the API refuses every word about their use. */
function encodeTools(request: ChatRequest, body: Fields, dropped: Set<string>): void {
  const { tools, tool_choice: choice } = request;
  if (tools === undefined || tools.length === 0) {
    if (choice !== undefined && choice !== "auto" && choice !== "none") dropped.add("tool_choice");
    return;
  }
  const customNames = new Set<string>();
  body["tools"] = tools.map(({ custom, cache, ...tool }) => {
    if (cache !== undefined) dropped.add("cache_control");
    if (!custom) return { type: "function", function: tool };
    customNames.add(tool.name);
    const { name, description } = tool;
    return { type: "custom", custom: { name, ...(description !== undefined && { description }) } };
  });
  if (typeof choice === "object") {
    const kind = customNames.has(choice.name) ? "custom" : "function";
    body["tool_choice"] = { type: kind, [kind]: choice };
  } else if (choice !== undefined) body["tool_choice"] = choice;
  if (request.parallel_tool_calls !== undefined) body["parallel_tool_calls"] = request.parallel_tool_calls;
}
