import type { ChatRequest, ChatTool, ReasoningAsk } from "../../../kernel/chat.ts";
import {
  BodyFault,
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
import type { DecodedRequest } from "../port.ts";
import { isEffort } from "../reasoning.ts";
import { readInput } from "./decode-input.ts";
import { serviceClassOf } from "./words.ts";

export const decodeRequest = (body: unknown): DecodedRequest => refusalsAsValues(() => readRequest(body));

function readRequest(body: unknown): ChatRequest {
  const fields = fieldsAt(body, "");
  const request: ChatRequest = {
    model: nonEmptyTextAt(fields["model"], "model"),
    messages: [],
    stream: false,
    // Every answer of this API carries usage, streamed or not.
    wants_usage: true,
    unmodelled: [],
  };
  const { instructions } = fields;
  if (instructions !== undefined && instructions !== null && instructions !== "") {
    request.messages.push({ role: "system", parts: [{ type: "text", text: textAt(instructions, "instructions") }] });
  }
  readInput(fields["input"], "input", request);
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

/** A field that may say what goes without saying; anything else is not modelled. */
const onlyDefault =
  (defaultValue: unknown): Reader =>
  (value, request, path) => {
    if (value !== defaultValue) request.unmodelled.push(path);
  };

const readers = new Map<string, Reader>(
  Object.entries<Reader>({
    model: alreadyRead,
    input: alreadyRead,
    instructions: alreadyRead,
    stream: (value, request, path) => {
      request.stream = flagAt(value, path);
    },
    max_output_tokens: (value, request, path) => {
      request.max_tokens = positiveIntegerAt(value, path);
    },
    temperature: (value, request, path) => {
      request.temperature = numberAt(value, path);
    },
    top_p: (value, request, path) => {
      request.top_p = numberAt(value, path);
    },
    top_logprobs: (value, request, path) => {
      const asked = integerAt(value, path);
      if (asked < 0) throw new BodyFault(path, `${path} must not be negative, got ${asked}.`);
      if (asked > 0) request.top_logprobs = asked;
    },
    parallel_tool_calls: (value, request, path) => {
      request.parallel_tool_calls = flagAt(value, path);
    },
    tools: readTools,
    tool_choice: readToolChoice,
    text: readText,
    reasoning: readReasoningAsk,
    include: readInclude,
    metadata: (value, request, path) => {
      const metadata: Record<string, string> = {};
      for (const [key, item] of Object.entries(fieldsAt(value, path))) metadata[key] = textAt(item, `${path}.${key}`);
      request.metadata = metadata;
    },
    service_tier: (value, request, path) => {
      const serviceClass = serviceClassOf(value);
      if (serviceClass !== undefined) request.service_class = serviceClass;
      else if (value !== "auto") request.unmodelled.push(path);
    },
    user: (value, request, path) => {
      const user = textAt(value, path);
      if (request.user !== undefined) request.unmodelled.push("safety_identifier");
      request.user = user;
    },
    safety_identifier: (value, request, path) => {
      const user = textAt(value, path);
      if (request.user === undefined) request.user = user;
      else request.unmodelled.push(path);
    },
    previous_response_id: (value, request, path) => {
      request.previous_response_id = nonEmptyTextAt(value, path);
    },
    store: (value, request, path) => {
      if (flagAt(value, path)) request.unmodelled.push(path);
    },
    truncation: onlyDefault("disabled"),
    background: (value, _request, path) => {
      if (!flagAt(value, path)) return;
      throw new BodyFault(path, `${path} is not supported: answers are given at once; leave it out or send false.`);
    },
    conversation: (_value, _request, path) => {
      throw new BodyFault(
        path,
        `${path} is not supported: no conversation is stored here; send the whole conversation as input.`,
      );
    },
  }),
);

const functionFields = new Set(["type", "name", "description", "parameters", "strict"]);
const customFields = new Set(["type", "name", "description", "format"]);

/** Tools that the vendor itself runs (web search, …) have no neutral form. */
function readTools(value: unknown, request: ChatRequest, path: string): void {
  const tools: ChatTool[] = [];
  for (const [i, item] of listAt(value, path).entries()) {
    const tool = readTool(item, `${path}[${i}]`, request.unmodelled);
    if (tool !== undefined) tools.push(tool);
  }
  if (tools.length > 0) request.tools = tools;
}

function readTool(value: unknown, path: string, unmodelled: string[]): ChatTool | undefined {
  const fields = fieldsAt(value, path);
  const type = textAt(fields["type"], `${path}.type`);
  if (type !== "function" && type !== "custom") {
    unmodelled.push(path);
    return undefined;
  }
  const custom = type === "custom";
  noteUnmodelled(fields, custom ? customFields : functionFields, path, unmodelled);
  const { description, parameters, strict, format } = fields;
  const tool: ChatTool = { name: nonEmptyTextAt(fields["name"], `${path}.name`) };
  if (description !== undefined && description !== null) tool.description = textAt(description, `${path}.description`);
  if (custom) {
    tool.custom = true;
    if (format !== undefined && fieldsAt(format, `${path}.format`)["type"] !== "text")
      unmodelled.push(`${path}.format`);
    return tool;
  }
  tool.parameters = jsonAt(parameters ?? { type: "object", properties: {} }, `${path}.parameters`);
  // False is what absence means everywhere else.
  if (strict !== undefined && strict !== null && flagAt(strict, `${path}.strict`)) tool.strict = true;
  return tool;
}

function readToolChoice(value: unknown, request: ChatRequest, path: string): void {
  if (typeof value === "string") {
    if (value !== "auto" && value !== "none" && value !== "required") {
      throw new BodyFault(path, `${path} must be auto, none, required or a tool by name.`);
    }
    request.tool_choice = value;
    return;
  }
  const choice = fieldsAt(value, path);
  if (choice["type"] !== "function" && choice["type"] !== "custom") {
    request.unmodelled.push(path);
    return;
  }
  request.tool_choice = { name: nonEmptyTextAt(choice["name"], `${path}.name`) };
}

const schemaFields = new Set(["type", "name", "schema", "strict"]);

function readText(value: unknown, request: ChatRequest, path: string): void {
  const text = fieldsAt(value, path);
  noteUnmodelled(text, new Set(["format"]), path, request.unmodelled);
  if (text["format"] === undefined || text["format"] === null) return;
  const at = `${path}.format`;
  const format = fieldsAt(text["format"], at);
  const { type, strict } = format;
  if (type === "text" || type === "json_object") {
    request.response_format = { type };
    return;
  }
  if (type !== "json_schema") throw new BodyFault(`${at}.type`, `${at}.type must be text, json_object or json_schema.`);
  noteUnmodelled(format, schemaFields, at, request.unmodelled);
  request.response_format = {
    type,
    name: nonEmptyTextAt(format["name"], `${at}.name`),
    schema: jsonAt(format["schema"] ?? {}, `${at}.schema`),
    ...(strict === undefined || strict === null ? {} : { strict: flagAt(strict, `${at}.strict`) }),
  };
}

const summaries = new Set<unknown>(["auto", "concise", "detailed"]);

/** Words for effort and summary that are not known yet are not modelled: a vendor may know them. */
function readReasoningAsk(value: unknown, request: ChatRequest, path: string): void {
  const fields = fieldsAt(value, path);
  noteUnmodelled(fields, new Set(["effort", "summary", "generate_summary"]), path, request.unmodelled);
  const ask: ReasoningAsk = { ...request.reasoning };
  const { effort } = fields;
  if (isEffort(effort)) ask.effort = effort;
  else if (effort !== undefined && effort !== null) request.unmodelled.push(`${path}.effort`);
  // The second is the first one's retired name.
  for (const key of ["summary", "generate_summary"]) {
    const summary = fields[key];
    if (summaries.has(summary)) ask.summary ??= summary as NonNullable<ReasoningAsk["summary"]>;
    else if (summary !== undefined && summary !== null) request.unmodelled.push(`${path}.${key}`);
  }
  request.reasoning = ask;
}

/** Encrypted reasoning is given wherever there is some: who asks for it is taken to ask for reasoning. */
function readInclude(value: unknown, request: ChatRequest, path: string): void {
  for (const [i, item] of listAt(value, path).entries()) {
    const wanted = textAt(item, `${path}[${i}]`);
    if (wanted === "reasoning.encrypted_content") request.reasoning ??= {};
    else if (wanted === "message.output_text.logprobs") request.logprobs = true;
    else request.unmodelled.push(`${path}[${i}]`);
  }
}
