import type { ChatMessage, ChatPart, ChatRequest } from "../../../kernel/chat.ts";
import { isFields } from "../body-reader.ts";
import { parseExactly } from "../exact-json.ts";
import type { EncodeTarget } from "../port.ts";

export function encodeRequest(request: ChatRequest, target: EncodeTarget): { body: unknown; dropped: string[] } {
  const dropped = new Set(request.unmodelled);
  const body: Record<string, unknown> = {
    model: target.model,
    max_tokens: request.max_tokens ?? target.defaultMaxTokens,
    ...encodeMessages(request.messages, dropped),
  };
  if (request.stream) body["stream"] = true;
  if (request.temperature !== undefined) body["temperature"] = temperatureWithin(request.temperature, dropped);
  if (request.top_p !== undefined) body["top_p"] = request.top_p;
  const stop = request.stop?.filter((sequence) => sequence.trim() !== "") ?? [];
  if (stop.length > 0) body["stop_sequences"] = stop;
  // Anthropic refuses stop sequences of white space alone.
  if (stop.length < (request.stop?.length ?? 0)) dropped.add("stop");
  if (request.seed !== undefined) dropped.add("seed");
  if (request.user !== undefined) body["metadata"] = { user_id: request.user };
  encodeTools(request, body, dropped);
  const format = request.response_format;
  if (format?.type === "json_schema") {
    body["output_config"] = { format: { type: "json_schema", schema: format.schema } };
  } else if (format?.type === "json_object") dropped.add("response_format");
  return { body, dropped: [...dropped] };
}

/** OpenAI's scale ends at 2, Anthropic's at 1. */
function temperatureWithin(temperature: number, dropped: Set<string>): number {
  if (temperature <= 1) return temperature;
  dropped.add("temperature");
  return 1;
}

function encodeTools(request: ChatRequest, body: Record<string, unknown>, dropped: Set<string>): void {
  const choice = request.tool_choice;
  const parallel = request.parallel_tool_calls;
  if (request.tools === undefined || request.tools.length === 0) {
    if (choice !== undefined && choice !== "auto" && choice !== "none") dropped.add("tool_choice");
    return;
  }
  body["tools"] = request.tools.map(({ name, description, parameters }) => ({
    name,
    ...(description === undefined ? {} : { description }),
    input_schema: parameters,
  }));
  if (choice === undefined && parallel !== false) return;
  const wire =
    typeof choice === "object" ? { type: "tool", name: choice.name } : { type: choiceWords[choice ?? "auto"] };
  const alone = parallel === undefined || choice === "none" ? {} : { disable_parallel_tool_use: !parallel };
  body["tool_choice"] = { ...wire, ...alone };
}

const choiceWords = { auto: "auto", none: "none", required: "any" } as const;

interface WireMessage {
  role: "user" | "assistant";
  content: unknown[];
}

/** System messages go to `system`, wherever they stood; neighbours of one role become one message (tool results are the user's). */
function encodeMessages(
  messages: readonly ChatMessage[],
  dropped: Set<string>,
): { system?: unknown; messages: WireMessage[] } {
  const system: unknown[] = [];
  const wire: WireMessage[] = [];
  for (const message of messages) {
    if (message.role === "system") {
      if (wire.length > 0) dropped.add("messages.system.position");
      system.push(...message.parts.flatMap((part) => encodePart(part, dropped)));
      continue;
    }
    const role = message.role === "assistant" ? "assistant" : "user";
    const content = message.parts.flatMap((part) => encodePart(part, dropped));
    const last = wire.at(-1);
    // Anthropic refuses a message without content.
    if (content.length === 0) continue;
    if (last?.role === role) last.content.push(...content);
    else wire.push({ role, content });
  }
  return { ...(system.length === 0 ? {} : { system }), messages: wire };
}

type PartEncoders = {
  [Type in ChatPart["type"]]: (part: Extract<ChatPart, { type: Type }>, dropped: Set<string>) => unknown[];
};

const encoders: PartEncoders = {
  text: ({ text }) => (text === "" ? [] : [{ type: "text", text }]),
  image: ({ url, data, media_type }) => [
    {
      type: "image",
      source:
        url === undefined
          ? { type: "base64", media_type: media_type ?? "image/png", data: data ?? "" }
          : { type: "url", url },
    },
  ],
  file: (_part, dropped) => (dropped.add("messages.file"), []),
  audio: (_part, dropped) => (dropped.add("messages.audio"), []),
  native: (_part, dropped) => (dropped.add("messages.native"), []),
  tool_call: (call, dropped) => [
    { type: "tool_use", id: wireId(call.id), name: call.name, input: inputOf(call.arguments, dropped) },
  ],
  tool_result: ({ id, text, is_error }) => [
    {
      type: "tool_result",
      tool_use_id: wireId(id),
      ...(text === "" ? {} : { content: text }),
      ...(is_error === true ? { is_error } : {}),
    },
  ],
  reasoning: ({ text, signature, encrypted }, dropped) => {
    if (encrypted !== undefined) return [{ type: "redacted_thinking", data: encrypted }];
    if (signature !== undefined && signature !== "") return [{ type: "thinking", thinking: text, signature }];
    // Anthropic takes back only what it signed.
    dropped.add("reasoning");
    return [];
  },
};

const encodePart = (part: ChatPart, dropped: Set<string>): unknown[] =>
  (encoders[part.type] as (part: ChatPart, dropped: Set<string>) => unknown[])(part, dropped);

/** Anthropic takes ids of [a-zA-Z0-9_-] only; other vendors' (functions.f:0) are escaped, and stay distinct. */
const wireId = (id: string): string =>
  id.replaceAll(/[^a-zA-Z0-9_-]/g, (character) => `_${character.charCodeAt(0).toString(16)}_`);

/** What isn't an object of JSON (an answer cut within its arguments) is handed over as the text it is. */
function inputOf(text: string, dropped: Set<string>): unknown {
  if (text.trim() === "") return {};
  try {
    const input = parseExactly(text);
    if (isFields(input)) return input;
  } catch (fault) {
    if (!(fault instanceof SyntaxError)) throw fault;
  }
  dropped.add("tool_calls.function.arguments");
  return { arguments: text };
}
