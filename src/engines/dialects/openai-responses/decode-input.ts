/** `input`: a text, or the items of a conversation. A turn's items (reasoning, words, calls) become one message. */
import type { ChatMessage, ChatPart, ChatRequest, MediaPart, TextPart } from "../../../kernel/chat.ts";
import {
  BodyFault,
  type Fields,
  fieldsAt,
  jsonAt,
  listAt,
  nonEmptyTextAt,
  noteUnmodelled,
  textAt,
} from "../body-reader.ts";
import { thoughtSignatureOf } from "../openai-chat/decode-response.ts";
import { contentReaders } from "./media.ts";
import { reasoningText, unsealed } from "./reasoning.ts";

type Asked = Pick<ChatRequest, "messages" | "unmodelled">;

export function readInput(input: unknown, path: string, request: Asked): void {
  if (typeof input === "string") {
    request.messages.push({ role: "user", parts: input === "" ? [] : [{ type: "text", text: input }] });
    return;
  }
  if (!Array.isArray(input)) throw new BodyFault(path, `${path} must be a string or an array of items.`);
  if (input.length === 0) throw new BodyFault(path, `${path} must hold at least one item.`);
  for (let i = 0; i < input.length; i++) readItem(input[i], `${path}[${i}]`, request);
}

type ItemReader = (item: Fields, path: string, request: Asked) => void;

const itemReaders = new Map<string, ItemReader>([
  ["message", readMessage],
  ["reasoning", readReasoning],
  ["function_call", readCall("arguments")],
  ["custom_tool_call", readCall("input")],
  ["function_call_output", readResult],
  ["custom_tool_call_output", readResult],
]);

function readItem(value: unknown, path: string, request: Asked): void {
  const item = fieldsAt(value, path);
  const type = item["type"] ?? (item["role"] === undefined ? "item_reference" : "message");
  const read = itemReaders.get(textAt(type, `${path}.type`));
  if (read !== undefined) return read(item, path, request);
  if (type === "item_reference") nonEmptyTextAt(item["id"], `${path}.id`);
  // Items of the vendor's own tools, and references to what it stores: for it alone.
  addToTurn(request.messages, {
    type: "native",
    dialect: "openai-responses",
    kind: textAt(type, `${path}.type`),
    value: jsonAt(item, path),
  });
}

function addToTurn(messages: ChatMessage[], part: ChatPart): void {
  const last = messages.at(-1);
  if (last?.role === "assistant") last.parts.push(part);
  else messages.push({ role: "assistant", parts: [part] });
}

const roles = new Map<unknown, ChatMessage["role"]>([
  ["system", "system"],
  ["developer", "system"],
  ["user", "user"],
  ["assistant", "assistant"],
]);
const messageFields = new Set(["type", "role", "content", "id", "status"]);

function readMessage(item: Fields, path: string, request: Asked): void {
  const role = roles.get(item["role"]);
  if (role === undefined) {
    throw new BodyFault(`${path}.role`, `${path}.role: unknown role (system, developer, user, assistant).`);
  }
  noteUnmodelled(item, messageFields, path, request.unmodelled);
  const parts = readContent(item["content"], `${path}.content`, request.unmodelled);
  if (role !== "assistant") request.messages.push({ role, parts });
  else if (request.messages.at(-1)?.role === role) for (const part of parts) addToTurn(request.messages, part);
  else request.messages.push({ role, parts });
}

function readContent(content: unknown, path: string, unmodelled: string[]): (TextPart | MediaPart)[] {
  if (typeof content === "string") return content === "" ? [] : [{ type: "text", text: content }];
  if (!Array.isArray(content)) throw new BodyFault(path, `${path} must be a string or an array of parts.`);
  const parts: (TextPart | MediaPart)[] = [];
  for (const [i, value] of listAt(content, path).entries()) {
    const at = `${path}[${i}]`;
    const fields = fieldsAt(value, at);
    const read = contentReaders.get(textAt(fields["type"], `${at}.type`));
    if (read === undefined) unmodelled.push(at);
    else {
      const part = read(fields, at, unmodelled);
      if (part !== undefined) parts.push(part);
    }
  }
  return parts;
}

const reasoningFields = new Set(["type", "id", "summary", "content", "encrypted_content", "status"]);

function readReasoning(item: Fields, path: string, request: Asked): void {
  noteUnmodelled(item, reasoningFields, path, request.unmodelled);
  const seal = item["encrypted_content"];
  if (seal !== undefined && seal !== null) textAt(seal, `${path}.encrypted_content`);
  const hasBoth = ["summary", "content"].every((key) => Array.isArray(item[key]) && item[key].length > 0);
  if (hasBoth) request.unmodelled.push(`${path}.summary`);
  addToTurn(request.messages, { type: "reasoning", text: reasoningText(item), ...unsealed(seal, item["id"]) });
}

const callFields = new Set(["type", "id", "call_id", "name", "arguments", "input", "status", "extra_content"]);

function readCall(field: "arguments" | "input"): ItemReader {
  return (item, path, request) => {
    noteUnmodelled(item, callFields, path, request.unmodelled);
    const signature = thoughtSignatureOf(item);
    addToTurn(request.messages, {
      type: "tool_call",
      id: nonEmptyTextAt(item["call_id"], `${path}.call_id`),
      name: nonEmptyTextAt(item["name"], `${path}.name`),
      arguments: textAt(item[field], `${path}.${field}`),
      ...(field === "input" ? { custom: true as const } : {}),
      ...(signature === undefined ? {} : { signature }),
    });
  };
}

const resultFields = new Set(["type", "id", "call_id", "output", "status"]);

function readResult(item: Fields, path: string, request: Asked): void {
  noteUnmodelled(item, resultFields, path, request.unmodelled);
  const parts = readContent(item["output"], `${path}.output`, request.unmodelled);
  const text = parts.map((part) => (part.type === "text" ? part.text : "")).join("");
  const plain = parts.every((part) => part.type === "text" && part.cache === undefined);
  request.messages.push({
    role: "tool",
    parts: [
      {
        type: "tool_result",
        id: nonEmptyTextAt(item["call_id"], `${path}.call_id`),
        text,
        ...(plain ? {} : { parts }),
      },
    ],
  });
}
