/** What goes past Converse to the model itself: thinking, top_k, betas and the stop sequence that it is asked to tell. */
import type { ChatMessage, ChatRequest, ReasoningAsk } from "../../../kernel/chat.ts";
import { encodeThinking } from "../anthropic-messages/thinking.ts";
import type { Fields } from "../body-reader.ts";
import type { EncodeTarget } from "../port.ts";
import { effortOf } from "../reasoning.ts";
import type { ModelFamily } from "./family.ts";

interface Shared {
  request: ChatRequest;
  target: EncodeTarget;
  /** Converse's own parameters: thinking takes some of them out. */
  inference: Fields;
  dropped: Set<string>;
}

/** `additionalModelRequestFields`, empty where the model needs none. */
export function encodeModelFields(family: ModelFamily | undefined, shared: Shared): Fields {
  const { request, dropped } = shared;
  const fields: Fields = {};
  if (request.top_k !== undefined) encodeTopK(family, request.top_k, fields, dropped);
  if (family === "claude" && request.betas && request.betas.length > 0) fields["anthropic_beta"] = request.betas;
  const ask = request.reasoning;
  if (ask === undefined) return fields;
  if (family === "claude") encodeClaudeThinking(shared, fields);
  else {
    if (ask.summary !== undefined) dropped.add("reasoning.summary");
    if (family === "nova-2") encodeNovaReasoning(ask, shared, fields);
    else if (family === "gpt-oss") encodeEffort(ask, fields, dropped);
    else dropped.add("reasoning");
  }
  return fields;
}

function encodeTopK(family: ModelFamily | undefined, topK: number, fields: Fields, dropped: Set<string>): void {
  if (family === "claude" || family === "mistral") fields["top_k"] = topK;
  else if (family === "command") fields["k"] = topK;
  else if (family === "nova" || family === "nova-2") fields["inferenceConfig"] = { topK };
  else dropped.add("top_k");
}

/** Claude's rules are the same as at home: they are asked with a body in Anthropic's words. */
function encodeClaudeThinking({ request, target, inference, dropped }: Shared, fields: Fields): void {
  const choice = request.tool_choice;
  const asked: Fields = {
    model: target.model,
    max_tokens: request.max_tokens ?? target.defaultMaxTokens,
    messages: [lastTurn(request.messages)],
    ...(typeof choice === "object" || choice === "required" ? { tool_choice: { type: "any" } } : {}),
    temperature: inference["temperature"],
    top_p: inference["topP"],
    top_k: fields["top_k"],
  };
  encodeThinking(request, asked, dropped);
  if (asked["temperature"] === undefined) delete inference["temperature"];
  if (asked["top_p"] === undefined) delete inference["topP"];
  if (asked["top_k"] === undefined) delete fields["top_k"];
  const thinking = asked["thinking"] as Fields | undefined;
  if (thinking !== undefined) fields["thinking"] = thinking;
  // A budget must be less than the maximum, so the maximum is told.
  if (thinking?.["type"] === "enabled") inference["maxTokens"] = asked["max_tokens"];
  if (asked["output_config"] !== undefined) fields["output_config"] = asked["output_config"];
}

/** The model's last turn with the kinds of its blocks. */
function lastTurn(messages: readonly ChatMessage[]): { role: string; content: Fields[] } {
  const turn = messages.findLast(({ role }) => role === "assistant");
  const content = (turn?.parts ?? []).flatMap((part): Fields[] => {
    if (part.type === "tool_call") return [{ type: "tool_use" }];
    if (part.type !== "reasoning") return [{ type: part.type }];
    const own = part.id === undefined && (part.signature ?? part.encrypted) !== undefined;
    return own ? [{ type: "thinking" }] : [];
  });
  return { role: "assistant", content };
}

type Level = "low" | "medium" | "high";

/** The three levels that open models and Nova know; undefined for no thinking at all. */
function levelOf(ask: ReasoningAsk, dropped: Set<string>): Level | undefined {
  const { effort, budget_tokens: budget } = ask;
  if (effort === undefined && budget !== undefined && budget > 0) dropped.add("reasoning.budget_tokens");
  const wanted = effort ?? (budget === undefined || budget < 0 ? "medium" : effortOf(budget));
  if (wanted === "none") return undefined;
  if (wanted === "low" || wanted === "medium" || wanted === "high") return wanted;
  dropped.add("reasoning.effort");
  return wanted === "minimal" ? "low" : "high";
}

/** At high effort Nova takes neither a maximum nor sampling: a maximum that was asked for is worth more than the effort. */
function encodeNovaReasoning(ask: ReasoningAsk, { inference, dropped }: Shared, fields: Fields): void {
  let level = levelOf(ask, dropped);
  if (level === undefined) {
    fields["reasoningConfig"] = { type: "disabled" };
    return;
  }
  if (level === "high" && inference["maxTokens"] !== undefined) {
    dropped.add("reasoning.effort");
    level = "medium";
  }
  fields["reasoningConfig"] = { type: "enabled", maxReasoningEffort: level };
  if (level !== "high") return;
  for (const [name, field] of [
    ["temperature", "temperature"],
    ["topP", "top_p"],
  ] as const) {
    if (inference[name] === undefined) continue;
    delete inference[name];
    dropped.add(field);
  }
}

/** gpt-oss always thinks. */
function encodeEffort(ask: ReasoningAsk, fields: Fields, dropped: Set<string>): void {
  const level = levelOf(ask, dropped);
  if (level === undefined) dropped.add("reasoning.effort");
  fields["reasoning_effort"] = level ?? "low";
}
