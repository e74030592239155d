/** Answers and requests that touch every kind of part: what the dialects themselves write of them are seeds. */
import type { ChatRequest, ChatResponse } from "../../src/kernel/chat.ts";
import { type WireRecord, onWire } from "./frames.ts";

export const sampleAnswers: readonly ChatResponse[] = [
  {
    model: "m-1",
    parts: [{ type: "text", text: "Hello thére 🏦, this is a whole answer.\nIn two lines." }],
    finish: "stop",
    usage: { input: 11, cached_input: 3, output: 9, estimated: false },
  },
  {
    model: "m-1",
    parts: [
      { type: "reasoning", text: "First I think.", signature: "c2lnbmVk" },
      { type: "text", text: "Let me look." },
      { type: "tool_call", id: "call_1", name: "get_rate", arguments: '{"term":12,"text":"\\"quoted\\""}' },
      { type: "tool_call", id: "call_2", name: "get_fee", arguments: "{}" },
    ],
    finish: "tool_calls",
    usage: { input: 200, cached_input: 0, cache_write: 20, output: 44, reasoning: 12, estimated: false },
  },
  {
    model: "m-1",
    parts: [{ type: "text", text: "Half an ans" }],
    finish: "length",
    others: [{ parts: [{ type: "text", text: "Another" }], finish: "stop" }],
    usage: { input: 5, cached_input: 0, output: 4, estimated: false },
  },
  { model: "m-1", parts: [{ type: "text", text: "I can't help.", refusal: true }], finish: "refusal" },
];

export const sampleRequest: ChatRequest = {
  model: "use-case",
  messages: [
    { role: "system", parts: [{ type: "text", text: "You are brief." }] },
    {
      role: "user",
      parts: [
        { type: "text", text: "What is this, and what does it cost?" },
        { type: "image", media_type: "image/png", data: "iVBORw0KGgo=" },
      ],
    },
    { role: "assistant", parts: [{ type: "tool_call", id: "call_1", name: "get_rate", arguments: '{"term":12}' }] },
    { role: "tool", parts: [{ type: "tool_result", id: "call_1", text: "4.2 %" }] },
    { role: "user", parts: [{ type: "text", text: "Thanks." }] },
  ],
  stream: false,
  wants_usage: false,
  max_tokens: 256,
  temperature: 0.2,
  stop: ["END"],
  tools: [
    { name: "get_rate", description: "d", parameters: { type: "object", properties: { term: { type: "integer" } } } },
  ],
  tool_choice: "auto",
  unmodelled: [],
};

/** Streams and answers of vendors whose format no client of Weir speaks, so that nothing here writes them. */
const foreign: Record<string, { streams: WireRecord[][]; answers: unknown[] }> = {
  gemini: {
    streams: [
      [
        {
          event: "",
          data: '{"candidates":[{"content":{"role":"model","parts":[{"text":"Hi "}]}}],"modelVersion":"g","responseId":"r"}',
        },
        {
          event: "",
          data: '{"candidates":[{"content":{"role":"model","parts":[{"text":"hm","thought":true},{"functionCall":{"name":"f","args":{"a":1}},"thoughtSignature":"c2ln"}]}}]}',
        },
        {
          event: "",
          data: '{"candidates":[{"content":{"parts":[{"text":"there."}]},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":9,"cachedContentTokenCount":2,"candidatesTokenCount":4,"thoughtsTokenCount":3,"totalTokenCount":16}}',
        },
      ],
    ],
    answers: [
      {
        candidates: [{ content: { role: "model", parts: [{ text: "Hi there." }] }, finishReason: "STOP", index: 0 }],
        usageMetadata: { promptTokenCount: 9, candidatesTokenCount: 4, totalTokenCount: 13 },
        modelVersion: "g",
        responseId: "r",
      },
    ],
  },
  cohere: {
    streams: [
      [
        {
          event: "message-start",
          data: '{"type":"message-start","id":"i","delta":{"message":{"role":"assistant","content":[],"tool_plan":"","tool_calls":[],"citations":[]}}}',
        },
        {
          event: "content-start",
          data: '{"type":"content-start","index":0,"delta":{"message":{"content":{"type":"text","text":""}}}}',
        },
        {
          event: "content-delta",
          data: '{"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"Hi there"}}}}',
        },
        { event: "content-end", data: '{"type":"content-end","index":0}' },
        {
          event: "tool-plan-delta",
          data: '{"type":"tool-plan-delta","delta":{"message":{"tool_plan":"I will look"}}}',
        },
        {
          event: "tool-call-start",
          data: '{"type":"tool-call-start","index":0,"delta":{"message":{"tool_calls":{"id":"c","type":"function","function":{"name":"f","arguments":""}}}}}',
        },
        {
          event: "tool-call-delta",
          data: '{"type":"tool-call-delta","index":0,"delta":{"message":{"tool_calls":{"function":{"arguments":"{}"}}}}}',
        },
        { event: "tool-call-end", data: '{"type":"tool-call-end","index":0}' },
        {
          event: "message-end",
          data: '{"type":"message-end","delta":{"finish_reason":"COMPLETE","usage":{"billed_units":{"input_tokens":5,"output_tokens":7},"tokens":{"input_tokens":71,"output_tokens":8}}}}',
        },
      ],
    ],
    answers: [
      {
        id: "i",
        message: { role: "assistant", content: [{ type: "text", text: "Hi there" }] },
        finish_reason: "COMPLETE",
        usage: { billed_units: { input_tokens: 5, output_tokens: 7 }, tokens: { input_tokens: 71, output_tokens: 8 } },
      },
    ],
  },
  "bedrock-converse": {
    streams: [
      [
        { event: "messageStart", data: '{"role":"assistant"}' },
        { event: "contentBlockDelta", data: '{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"Hm."}}}' },
        {
          event: "contentBlockDelta",
          data: '{"contentBlockIndex":0,"delta":{"reasoningContent":{"signature":"c2ln"}}}',
        },
        { event: "contentBlockStop", data: '{"contentBlockIndex":0}' },
        { event: "contentBlockDelta", data: '{"contentBlockIndex":1,"delta":{"text":"Hi there"}}' },
        { event: "contentBlockStop", data: '{"contentBlockIndex":1}' },
        {
          event: "contentBlockStart",
          data: '{"contentBlockIndex":2,"start":{"toolUse":{"toolUseId":"t","name":"f"}}}',
        },
        { event: "contentBlockDelta", data: '{"contentBlockIndex":2,"delta":{"toolUse":{"input":"{}"}}}' },
        { event: "contentBlockStop", data: '{"contentBlockIndex":2}' },
        { event: "messageStop", data: '{"stopReason":"tool_use"}' },
        {
          event: "metadata",
          data: '{"usage":{"inputTokens":9,"outputTokens":4,"totalTokens":13,"cacheReadInputTokens":2},"metrics":{"latencyMs":1}}',
        },
      ],
    ],
    answers: [
      {
        output: { message: { role: "assistant", content: [{ text: "Hi there" }] } },
        stopReason: "end_turn",
        usage: { inputTokens: 9, outputTokens: 4, totalTokens: 13 },
      },
    ],
  },
};

export function foreignSeeds(dialect: string, streamType: string): { streams: Buffer[]; answers: Buffer[] } {
  const own = foreign[dialect];
  return {
    streams: (own?.streams ?? []).map((records) => onWire(records, streamType)),
    answers: (own?.answers ?? []).map((answer) => Buffer.from(JSON.stringify(answer))),
  };
}
