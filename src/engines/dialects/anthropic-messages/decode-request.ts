import type { ChatMessage, ChatPart, ChatRequest, ChatTool, ReasoningAsk } from "../../../kernel/chat.ts";
import {
  BodyFault,
  type Fields,
  fieldsAt,
  flagAt,
  integerAt,
  isFields,
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
import { isEffort } from "../reasoning.ts";
import { cacheMarkOf, readBlocks } from "./decode-blocks.ts";

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
  // Effort alone makes no model think here, unlike elsewhere.
  const ask = request.reasoning;
  if (ask?.effort !== undefined && ask.adaptive !== true) ask.budget_tokens ??= 0;
  return request;
}

type Reader = (value: unknown, request: ChatRequest, path: string) => void;

const alreadyRead: Reader = () => {};

const readers = new Map<string, Reader>(
  Object.entries<Reader>({
    // With a thread only the newest messages are sent, and the rest lies at the vendor: a history without its beginning
    // must not pass for the whole one. Clients that are told so send all of it.
    thread: (_value, _request, path) => {
      throw new BodyFault(path, `${path} is not supported; send the whole conversation in messages.`);
    },
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
      const { user_id: user, ...tags } = fieldsAt(value, path);
      if (user !== undefined && user !== null) request.user = textAt(user, `${path}.user_id`);
      for (const [key, tag] of Object.entries(tags)) {
        if (typeof tag === "string") (request.metadata ??= {})[key] = tag;
        else if (tag !== null) request.unmodelled.push(`${path}.${key}`);
      }
    },
    top_k: (value, request, path) => {
      request.top_k = integerAt(value, path);
    },
    service_tier: (value, request, path) => {
      const tier = textAt(value, path);
      if (tier === "standard_only") request.service_class = "standard";
      // `auto` is what happens unasked.
      else if (tier !== "auto") request.unmodelled.push(path);
    },
    thinking: readThinkingAsk,
    output_config: (value, request, path) => {
      const config = fieldsAt(value, path);
      noteUnmodelled(config, outputFields, path, request.unmodelled);
      if (config["format"] !== undefined && config["format"] !== null) {
        readFormat(fieldsAt(config["format"], `${path}.format`), request, `${path}.format`);
      }
      const { effort } = config;
      if (isEffort(effort)) request.reasoning = { ...request.reasoning, effort };
      else if (effort !== undefined && effort !== null) request.unmodelled.push(`${path}.effort`);
    },
    // The older place of the format.
    output_format: (value, request, path) => {
      if (isFields(value)) readFormat(value, request, path);
      else request.unmodelled.push(path);
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

const outputFields = new Set(["format", "effort"]);

/** Anthropic's schemas have no name, OpenAI's must: this one is sent for it. */
const unnamedSchema = "answer";

/** Anthropic's word for thoughts that are shown, and the neutral one. */
const displays = new Map<unknown, NonNullable<ReasoningAsk["summary"]>>([
  ["summarized", "auto"],
  ["omitted", "none"],
]);

const thinkingFields = new Set(["type", "budget_tokens", "display"]);

function readThinkingAsk(value: unknown, request: ChatRequest, path: string): void {
  const thinking = fieldsAt(value, path);
  const ask: ReasoningAsk = { ...request.reasoning };
  const type = textAt(thinking["type"], `${path}.type`);
  if (type === "enabled") ask.budget_tokens = positiveIntegerAt(thinking["budget_tokens"], `${path}.budget_tokens`);
  else if (type === "adaptive") ask.adaptive = true;
  else if (type === "disabled") ask.budget_tokens = 0;
  else {
    request.unmodelled.push(path);
    return;
  }
  noteUnmodelled(thinking, thinkingFields, path, request.unmodelled);
  const summary = displays.get(thinking["display"]);
  if (summary !== undefined) ask.summary = summary;
  request.reasoning = ask;
}

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
  const { description, strict } = tool;
  const read: ChatTool = {
    name: nonEmptyTextAt(tool["name"], `${path}.name`),
    parameters: jsonAt(tool["input_schema"], `${path}.input_schema`),
  };
  if (description !== undefined && description !== null) read.description = textAt(description, `${path}.description`);
  if (strict !== undefined && strict !== null) read.strict = flagAt(strict, `${path}.strict`);
  const cache = cacheMarkOf(tool["cache_control"], `${path}.cache_control`, unmodelled);
  if (cache !== undefined) read.cache = cache;
  return read;
}

const toolFields = new Set(["type", "name", "description", "input_schema", "strict", "cache_control"]);

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
