/** The official clients read what Weir writes, and write what Weir reads: their own parsers, over a fetch that opens no connection. */
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { describe, expect, it } from "vitest";
import type { ChatEvent, ChatResponse } from "../../kernel/chat.ts";
import { eventsOf } from "../../kernel/chat-stream.ts";
import { clientDialects, vendorDialects } from "./index.ts";

import { requestOf } from "./sample-chats.ts";
import { openSseDecoder } from "./sse.ts";

type DialectName = "openai-chat" | "anthropic-messages";

const id = { decision: "dec_1", createdMs: 1_700_000_000_000 };
const usage = { input: 5, cached_input: 3, output: 7, estimated: false };

const answer: ChatResponse = {
  model: "vendor-model",
  parts: [
    { type: "reasoning", text: "Let me look.", signature: "sig" },
    { type: "text", text: "Zürich 🏦 and Genève." },
    { type: "tool_call", id: "call_a", name: "get_rate", arguments: '{"city":"Zürich"}' },
    { type: "tool_call", id: "call_b", name: "get_time", arguments: "{}" },
  ],
  finish: "tool_calls",
  usage,
};

/** An answer over the wire of `from` (its vendor's stream), translated for a client of `to`. */
function translated(from: DialectName, to: DialectName, response: ChatResponse): string {
  const vendorWire = clientDialects[from].openStream(id, requestOf({ wants_usage: true }));
  const bytes = Buffer.from(
    eventsOf(response)
      .map((event) => vendorWire.encode(event))
      .join(""),
  );
  const reader = vendorDialects[from].openStream();
  const writer = clientDialects[to].openStream(id, requestOf({ wants_usage: true }));
  const events: ChatEvent[] = openSseDecoder()
    .push(bytes)
    .flatMap((sse) => reader.decode(sse));
  return events.map((event) => writer.encode(event)).join("");
}

interface Exchange {
  fetch: typeof fetch;
  sent: unknown[];
}

function answering(status: number, contentType: string, text: string): Exchange {
  const sent: unknown[] = [];
  return {
    sent,
    fetch: async (_input, init) => {
      sent.push(JSON.parse(typeof init?.body === "string" ? init.body : "null"));
      return new Response(text, { status, headers: { "content-type": contentType } });
    },
  };
}

const sse = (text: string): Exchange => answering(200, "text/event-stream", text);
const jsonAnswer = (value: unknown, status = 200): Exchange =>
  answering(status, "application/json", JSON.stringify(value));
const openai = ({ fetch }: Exchange) =>
  new OpenAI({ apiKey: "k", baseURL: "http://weir.invalid/v1", fetch, maxRetries: 0 });
const anthropic = ({ fetch }: Exchange) =>
  new Anthropic({ apiKey: "k", baseURL: "http://weir.invalid", fetch, maxRetries: 0 });
const openaiAsk = { model: "m", messages: [{ role: "user" as const, content: "hi" }] };
const anthropicAsk = { ...openaiAsk, max_tokens: 10 };

describe.each(["openai-chat", "anthropic-messages"] as const)("a stream of a %s vendor", (from) => {
  it("is read by the openai client", async () => {
    const stream = openai(sse(translated(from, "openai-chat", answer))).chat.completions.stream({
      ...openaiAsk,
      stream_options: { include_usage: true },
    });
    const final = await stream.finalChatCompletion();
    expect(final).toMatchObject({ id: "chatcmpl-dec_1", model: "vendor-model", created: 1_700_000_000 });
    expect(final.choices[0]).toMatchObject({
      finish_reason: "tool_calls",
      message: {
        content: "Zürich 🏦 and Genève.",
        tool_calls: [
          { id: "call_a", type: "function", function: { name: "get_rate", arguments: '{"city":"Zürich"}' } },
          { id: "call_b", type: "function", function: { name: "get_time", arguments: "{}" } },
        ],
      },
    });
    expect(final.usage).toMatchObject({
      prompt_tokens: 8,
      completion_tokens: 7,
      prompt_tokens_details: { cached_tokens: 3 },
    });
  });

  it("is read by the anthropic client", async () => {
    const stream = anthropic(sse(translated(from, "anthropic-messages", answer))).messages.stream(anthropicAsk);
    const final = await stream.finalMessage();
    expect(final).toMatchObject({
      id: "msg_dec_1",
      model: "vendor-model",
      stop_reason: "tool_use",
      content: [
        { type: "thinking", thinking: "Let me look.", signature: "sig" },
        { type: "text", text: "Zürich 🏦 and Genève." },
        { type: "tool_use", id: "call_a", name: "get_rate", input: { city: "Zürich" } },
        { type: "tool_use", id: "call_b", name: "get_time", input: {} },
      ],
      usage: { input_tokens: 5, cache_read_input_tokens: 3, output_tokens: 7 },
    });
  });
});

describe("what only one of the two APIs has", () => {
  it("several answers with logprobs, custom tools and speech are read by the openai client", async () => {
    const token = { token: "a", logprob: -0.5, bytes: [97], top: [{ token: "b", logprob: -1, bytes: null }] };
    const response: ChatResponse = {
      model: "vendor-model",
      parts: [{ type: "text", text: "a" }],
      logprobs: [token],
      finish: "stop",
      others: [
        {
          parts: [{ type: "tool_call", id: "c", name: "sql", arguments: "select 1", custom: true }],
          finish: "tool_calls",
        },
        { parts: [{ type: "audio", id: "audio_1", data: "AAAA", transcript: "Hi.", expires_at: 5 }], finish: "stop" },
      ],
      usage,
    };
    const whole = jsonAnswer(clientDialects["openai-chat"].encodeResponse(response, id, requestOf()));
    const { choices } = await openai(whole).chat.completions.create({ ...openaiAsk, n: 3, logprobs: true });
    expect(choices.map((choice) => choice.index)).toEqual([0, 1, 2]);
    expect(choices[0]?.logprobs?.content).toMatchObject([{ token: "a", top_logprobs: [{ token: "b" }] }]);
    expect(choices[1]?.message.tool_calls).toEqual([
      { id: "c", type: "custom", custom: { name: "sql", input: "select 1" } },
    ]);
    expect(choices[2]?.message.audio).toMatchObject({ id: "audio_1", transcript: "Hi." });
    const streamed: ChatResponse = {
      ...response,
      others: [{ parts: [{ type: "text", text: "b" }], finish: "length" }],
    };
    const stream = openai(sse(translated("openai-chat", "openai-chat", streamed))).chat.completions.stream(openaiAsk);
    const final = await stream.finalChatCompletion();
    expect(final.choices.map(({ message, finish_reason }) => [message.content, finish_reason])).toEqual([
      ["a", "stop"],
      ["b", "length"],
    ]);
    expect(final.choices[0]?.logprobs?.content).toMatchObject([{ token: "a" }]);
  });

  it("server tools, their results and citations are read by the anthropic client", async () => {
    const native = (kind: string, value: object) => ({
      type: "native" as const,
      dialect: "anthropic-messages" as const,
      kind,
      value: { type: kind, ...value },
    });
    const citation = {
      type: "web_search_result_location",
      url: "u",
      title: "t",
      encrypted_index: "e",
      cited_text: "c",
    };
    const response: ChatResponse = {
      model: "vendor-model",
      parts: [
        native("server_tool_use", { id: "s", name: "web_search", input: { query: "x" } }),
        native("web_search_tool_result", { tool_use_id: "s", content: [] }),
        { type: "text", text: "So it is." },
        { type: "native", dialect: "anthropic-messages", kind: "citation", value: citation },
      ],
      finish: "pause",
      usage: { ...usage, cache_write: 2, cache_write_1h: 4, web_searches: 1 },
    };
    const text = translated("anthropic-messages", "anthropic-messages", response);
    const final = await anthropic(sse(text)).messages.stream(anthropicAsk).finalMessage();
    expect(final).toMatchObject({
      stop_reason: "pause_turn",
      content: [
        { type: "server_tool_use", input: { query: "x" } },
        { type: "web_search_tool_result" },
        { type: "text", text: "So it is.", citations: [citation] },
      ],
      usage: { cache_creation_input_tokens: 6, server_tool_use: { web_search_requests: 1 } },
    });
  });
});

describe("answers in one piece", () => {
  it("are read by the openai client", async () => {
    const exchange = jsonAnswer(clientDialects["openai-chat"].encodeResponse(answer, id, requestOf()));
    const final = await openai(exchange).chat.completions.create(openaiAsk);
    expect(final.choices[0]?.message.tool_calls).toHaveLength(2);
    expect(final.usage?.total_tokens).toBe(15);
    expect(clientDialects["openai-chat"].decodeRequest(exchange.sent[0])).toMatchObject({ ok: true });
  });

  it("are read by the anthropic client", async () => {
    const exchange = jsonAnswer(clientDialects["anthropic-messages"].encodeResponse(answer, id, requestOf()));
    const final = await anthropic(exchange).messages.create(anthropicAsk);
    expect(final.content).toHaveLength(4);
    expect(final.usage.input_tokens).toBe(5);
    expect(clientDialects["anthropic-messages"].decodeRequest(exchange.sent[0])).toMatchObject({ ok: true });
  });
});

describe("failures", () => {
  const error = { code: "over_limit", message: "Wait 3 s.", status: 429, param: "model" };

  it("are typed errors to the openai client, whole and mid-stream", async () => {
    const whole = openai(jsonAnswer(clientDialects["openai-chat"].encodeError(error), 429));
    await expect(whole.chat.completions.create(openaiAsk)).rejects.toMatchObject({
      status: 429,
      code: "over_limit",
      param: "model",
    });
    const writer = clientDialects["openai-chat"].openStream(id, requestOf());
    const broken = openai(sse(writer.encode({ type: "text", text: "a" }) + writer.fail(error)));
    await expect(broken.chat.completions.stream(openaiAsk).finalChatCompletion()).rejects.toThrow("Wait 3 s.");
  });

  it("are typed errors to the anthropic client, whole and mid-stream", async () => {
    const whole = anthropic(jsonAnswer(clientDialects["anthropic-messages"].encodeError(error), 429));
    await expect(whole.messages.create(anthropicAsk)).rejects.toMatchObject({ status: 429 });
    const writer = clientDialects["anthropic-messages"].openStream(id, requestOf());
    const broken = anthropic(sse(writer.encode({ type: "text", text: "a" }) + writer.fail(error)));
    await expect(broken.messages.stream(anthropicAsk).finalMessage()).rejects.toThrow("Wait 3 s.");
  });
});
