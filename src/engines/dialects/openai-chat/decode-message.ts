/** A client's messages → neutral ones; what has no place there is named by its path. */
import type { CacheMark, ChatMessage, ChatPart, MediaPart, TextPart } from "../../../kernel/chat.ts";
import {
  BodyFault,
  type Fields,
  fieldsAt,
  isFields,
  listAt,
  nonEmptyTextAt,
  noteUnmodelled,
  textAt,
} from "../body-reader.ts";
import { imageFromUrl, splitDataUrl } from "../image.ts";
import { reasoningOf, thoughtSignatureOf } from "./decode-response.ts";

const roles = new Map<unknown, ChatMessage["role"]>([
  ["system", "system"],
  ["developer", "system"],
  ["user", "user"],
  ["assistant", "assistant"],
  ["tool", "tool"],
]);

const messageFields: Record<ChatMessage["role"], ReadonlySet<string>> = {
  system: new Set(["role", "content"]),
  user: new Set(["role", "content"]),
  // What an answer says of itself, and clients echo: nothing that a vendor would have to be told.
  assistant: new Set([
    "role",
    "content",
    "tool_calls",
    "refusal",
    "audio",
    "annotations",
    "reasoning",
    "reasoning_content",
    "reasoning_signature",
    "reasoning_details",
  ]),
  tool: new Set(["role", "content", "tool_call_id"]),
};

export function readMessage(value: unknown, path: string, unmodelled: string[]): ChatMessage {
  const fields = fieldsAt(value, path);
  const role = roles.get(fields["role"]);
  if (role === undefined) {
    const reason = fields["role"] === "function" ? "the function role is retired; send a tool message" : "unknown role";
    throw new BodyFault(`${path}.role`, `${path}.role: ${reason} (system, developer, user, assistant, tool).`);
  }
  noteUnmodelled(fields, messageFields[role], path, unmodelled);
  if (role === "tool") return { role, parts: [readToolResult(fields, path, unmodelled)] };
  const parts: ChatPart[] = role === "assistant" ? reasoningOf(fields) : [];
  const content = fields["content"];
  if (content !== null && content !== undefined) readContent(content, `${path}.content`, parts, unmodelled);
  else if (role !== "assistant") throw new BodyFault(`${path}.content`, `${path}.content is missing.`);
  if (role === "assistant") readAssistant(fields, path, parts, unmodelled);
  return { role, parts };
}

function readToolResult(fields: Fields, path: string, unmodelled: string[]): ChatPart {
  const parts: (TextPart | MediaPart)[] = [];
  readContent(fields["content"], `${path}.content`, parts, unmodelled);
  const cache = parts.findLast((part) => part.type !== "audio" && part.cache !== undefined);
  return {
    type: "tool_result",
    id: nonEmptyTextAt(fields["tool_call_id"], `${path}.tool_call_id`),
    text: parts.map((part) => (part.type === "text" ? part.text : "")).join(""),
    ...(parts.some((part) => part.type !== "text")
      ? { parts }
      : cache !== undefined && cache.type !== "audio" && cache.cache !== undefined && { cache: cache.cache }),
  };
}

function readAssistant(fields: Fields, path: string, parts: ChatPart[], unmodelled: string[]): void {
  const { refusal, audio, tool_calls: calls, function_call: retired } = fields;
  if (refusal !== undefined && refusal !== null && refusal !== "") {
    parts.push({ type: "text", text: textAt(refusal, `${path}.refusal`), refusal: true });
  }
  if (audio !== undefined && audio !== null) {
    const at = `${path}.audio`;
    parts.push({ type: "audio", id: nonEmptyTextAt(fieldsAt(audio, at)["id"], `${at}.id`) });
  }
  if (retired !== undefined && retired !== null) {
    const at = `${path}.function_call`;
    throw new BodyFault(at, `${at} is the retired form and is not supported; send tool_calls.`);
  }
  if (calls === undefined || calls === null) return;
  for (const [i, item] of listAt(calls, `${path}.tool_calls`).entries()) {
    parts.push(readCall(item, `${path}.tool_calls[${i}]`, unmodelled));
  }
}

const callFields = new Set(["id", "type", "function", "custom", "extra_content", "index"]);

function readCall(value: unknown, path: string, unmodelled: string[]): ChatPart {
  const call = fieldsAt(value, path);
  noteUnmodelled(call, callFields, path, unmodelled);
  const id = nonEmptyTextAt(call["id"], `${path}.id`);
  if (call["type"] === "custom") {
    const spec = fieldsAt(call["custom"], `${path}.custom`);
    const name = nonEmptyTextAt(spec["name"], `${path}.custom.name`);
    return { type: "tool_call", id, name, arguments: textAt(spec["input"], `${path}.custom.input`), custom: true };
  }
  if (call["type"] !== "function" && call["type"] !== undefined) {
    throw new BodyFault(`${path}.type`, `${path}.type: only function and custom calls are supported.`);
  }
  const spec = fieldsAt(call["function"], `${path}.function`);
  const signature = thoughtSignatureOf(call);
  return {
    type: "tool_call",
    id,
    name: nonEmptyTextAt(spec["name"], `${path}.function.name`),
    arguments: textAt(spec["arguments"], `${path}.function.arguments`),
    ...(signature === undefined ? {} : { signature }),
  };
}

type Content = TextPart | MediaPart;

function readContent(content: unknown, path: string, parts: (Content | ChatPart)[], unmodelled: string[]): void {
  if (typeof content === "string") {
    if (content !== "") parts.push({ type: "text", text: content });
    return;
  }
  if (!Array.isArray(content)) throw new BodyFault(path, `${path} must be a string or an array of parts.`);
  for (let i = 0; i < content.length; i++) {
    const at = `${path}[${i}]`;
    const part = fieldsAt(content[i], at);
    const type = textAt(part["type"], `${at}.type`);
    const kind = partReaders.get(type);
    const read = kind?.read(part, at, unmodelled);
    if (kind === undefined || read === undefined) {
      unmodelled.push(at);
      continue;
    }
    noteUnmodelled(part, kind.fields, at, unmodelled);
    if (read.type === "text" && read.text === "") continue;
    const cache = cacheMarkOf(part);
    if (cache !== undefined && read.type !== "audio") read.cache = cache;
    parts.push(read);
  }
}

interface PartReader {
  fields: ReadonlySet<string>;
  /** Undefined where the neutral form has no place for it. */
  read(part: Fields, path: string, unmodelled: string[]): Content | undefined;
}

const partFields = (name: string): ReadonlySet<string> =>
  new Set(["type", name, "cache_control", "prompt_cache_breakpoint"]);

const partReaders = new Map<string, PartReader>([
  [
    "text",
    { fields: partFields("text"), read: (part, at) => ({ type: "text", text: textAt(part["text"], `${at}.text`) }) },
  ],
  [
    "refusal",
    {
      fields: partFields("refusal"),
      read: (part, at) => ({ type: "text", text: textAt(part["refusal"], `${at}.refusal`), refusal: true }),
    },
  ],
  ["image_url", { fields: partFields("image_url"), read: readImage }],
  ["input_audio", { fields: partFields("input_audio"), read: readAudio }],
  ["file", { fields: partFields("file"), read: readFile }],
]);

const details = new Set<unknown>(["low", "high", "auto", "original"]);
const imageFields = new Set(["url", "detail"]);

function readImage(part: Fields, path: string, unmodelled: string[]): Content {
  const at = `${path}.image_url`;
  const image = fieldsAt(part["image_url"], at);
  noteUnmodelled(image, imageFields, at, unmodelled);
  const read = imageFromUrl(textAt(image["url"], `${at}.url`));
  const { detail } = image;
  if (details.has(detail)) read.detail = detail as NonNullable<typeof read.detail>;
  else if (detail !== undefined && detail !== null) unmodelled.push(`${at}.detail`);
  return read;
}

const audioFields = new Set(["data", "format"]);

function readAudio(part: Fields, path: string, unmodelled: string[]): Content {
  const at = `${path}.input_audio`;
  const audio = fieldsAt(part["input_audio"], at);
  noteUnmodelled(audio, audioFields, at, unmodelled);
  return {
    type: "audio",
    data: nonEmptyTextAt(audio["data"], `${at}.data`),
    format: nonEmptyTextAt(audio["format"], `${at}.format`),
  };
}

const fileFields = new Set(["file_data", "file_id", "filename"]);

function readFile(part: Fields, path: string, unmodelled: string[]): Content | undefined {
  const at = `${path}.file`;
  const file = fieldsAt(part["file"], at);
  noteUnmodelled(file, fileFields, at, unmodelled);
  const { file_id: id, filename } = file;
  const name = filename === undefined || filename === null ? {} : { name: textAt(filename, `${at}.filename`) };
  if (id !== undefined && id !== null) return { type: "file", file_id: textAt(id, `${at}.file_id`), ...name };
  const data = nonEmptyTextAt(file["file_data"], `${at}.file_data`);
  if (/^https?:/i.test(data.slice(0, 6))) return { type: "file", url: data, ...name };
  return { type: "file", ...(splitDataUrl(data) ?? { data }), ...name };
}

/** `cache_control` is Anthropic's word, which OpenAI clients send by way of OpenRouter; the other is OpenAI's own. */
export function cacheMarkOf(fields: Fields): CacheMark | undefined {
  const mark = fields["cache_control"] ?? fields["prompt_cache_breakpoint"];
  if (!isFields(mark)) return undefined;
  const { ttl } = mark;
  return ttl === undefined || ttl === null || ttl === "5m" ? "5m" : "1h";
}
