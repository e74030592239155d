import type { ChatRequest, ReasoningAsk } from "../../../kernel/chat.ts";
import { type Fields, leaveOut } from "../body-reader.ts";
import type { EncodeTarget } from "../port.ts";
import { effortOf } from "../reasoning.ts";
import { encodeReasoningAsk, encodeTool, encodeToolChoice } from "./asks.ts";
import { encodeInput } from "./encode-input.ts";
import { tierOf } from "./words.ts";

/** What the API has no field for. */
const unknownHere = [
  "stop",
  "seed",
  "top_k",
  "presence_penalty",
  "frequency_penalty",
  "logit_bias",
  "audio",
] as const satisfies (keyof ChatRequest)[];

const sameName = [
  "temperature",
  "top_p",
  "top_logprobs",
  "metadata",
  "user",
  "previous_response_id",
] as const satisfies (keyof ChatRequest)[];

export function encodeRequest(request: ChatRequest, target: EncodeTarget): { body: unknown; dropped: string[] } {
  const dropped = new Set(request.unmodelled);
  // Weir keeps its own record of what was said: none is left at the vendor.
  const body: Fields = { model: target.model, ...encodeInput(request, dropped), store: false };
  if (request.stream) body["stream"] = true;
  if (request.max_tokens !== undefined) body["max_output_tokens"] = request.max_tokens;
  for (const key of sameName) if (request[key] !== undefined) body[key] = request[key];
  for (const key of unknownHere) if (request[key] !== undefined) dropped.add(key);
  if ((request.n ?? 1) > 1) dropped.add("n");
  encodeTools(request, body, dropped);
  const format = request.response_format;
  if (format !== undefined) body["text"] = { format };
  encodeReasoning(request, body, dropped);
  const tier = request.service_class === undefined ? undefined : tierOf(request.service_class);
  if (tier !== undefined) body["service_tier"] = tier;
  else if (request.service_class !== undefined) dropped.add("service_class");
  leaveOut(body, target.refuses, dropped);
  return { body, dropped: [...dropped] };
}

/** Without tools the API refuses every word about their use. */
function encodeTools(request: ChatRequest, body: Fields, dropped: Set<string>): void {
  const { tools = [], tool_choice: choice } = request;
  if (tools.length === 0) {
    if (choice !== undefined && choice !== "auto" && choice !== "none") dropped.add("tool_choice");
    return;
  }
  body["tools"] = tools.map(encodeTool);
  if (tools.some((tool) => tool.cache !== undefined)) dropped.add("cache_control");
  if (choice !== undefined) body["tool_choice"] = encodeToolChoice(request);
  if (request.parallel_tool_calls !== undefined) body["parallel_tool_calls"] = request.parallel_tool_calls;
}

/** Models that don't reason refuse to be asked for encrypted reasoning: it is asked for where reasoning is spoken of. */
function encodeReasoning(request: ChatRequest, body: Fields, dropped: Set<string>): void {
  const include: string[] = [];
  const handedBack = request.messages.some((message) =>
    message.parts.some((part) => part.type === "reasoning" && part.encrypted !== undefined && part.id !== undefined),
  );
  if (handedBack || request.reasoning !== undefined) include.push("reasoning.encrypted_content");
  if (request.logprobs === true) include.push("message.output_text.logprobs");
  if (include.length > 0) body["include"] = include;
  if (request.reasoning === undefined) return;
  const wire = encodeReasoningAsk(withEffort(request.reasoning, dropped));
  if (Object.keys(wire).length > 0) body["reasoning"] = wire;
}

/** The API knows no budget: a stated effort goes before it, else the nearest effort stands for it; either way it is named. */
function withEffort(ask: ReasoningAsk, dropped: Set<string>): ReasoningAsk {
  const { effort, budget_tokens: budget } = ask;
  if (budget === undefined || budget < 0) return ask;
  dropped.add("reasoning.budget_tokens");
  return { ...ask, effort: effort ?? effortOf(budget) };
}
