/** A client's content blocks → neutral parts. What only Anthropic knows stays a native part; what is lost is named by its path. */
import type { CacheMark, ChatPart, MediaPart, TextPart } from "../../../kernel/chat.ts";
import {
  BodyFault,
  type Fields,
  fieldsAt,
  flagAt,
  isFields,
  jsonAt,
  listAt,
  nonEmptyTextAt,
  noteUnmodelled,
  textAt,
} from "../body-reader.ts";
import { nativeCitation } from "./citations.ts";
import { readThought } from "./foreign-thoughts.ts";

export function readBlocks(content: unknown, path: string, unmodelled: string[]): ChatPart[] {
  if (typeof content === "string") return content === "" ? [] : [{ type: "text", text: content }];
  if (!Array.isArray(content)) throw new BodyFault(path, `${path} must be a string or an array of blocks.`);
  const parts: ChatPart[] = [];
  for (let i = 0; i < content.length; i++) {
    const at = `${path}[${i}]`;
    const block = fieldsAt(content[i], at);
    const type = textAt(block["type"], `${at}.type`);
    const reader = readers.get(type);
    const part = reader?.read(block, at, unmodelled);
    if (reader === undefined || part === undefined) {
      parts.push({ type: "native", dialect: "anthropic-messages", kind: type, value: jsonAt(block, at) });
      continue;
    }
    noteUnmodelled(block, reader.fields, at, unmodelled);
    if (part.type === "text" && part.text === "") continue;
    const cache = cacheMarkOf(block["cache_control"], `${at}.cache_control`, unmodelled);
    if (cache !== undefined && part.type !== "audio" && part.type !== "native" && part.type !== "reasoning")
      part.cache = cache;
    parts.push(part);
    if (type === "text") pushCitations(block["citations"], `${at}.citations`, parts);
  }
  return parts;
}

/** What an earlier answer cited, echoed by the client. */
function pushCitations(citations: unknown, path: string, parts: ChatPart[]): void {
  if (citations === undefined || citations === null) return;
  for (const [i, citation] of listAt(citations, path).entries()) {
    parts.push(nativeCitation(jsonAt(citation, `${path}[${i}]`)));
  }
}

const markFields = new Set(["type", "ttl"]);

export function cacheMarkOf(value: unknown, path: string, unmodelled: string[]): CacheMark | undefined {
  if (value === undefined || value === null) return undefined;
  const mark = fieldsAt(value, path);
  noteUnmodelled(mark, markFields, path, unmodelled);
  return mark["ttl"] === "1h" ? "1h" : "5m";
}

interface BlockReader {
  fields: ReadonlySet<string>;
  /** Undefined where a block of a known type holds something that the neutral form has no place for. */
  read(block: Fields, path: string, unmodelled: string[]): ChatPart | undefined;
}

const readers = new Map<string, BlockReader>([
  [
    "text",
    {
      fields: new Set(["type", "text", "cache_control", "citations"]),
      read: (block, path) => ({ type: "text", text: textAt(block["text"], `${path}.text`) }),
    },
  ],
  ["image", { fields: new Set(["type", "source", "cache_control"]), read: readImage }],
  [
    "document",
    { fields: new Set(["type", "source", "title", "context", "citations", "cache_control"]), read: readDocument },
  ],
  ["tool_use", { fields: new Set(["type", "id", "name", "input", "caller", "cache_control"]), read: readCall }],
  [
    "tool_result",
    {
      fields: new Set(["type", "tool_use_id", "content", "is_error", "cache_control"]),
      read: readToolResult,
    },
  ],
  ["thinking", { fields: new Set(["type", "thinking", "signature"]), read: readThinking }],
  [
    "redacted_thinking",
    {
      fields: new Set(["type", "data"]),
      read: (block, path) => ({ type: "reasoning", ...readThought("", textAt(block["data"], `${path}.data`), true) }),
    },
  ],
]);

/** The source of an image or document, where it is one that the neutral form knows. */
function readSource(block: Fields, path: string): { url: string } | { file_id: string } | Base64 | undefined {
  const at = `${path}.source`;
  const source = fieldsAt(block["source"], at);
  if (source["type"] === "url") return { url: textAt(source["url"], `${at}.url`) };
  if (source["type"] === "file") return { file_id: nonEmptyTextAt(source["file_id"], `${at}.file_id`) };
  if (source["type"] !== "base64") return undefined;
  return { media_type: textAt(source["media_type"], `${at}.media_type`), data: textAt(source["data"], `${at}.data`) };
}

interface Base64 {
  media_type: string;
  data: string;
}

function readImage(block: Fields, path: string): MediaPart | undefined {
  const source = readSource(block, path);
  return source === undefined ? undefined : { type: "image", ...source };
}

function readDocument(block: Fields, path: string): MediaPart | undefined {
  // How it may be cited and what is said about it are Anthropic's alone.
  if (isFields(block["citations"]) && block["citations"]["enabled"] === true) return undefined;
  if (block["context"] !== undefined && block["context"] !== null) return undefined;
  const title = block["title"];
  const named = title === undefined || title === null ? {} : { name: textAt(title, `${path}.title`) };
  const source = fieldsAt(block["source"], `${path}.source`);
  if (source["type"] !== "text") {
    const read = readSource(block, path);
    return read === undefined ? undefined : { type: "file", ...read, ...named };
  }
  const words = textAt(source["data"], `${path}.source.data`);
  return { type: "file", media_type: "text/plain", data: Buffer.from(words).toString("base64"), ...named };
}

function readCall(block: Fields, path: string, unmodelled: string[]): ChatPart {
  const caller = block["caller"];
  if (isFields(caller) && caller["type"] !== "direct") unmodelled.push(`${path}.caller`);
  return {
    type: "tool_call",
    id: nonEmptyTextAt(block["id"], `${path}.id`),
    name: nonEmptyTextAt(block["name"], `${path}.name`),
    arguments: JSON.stringify(jsonAt(block["input"], `${path}.input`)),
  };
}

function readThinking(block: Fields, path: string): ChatPart {
  const seal = block["signature"] ?? "";
  const text = textAt(block["thinking"], `${path}.thinking`);
  return { type: "reasoning", ...readThought(text, textAt(seal, `${path}.signature`), false) };
}

function readToolResult(block: Fields, path: string, unmodelled: string[]): ChatPart {
  const { content, is_error: failed } = block;
  const read = content === undefined || content === null ? [] : readBlocks(content, `${path}.content`, unmodelled);
  const parts: (TextPart | MediaPart)[] = [];
  for (const part of read) {
    if (part.type === "text" || part.type === "image" || part.type === "file") parts.push(part);
    else unmodelled.push(`${path}.content.${part.type === "native" ? part.kind : part.type}`);
  }
  const onlyText = parts.every((part) => part.type === "text");
  // Words alone are joined; a mark on any of them keeps all of the result.
  const cache = onlyText ? parts.findLast((part) => "cache" in part) : undefined;
  return {
    type: "tool_result",
    id: nonEmptyTextAt(block["tool_use_id"], `${path}.tool_use_id`),
    text: parts.map((part) => (part.type === "text" ? part.text : "")).join(""),
    ...(onlyText ? {} : { parts }),
    ...(failed === undefined || failed === null || !flagAt(failed, `${path}.is_error`) ? {} : { is_error: true }),
    ...(cache?.type === "text" && cache.cache !== undefined && { cache: cache.cache }),
  };
}
