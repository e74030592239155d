/** A scripted vendor for each dialect: what it is asked to report, and what it was sent, read without Weir's own code. */
import type { PlayUsage, Received, ToolCall } from "../../fixtures/scripted-vendor.ts";

export const vendorNames = [
  "openai-chat",
  "openai-responses",
  "anthropic-messages",
  "gemini",
  "bedrock-converse",
  "cohere",
] as const;
export type VendorName = (typeof vendorNames)[number];

export interface VendorCase {
  /** Of `vendors` in the configuration; `ORIGIN` stands for the scripted vendor's. */
  config: string;
  model: string;
  /** As many meters as the dialect can tell apart. */
  usage: PlayUsage;
  /** What Weir books of it. */
  booked: Record<string, unknown>;
  /** Whether it says which model answered. */
  namesModel: boolean;
  /** Whether it can be told that one tool must be called strictly. */
  sent(request: Received): Sent;
}

/** A request in the words that the dialects share. */
export interface Sent {
  model: string;
  system: string;
  /** Of the last message by a person. */
  text: string;
  tools: string[];
  calls: { id: string; name: string; arguments: unknown }[];
  results: { id: string; text: string }[];
  schema: unknown;
  maxTokens: unknown;
  thoughts: unknown[];
}

type Json = Record<string, unknown>;
const list = (value: unknown): Json[] => (Array.isArray(value) ? (value as Json[]) : []);
const at = (value: unknown, ...keys: string[]): unknown => {
  let inner = value;
  for (const key of keys) inner = (inner as Json | undefined)?.[key];
  return inner;
};
const parse = (text: unknown): unknown => JSON.parse(String(text)) as unknown;
const textOf = (content: unknown): string =>
  typeof content === "string"
    ? content
    : list(content)
        .map((part) => String(part["text"] ?? ""))
        .join("");

/** Chats of OpenAI's and Cohere's form. */
function readChat(json: Json): Omit<Sent, "schema" | "maxTokens"> {
  const messages = list(json["messages"]);
  const by = (...roles: string[]) => messages.filter(({ role }) => roles.includes(String(role)));
  return {
    model: String(json["model"]),
    system: by("system", "developer")
      .map(({ content }) => textOf(content))
      .join("\n"),
    text: textOf(by("user").at(-1)?.["content"]),
    tools: list(json["tools"]).map((tool) => String(at(tool, "function", "name"))),
    calls: messages.flatMap((message) =>
      list(message["tool_calls"]).map((call) => ({
        id: String(call["id"]),
        name: String(at(call, "function", "name")),
        arguments: parse(at(call, "function", "arguments")),
      })),
    ),
    results: by("tool").map((result) => ({ id: String(result["tool_call_id"]), text: textOf(result["content"]) })),
    thoughts: messages.flatMap(({ content }) => list(content).filter(({ type }) => type === "thinking")),
  };
}

function readResponses({ json }: Received): Sent {
  const items = list(json["input"]);
  const of = (type: string) => items.filter((item) => item["type"] === type);
  const people = items.filter(({ role }) => role === "user");
  return {
    model: String(json["model"]),
    system: String(json["instructions"] ?? ""),
    text: typeof json["input"] === "string" ? json["input"] : textOf(people.at(-1)?.["content"]),
    tools: list(json["tools"]).map(({ name }) => String(name)),
    calls: of("function_call").map((call) => ({
      id: String(call["call_id"]),
      name: String(call["name"]),
      arguments: parse(call["arguments"]),
    })),
    results: of("function_call_output").map(({ call_id, output }) => ({ id: String(call_id), text: textOf(output) })),
    schema: at(json, "text", "format", "schema"),
    maxTokens: json["max_output_tokens"],
    thoughts: of("reasoning"),
  };
}

function readAnthropic({ json }: Received): Sent {
  const messages = list(json["messages"]);
  const blocks = messages.flatMap(({ content }) => list(content));
  const of = (type: string) => blocks.filter((block) => block["type"] === type);
  const people = messages.filter(
    ({ role, content }) => role === "user" && (typeof content === "string" || list(content)[0]?.["type"] === "text"),
  );
  return {
    model: String(json["model"]),
    system: textOf(json["system"]),
    text: textOf(people.at(-1)?.["content"]),
    tools: list(json["tools"]).map(({ name }) => String(name)),
    calls: of("tool_use").map(({ id, name, input }) => ({ id: String(id), name: String(name), arguments: input })),
    results: of("tool_result").map(({ tool_use_id, content }) => ({ id: String(tool_use_id), text: textOf(content) })),
    schema: at(json, "output_config", "format", "schema") ?? at(json, "output_format", "schema"),
    maxTokens: json["max_tokens"],
    thoughts: [...of("thinking"), ...of("redacted_thinking")],
  };
}

function readGemini({ json, path }: Received): Sent {
  const contents = list(json["contents"]);
  const parts = contents.flatMap((content) => list(content["parts"]));
  const of = (kind: string) => parts.filter((part) => part[kind] !== undefined).map((part) => part[kind] as Json);
  const people = contents.filter(({ role, parts: own }) => role === "user" && list(own)[0]?.["text"] !== undefined);
  return {
    model: /models\/([^:]+):/.exec(path)?.[1] ?? "",
    system: textOf(at(json, "systemInstruction", "parts")),
    text: textOf(people.at(-1)?.["parts"]),
    tools: list(json["tools"]).flatMap((tool) => list(tool["functionDeclarations"]).map(({ name }) => String(name))),
    calls: of("functionCall").map(({ id, name, args }) => ({ id: String(id), name: String(name), arguments: args })),
    results: of("functionResponse").map(({ id, response }) => ({
      id: String(id),
      text: String(at(response, "output") ?? JSON.stringify(response)),
    })),
    schema: at(json, "generationConfig", "responseJsonSchema"),
    maxTokens: at(json, "generationConfig", "maxOutputTokens"),
    thoughts: parts.filter((part) => part["thought"] === true || part["thoughtSignature"] !== undefined),
  };
}

function readBedrock({ json, path }: Received): Sent {
  const messages = list(json["messages"]);
  const blocks = messages.flatMap(({ content }) => list(content));
  const of = (kind: string) => blocks.filter((block) => block[kind] !== undefined).map((block) => block[kind] as Json);
  const people = messages.filter(({ role, content }) => role === "user" && list(content)[0]?.["text"] !== undefined);
  const format = at(json, "outputConfig", "textFormat", "structure", "jsonSchema", "schema");
  return {
    model: decodeURIComponent(/\/model\/([^/]+)\//.exec(path)?.[1] ?? ""),
    system: textOf(json["system"]),
    text: textOf(people.at(-1)?.["content"]),
    tools: list(at(json, "toolConfig", "tools")).map((tool) => String(at(tool, "toolSpec", "name"))),
    calls: of("toolUse").map(({ toolUseId, name, input }) => ({
      id: String(toolUseId),
      name: String(name),
      arguments: input,
    })),
    results: of("toolResult").map(({ toolUseId, content }) => ({
      id: String(toolUseId),
      text: list(content)
        .map((part) => String(part["text"] ?? JSON.stringify(part["json"])))
        .join(""),
    })),
    schema: format === undefined ? undefined : parse(format),
    maxTokens: at(json, "inferenceConfig", "maxTokens"),
    thoughts: of("reasoningContent"),
  };
}

const noWrites = { input: 20, cached: 5, output: 7 };

export const vendorCases: Record<VendorName, VendorCase> = {
  "openai-chat": {
    config: '{ dialect: openai, base_url: "ORIGIN/v1", region: eu, key: { env: VENDOR_KEY } }',
    model: "gpt-vendor",
    usage: { ...noWrites, cacheWrite: 4, reasoning: 3 },
    booked: { input: 20, cached_input: 5, cache_write: 4, output: 7, reasoning: 3, estimated: false },
    namesModel: true,
    sent: ({ json }) => ({
      ...readChat(json),
      schema: at(json, "response_format", "json_schema", "schema"),
      maxTokens: json["max_completion_tokens"] ?? json["max_tokens"],
    }),
  },
  "openai-responses": {
    config: '{ dialect: openai-responses, base_url: "ORIGIN/v1", region: eu, key: { env: VENDOR_KEY } }',
    model: "gpt-vendor",
    usage: { ...noWrites, cacheWrite: 4, cacheWrite1h: 2, reasoning: 3 },
    booked: {
      input: 20,
      cached_input: 5,
      cache_write: 4,
      cache_write_1h: 2,
      output: 7,
      reasoning: 3,
      estimated: false,
    },
    namesModel: true,
    sent: readResponses,
  },
  "anthropic-messages": {
    config: '{ preset: anthropic, base_url: "ORIGIN", region: eu, key: { env: VENDOR_KEY } }',
    model: "claude-vendor",
    usage: { ...noWrites, cacheWrite: 4, cacheWrite1h: 2, reasoning: 3 },
    booked: {
      input: 20,
      cached_input: 5,
      cache_write: 4,
      cache_write_1h: 2,
      output: 7,
      reasoning: 3,
      estimated: false,
    },
    namesModel: true,
    sent: readAnthropic,
  },
  gemini: {
    config: '{ dialect: gemini, base_url: "ORIGIN/v1beta", region: eu, key: { env: VENDOR_KEY } }',
    model: "gemini-3-vendor",
    usage: { ...noWrites, reasoning: 3 },
    booked: { input: 20, cached_input: 5, output: 7, reasoning: 3, estimated: false },
    namesModel: true,
    sent: readGemini,
  },
  "bedrock-converse": {
    config: '{ dialect: bedrock, base_url: "ORIGIN", region_code: eu-central-1, region: eu, key: { env: AWS_KEY } }',
    model: "anthropic.claude-vendor-v1:0",
    usage: { ...noWrites, cacheWrite: 4, cacheWrite1h: 2 },
    booked: { input: 20, cached_input: 5, cache_write: 4, cache_write_1h: 2, output: 7, estimated: false },
    namesModel: false,
    sent: readBedrock,
  },
  cohere: {
    config: '{ dialect: cohere, base_url: "ORIGIN", region: eu, key: { env: VENDOR_KEY } }',
    model: "command-vendor",
    // What was cached is billed as any other input, and so is no meter of its own.
    usage: noWrites,
    booked: { input: 25, cached_input: 0, output: 7, estimated: false },
    namesModel: false,
    sent: ({ json }) => {
      const sent = readChat(json);
      return { ...sent, schema: at(json, "response_format", "json_schema"), maxTokens: json["max_tokens"] };
    },
  },
};

/** Two calls at once, with letters beyond ASCII, numbers, and no arguments at all. */
export const calls: ToolCall[] = [
  { id: "call_rate", name: "get_rate", arguments: '{"city":"Zürich","months":12}' },
  { id: "call_time", name: "get_time", arguments: "{}" },
];
