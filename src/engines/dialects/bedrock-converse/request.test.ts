import { existsSync, readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import type { ChatPart, ChatRequest } from "../../../kernel/chat.ts";
import { anthropicMessagesClient } from "../anthropic-messages/index.ts";
import { openaiChatClient } from "../openai-chat/index.ts";
import type { ClientDialect, EncodeTarget } from "../port.ts";
import { requestOf } from "../sample-chats.ts";
import { bedrockConverseVendor } from "./index.ts";

interface Body {
  messages: { role: string; content: Record<string, Record<string, unknown> & string>[] }[];
  system: unknown[];
  toolConfig: { tools: unknown[] };
  inferenceConfig?: unknown;
  additionalModelRequestFields?: unknown;
}
type Sent = { body: Body; dropped: string[] };

const claude = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
const user = { role: "user", parts: [{ type: "text", text: "hi" }] } as const;

function encode(request: Partial<ChatRequest>, target: Partial<EncodeTarget> = {}): Sent {
  const whole = { model: claude, defaultMaxTokens: 8000, ...target };
  const { body, dropped } = bedrockConverseVendor.encodeRequest(
    requestOf({ messages: [{ ...user, parts: [...user.parts] }], ...request }),
    whole,
  );
  return { body: JSON.parse(JSON.stringify(body)) as Sent["body"], dropped };
}

const encodeParts = (...parts: ChatPart[]): Sent => encode({ messages: [{ role: "user", parts }] });

function translate(client: ClientDialect, body: object, target: Partial<EncodeTarget> = {}): Sent {
  const decoded = client.decodeRequest({ model: "m", max_tokens: 9000, ...body });
  if (!decoded.ok) throw new Error(`${decoded.path}: ${decoded.message}`);
  return encode(decoded.request, target);
}

describe("where Converse is", () => {
  it("names the model in the path, encoded", () => {
    const { path } = bedrockConverseVendor;
    expect(path({ model: claude, stream: false })).toBe(
      "/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse",
    );
    const arn = "arn:aws:bedrock:eu-west-1:1:application-inference-profile/x";
    expect(path({ model: arn, stream: true })).toBe(
      "/model/arn%3Aaws%3Abedrock%3Aeu-west-1%3A1%3Aapplication-inference-profile%2Fx/converse-stream",
    );
  });
});

describe("an OpenAI client's request", () => {
  const png = "data:image/png;base64,iVBORw0KGgo=";
  const body = {
    max_tokens: 100,
    temperature: 0.5,
    top_p: 0.9,
    stop: ["END"],
    messages: [
      { role: "system", content: "Be brief." },
      {
        role: "user",
        content: [
          { type: "text", text: "What is this?" },
          { type: "image_url", image_url: { url: png } },
        ],
      },
      {
        role: "assistant",
        content: null,
        tool_calls: [
          { id: "call_1", type: "function", function: { name: "look", arguments: '{"id":12345678901234567890}' } },
          { id: "functions.look:1", type: "function", function: { name: "look", arguments: "" } },
        ],
      },
      { role: "tool", tool_call_id: "call_1", content: "a cat" },
      { role: "tool", tool_call_id: "functions.look:1", content: "a dog" },
      { role: "user", content: "So?" },
    ],
    tools: [
      {
        type: "function",
        function: { name: "look", description: "Looks.", parameters: { type: "object" }, strict: true },
      },
    ],
    tool_choice: "required",
    response_format: { type: "json_schema", json_schema: { name: "seen", schema: { type: "object" }, strict: true } },
    metadata: { team: "risk" },
  };

  it("becomes Converse's, with tools, images and a schema", () => {
    const { body: sent, dropped } = translate(openaiChatClient, body);
    expect(sent).toEqual({
      system: [{ text: "Be brief." }],
      messages: [
        {
          role: "user",
          content: [{ text: "What is this?" }, { image: { format: "png", source: { bytes: "iVBORw0KGgo=" } } }],
        },
        {
          role: "assistant",
          content: [
            { toolUse: { toolUseId: "call_1", name: "look", input: { id: Number("12345678901234567890") } } },
            { toolUse: { toolUseId: "functions_2e_look_3a_1", name: "look", input: {} } },
          ],
        },
        {
          role: "user",
          content: [
            { toolResult: { toolUseId: "call_1", content: [{ text: "a cat" }] } },
            { toolResult: { toolUseId: "functions_2e_look_3a_1", content: [{ text: "a dog" }] } },
            { text: "So?" },
          ],
        },
      ],
      inferenceConfig: { maxTokens: 100, temperature: 0.5, topP: 0.9, stopSequences: ["END"] },
      toolConfig: {
        tools: [
          {
            toolSpec: { name: "look", description: "Looks.", inputSchema: { json: { type: "object" } }, strict: true },
          },
        ],
        toolChoice: { any: {} },
      },
      outputConfig: {
        textFormat: { type: "json_schema", structure: { jsonSchema: { schema: '{"type":"object"}', name: "seen" } } },
      },
      requestMetadata: { team: "risk" },
      additionalModelResponseFieldPaths: ["/stop_sequence"],
    });
    expect(dropped).toEqual([]);
  });

  it("keeps numbers that no double holds", () => {
    const decoded = openaiChatClient.decodeRequest({ model: "m", ...body });
    if (!decoded.ok) throw new Error(decoded.message);
    const target = { model: claude, defaultMaxTokens: 1 };
    const text = JSON.stringify(bedrockConverseVendor.encodeRequest(decoded.request, target).body);
    expect(text).toContain('{"id":12345678901234567890}');
  });
});

describe("what Converse can't carry is named", () => {
  it.each<[string, Partial<ChatRequest>, string[], Record<string, unknown>]>([
    [
      "the knobs it lacks",
      { seed: 1, n: 2, presence_penalty: 1, logit_bias: { 1: 2 }, logprobs: true, user: "u" },
      ["seed", "presence_penalty", "logit_bias", "n", "logprobs", "user"],
      {},
    ],
    ["a temperature beyond its scale", { temperature: 1.5 }, ["temperature"], { inferenceConfig: { temperature: 1 } }],
    ["blank stop sequences", { stop: ["\n"] }, ["stop"], { inferenceConfig: undefined }],
    ["JSON without a schema", { response_format: { type: "json_object" } }, ["response_format"], {}],
    ["the batch class", { service_class: "batch" }, ["service_class"], { serviceTier: undefined }],
    ["a forced tool without tools", { tool_choice: "required" }, ["tool_choice"], { toolConfig: undefined }],
    [
      "metadata that its log doesn't take",
      { metadata: { a: "b", c: "<>" } },
      ["metadata"],
      { requestMetadata: { a: "b" } },
    ],
    ["calls one at a time", { tools: [{ name: "t" }], parallel_tool_calls: false }, ["parallel_tool_calls"], {}],
    [
      "a tool of free text",
      { tools: [{ name: "t", custom: true }], tool_choice: { name: "t" } },
      ["tools.custom", "tool_choice"],
      { toolConfig: undefined },
    ],
    ["what the client said beyond the model", { unmodelled: ["prediction"] }, ["prediction"], {}],
  ])("%s", (_, request, dropped, sent) => {
    const encoded = encode(request);
    expect(encoded.dropped).toEqual(dropped);
    expect(encoded.body).toMatchObject(
      Object.fromEntries(Object.entries(sent).filter(([, value]) => value !== undefined)),
    );
    for (const key in sent) if (sent[key] === undefined) expect(encoded.body).not.toHaveProperty(key);
  });

  it.each<[string, ChatPart, string[]]>([
    ["an image on the web", { type: "image", url: "https://x/y.png" }, ["messages.image"]],
    ["an image elsewhere", { type: "image", file_id: "f" }, ["messages.image"]],
    ["an image of a kind it can't see", { type: "image", media_type: "image/tiff", data: "AA" }, ["messages.image"]],
    ["a file of a kind it can't read", { type: "file", media_type: "application/zip", data: "AA" }, ["messages.file"]],
    ["blank text", { type: "text", text: " \n" }, ["messages.text"]],
    ["another dialect's own", { type: "native", dialect: "gemini", kind: "x", value: {} }, ["gemini.x"]],
  ])("%s", (_, part, dropped) => {
    const { body, dropped: named } = encodeParts(part, { type: "text", text: "hi" });
    expect(named).toEqual(dropped);
    expect(body.messages).toEqual([{ role: "user", content: [{ text: "hi" }] }]);
  });

  it("sound, but for its words", () => {
    const { body, dropped } = encodeParts({ type: "audio", data: "AA", transcript: "hello" });
    expect(body.messages).toEqual([{ role: "user", content: [{ text: "hello" }] }]);
    expect(dropped).toEqual(["messages.audio"]);
  });

  it("and what the vendor refuses is left out", () => {
    const request = {
      response_format: { type: "json_schema", name: "n", schema: {} },
      tools: [{ name: "t", strict: true }],
    };
    const { body, dropped } = encode(request as Partial<ChatRequest>, { refuses: ["outputConfig", "strict"] });
    expect(body).not.toHaveProperty("outputConfig");
    expect(body.toolConfig).toEqual({
      tools: [{ toolSpec: { name: "t", inputSchema: { json: { type: "object" } } } }],
    });
    expect(dropped).toEqual(["tools.strict", "outputConfig"]);
  });
});

describe("documents", () => {
  const pdf = (name?: string): ChatPart => ({ type: "file", data: "JVBERi0=", ...(name !== undefined && { name }) });
  it("get names that Converse takes, each its own, and a text beside them", () => {
    const { body, dropped } = encodeParts(pdf("Q3/report_final.v2.pdf"), pdf("Q3 report final v2.pdf"), pdf(), pdf());
    const names = body.messages[0]!.content.map((block) => block.document?.name ?? block.text);
    expect(names).toEqual([
      "Q3 report final v2",
      "Q3 report final v2 (2)",
      "document",
      "document (2)",
      "Q3 report final v2",
    ]);
    expect(dropped).toEqual([]);
  });

  it.each([
    ["text/plain", "txt"],
    ["text/markdown", "md"],
    ["text/x-log", "txt"],
    ["application/json", "txt"],
    ["application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"],
  ])("of %s are %s", (media_type, format) => {
    const { body } = encodeParts({ type: "text", text: "t" }, { type: "file", media_type, data: "AA", name: "n" });
    expect(body.messages[0]!.content[1]).toEqual({ document: { format, name: "n", source: { bytes: "AA" } } });
  });

  it("and images may lie in S3", () => {
    const { body } = encodeParts({ type: "text", text: "t" }, { type: "image", url: "s3://bucket/a.webp" });
    expect(body.messages[0]!.content[1]).toEqual({
      image: { format: "webp", source: { s3Location: { uri: "s3://bucket/a.webp" } } },
    });
  });
});

describe("a history of tools", () => {
  const called: ChatRequest["messages"] = [
    { role: "user", parts: [{ type: "text", text: "hi" }] },
    { role: "assistant", parts: [{ type: "tool_call", id: "1", name: "look", arguments: "{}" }] },
    { role: "tool", parts: [{ type: "tool_result", id: "1", text: "", is_error: true }] },
  ];
  const bare = { toolSpec: { name: "look", inputSchema: { json: { type: "object" } } } };

  it("is told with the tools by name where none are declared, for Converse refuses it otherwise", () => {
    const { body, dropped } = encode({ messages: called });
    expect(body.toolConfig).toEqual({ tools: [bare] });
    expect(body.messages[2]!.content).toEqual([{ toolResult: { toolUseId: "1", content: [], status: "error" } }]);
    expect(dropped).toEqual([]);
  });

  it("can't be told with tools that are forbidden", () => {
    const tools = [{ name: "look" }, { name: "other" }];
    const { body, dropped } = encode({ messages: called, tools, tool_choice: "none" });
    expect(body.toolConfig).toEqual({ tools: [bare] });
    expect(dropped).toEqual(["tool_choice"]);
    expect(encode({ tools, tool_choice: "none" })).toMatchObject({ dropped: [] });
    expect(encode({ tools, tool_choice: "none" }).body).not.toHaveProperty("toolConfig");
  });

  it("hands over arguments that are no JSON as the text they are", () => {
    const cut = [
      { role: "assistant", parts: [{ type: "tool_call", id: "1", name: "n", arguments: '{"a":' }] },
    ] as const;
    const { body, dropped } = encode({ messages: [called[0]!, { ...cut[0], parts: [...cut[0].parts] }] });
    expect(body.messages[1]!.content[0]!["toolUse"]!["input"]).toEqual({ arguments: '{"a":' });
    expect(dropped).toEqual(["tool_calls.function.arguments"]);
  });

  it("keeps long ids apart, within 64 characters", () => {
    const ids = ["x".repeat(70), `${"x".repeat(70)}y`, "ä".repeat(30)];
    const sent = encodeParts(...ids.map((id): ChatPart => ({ type: "tool_result", id, text: "t" })));
    const wire = sent.body.messages[0]!.content.map((block) => String(block["toolResult"]!["toolUseId"]));
    expect(new Set(wire).size).toBe(3);
    for (const id of wire) expect(id).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
  });
});

describe("thoughts", () => {
  const thought = (part: Partial<ChatPart>) =>
    encode({
      messages: [
        { role: "user", parts: [{ type: "text", text: "hi" }] },
        {
          role: "assistant",
          parts: [{ type: "reasoning", text: "hm", ...part } as ChatPart, { type: "text", text: "a" }],
        },
      ],
    });
  it("go back as they were signed or sealed", () => {
    expect(thought({ signature: "S" } as Partial<ChatPart>).body.messages[1]!.content[0]).toEqual({
      reasoningContent: { reasoningText: { text: "hm", signature: "S" } },
    });
    expect(thought({ text: "", encrypted: "QUJD" } as Partial<ChatPart>).body.messages[1]!.content[0]).toEqual({
      reasoningContent: { redactedContent: "QUJD" },
    });
  });
  it.each([{}, { encrypted: "not base64!" }, { id: "rs_1", encrypted: "QUJD" }])(
    "are left out and named: %o",
    (part) => {
      const { body, dropped } = thought(part as Partial<ChatPart>);
      expect(body.messages[1]!.content).toEqual([{ text: "a" }]);
      expect(dropped).toEqual(["reasoning"]);
    },
  );
});

describe("reasoning, by the model's family", () => {
  const ask = (model: string, reasoning: ChatRequest["reasoning"], more: Partial<ChatRequest> = {}) =>
    encode({ reasoning, ...more } as Partial<ChatRequest>, { model });
  const nova = "us.amazon.nova-2-lite-v1:0";
  const oss = "openai.gpt-oss-120b-1:0";

  it("asks Claude for a budget where it knows no efforts, and tells the maximum that it needs", () => {
    const { body, dropped } = ask(claude, { budget_tokens: 2000 }, { temperature: 0.3, top_k: 5 });
    expect(body.additionalModelRequestFields).toEqual({ thinking: { type: "enabled", budget_tokens: 2000 } });
    expect(body.inferenceConfig).toEqual({ maxTokens: 8000 });
    expect(dropped).toEqual(["temperature", "top_k"]);
  });
  it("asks newer Claudes to adapt, with an effort", () => {
    const { body, dropped } = ask("anthropic.claude-opus-4-8-v1:0", { effort: "high" });
    expect(body.additionalModelRequestFields).toEqual({
      thinking: { type: "adaptive" },
      output_config: { effort: "high" },
    });
    expect(dropped).toEqual([]);
  });
  it("asks Claude for none beside a forced tool", () => {
    const { body, dropped } = ask(claude, { budget_tokens: 2000 }, { tools: [{ name: "t" }], tool_choice: "required" });
    expect(body).not.toHaveProperty("additionalModelRequestFields");
    expect(dropped).toEqual(["reasoning"]);
  });
  it("never asks OpenAI's models there for Anthropic's thinking", () => {
    expect(ask(oss, { effort: "high" }).body.additionalModelRequestFields).toEqual({ reasoning_effort: "high" });
    expect(ask(oss, { budget_tokens: 20_000 })).toMatchObject({
      body: { additionalModelRequestFields: { reasoning_effort: "high" } },
      dropped: ["reasoning.budget_tokens"],
    });
    expect(ask(oss, { effort: "none" })).toMatchObject({
      body: { additionalModelRequestFields: { reasoning_effort: "low" } },
      dropped: ["reasoning.effort"],
    });
  });
  it("asks Nova 2 for a level; its highest takes no maximum", () => {
    const level = (maxReasoningEffort: string) => ({ reasoningConfig: { type: "enabled", maxReasoningEffort } });
    expect(ask(nova, { effort: "low" })).toMatchObject({
      body: { additionalModelRequestFields: level("low") },
      dropped: [],
    });
    const high = ask(nova, { effort: "high" }, { temperature: 0.2, top_p: 0.5 });
    expect(high).toMatchObject({
      body: { additionalModelRequestFields: level("high") },
      dropped: ["temperature", "top_p"],
    });
    expect(high.body).not.toHaveProperty("inferenceConfig");
    expect(ask(nova, { effort: "high" }, { max_tokens: 5 })).toMatchObject({
      body: { additionalModelRequestFields: level("medium"), inferenceConfig: { maxTokens: 5 } },
      dropped: ["reasoning.effort"],
    });
    expect(ask(nova, { effort: "none" }).body.additionalModelRequestFields).toEqual({
      reasoningConfig: { type: "disabled" },
    });
  });
  it("asks others for nothing, unless the operator says whose they are", () => {
    const arn = "arn:aws:bedrock:eu-west-1:1:application-inference-profile/abc";
    expect(ask(arn, { effort: "high" })).toMatchObject({ dropped: ["reasoning"] });
    expect(encode({ reasoning: { budget_tokens: 2000 } }, { model: arn, modelFamily: "nova-2" })).toMatchObject({
      body: { additionalModelRequestFields: { reasoningConfig: {} } },
    });
  });

  it.each([
    [claude, { top_k: 5 }],
    ["mistral.mistral-large-2407-v1:0", { top_k: 5 }],
    ["cohere.command-r-plus-v1:0", { k: 5 }],
    ["amazon.nova-lite-v1:0", { inferenceConfig: { topK: 5 } }],
  ])("top_k has its own place in %s", (model, fields) => {
    expect(encode({ top_k: 5 }, { model })).toMatchObject({
      body: { additionalModelRequestFields: fields },
      dropped: [],
    });
  });
  it("top_k is left out of the others", () => {
    expect(encode({ top_k: 5 }, { model: "meta.llama3-3-70b-instruct-v1:0" }).dropped).toEqual(["top_k"]);
  });
});

describe("cache points", () => {
  const marked = (cache: "5m" | "1h"): Partial<ChatRequest> => ({
    messages: [
      { role: "system", parts: [{ type: "text", text: "s", cache }] },
      { role: "user", parts: [{ type: "text", text: "u", cache }] },
    ],
    tools: [{ name: "t", cache }],
  });
  const point = { cachePoint: { type: "default" } };
  const hour = { cachePoint: { type: "default", ttl: "1h" } };
  const places = ({ body }: Sent) => [body.toolConfig.tools[1], body.system[1], body.messages[0]!.content[1]];

  it("stand behind what is kept, for an hour where asked, in the places that the family has", () => {
    expect(places(encode(marked("5m")))).toEqual([point, point, point]);
    expect(places(encode(marked("1h")))).toEqual([hour, hour, hour]);
    const nova = encode(marked("1h"), { model: "amazon.nova-pro-v1:0" });
    expect(places(nova)).toEqual([undefined, point, point]);
    expect(nova.dropped).toEqual(["cache_control.ttl", "cache_control"]);
    const llama = encode(marked("5m"), { model: "meta.llama3-3-70b-instruct-v1:0" });
    expect(places(llama)).toEqual([undefined, undefined, undefined]);
    expect(llama.dropped).toEqual(["cache_control"]);
  });
});

const wire = resolve(import.meta.dirname, "../../../../../shared/data/wire/requests");
const present = existsSync(wire);
if (!present) console.warn(`Recorded wire fixtures are absent (${wire}): their tests are skipped.`);
const listed = (folder: string) => (present ? readdirSync(resolve(wire, folder)) : []);

describe.skipIf(!present)("recorded requests", () => {
  const clients: [ClientDialect, string, string[]][] = [
    [openaiChatClient, "completions", ["full.json"]],
    [anthropicMessagesClient, "messages", []],
  ];
  for (const [client, folder, refused] of clients) {
    it.each(listed(folder))(`${folder}/%s is told without losing text, or with the loss named`, (name) => {
      const decoded = client.decodeRequest(JSON.parse(readFileSync(resolve(wire, folder, name), "utf8")));
      if (!decoded.ok) return expect(refused).toContain(name);
      const { body, dropped } = encode(decoded.request);
      const sent = JSON.stringify(body);
      for (const part of decoded.request.messages.flatMap(({ parts }) => parts)) {
        if (part.type === "text") expect(sent).toContain(JSON.stringify(part.text).slice(1, -1));
        if (part.type === "tool_call") expect(sent).toContain(`"name":"${part.name}"`);
        if (part.type === "reasoning" && part.signature === undefined) expect(dropped).toContain("reasoning");
      }
      expect(body.messages.length).toBeGreaterThan(0);
      for (const message of body.messages) expect(message.content.length).toBeGreaterThan(0);
    });
  }
});
