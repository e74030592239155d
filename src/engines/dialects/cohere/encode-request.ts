import type { ChatRequest, ReasoningAsk } from "../../../kernel/chat.ts";
import { type Fields, leaveOut } from "../body-reader.ts";
import type { EncodeTarget } from "../port.ts";
import { budgetOf } from "../reasoning.ts";
import { encodeMessages } from "./encode-messages.ts";

export function encodeRequest(request: ChatRequest, target: EncodeTarget): { body: unknown; dropped: string[] } {
  const dropped = new Set(request.unmodelled);
  const body: Fields = { model: target.model, messages: encodeMessages(request.messages, dropped) };
  // Cohere wants to be told either way.
  body["stream"] = request.stream;
  if (request.max_tokens !== undefined) body["max_tokens"] = request.max_tokens;
  if (request.temperature !== undefined) body["temperature"] = request.temperature;
  if (request.seed !== undefined) body["seed"] = request.seed;
  if (request.logprobs !== undefined) body["logprobs"] = request.logprobs;
  for (const [field, wire, least, most] of bounded) {
    const asked = request[field];
    if (asked === undefined) continue;
    body[wire] = Math.min(Math.max(asked, least), most);
    if (body[wire] !== asked) dropped.add(field);
  }
  const stop = request.stop?.filter((sequence) => sequence !== "").slice(0, mostStops) ?? [];
  if (stop.length > 0) body["stop_sequences"] = stop;
  if (stop.length < (request.stop?.length ?? 0)) dropped.add("stop");
  encodeTools(request, body, dropped);
  encodeFormat(request, body, dropped);
  if (request.reasoning !== undefined) encodeThinking(request.reasoning, body, dropped);
  if (request.n !== undefined && request.n > 1) dropped.add("n");
  if (request.service_class !== undefined && request.service_class !== "standard") dropped.add("service_class");
  for (const field of unknownHere) if (request[field] !== undefined) dropped.add(field);
  leaveOut(body, target.refuses, dropped);
  return { body, dropped: [...dropped] };
}

const unknownHere = [
  "logit_bias",
  "top_logprobs",
  "audio",
  "metadata",
  "user",
  "previous_response_id",
] as const satisfies (keyof ChatRequest)[];

/** Cohere refuses what lies outside. */
const bounded = [
  ["top_p", "p", 0.01, 0.99],
  ["top_k", "k", 0, 500],
  ["presence_penalty", "presence_penalty", 0, 1],
  ["frequency_penalty", "frequency_penalty", 0, 1],
] as const satisfies [keyof ChatRequest, string, number, number][];

const mostStops = 5;

function encodeTools(request: ChatRequest, body: Fields, dropped: Set<string>): void {
  const { tool_choice: choice } = request;
  const tools = request.tools?.filter((tool) => !tool.custom) ?? [];
  if (tools.length < (request.tools?.length ?? 0)) dropped.add("tools.custom");
  const wanted = typeof choice === "object" ? tools.filter(({ name }) => name === choice.name) : tools;
  if (choice !== undefined && choice !== "auto" && choice !== "none" && wanted.length === 0) dropped.add("tool_choice");
  if (tools.length === 0) return;
  if (request.parallel_tool_calls === false) dropped.add("parallel_tool_calls");
  // Cohere can be made to call, but not whom: the wanted tool is then the only one that it sees.
  const shown = wanted.length > 0 ? wanted : tools;
  body["tools"] = shown.map(({ name, description, parameters, cache }) => {
    if (cache !== undefined) dropped.add("cache_control");
    return {
      type: "function",
      function: {
        name,
        ...(description !== undefined && { description }),
        parameters: parameters ?? { type: "object", properties: {} },
      },
    };
  });
  encodeStrictness(shown, body, dropped);
  if (choice === "none") body["tool_choice"] = "NONE";
  else if (choice === "required" || (typeof choice === "object" && wanted.length > 0)) body["tool_choice"] = "REQUIRED";
}

/** All tools are held strictly here, or none. */
function encodeStrictness(tools: NonNullable<ChatRequest["tools"]>, body: Fields, dropped: Set<string>): void {
  if (tools.every(({ strict }) => strict === true)) body["strict_tools"] = true;
  else if (tools.some(({ strict }) => strict === true)) dropped.add("tools.strict");
}

function encodeFormat({ response_format: format }: ChatRequest, body: Fields, dropped: Set<string>): void {
  if (format === undefined) return;
  // Beside tools Cohere refuses it.
  if (body["tools"] !== undefined) {
    if (format.type !== "text") dropped.add("response_format");
  } else if (format.type !== "json_schema") body["response_format"] = { type: format.type };
  else body["response_format"] = { type: "json_object", json_schema: format.schema };
}

/** Cohere knows budgets; thoughts are always answered. */
function encodeThinking(ask: ReasoningAsk, body: Fields, dropped: Set<string>): void {
  const { effort, budget_tokens: budget, adaptive, summary } = ask;
  if (summary === "none") dropped.add("reasoning.summary");
  if (effort === undefined && budget === undefined && adaptive !== true) return;
  if (effort === "none" || budget === 0) {
    if (effort !== undefined && effort !== "none") dropped.add("reasoning.effort");
    body["thinking"] = { type: "disabled" };
    return;
  }
  if (effort !== undefined) dropped.add("reasoning.effort");
  const tokens = budget ?? (effort === undefined ? -1 : budgetOf(effort));
  body["thinking"] = { type: "enabled", ...(tokens > 0 && { token_budget: tokens }) };
}
