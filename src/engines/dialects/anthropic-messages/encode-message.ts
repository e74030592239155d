/** Neutral messages → Anthropic's. What it has no place for is shown in the nearest form that it has, or left out; both are named. */
import type { CacheMark, ChatMessage, ChatPart, MediaPart } from "../../../kernel/chat.ts";
import { type Fields, isFields } from "../body-reader.ts";
import { parseExactly } from "../../../kernel/exact-json.ts";
import { isNativeCitation } from "./citations.ts";

interface WireMessage {
  role: "user" | "assistant";
  content: Fields[];
}

/** System messages go to `system`, wherever they stood; neighbours of one role become one message (tool results are the user's). */
export function encodeMessages(
  messages: readonly ChatMessage[],
  dropped: Set<string>,
): { system?: Fields[]; messages: WireMessage[] } {
  const system: Fields[] = [];
  const wire: WireMessage[] = [];
  for (const message of messages) {
    if (message.role === "system") {
      if (wire.length > 0) dropped.add("messages.system.position");
      encodeParts(message, system, dropped);
      continue;
    }
    const role = message.role === "assistant" ? "assistant" : "user";
    const last = wire.at(-1);
    const content = last?.role === role ? last.content : [];
    encodeParts(message, content, dropped);
    // Anthropic refuses a message without content.
    if (content.length > 0 && content !== last?.content) wire.push({ role, content });
  }
  if (wire.length === 0 && system.length > 0) {
    // Anthropic refuses a system prompt alone.
    dropped.add("messages.system.position");
    return { messages: [{ role: "user", content: system }] };
  }
  return { ...(system.length === 0 ? {} : { system }), messages: wire };
}

/** What each role may say here; the rest is dropped by name. */
const spoken: Record<ChatMessage["role"], ReadonlySet<ChatPart["type"]>> = {
  system: new Set(["text", "native"]),
  user: new Set(["text", "image", "file", "tool_result", "native"]),
  tool: new Set(["text", "image", "file", "tool_result", "native"]),
  assistant: new Set(["text", "tool_call", "reasoning", "native"]),
};

function encodeParts({ role, parts }: ChatMessage, content: Fields[], dropped: Set<string>): void {
  for (const part of parts) {
    if (part.type === "audio") encodeAudio(part, content, dropped);
    else if (!spoken[role].has(part.type)) {
      dropped.add(role === "user" ? `messages.${part.type}` : `messages.${role}.${part.type}`);
    } else if (isNativeCitation(part)) {
      const text = content.findLast((block) => block["type"] === "text");
      if (text !== undefined) text["citations"] = [...((text["citations"] as unknown[] | undefined) ?? []), part.value];
    } else {
      const block = (encoders[part.type] as (part: ChatPart, dropped: Set<string>) => Fields | undefined)(
        part,
        dropped,
      );
      if (block !== undefined) content.push(block);
    }
  }
}

/** Anthropic hears nothing; what was said may be known in words. */
function encodeAudio({ transcript }: Part<"audio">, content: Fields[], dropped: Set<string>): void {
  dropped.add("messages.audio");
  if (transcript !== undefined && transcript !== "") content.push({ type: "text", text: transcript });
}

type Part<Type extends ChatPart["type"]> = Extract<ChatPart, { type: Type }>;

const encoders: {
  [Type in Exclude<ChatPart["type"], "audio">]: (part: Part<Type>, dropped: Set<string>) => Fields | undefined;
} = {
  text: ({ text, cache }) => (text === "" ? undefined : cached({ type: "text", text }, cache)),
  image: (image, dropped) => {
    if (image.detail !== undefined && image.detail !== "auto") dropped.add("messages.image.detail");
    return cached(
      { type: "image", source: sourceOf({ ...image, media_type: imageType(image.media_type) }) },
      image.cache,
    );
  },
  file: encodeFile,
  native: ({ dialect, kind, value }, dropped) => {
    if (dialect === "anthropic-messages" && isFields(value)) return value;
    dropped.add(`${dialect}.${kind}`);
    return undefined;
  },
  tool_call: (call, dropped) => {
    if (call.signature !== undefined) dropped.add("tool_calls.signature");
    const input = inputOf(call.arguments, dropped);
    return cached({ type: "tool_use", id: wireId(call.id), name: call.name, input }, call.cache);
  },
  tool_result: (result, dropped) => {
    const content = resultContent(result, dropped);
    const block: Fields = { type: "tool_result", tool_use_id: wireId(result.id) };
    if (content !== "") block["content"] = content;
    if (result.is_error === true) block["is_error"] = true;
    return cached(block, result.cache);
  },
  reasoning: ({ text, signature, encrypted, id }, dropped) => {
    // Anthropic takes back only what it signed or sealed; items with a name of their own are OpenAI's.
    if (id === undefined && encrypted !== undefined) return { type: "redacted_thinking", data: encrypted };
    if (id === undefined && signature !== undefined && signature !== "") {
      return { type: "thinking", thinking: text, signature };
    }
    dropped.add("reasoning");
    return undefined;
  },
};

/** A mark that lasts five minutes is the unmarked one. */
export function cached(block: Fields, mark: CacheMark | undefined): Fields {
  if (mark !== undefined) block["cache_control"] = { type: "ephemeral", ...(mark === "1h" && { ttl: mark }) };
  return block;
}

function sourceOf({ url, file_id, data, media_type }: { [Key in keyof Part<"image">]?: Part<"image">[Key] }): Fields {
  if (url !== undefined) return { type: "url", url };
  if (file_id !== undefined) return { type: "file", file_id };
  return { type: "base64", media_type, data: data ?? "" };
}

/** `image/jpg` is common and wrong, and Anthropic minds. */
const imageType = (type = "image/png"): string => (type === "image/jpg" ? "image/jpeg" : type);

function encodeFile(file: Part<"file">, dropped: Set<string>): Fields | undefined {
  const { url, file_id, data = "", name, cache } = file;
  const type = file.media_type ?? "application/pdf";
  const titled = name === undefined ? {} : { title: name };
  const document = (source: Fields) => cached({ type: "document", source, ...titled }, cache);
  if (url !== undefined || file_id !== undefined) return document(sourceOf({ ...definite(url, file_id) }));
  if (type === "application/pdf") return document({ type: "base64", media_type: type, data });
  if (type.startsWith("text/") || type === "application/json") {
    return document({ type: "text", media_type: "text/plain", data: Buffer.from(data, "base64").toString() });
  }
  dropped.add("messages.file");
  return undefined;
}

const definite = (url: string | undefined, file_id: string | undefined) =>
  url !== undefined ? { url } : { file_id: file_id ?? "" };

function resultContent({ text, parts }: Part<"tool_result">, dropped: Set<string>): string | Fields[] {
  if (parts === undefined) return text;
  const content: Fields[] = [];
  encodeParts({ role: "user", parts: parts as (MediaPart | Part<"text">)[] }, content, dropped);
  return content;
}

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
