import { describe, expect, it } from "vitest";
import type { ChatEvent, ChatResponse } from "../../../kernel/chat.ts";
import { clientDialects, vendorDialects } from "../index.ts";
import { requestOf } from "../sample-chats.ts";
import { chunkOf, collect, read, sse, wholeOf } from "./sample-wire.ts";

const target = { model: "gemini-3-flash", defaultMaxTokens: 100 };
const id = { decision: "d1", createdMs: 0 };

function translated(client: keyof typeof clientDialects, body: unknown) {
  const decoded = clientDialects[client].decodeRequest(body);
  if (!decoded.ok) throw new Error(`${decoded.path}: ${decoded.message}`);
  const sent = vendorDialects.gemini.encodeRequest(decoded.request, target);
  return { body: JSON.parse(JSON.stringify(sent.body)) as unknown, dropped: sent.dropped.toSorted() };
}

describe("requests of other dialects", () => {
  it("OpenAI's with tools, pictures, a schema and an effort", () => {
    const schema = { type: "object", properties: { sky: { type: "string" } }, required: ["sky"] };
    const parameters = { type: "object", properties: { city: { type: "string" } } };
    const sent = translated("openai-chat", {
      model: "assistant",
      messages: [
        { role: "developer", content: "Be brief." },
        {
          role: "user",
          content: [
            { type: "text", text: "Weather here?" },
            { type: "image_url", image_url: { url: "data:image/png;base64,AAAA", detail: "high" } },
          ],
        },
        {
          role: "assistant",
          content: null,
          tool_calls: [
            {
              id: "call_r1_0",
              type: "function",
              function: { name: "weather", arguments: '{"city":"Rome"}' },
              extra_content: { google: { thought_signature: "sig" } },
            },
          ],
        },
        { role: "tool", tool_call_id: "call_r1_0", content: '{"sky":"clear"}' },
      ],
      tools: [{ type: "function", function: { name: "weather", parameters, strict: true } }],
      tool_choice: { type: "function", function: { name: "weather" } },
      parallel_tool_calls: false,
      response_format: { type: "json_schema", json_schema: { name: "sky", schema, strict: true } },
      reasoning_effort: "low",
      max_completion_tokens: 50,
      logit_bias: { "5": 1 },
      user: "u",
      stream: true,
    });
    expect(sent.body).toEqual({
      systemInstruction: { parts: [{ text: "Be brief." }] },
      contents: [
        { role: "user", parts: [{ text: "Weather here?" }, { inlineData: { mimeType: "image/png", data: "AAAA" } }] },
        {
          role: "model",
          parts: [
            { functionCall: { name: "weather", id: "call_r1_0", args: { city: "Rome" } }, thoughtSignature: "sig" },
          ],
        },
        {
          role: "user",
          parts: [{ functionResponse: { name: "weather", id: "call_r1_0", response: { sky: "clear" } } }],
        },
      ],
      tools: [{ functionDeclarations: [{ name: "weather", parametersJsonSchema: parameters }] }],
      toolConfig: { functionCallingConfig: { mode: "ANY", allowedFunctionNames: ["weather"] } },
      generationConfig: {
        maxOutputTokens: 50,
        responseMimeType: "application/json",
        responseJsonSchema: schema,
        thinkingConfig: { thinkingLevel: "low" },
      },
    });
    expect(sent.dropped).toEqual([
      "logit_bias",
      "messages.image.detail",
      "parallel_tool_calls",
      "tools.strict",
      "user",
    ]);
  });

  it("Anthropic's with thoughts, marks and a tool's error", () => {
    const sent = translated("anthropic-messages", {
      model: "assistant",
      max_tokens: 2000,
      system: [{ type: "text", text: "Be brief.", cache_control: { type: "ephemeral" } }],
      thinking: { type: "enabled", budget_tokens: 1024 },
      messages: [
        { role: "user", content: "q" },
        {
          role: "assistant",
          content: [
            { type: "thinking", thinking: "Hm.", signature: "s1" },
            { type: "redacted_thinking", data: "x" },
            { type: "tool_use", id: "toolu_1", name: "f", input: { a: 1 } },
          ],
        },
        {
          role: "user",
          content: [
            { type: "tool_result", tool_use_id: "toolu_1", content: "down", is_error: true },
            { type: "text", text: "why?" },
          ],
        },
      ],
    });
    expect(sent.body).toMatchObject({
      contents: [
        { role: "user", parts: [{ text: "q" }] },
        {
          role: "model",
          parts: [{ functionCall: { name: "f", id: "toolu_1", args: { a: 1 } } }],
        },
        { role: "user", parts: [{ functionResponse: { name: "f", id: "toolu_1", response: { error: "down" } } }] },
        { role: "user", parts: [{ text: "why?" }] },
      ],
      generationConfig: { maxOutputTokens: 2000, thinkingConfig: { thinkingBudget: 1024 } },
    });
    expect(sent.dropped).toEqual(["cache_control", "reasoning"]);
  });
});

const counts = {
  promptTokenCount: 20,
  cachedContentTokenCount: 5,
  candidatesTokenCount: 8,
  thoughtsTokenCount: 3,
  totalTokenCount: 31,
};
const call = (n: number, more: object = {}) => ({ functionCall: { name: "f", args: { n } }, ...more });
const chunks = [
  chunkOf([{ text: "Let me see.", thought: true }], { usageMetadata: { promptTokenCount: 20, totalTokenCount: 20 } }),
  chunkOf([{ text: "It is " }]),
  chunkOf([{ text: "sunny." }]),
  chunkOf([call(1, { thoughtSignature: "sig" }), call(2)], { usageMetadata: counts }, { finishReason: "STOP" }),
];
const usage = { input: 15, cached_input: 5, output: 11, reasoning: 3, estimated: false };

function shown(client: "openai-chat" | "anthropic-messages", events: readonly ChatEvent[]): ChatResponse | undefined {
  const stream = clientDialects[client].openStream(id, requestOf({ stream: true, wants_usage: true }));
  const wire = Buffer.from(events.map((event) => stream.encode(event)).join(""));
  const vendor = vendorDialects[client];
  const decoder = vendor.openDecoder();
  const reader = vendor.openStream();
  return collect([...decoder.push(wire), ...decoder.end()].flatMap((record) => reader.decode(record)));
}

describe("answers to clients of other dialects", () => {
  const calls = [
    { type: "tool_call", id: "call_r1_0", name: "f", arguments: '{"n":1}' },
    { type: "tool_call", id: "call_r1_1", name: "f", arguments: '{"n":2}' },
  ];
  const said = [
    { type: "reasoning", text: "Let me see." },
    { type: "text", text: "It is sunny." },
  ];

  it("OpenAI's hear the same, the signature included", () => {
    const response = shown("openai-chat", read(sse(chunks)));
    expect(response).toMatchObject({ model: "gemini-2.5-pro", finish: "tool_calls", usage });
    expect(response?.parts).toEqual([...said, { ...calls[0], signature: "sig" }, calls[1]]);
  });

  it("Anthropic's hear the same but for the signature", () => {
    const response = shown("anthropic-messages", read(sse(chunks)));
    expect(response).toMatchObject({ model: "gemini-2.5-pro", finish: "tool_calls", usage });
    expect(response?.parts).toEqual([...said, ...calls]);
  });

  it.each(["openai-chat", "anthropic-messages"] as const)(
    "a whole answer in %s keeps words, calls and usage",
    (client) => {
      const body = chunkOf([{ text: "Sunny." }, call(1)], { usageMetadata: counts }, { finishReason: "STOP" });
      const written = clientDialects[client].encodeResponse(wholeOf(body), id, requestOf());
      const again = vendorDialects[client].decodeResponse(JSON.parse(JSON.stringify(written)));
      expect(again).toMatchObject({
        ok: true,
        response: { finish: "tool_calls", parts: [{ text: "Sunny." }, calls[0]], usage },
      });
    },
  );

  it.each(["openai-chat", "anthropic-messages"] as const)("a cut stream never ends well in %s", (client) => {
    expect(shown(client, read(sse(chunks.slice(0, 3))))).toBeUndefined();
  });

  /** What a client that hands back all that it got asks next. */
  function replayed(client: "openai-chat" | "anthropic-messages", response: ChatResponse) {
    const answer = clientDialects[client].encodeResponse(response, id, requestOf());
    const message =
      client === "openai-chat"
        ? (answer as { choices: { message: object }[] }).choices[0]!.message
        : { role: "assistant", content: (answer as { content: unknown }).content };
    const messages = [{ role: "user", content: "q" }, message, { role: "user", content: "and?" }];
    const decoded = clientDialects[client].decodeRequest({
      model: "assistant",
      max_tokens: 9,
      messages: JSON.parse(JSON.stringify(messages)) as unknown,
    });
    if (!decoded.ok) throw new Error(`${decoded.path}: ${decoded.message}`);
    return decoded.request;
  }

  it.each(["openai-chat", "anthropic-messages"] as const)(
    "proofs of thoughts come back through %s, to Gemini alone",
    (client) => {
      const body = chunkOf([{ text: "Sunny.", thoughtSignature: "s1" }], {}, { finishReason: "STOP" });
      const request = replayed(client, wholeOf(body));
      const proof = JSON.stringify(vendorDialects.gemini.encodeRequest(request, target).body);
      expect(proof).toContain('"thoughtSignature":"s1"');
      for (const other of ["anthropic-messages", "openai-chat", "openai-responses", "cohere"] as const) {
        const sent = vendorDialects[other].encodeRequest(request, target);
        expect(JSON.stringify(sent.body)).not.toContain("s1");
        expect(sent.dropped).toContain("reasoning");
      }
    },
  );

  it("a refused prompt is a content filter to OpenAI's clients, and a refusal to Anthropic's", () => {
    const events = read(
      sse([{ promptFeedback: { blockReason: "SAFETY" }, usageMetadata: { promptTokenCount: 3, totalTokenCount: 3 } }]),
    );
    expect(shown("openai-chat", events)?.finish).toBe("content_filter");
    expect(shown("anthropic-messages", events)?.finish).toBe("refusal");
  });
});
