import type { ChatRequest, ChatTool } from "../../../kernel/chat.ts";
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
import { cacheMarkOf, readMessage } from "./decode-message.ts";
import { serviceClassOf } from "./words.ts";

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
  const modalities = fields["modalities"];
  if (request.audio === undefined && Array.isArray(modalities) && modalities.includes("audio")) {
    request.unmodelled.push("modalities");
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

type Numbers = "temperature" | "top_p" | "presence_penalty" | "frequency_penalty";
type WholeNumbers = "seed" | "top_k" | "top_logprobs";

const number =
  (key: Numbers): Reader =>
  (value, request, path) => {
    request[key] = numberAt(value, path);
  };

const whole =
  (key: WholeNumbers): Reader =>
  (value, request, path) => {
    request[key] = integerAt(value, path);
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
    temperature: number("temperature"),
    top_p: number("top_p"),
    presence_penalty: number("presence_penalty"),
    frequency_penalty: number("frequency_penalty"),
    seed: whole("seed"),
    top_k: whole("top_k"),
    top_logprobs: whole("top_logprobs"),
    logprobs: (value, request, path) => {
      request.logprobs = flagAt(value, path);
    },
    logit_bias: (value, request, path) => {
      const biases = fieldsAt(value, path);
      request.logit_bias = Object.fromEntries(
        Object.entries(biases).map(([token, bias]) => [token, numberAt(bias, `${path}.${token}`)]),
      );
    },
    metadata: (value, request, path) => {
      const tags = fieldsAt(value, path);
      request.metadata = Object.fromEntries(
        Object.entries(tags).map(([key, tag]) => [key, textAt(tag, `${path}.${key}`)]),
      );
    },
    service_tier: (value, request, path) => {
      const served = serviceClassOf(textAt(value, path));
      // `auto` is what every vendor does unasked.
      if (served !== undefined) request.service_class = served;
      else if (value !== "auto") request.unmodelled.push(path);
    },
    reasoning_effort: (value, request, path) => {
      if (isEffort(value)) request.reasoning = { ...request.reasoning, effort: value };
      else request.unmodelled.push(path);
    },
    reasoning: readReasoningAsk,
    stop: (value, request, path) => {
      request.stop =
        typeof value === "string" ? [value] : listAt(value, path).map((item, i) => textAt(item, `${path}[${i}]`));
    },
    user: (value, request, path) => {
      request.user = textAt(value, path);
    },
    parallel_tool_calls: (value, request, path) => {
      request.parallel_tool_calls = flagAt(value, path);
    },
    n: (value, request, path) => {
      const asked = positiveIntegerAt(value, path);
      if (asked > mostAnswers) throw new BodyFault(path, `${path} must be at most ${mostAnswers}, got ${asked}.`);
      if (asked > 1) request.n = asked;
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
    audio: (value, request, path) => {
      const asked = fieldsAt(value, path);
      const { voice, format } = asked;
      // A voice of the client's own making is an object, which only OpenAI knows.
      if (typeof voice !== "string" || typeof format !== "string") request.unmodelled.push(path);
      else request.audio = { voice, format };
      noteUnmodelled(asked, audioFields, path, request.unmodelled);
    },
    modalities: (value, request, path) => {
      for (const kind of listAt(value, path)) {
        if (kind !== "text" && kind !== "audio") request.unmodelled.push(path);
      }
    },
  }),
);

/** OpenAI's own bound. */
const mostAnswers = 128;

const audioFields = new Set(["voice", "format"]);

/** OpenRouter's form, which its many clients send to every compatible server. */
function readReasoningAsk(value: unknown, request: ChatRequest, path: string): void {
  const ask = fieldsAt(value, path);
  noteUnmodelled(ask, askFields, path, request.unmodelled);
  const { effort, max_tokens: budget, exclude } = ask;
  const reasoning = { ...request.reasoning };
  if (isEffort(effort)) reasoning.effort = effort;
  else if (effort !== undefined && effort !== null) request.unmodelled.push(`${path}.effort`);
  if (budget !== undefined && budget !== null) reasoning.budget_tokens = integerAt(budget, `${path}.max_tokens`);
  if (exclude !== undefined && exclude !== null && flagAt(exclude, `${path}.exclude`)) reasoning.summary = "none";
  if (Object.keys(reasoning).length > 0) request.reasoning = reasoning;
}

const askFields = new Set(["effort", "max_tokens", "exclude"]);

function readTool(value: unknown, path: string, unmodelled: string[]): ChatTool | undefined {
  const tool = fieldsAt(value, path);
  const type = textAt(tool["type"], `${path}.type`);
  if (type === "custom") return readCustomTool(tool["custom"], `${path}.custom`, unmodelled);
  if (type !== "function") {
    unmodelled.push(path);
    return undefined;
  }
  const spec = fieldsAt(tool["function"], `${path}.function`);
  noteUnmodelled(tool, toolFields, path, unmodelled);
  noteUnmodelled(spec, functionFields, `${path}.function`, unmodelled);
  const { description, strict } = spec;
  const read: ChatTool = {
    name: nonEmptyTextAt(spec["name"], `${path}.function.name`),
    parameters: jsonAt(spec["parameters"] ?? { type: "object", properties: {} }, `${path}.function.parameters`),
  };
  if (description !== undefined && description !== null) {
    read.description = textAt(description, `${path}.function.description`);
  }
  if (strict !== undefined && strict !== null) read.strict = flagAt(strict, `${path}.function.strict`);
  const cache = cacheMarkOf(tool);
  if (cache !== undefined) read.cache = cache;
  return read;
}

const toolFields = new Set(["type", "function", "cache_control"]);
const functionFields = new Set(["name", "description", "parameters", "strict"]);

function readCustomTool(value: unknown, path: string, unmodelled: string[]): ChatTool {
  const spec = fieldsAt(value, path);
  noteUnmodelled(spec, customFields, path, unmodelled);
  const { description, format } = spec;
  // A grammar for the input is OpenAI's alone; free text is what a custom tool takes unasked.
  if (format !== undefined && format !== null && fieldsAt(format, `${path}.format`)["type"] !== "text") {
    unmodelled.push(`${path}.format`);
  }
  return {
    name: nonEmptyTextAt(spec["name"], `${path}.name`),
    custom: true,
    ...(description === undefined || description === null
      ? {}
      : { description: textAt(description, `${path}.description`) }),
  };
}

const customFields = new Set(["name", "description", "format"]);

function readToolChoice(value: unknown, request: ChatRequest, path: string): void {
  if (typeof value === "string") {
    if (value !== "auto" && value !== "none" && value !== "required") {
      throw new BodyFault(path, `${path} must be auto, none, required or a function by name.`);
    }
    request.tool_choice = value;
    return;
  }
  const choice = fieldsAt(value, path);
  const kind = choice["type"];
  if (kind !== "function" && kind !== "custom") {
    request.unmodelled.push(path);
    return;
  }
  const spec = fieldsAt(choice[kind], `${path}.${kind}`);
  request.tool_choice = { name: nonEmptyTextAt(spec["name"], `${path}.${kind}.name`) };
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
