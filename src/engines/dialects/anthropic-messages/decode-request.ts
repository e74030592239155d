import type { ChatMessage, ChatPart, ChatRequest, ChatTool } from "../../../kernel/chat.ts";
import {
  BodyFault,
  type Fields,
  fieldsAt,
  flagAt,
  jsonAt,
  listAt,
  nonEmptyTextAt,
  noteUnmodelled,
  numberAt,
  positiveIntegerAt,
  refusalsAsValues,
  textAt,
} from "../body-reader.ts";
import type { DecodedRequest } from "../port.ts";

export const decodeRequest = (body: unknown): DecodedRequest => refusalsAsValues(() => readRequest(body));

function readRequest(body: unknown): ChatRequest {
  const fields = fieldsAt(body, "");
  const request: ChatRequest = {
    model: nonEmptyTextAt(fields["model"], "model"),
    messages: [],
    stream: false,
    wants_usage: true,
    max_tokens: positiveIntegerAt(fields["max_tokens"], "max_tokens"),
    unmodelled: [],
  };
  const system = fields["system"];
  if (system !== undefined && system !== null) {
    const parts = readBlocks(system, "system", request.unmodelled);
    if (parts.length > 0) request.messages.push({ role: "system", parts });
  }
  const messages = listAt(fields["messages"], "messages");
  if (messages.length === 0) throw new BodyFault("messages", "messages must hold at least one message.");
  for (let i = 0; i < messages.length; i++) {
    readMessage(messages[i], `messages[${i}]`, request.messages, request.unmodelled);
  }
  for (const key in fields) {
    const value = fields[key];
    if (value === null || value === undefined) continue;
    const read = readers.get(key);
    if (read === undefined) request.unmodelled.push(key);
    else read(value, request, key);
  }
  return request;
}

type Reader = (value: unknown, request: ChatRequest, path: string) => void;

const alreadyRead: Reader = () => {};

const readers = new Map<string, Reader>(
  Object.entries<Reader>({
    model: alreadyRead,
    messages: alreadyRead,
    max_tokens: alreadyRead,
    system: alreadyRead,
    stream: (value, request, path) => {
      request.stream = flagAt(value, path);
    },
    temperature: (value, request, path) => {
      request.temperature = numberAt(value, path);
    },
    top_p: (value, request, path) => {
      request.top_p = numberAt(value, path);
    },
    stop_sequences: (value, request, path) => {
      request.stop = listAt(value, path).map((item, i) => textAt(item, `${path}[${i}]`));
    },
    metadata: (value, request, path) => {
      const metadata = fieldsAt(value, path);
      noteUnmodelled(metadata, metadataFields, path, request.unmodelled);
      const user = metadata["user_id"];
      if (user !== undefined && user !== null) request.user = textAt(user, `${path}.user_id`);
    },
    output_config: (value, request, path) => {
      const config = fieldsAt(value, path);
      noteUnmodelled(config, outputFields, path, request.unmodelled);
      if (config["format"] !== undefined && config["format"] !== null) {
        readFormat(fieldsAt(config["format"], `${path}.format`), request, `${path}.format`);
      }
    },
    tools: (value, request, path) => {
      const tools: ChatTool[] = [];
      for (const [i, item] of listAt(value, path).entries()) {
        const tool = readTool(item, `${path}[${i}]`, request.unmodelled);
        if (tool !== undefined) tools.push(tool);
      }
      if (tools.length > 0) request.tools = tools;
    },
    tool_choice: readToolChoice,
  }),
);

const metadataFields = new Set(["user_id"]);
const outputFields = new Set(["format"]);

/** Anthropic's schemas have no name, OpenAI's must: this one is sent for it. */
const unnamedSchema = "answer";

function readFormat(format: Fields, request: ChatRequest, path: string): void {
  if (format["type"] !== "json_schema") {
    request.unmodelled.push(path);
    return;
  }
  const schema = jsonAt(format["schema"], `${path}.schema`);
  request.response_format = { type: "json_schema", name: unnamedSchema, schema, strict: true };
}

/** Tools that run at Anthropic's side (web_search_…, bash_…) are a type of their own that nobody else has. */
function readTool(value: unknown, path: string, unmodelled: string[]): ChatTool | undefined {
  const tool = fieldsAt(value, path);
  const type = tool["type"];
  if (type !== undefined && type !== null && type !== "custom") {
    unmodelled.push(path);
    return undefined;
  }
  noteUnmodelled(tool, toolFields, path, unmodelled);
  const description = tool["description"];
  return {
    name: nonEmptyTextAt(tool["name"], `${path}.name`),
    ...(description === undefined || description === null
      ? {}
      : { description: textAt(description, `${path}.description`) }),
    parameters: jsonAt(tool["input_schema"], `${path}.input_schema`),
  };
}

const toolFields = new Set(["type", "name", "description", "input_schema"]);

const choices = new Map<unknown, "auto" | "none" | "required">([
  ["auto", "auto"],
  ["none", "none"],
  ["any", "required"],
]);

function readToolChoice(value: unknown, request: ChatRequest, path: string): void {
  const choice = fieldsAt(value, path);
  const simple = choices.get(choice["type"]);
  if (simple !== undefined) request.tool_choice = simple;
  else if (choice["type"] === "tool") request.tool_choice = { name: nonEmptyTextAt(choice["name"], `${path}.name`) };
  else throw new BodyFault(`${path}.type`, `${path}.type must be auto, any, tool or none.`);
  const alone = choice["disable_parallel_tool_use"];
  if (alone !== undefined && alone !== null) {
    request.parallel_tool_calls = !flagAt(alone, `${path}.disable_parallel_tool_use`);
  }
}

const messageFields = new Set(["role", "content"]);

/** One wire message → one neutral message, split where tool results begin and end: each is a message of its own. */
function readMessage(value: unknown, path: string, messages: ChatMessage[], unmodelled: string[]): void {
  const fields = fieldsAt(value, path);
  const role = fields["role"];
  if (role !== "user" && role !== "assistant" && role !== "system") {
    throw new BodyFault(`${path}.role`, `${path}.role must be user, assistant or system.`);
  }
  noteUnmodelled(fields, messageFields, path, unmodelled);
  const parts = readBlocks(fields["content"], `${path}.content`, unmodelled);
  if (!parts.some((part) => part.type === "tool_result")) {
    messages.push({ role, parts });
    return;
  }
  let open: ChatPart[] | undefined;
  for (const part of parts) {
    if (part.type === "tool_result") {
      messages.push({ role: "tool", parts: [part] });
      open = undefined;
    } else if (open === undefined) messages.push({ role, parts: (open = [part]) });
    else open.push(part);
  }
}

function readBlocks(content: unknown, path: string, unmodelled: string[]): ChatPart[] {
  if (typeof content === "string") return content === "" ? [] : [{ type: "text", text: content }];
  if (!Array.isArray(content)) throw new BodyFault(path, `${path} must be a string or an array of blocks.`);
  const parts: ChatPart[] = [];
  for (let i = 0; i < content.length; i++) {
    const at = `${path}[${i}]`;
    const block = fieldsAt(content[i], at);
    const type = textAt(block["type"], `${at}.type`);
    const read = blockReaders.get(type);
    const part = read?.read(block, at, unmodelled);
    if (read === undefined || part === undefined) unmodelled.push(at);
    else {
      noteUnmodelled(block, read.fields, at, unmodelled);
      if (part.type !== "text" || part.text !== "") parts.push(part);
    }
  }
  return parts;
}

interface BlockReader {
  fields: ReadonlySet<string>;
  /** Undefined where this block of a known type holds something that the neutral form has no place for. */
  read(block: Fields, path: string, unmodelled: string[]): ChatPart | undefined;
}

const blockReaders = new Map<string, BlockReader>([
  [
    "text",
    {
      fields: new Set(["type", "text"]),
      read: (block, path) => ({ type: "text", text: textAt(block["text"], `${path}.text`) }),
    },
  ],
  ["image", { fields: new Set(["type", "source"]), read: readImage }],
  [
    "tool_use",
    {
      fields: new Set(["type", "id", "name", "input"]),
      read: (block, path) => ({
        type: "tool_call",
        id: nonEmptyTextAt(block["id"], `${path}.id`),
        name: nonEmptyTextAt(block["name"], `${path}.name`),
        arguments: JSON.stringify(jsonAt(block["input"], `${path}.input`)),
      }),
    },
  ],
  ["tool_result", { fields: new Set(["type", "tool_use_id", "content", "is_error"]), read: readToolResult }],
  ["thinking", { fields: new Set(["type", "thinking", "signature"]), read: readThinking }],
  [
    "redacted_thinking",
    {
      fields: new Set(["type", "data"]),
      read: (block, path) => ({ type: "reasoning", text: "", encrypted: textAt(block["data"], `${path}.data`) }),
    },
  ],
]);

function readImage(block: Fields, path: string): ChatPart | undefined {
  const source = fieldsAt(block["source"], `${path}.source`);
  if (source["type"] === "url") return { type: "image", url: textAt(source["url"], `${path}.source.url`) };
  if (source["type"] !== "base64") return undefined;
  return {
    type: "image",
    media_type: textAt(source["media_type"], `${path}.source.media_type`),
    data: textAt(source["data"], `${path}.source.data`),
  };
}

function readThinking(block: Fields, path: string): ChatPart {
  const signature = block["signature"];
  return {
    type: "reasoning",
    text: textAt(block["thinking"], `${path}.thinking`),
    ...(signature === undefined || signature === null || signature === ""
      ? {}
      : { signature: textAt(signature, `${path}.signature`) }),
  };
}

function readToolResult(block: Fields, path: string, unmodelled: string[]): ChatPart {
  const content = block["content"];
  const parts = content === undefined || content === null ? [] : readBlocks(content, `${path}.content`, unmodelled);
  const failed = block["is_error"];
  if (parts.some((part) => part.type !== "text")) unmodelled.push(`${path}.content`);
  return {
    type: "tool_result",
    id: nonEmptyTextAt(block["tool_use_id"], `${path}.tool_use_id`),
    text: parts.map((part) => (part.type === "text" ? part.text : "")).join(""),
    ...(failed === undefined || failed === null || !flagAt(failed, `${path}.is_error`) ? {} : { is_error: true }),
  };
}
