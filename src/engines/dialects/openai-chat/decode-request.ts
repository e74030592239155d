import type { ChatMessage, ChatPart, ChatRequest, ChatTool } from "../../../kernel/chat.ts";
import {
  BodyFault,
  type Fields,
  fieldsAt,
  flagAt,
  integerAt,
  jsonAt,
  listAt,
  nonEmptyTextAt,
  noteUnmodelled,
  numberAt,
  positiveIntegerAt,
  refusalsAsValues,
  textAt,
} from "../body-reader.ts";
import { imageFromUrl } from "../image.ts";
import type { DecodedRequest } from "../port.ts";

export const decodeRequest = (body: unknown): DecodedRequest => refusalsAsValues(() => readRequest(body));

function readRequest(body: unknown): ChatRequest {
  const fields = fieldsAt(body, "");
  const request: ChatRequest = {
    model: nonEmptyTextAt(fields["model"], "model"),
    messages: [],
    stream: false,
    wants_usage: false,
    unmodelled: [],
  };
  const messages = listAt(fields["messages"], "messages");
  if (messages.length === 0) throw new BodyFault("messages", "messages must hold at least one message.");
  for (let i = 0; i < messages.length; i++) {
    request.messages.push(readMessage(messages[i], `messages[${i}]`, request.unmodelled));
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

const retired =
  (instead: string): Reader =>
  (_value, _request, path) => {
    throw new BodyFault(path, `${path} is the retired form and is not supported; send ${instead}.`);
  };

const noAudio: Reader = (_value, _request, path) => {
  throw new BodyFault(path, `${path}: audio is not yet supported; send and ask for text.`);
};

const readers = new Map<string, Reader>(
  Object.entries<Reader>({
    model: alreadyRead,
    messages: alreadyRead,
    stream: (value, request, path) => {
      request.stream = flagAt(value, path);
    },
    stream_options: (value, request, path) => {
      const options = fieldsAt(value, path);
      const asked = options["include_usage"];
      request.wants_usage = asked !== undefined && asked !== null && flagAt(asked, `${path}.include_usage`);
      noteUnmodelled(options, new Set(["include_usage"]), path, request.unmodelled);
    },
    max_tokens: (value, request, path) => {
      const asked = positiveIntegerAt(value, path);
      request.max_tokens ??= asked;
    },
    max_completion_tokens: (value, request, path) => {
      request.max_tokens = positiveIntegerAt(value, path);
    },
    temperature: (value, request, path) => {
      request.temperature = numberAt(value, path);
    },
    top_p: (value, request, path) => {
      request.top_p = numberAt(value, path);
    },
    stop: (value, request, path) => {
      request.stop =
        typeof value === "string" ? [value] : listAt(value, path).map((item, i) => textAt(item, `${path}[${i}]`));
    },
    seed: (value, request, path) => {
      request.seed = integerAt(value, path);
    },
    user: (value, request, path) => {
      request.user = textAt(value, path);
    },
    parallel_tool_calls: (value, request, path) => {
      request.parallel_tool_calls = flagAt(value, path);
    },
    n: (value, _request, path) => {
      if (positiveIntegerAt(value, path) !== 1) {
        throw new BodyFault(path, "n above 1 is not yet supported; send one request per answer.");
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
    response_format: readResponseFormat,
    functions: retired("tools"),
    function_call: retired("tool_choice"),
    audio: noAudio,
    modalities: (value, request, path) => {
      if (listAt(value, path).includes("audio")) noAudio(value, request, path);
    },
  }),
);

function readTool(value: unknown, path: string, unmodelled: string[]): ChatTool | undefined {
  const tool = fieldsAt(value, path);
  if (textAt(tool["type"], `${path}.type`) !== "function") {
    unmodelled.push(path);
    return undefined;
  }
  const spec = fieldsAt(tool["function"], `${path}.function`);
  noteUnmodelled(tool, toolFields, path, unmodelled);
  noteUnmodelled(spec, functionFields, `${path}.function`, unmodelled);
  const description = spec["description"];
  return {
    name: nonEmptyTextAt(spec["name"], `${path}.function.name`),
    ...(description === undefined || description === null
      ? {}
      : { description: textAt(description, `${path}.function.description`) }),
    parameters: jsonAt(spec["parameters"] ?? { type: "object", properties: {} }, `${path}.function.parameters`),
  };
}

const toolFields = new Set(["type", "function"]);
const functionFields = new Set(["name", "description", "parameters"]);

function readToolChoice(value: unknown, request: ChatRequest, path: string): void {
  if (typeof value === "string") {
    if (value !== "auto" && value !== "none" && value !== "required") {
      throw new BodyFault(path, `${path} must be auto, none, required or a function by name.`);
    }
    request.tool_choice = value;
    return;
  }
  const choice = fieldsAt(value, path);
  if (choice["type"] !== "function") {
    request.unmodelled.push(path);
    return;
  }
  const spec = fieldsAt(choice["function"], `${path}.function`);
  request.tool_choice = { name: nonEmptyTextAt(spec["name"], `${path}.function.name`) };
}

function readResponseFormat(value: unknown, request: ChatRequest, path: string): void {
  const format = fieldsAt(value, path);
  const type = format["type"];
  if (type === "text" || type === "json_object") {
    request.response_format = { type };
    return;
  }
  if (type !== "json_schema") {
    throw new BodyFault(`${path}.type`, `${path}.type must be text, json_object or json_schema.`);
  }
  const spec = fieldsAt(format["json_schema"], `${path}.json_schema`);
  noteUnmodelled(spec, schemaFields, `${path}.json_schema`, request.unmodelled);
  const strict = spec["strict"];
  request.response_format = {
    type,
    name: nonEmptyTextAt(spec["name"], `${path}.json_schema.name`),
    schema: jsonAt(spec["schema"] ?? {}, `${path}.json_schema.schema`),
    ...(strict === undefined || strict === null ? {} : { strict: flagAt(strict, `${path}.json_schema.strict`) }),
  };
}

const schemaFields = new Set(["name", "schema", "strict"]);

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
  assistant: new Set(["role", "content", "tool_calls", "refusal", "reasoning_content", "reasoning_signature"]),
  tool: new Set(["role", "content", "tool_call_id"]),
};

function readMessage(value: unknown, path: string, unmodelled: string[]): ChatMessage {
  const fields = fieldsAt(value, path);
  const role = roles.get(fields["role"]);
  if (role === undefined) {
    const reason = fields["role"] === "function" ? "the function role is retired; send a tool message" : "unknown role";
    throw new BodyFault(`${path}.role`, `${path}.role: ${reason} (system, developer, user, assistant, tool).`);
  }
  noteUnmodelled(fields, messageFields[role], path, unmodelled);
  if (role === "tool") return { role, parts: [readToolResult(fields, path, unmodelled)] };
  const parts: ChatPart[] = [];
  if (role === "assistant") readReasoning(fields, path, parts);
  const content = fields["content"];
  if (content !== null && content !== undefined) readContent(content, `${path}.content`, parts, unmodelled);
  else if (role !== "assistant") throw new BodyFault(`${path}.content`, `${path}.content is missing.`);
  if (role === "assistant") readAssistant(fields, path, parts);
  return { role, parts };
}

function readToolResult(fields: Fields, path: string, unmodelled: string[]): ChatPart {
  const parts: ChatPart[] = [];
  readContent(fields["content"], `${path}.content`, parts, unmodelled);
  const text = parts.map((part) => (part.type === "text" ? part.text : "")).join("");
  return { type: "tool_result", id: nonEmptyTextAt(fields["tool_call_id"], `${path}.tool_call_id`), text };
}

/** Not OpenAI's own fields: what DeepSeek, vLLM and others answer with, and what Weir answers with for signed reasoning. */
function readReasoning(fields: Fields, path: string, parts: ChatPart[]): void {
  const text = fields["reasoning_content"];
  if (text === undefined || text === null || text === "") return;
  const signature = fields["reasoning_signature"];
  parts.push({
    type: "reasoning",
    text: textAt(text, `${path}.reasoning_content`),
    ...(signature === undefined || signature === null
      ? {}
      : { signature: textAt(signature, `${path}.reasoning_signature`) }),
  });
}

function readAssistant(fields: Fields, path: string, parts: ChatPart[]): void {
  const refusal = fields["refusal"];
  if (refusal !== undefined && refusal !== null && refusal !== "") {
    parts.push({ type: "text", text: textAt(refusal, `${path}.refusal`), refusal: true });
  }
  for (const key of ["function_call", "audio"]) {
    if (fields[key] === undefined || fields[key] === null) continue;
    throw new BodyFault(`${path}.${key}`, `${path}.${key} is not supported; send text and tool_calls.`);
  }
  const calls = fields["tool_calls"];
  if (calls === undefined || calls === null) return;
  for (const [i, item] of listAt(calls, `${path}.tool_calls`).entries()) {
    const at = `${path}.tool_calls[${i}]`;
    const call = fieldsAt(item, at);
    if (call["type"] !== "function" && call["type"] !== undefined) {
      throw new BodyFault(`${at}.type`, `${at}.type: only function calls are supported.`);
    }
    const spec = fieldsAt(call["function"], `${at}.function`);
    parts.push({
      type: "tool_call",
      id: nonEmptyTextAt(call["id"], `${at}.id`),
      name: nonEmptyTextAt(spec["name"], `${at}.function.name`),
      arguments: textAt(spec["arguments"], `${at}.function.arguments`),
    });
  }
}

function readContent(content: unknown, path: string, parts: ChatPart[], unmodelled: string[]): void {
  if (typeof content === "string") {
    if (content !== "") parts.push({ type: "text", text: content });
    return;
  }
  if (!Array.isArray(content)) throw new BodyFault(path, `${path} must be a string or an array of parts.`);
  for (let i = 0; i < content.length; i++) readPart(content[i], `${path}[${i}]`, parts, unmodelled);
}

function readPart(value: unknown, path: string, parts: ChatPart[], unmodelled: string[]): void {
  const part = fieldsAt(value, path);
  const type = textAt(part["type"], `${path}.type`);
  if (type === "text") {
    noteUnmodelled(part, textFields, path, unmodelled);
    const text = textAt(part["text"], `${path}.text`);
    if (text !== "") parts.push({ type, text });
  } else if (type === "refusal") {
    parts.push({ type: "text", text: textAt(part["refusal"], `${path}.refusal`), refusal: true });
  } else if (type === "image_url") {
    const image = fieldsAt(part["image_url"], `${path}.image_url`);
    noteUnmodelled(image, imageFields, `${path}.image_url`, unmodelled);
    parts.push(imageFromUrl(textAt(image["url"], `${path}.image_url.url`)));
  } else if (type === "input_audio") {
    throw new BodyFault(path, `${path}: audio is not yet supported; send text.`);
  } else unmodelled.push(path);
}

const textFields = new Set(["type", "text"]);
const imageFields = new Set(["url"]);
