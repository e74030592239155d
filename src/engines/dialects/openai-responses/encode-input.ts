import type { ChatMessage, ChatPart, ChatRequest, TextPart } from "../../../kernel/chat.ts";
import type { Fields } from "../body-reader.ts";
import { encodeCache, encodeMedia, isMedia } from "./media.ts";
import { joinReasoning } from "./reasoning.ts";

type Result = Extract<ChatPart, { type: "tool_result" }>;

/** The first message becomes `instructions` where that says it all. */
export function encodeInput(request: ChatRequest, dropped: Set<string>): { instructions?: string; input: Fields[] } {
  const { messages } = request;
  const custom = new Set<string>();
  for (const { parts } of messages) {
    for (const part of parts) if (part.type === "tool_call" && part.custom === true) custom.add(part.id);
  }
  const instructions = instructionsIn(messages[0]);
  const rest = instructions === undefined ? messages : messages.slice(1);
  const input = rest.flatMap((message) => encodeMessage(message, custom, dropped));
  return { ...(instructions === undefined ? {} : { instructions }), input };
}

function instructionsIn(message: ChatMessage | undefined): string | undefined {
  const [only] = message?.parts ?? [];
  if (message?.role !== "system" || message.parts.length !== 1 || only?.type !== "text") return undefined;
  return only.cache === undefined ? only.text : undefined;
}

/** The items of one message, in the order of its parts: words that follow one another are one item. */
function encodeMessage(message: ChatMessage, custom: ReadonlySet<string>, dropped: Set<string>): Fields[] {
  const items: Fields[] = [];
  const { role } = message;
  let words: Fields[] = [];
  const flush = () => {
    if (words.length > 0) items.push({ role: role === "tool" ? "user" : role, content: contentOf(words, role) });
    words = [];
  };
  for (const part of joinReasoning(message.parts)) {
    const spoken = encodeWords(part, role, dropped);
    if (spoken !== undefined) {
      words.push(...spoken);
      continue;
    }
    flush();
    items.push(...encodeItem(part, custom, dropped));
  }
  flush();
  // A message without content still holds its place.
  if (items.length === 0 && message.parts.length === 0 && role !== "tool") items.push({ role, content: "" });
  return items;
}

/** Undefined for what is an item of its own. */
function encodeWords(part: ChatPart, role: ChatMessage["role"], dropped: Set<string>): Fields[] | undefined {
  if (part.type === "text") return [encodeText(part, role, dropped)];
  if (!isMedia(part)) return undefined;
  if (role === "assistant") {
    dropped.add(`messages.assistant.${part.type}`);
    return [];
  }
  const wire = encodeMedia(part, dropped);
  return wire === undefined ? [] : [wire];
}

function encodeText(part: TextPart, role: ChatMessage["role"], dropped: Set<string>): Fields {
  if (role !== "assistant") return { type: "input_text", text: part.text, ...encodeCache(part) };
  if (part.cache !== undefined) dropped.add("cache_control");
  return part.refusal === true
    ? { type: "refusal", refusal: part.text }
    : { type: "output_text", text: part.text, annotations: [] };
}

/** A text alone goes as a string, which servers that know only the API's short form read too. */
function contentOf(words: Fields[], role: ChatMessage["role"]): unknown {
  const [only] = words;
  const plain = only !== undefined && words.length === 1 && only["prompt_cache_breakpoint"] === undefined;
  const text = only?.["type"] === (role === "assistant" ? "output_text" : "input_text") ? only["text"] : undefined;
  return plain && text !== undefined ? text : words;
}

function encodeItem(part: ChatPart, custom: ReadonlySet<string>, dropped: Set<string>): Fields[] {
  switch (part.type) {
    case "tool_call":
      if (part.signature !== undefined) dropped.add("tool_call.signature");
      if (part.cache !== undefined) dropped.add("cache_control");
      return [
        part.custom === true
          ? { type: "custom_tool_call", call_id: part.id, name: part.name, input: part.arguments }
          : { type: "function_call", call_id: part.id, name: part.name, arguments: part.arguments },
      ];
    case "tool_result":
      return [encodeResult(part, custom, dropped)];
    case "reasoning":
      return encodeReasoning(part, dropped);
    case "native":
      if (part.dialect === "openai-responses") return [part.value as Fields];
      dropped.add(`${part.dialect}.${part.kind}`);
      return [];
    default:
      return [];
  }
}

function encodeResult(part: Result, custom: ReadonlySet<string>, dropped: Set<string>): Fields {
  if (part.is_error === true) dropped.add("tool_result.is_error");
  if (part.cache !== undefined) dropped.add("cache_control");
  const content = part.parts?.flatMap((inner) =>
    inner.type === "text" ? [encodeText(inner, "user", dropped)] : (encodeMedia(inner, dropped) ?? []),
  );
  return {
    type: custom.has(part.id) ? "custom_tool_call_output" : "function_call_output",
    call_id: part.id,
    output: content ?? part.text,
  };
}

/** OpenAI takes back only what it encrypted, under the id that it gave; all else of reasoning is dropped. */
function encodeReasoning(part: Extract<ChatPart, { type: "reasoning" }>, dropped: Set<string>): Fields[] {
  const { id, encrypted, text } = part;
  if (id === undefined || encrypted === undefined) {
    dropped.add("reasoning");
    return [];
  }
  const summary = text === "" ? [] : [{ type: "summary_text", text }];
  return [{ type: "reasoning", id, summary, encrypted_content: encrypted }];
}
