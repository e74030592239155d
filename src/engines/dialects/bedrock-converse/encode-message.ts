/** Neutral messages → Converse's. What it has no place for is shown in the nearest form that it has, or left out; both are named. */
import { createHash } from "node:crypto";
import type { CacheMark, ChatMessage, ChatPart } from "../../../kernel/chat.ts";
import { type Fields, isFields } from "../body-reader.ts";
import { parseExactly } from "../../../kernel/exact-json.ts";
import { cachePoint } from "./cache-point.ts";
import { encodeFile, encodeImage } from "./encode-media.ts";
import { type ModelFamily, cachesIn } from "./family.ts";
import { citationKind } from "./read-block.ts";

interface WireMessage {
  role: "user" | "assistant";
  content: Fields[];
}

/** What the parts of one request share. */
export interface Encoding {
  family: ModelFamily | undefined;
  dropped: Set<string>;
  /** Names of documents, which must differ within a request. */
  names: Set<string>;
}

/** System messages go to `system`, wherever they stood; neighbours of one role become one message (tool results are the user's). */
export function encodeMessages(
  messages: readonly ChatMessage[],
  family: ModelFamily | undefined,
  dropped: Set<string>,
): { system?: Fields[]; messages: WireMessage[] } {
  const encoding: Encoding = { family, dropped, names: new Set() };
  const system: Fields[] = [];
  const wire: WireMessage[] = [];
  for (const message of messages) {
    if (message.role === "system") {
      if (wire.length > 0) dropped.add("messages.system.position");
      encodeParts(message, system, encoding);
      continue;
    }
    const role = message.role === "assistant" ? "assistant" : "user";
    const last = wire.at(-1);
    const content = last?.role === role ? last.content : [];
    encodeParts(message, content, encoding);
    // Converse refuses a message without content.
    if (content.length > 0 && content !== last?.content) wire.push({ role, content });
  }
  if (wire.length === 0 && system.length > 0) {
    // And a system prompt alone.
    dropped.add("messages.system.position");
    return { messages: [{ role: "user", content: system }] };
  }
  for (const { content } of wire) addTextBesideDocuments(content);
  return { ...(system.length === 0 ? {} : { system }), messages: wire };
}

/** Converse refuses a document without a text in the same message: its name is said. */
function addTextBesideDocuments(content: Fields[]): void {
  if (content.some((block) => block["text"] !== undefined)) return;
  const document = content.find((block) => block["document"] !== undefined)?.["document"];
  if (isFields(document)) content.push({ text: document["name"] });
}

/** What each role may say here; the rest is dropped by name. */
const spoken: Record<ChatMessage["role"], ReadonlySet<ChatPart["type"]>> = {
  system: new Set(["text", "native"]),
  user: new Set(["text", "image", "file", "tool_result", "native"]),
  tool: new Set(["text", "image", "file", "tool_result", "native"]),
  assistant: new Set(["text", "tool_call", "reasoning", "native"]),
};

function encodeParts({ role, parts }: ChatMessage, content: Fields[], encoding: Encoding): void {
  const place = role === "system" ? "system" : "messages";
  for (const part of parts) {
    if (part.type === "audio") encodeAudio(part, content, encoding.dropped);
    else if (!spoken[role].has(part.type)) {
      encoding.dropped.add(role === "user" ? `messages.${part.type}` : `messages.${role}.${part.type}`);
    } else {
      const block = (encoders[part.type] as (part: ChatPart, encoding: Encoding) => Fields | undefined)(part, encoding);
      if (block === undefined) continue;
      content.push(block);
      const mark: CacheMark | undefined = "cache" in part ? part.cache : undefined;
      if (mark !== undefined) {
        content.push(...cachePoint(mark, cachesIn(encoding.family, place), encoding.family, encoding.dropped));
      }
    }
  }
}

/** What was said may be known in words. */
function encodeAudio({ transcript }: Part<"audio">, content: Fields[], dropped: Set<string>): void {
  dropped.add("messages.audio");
  if (transcript !== undefined && transcript.trim() !== "") content.push({ text: transcript });
}

export type Part<Type extends ChatPart["type"]> = Extract<ChatPart, { type: Type }>;

const encoders: {
  [Type in Exclude<ChatPart["type"], "audio">]: (part: Part<Type>, encoding: Encoding) => Fields | undefined;
} = {
  text: ({ text }, { dropped }) => {
    if (text.trim() !== "") return { text };
    // Converse refuses blank text.
    if (text !== "") dropped.add("messages.text");
    return undefined;
  },
  image: encodeImage,
  file: encodeFile,
  native: ({ dialect, kind, value }, { dropped }) => {
    if (dialect === "bedrock-converse" && kind !== citationKind && isFields(value)) return value;
    dropped.add(`${dialect}.${kind}`);
    return undefined;
  },
  tool_call: (call, { dropped }) => {
    if (call.signature !== undefined) dropped.add("tool_calls.signature");
    return { toolUse: { toolUseId: wireId(call.id), name: call.name, input: inputOf(call.arguments, dropped) } };
  },
  tool_result: (result, encoding) => {
    const content = resultContent(result, encoding);
    return {
      toolResult: { toolUseId: wireId(result.id), content, ...(result.is_error === true && { status: "error" }) },
    };
  },
  reasoning: ({ text, signature, encrypted, id }, { dropped }) => {
    // A thought goes back only as it was signed or sealed; items with a name of their own are OpenAI's.
    if (id === undefined && encrypted !== undefined && isBase64(encrypted)) {
      return { reasoningContent: { redactedContent: encrypted } };
    }
    if (id === undefined && encrypted === undefined && signature !== undefined && signature !== "") {
      return { reasoningContent: { reasoningText: { text, signature } } };
    }
    dropped.add("reasoning");
    return undefined;
  },
};

const isBase64 = (text: string): boolean => text !== "" && /^[A-Za-z0-9+/]*={0,2}$/.test(text);

function resultContent({ text, parts }: Part<"tool_result">, encoding: Encoding): Fields[] {
  if (parts === undefined) return text === "" ? [] : [{ text }];
  const content: Fields[] = [];
  encodeParts({ role: "user", parts }, content, encoding);
  // A cache point stands beside a result, never in it.
  const kept = content.filter((block) => block["cachePoint"] === undefined);
  if (kept.length < content.length) encoding.dropped.add("cache_control");
  return kept;
}

const longestId = 64;

/** Converse takes ids of at most 64 of [a-zA-Z0-9_-]; others are escaped or shortened, and stay distinct. */
function wireId(id: string): string {
  const escaped = id.replaceAll(/[^a-zA-Z0-9_-]/g, (character) => `_${character.charCodeAt(0).toString(16)}_`);
  if (escaped.length <= longestId && escaped !== "") return escaped;
  return `id_${createHash("sha256").update(id).digest("hex").slice(0, 40)}`;
}

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
