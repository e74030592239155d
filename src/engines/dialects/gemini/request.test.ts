import { describe, expect, it } from "vitest";
import type { ChatMessage, ChatPart, ChatRequest, ReasoningAsk } from "../../../kernel/chat.ts";
import { requestOf } from "../sample-chats.ts";
import { geminiVendor } from "./index.ts";

function encoded(changes: Partial<ChatRequest>, model = "gemini-2.5-flash", refuses: string[] = []) {
  const { body, dropped } = geminiVendor.encodeRequest(requestOf(changes), { model, defaultMaxTokens: 100, refuses });
  return { body: JSON.parse(JSON.stringify(body)) as Record<string, unknown>, dropped };
}
const contentsOf = (messages: ChatMessage[], model?: string) => encoded({ messages }, model).body["contents"];
const user = (...parts: ChatPart[]): ChatMessage => ({ role: "user", parts });
const assistant = (...parts: ChatPart[]): ChatMessage => ({ role: "assistant", parts });
const text = (words: string): ChatPart => ({ type: "text", text: words });
const call = (id: string, name: string, more: object = {}): ChatPart => ({
  type: "tool_call",
  id,
  name,
  arguments: "{}",
  ...more,
});
const result = (id: string, words: string, more: object = {}): ChatMessage => ({
  role: "tool",
  parts: [{ type: "tool_result", id, text: words, ...more }],
});

describe("paths", () => {
  it.each([
    ["gemini-2.5-pro", false, "/models/gemini-2.5-pro:generateContent"],
    ["gemini-2.5-pro", true, "/models/gemini-2.5-pro:streamGenerateContent?alt=sse"],
    ["tunedModels/a b", false, "/tunedModels/a%20b:generateContent"],
  ])("%s, stream %s: %s", (model, stream, path) => {
    expect(geminiVendor.path({ model, stream })).toBe(path);
    const vertex = "https://aiplatform.googleapis.com/v1/projects/p/locations/global/publishers/google";
    expect(new URL(vertex + path).pathname).toContain("/publishers/google/");
  });
});

describe("fields", () => {
  it("has a name of its own for each", () => {
    const { body, dropped } = encoded({
      temperature: 0.7,
      top_p: 0.9,
      top_k: 4,
      max_tokens: 10,
      n: 2,
      seed: 1,
      presence_penalty: 0.1,
      frequency_penalty: 0.2,
      logprobs: true,
      top_logprobs: 3,
      stop: ["x"],
    });
    expect(body["generationConfig"]).toEqual({
      temperature: 0.7,
      topP: 0.9,
      topK: 4,
      maxOutputTokens: 10,
      candidateCount: 2,
      seed: 1,
      presencePenalty: 0.1,
      frequencyPenalty: 0.2,
      responseLogprobs: true,
      logprobs: 3,
      stopSequences: ["x"],
    });
    expect(body).not.toHaveProperty("model");
    expect(body).not.toHaveProperty("stream");
    expect(dropped).toEqual([]);
  });

  it.each<[Partial<ChatRequest>, string[]]>([
    [{ logit_bias: { "1": 1 } }, ["logit_bias"]],
    [{ user: "u" }, ["user"]],
    [{ previous_response_id: "r" }, ["previous_response_id"]],
    [{ service_class: "batch" }, ["service_class"]],
    [{ stop: ["1", "2", "3", "4", "5", "6"] }, ["stop"]],
    [{ tools: [{ name: "f", custom: true }] }, ["tools.custom"]],
    [{ tools: [{ name: "f", strict: true }], parallel_tool_calls: false }, ["parallel_tool_calls", "tools.strict"]],
    [{ tool_choice: "required" }, ["tool_choice"]],
    [{ metadata: { Team: "search" } }, ["metadata"]],
    [{ audio: { voice: "Kore", format: "wav" } }, ["audio.format"]],
    [{ unmodelled: ["safetySettings"] }, ["safetySettings"]],
    [{ messages: [user(text("a")), { role: "system", parts: [text("b")] }] }, ["messages.system.position"]],
    [{ messages: [user({ type: "text", text: "a", cache: "5m" })] }, ["cache_control"]],
    [{ messages: [user({ type: "image", file_id: "file-1" })] }, ["messages.image"]],
    [{ messages: [user({ type: "image", data: "A", detail: "low" })] }, ["messages.image.detail"]],
    [{ messages: [assistant({ type: "reasoning", text: "t" })] }, ["reasoning"]],
    [
      { messages: [assistant({ type: "native", dialect: "anthropic-messages", kind: "server_tool_use", value: {} })] },
      ["anthropic-messages.server_tool_use"],
    ],
    [{ messages: [result("unheard", "x")] }, ["messages.tool_result.name"]],
  ])("%j loses %j", (changes, dropped) => expect(encoded(changes).dropped).toEqual(dropped));

  it("labels and tiers go where the vendor takes them", () => {
    const changes: Partial<ChatRequest> = { metadata: { team: "search" }, service_class: "flex" };
    expect(encoded(changes).body).toMatchObject({ labels: { team: "search" }, serviceTier: "flex" });
    const { body, dropped } = encoded(changes, "gemini-2.5-pro", ["labels", "serviceTier"]);
    expect(Object.keys(body)).toEqual(["contents"]);
    expect(dropped).toEqual(["labels", "serviceTier"]);
  });

  it("a schema holds the answer, and speech has a voice", () => {
    const schema = { type: "object", properties: { a: { $ref: "#/$defs/a" } }, $defs: { a: { type: "string" } } };
    expect(encoded({ response_format: { type: "json_schema", name: "x", schema, strict: true } })).toMatchObject({
      body: { generationConfig: { responseMimeType: "application/json", responseJsonSchema: schema } },
      dropped: [],
    });
    expect(encoded({ response_format: { type: "json_object" } }).body["generationConfig"]).toEqual({
      responseMimeType: "application/json",
    });
    expect(encoded({ audio: { voice: "Kore", format: "wav" } }).body["generationConfig"]).toEqual({
      responseModalities: ["AUDIO"],
      speechConfig: { voiceConfig: { prebuiltVoiceConfig: { voiceName: "Kore" } } },
    });
  });

  it.each<[ChatRequest["tool_choice"], unknown]>([
    [undefined, undefined],
    ["auto", { functionCallingConfig: { mode: "AUTO" } }],
    ["none", { functionCallingConfig: { mode: "NONE" } }],
    ["required", { functionCallingConfig: { mode: "ANY" } }],
    [{ name: "f" }, { functionCallingConfig: { mode: "ANY", allowedFunctionNames: ["f"] } }],
  ])("tool_choice %j", (choice, config) => {
    const parameters = { type: "object", properties: {}, additionalProperties: false };
    const tools = [{ name: "f", description: "d", parameters }, { name: "g" }];
    const { body } = encoded({ tools, ...(choice !== undefined && { tool_choice: choice }) });
    expect(body["tools"]).toEqual([
      { functionDeclarations: [{ name: "f", description: "d", parametersJsonSchema: parameters }, { name: "g" }] },
    ]);
    expect(body["toolConfig"]).toEqual(config);
  });
});

describe("thinking", () => {
  it.each<[string, ReasoningAsk, unknown, string[]]>([
    ["gemini-2.5-flash", { effort: "none" }, { thinkingBudget: 0 }, []],
    ["gemini-2.5-flash", { effort: "medium" }, { thinkingBudget: 8192 }, ["reasoning.effort"]],
    ["gemini-2.5-flash", { effort: "max" }, { thinkingBudget: 24_576 }, ["reasoning.effort"]],
    ["gemini-2.5-pro", { effort: "none" }, { thinkingBudget: 128 }, ["reasoning.effort"]],
    ["gemini-2.5-pro", { budget_tokens: 50_000 }, { thinkingBudget: 32_768 }, ["reasoning.budget_tokens"]],
    ["gemini-2.5-flash-lite", { budget_tokens: 100 }, { thinkingBudget: 512 }, ["reasoning.budget_tokens"]],
    ["gemini-2.5-flash", { adaptive: true, summary: "auto" }, { thinkingBudget: -1, includeThoughts: true }, []],
    [
      "gemini-3-flash",
      { effort: "minimal", summary: "none" },
      { thinkingLevel: "minimal", includeThoughts: false },
      [],
    ],
    ["gemini-3-flash", { effort: "none" }, { thinkingLevel: "minimal" }, ["reasoning.effort"]],
    ["gemini-3-pro-preview", { effort: "medium" }, { thinkingLevel: "high" }, ["reasoning.effort"]],
    ["gemini-3.1-pro", { effort: "medium" }, { thinkingLevel: "medium" }, []],
    ["gemini-3.1-pro", { effort: "minimal" }, { thinkingLevel: "low" }, ["reasoning.effort"]],
    ["gemini-3-flash", { budget_tokens: 1024 }, { thinkingBudget: 1024 }, []],
    ["gemini-3-flash", { effort: "high", budget_tokens: 1024 }, { thinkingLevel: "high" }, ["reasoning.budget_tokens"]],
    ["gemini-flash-latest", { effort: "xhigh" }, { thinkingLevel: "high" }, ["reasoning.effort"]],
    ["gemini-3-flash", { adaptive: true }, undefined, []],
    ["gemini-2.0-flash", { effort: "high" }, undefined, ["reasoning"]],
    ["gemini-2.0-flash", { effort: "none" }, undefined, []],
  ])("%s asked %j is told %j", (model, reasoning, config, dropped) => {
    const { body, dropped: lost } = encoded({ reasoning }, model);
    expect((body["generationConfig"] as { thinkingConfig?: unknown } | undefined)?.thinkingConfig).toEqual(config);
    expect(lost).toEqual(dropped);
  });
});

describe("contents", () => {
  it("instructions alone are said by the user", () => {
    const { body } = encoded({ messages: [{ role: "system", parts: [text("a")] }] });
    expect(body).toEqual({ contents: [{ role: "user", parts: [{ text: "a" }] }] });
  });

  it("results come back by name and id, together and apart from words", () => {
    const messages = [
      user(text("q")),
      assistant(text("so"), call("1", "f"), call("2", "g")),
      result("2", '{"n":12345678901234567890}'),
      result("1", "down", { is_error: true }),
      user(text("and?")),
    ];
    const { body } = geminiVendor.encodeRequest(requestOf({ messages }), { model: "m", defaultMaxTokens: 1 });
    expect(JSON.stringify(body)).toContain('{"n":12345678901234567890}');
    expect((contentsOf(messages) as unknown[]).slice(1)).toMatchObject([
      {
        role: "model",
        parts: [
          { text: "so" },
          { functionCall: { name: "f", id: "1", args: {} } },
          { functionCall: { name: "g", id: "2" } },
        ],
      },
      {
        role: "user",
        parts: [
          { functionResponse: { name: "g", id: "2" } },
          { functionResponse: { name: "f", id: "1", response: { error: "down" } } },
        ],
      },
      { role: "user", parts: [{ text: "and?" }] },
    ]);
  });

  it.each([
    ["words", "sunny", { output: "sunny" }],
    ["an object", '{"a":1}', { a: 1 }],
    ["a list", "[1]", { output: "[1]" }],
    ["a broken object", '{"a"', { output: '{"a"' }],
    ["nothing", "", { output: "" }],
  ])("a result of %s", (_name, words, response) => {
    const contents = contentsOf([assistant(call("1", "f")), result("1", words)]);
    expect(contents).toMatchObject([{}, { parts: [{ functionResponse: { response } }] }]);
  });

  it("pictures from tools stand in the result since Gemini 3, and before with the user", () => {
    const parts = [text("chart:"), { type: "image", media_type: "image/png", data: "AAAA" }];
    const messages = [assistant(call("1", "f", { signature: "s" })), result("1", "chart:", { parts })];
    const picture = { inlineData: { mimeType: "image/png", data: "AAAA" } };
    const response = { name: "f", id: "1", response: { output: "chart:" } };
    expect((contentsOf(messages, "gemini-3-pro") as unknown[]).slice(1)).toEqual([
      { role: "user", parts: [{ functionResponse: { ...response, parts: [picture] } }] },
    ]);
    expect((contentsOf(messages, "gemini-2.5-pro") as unknown[]).slice(1)).toEqual([
      { role: "user", parts: [{ functionResponse: response }] },
      { role: "user", parts: [{ text: "Result of tool call 1:" }, picture] },
    ]);
  });

  it.each<[ChatPart, unknown]>([
    [
      { type: "image", url: "https://a.example/b.png?c" },
      { fileData: { mimeType: "image/png", fileUri: "https://a.example/b.png?c" } },
    ],
    [{ type: "image", url: "https://a.example/b" }, { fileData: { fileUri: "https://a.example/b" } }],
    [{ type: "image", media_type: "image/jpg", data: "A" }, { inlineData: { mimeType: "image/jpeg", data: "A" } }],
    [
      { type: "file", media_type: "video/mp4", file_id: "gs://b/c" },
      { fileData: { mimeType: "video/mp4", fileUri: "gs://b/c" } },
    ],
    [{ type: "file", data: "A" }, { inlineData: { mimeType: "application/pdf", data: "A" } }],
    [{ type: "audio", format: "mp3", data: "A" }, { inlineData: { mimeType: "audio/mp3", data: "A" } }],
    [{ type: "audio", id: "a", transcript: "hi" }, { text: "hi" }],
  ])("%j is shown as %j", (part, wire) => expect(contentsOf([user(part)])).toEqual([{ role: "user", parts: [wire] }]));

  it("signatures go back to where they stood", () => {
    const parts = [
      { text: "Hm.", thought: true, thoughtSignature: "s1" },
      { text: "Yes", thoughtSignature: "s2" },
      { text: "", thoughtSignature: "s4" },
      { functionCall: { name: "f", id: "1", args: { a: 1 } }, thoughtSignature: "s3" },
      { functionCall: { name: "f", id: "2", args: {} } },
      { executableCode: { code: "1" } },
    ];
    const decoded = geminiVendor.decodeResponse({ candidates: [{ content: { parts }, finishReason: "STOP" }] });
    if (!decoded.ok) throw new Error(decoded.message);
    expect(contentsOf([assistant(...decoded.response.parts)], "gemini-3-pro")).toEqual([{ role: "model", parts }]);
  });

  it("the first of calls that nobody proved says so to models that mind", () => {
    const messages = [assistant(call("1", "f"), call("2", "g"))];
    const signed = (model: string) =>
      (contentsOf(messages, model) as { parts: { thoughtSignature?: string }[] }[])[0]!.parts.map(
        (part) => part.thoughtSignature,
      );
    expect(signed("gemini-3-pro")).toEqual(["skip_thought_signature_validator", undefined]);
    expect(signed("gemini-2.5-pro")).toEqual([undefined, undefined]);
  });

  it("arguments that are no object are handed over as the text they are", () => {
    const messages = [assistant(call("1", "f", { arguments: '{"a' }))];
    expect(contentsOf(messages)).toMatchObject([{ parts: [{ functionCall: { args: { arguments: '{"a' } } }] }]);
    expect(encoded({ messages }).dropped).toEqual(["tool_calls.function.arguments"]);
  });
});
