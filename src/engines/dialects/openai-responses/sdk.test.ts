/** The official client reads what Weir writes, and writes what Weir reads, over a fetch that opens no connection. */
import OpenAI from "openai";
import { zodResponsesFunction, zodTextFormat } from "openai/helpers/zod";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { ChatEvent, ChatRequest, ChatResponse } from "../../../kernel/chat.ts";
import { eventsOf } from "../../../kernel/chat-stream.ts";
import { openaiResponsesClient } from "./index.ts";

const id = { decision: "dec_1", createdMs: 1_700_000_000_000 };
const usage = { input: 5, cached_input: 3, output: 7, reasoning: 2, estimated: false };

/** Weir as the client sees it: reads the request, answers with what it is given, whole or streamed as asked. */
function weir(answer: ChatResponse | ChatEvent[]) {
  const asked: ChatRequest[] = [];
  const fetch = async (_input: unknown, init?: RequestInit): Promise<Response> => {
    const decoded = openaiResponsesClient.decodeRequest(
      JSON.parse(typeof init?.body === "string" ? init.body : "null"),
    );
    if (!decoded.ok) throw new Error(`${decoded.path}: ${decoded.message}`);
    asked.push(decoded.request);
    if (!decoded.request.stream && !Array.isArray(answer)) {
      return Response.json(openaiResponsesClient.encodeResponse(answer, id, decoded.request));
    }
    const stream = openaiResponsesClient.openStream(id, decoded.request);
    const wire = (Array.isArray(answer) ? answer : eventsOf(answer)).map((event) => stream.encode(event)).join("");
    return new Response(wire, { headers: { "content-type": "text/event-stream" } });
  };
  return { client: new OpenAI({ apiKey: "k", baseURL: "http://weir.invalid/v1", fetch, maxRetries: 0 }), asked };
}

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const list: Item[] = [];
  for await (const item of items) list.push(item);
  return list;
}

const answer: ChatResponse = {
  model: "vendor-model",
  parts: [
    { type: "reasoning", text: "Let me look.", signature: "sig" },
    { type: "text", text: "Zürich 🏦 and Genève." },
    { type: "tool_call", id: "call_a", name: "get_rate", arguments: '{"city":"Zürich"}' },
    { type: "tool_call", id: "call_b", name: "run", arguments: "ls -l", custom: true },
  ],
  finish: "tool_calls",
  usage,
};
const ask = { model: "use-case", input: "hi" };
const output = [
  { type: "reasoning", summary: [{ type: "summary_text", text: "Let me look." }] },
  {
    type: "message",
    role: "assistant",
    content: [{ type: "output_text", text: "Zürich 🏦 and Genève.", annotations: [] }],
  },
  { type: "function_call", call_id: "call_a", name: "get_rate", arguments: '{"city":"Zürich"}' },
  { type: "custom_tool_call", call_id: "call_b", name: "run", input: "ls -l" },
];

describe("responses.create", () => {
  it("reads a whole answer", async () => {
    const response = await weir(answer).client.responses.create(ask);
    expect(response).toMatchObject({ id: "resp_dec_1", model: "vendor-model", status: "completed", output });
    expect(response.output_text).toBe("Zürich 🏦 and Genève.");
    expect(response.usage).toMatchObject({
      input_tokens: 8,
      input_tokens_details: { cached_tokens: 3 },
      output_tokens: 7,
      output_tokens_details: { reasoning_tokens: 2 },
      total_tokens: 15,
    });
  });

  it("reads a stream event by event", async () => {
    const stream = await weir(answer).client.responses.create({ ...ask, stream: true });
    const types: string[] = [];
    for await (const event of stream) types.push(event.type);
    expect([types[0], types.at(-1)]).toEqual(["response.created", "response.completed"]);
  });

  it("hands an answer's items back, and Weir reads them", async () => {
    const { client, asked } = weir(answer);
    const first = await client.responses.create(ask);
    await client.responses.create({
      ...ask,
      input: [
        { role: "user", content: "hi" },
        ...(first.output as OpenAI.Responses.ResponseInputItem[]),
        { type: "function_call_output", call_id: "call_a", output: "1.5 %" },
        { type: "custom_tool_call_output", call_id: "call_b", output: "a.png" },
      ],
    });
    expect(asked[1]!.messages).toEqual([
      { role: "user", parts: [{ type: "text", text: "hi" }] },
      { role: "assistant", parts: answer.parts },
      { role: "tool", parts: [{ type: "tool_result", id: "call_a", text: "1.5 %" }] },
      { role: "tool", parts: [{ type: "tool_result", id: "call_b", text: "a.png" }] },
    ]);
    expect(asked[1]!.unmodelled).toEqual([]);
  });

  it("sees that an answer was cut", async () => {
    const cut: ChatResponse = { model: "m", parts: [{ type: "text", text: "Zü" }], finish: "length" };
    const response = await weir(cut).client.responses.create(ask);
    expect(response).toMatchObject({ status: "incomplete", incomplete_details: { reason: "max_output_tokens" } });
    const final = await weir(cut).client.responses.stream(ask).finalResponse();
    expect(final).toMatchObject({ status: "incomplete", output: [{ status: "incomplete" }] });
  });
});

describe("responses.stream", () => {
  it("gathers the same answer, with calls that interleave", async () => {
    const events = eventsOf(answer);
    const delta = events.findIndex((event) => event.type === "tool_call_delta");
    const [waiting] = events.splice(delta, 1);
    events.splice(delta + 2, 0, waiting!);
    const final = await weir(events).client.responses.stream(ask).finalResponse();
    expect(final).toMatchObject({ id: "resp_dec_1", status: "completed", output });
    expect(final.output_text).toBe("Zürich 🏦 and Genève.");
    expect(final.usage?.total_tokens).toBe(15);
  });

  it.each<[name: string, part: ChatResponse["parts"][number], item: object]>([
    ["a refusal", { type: "text", text: "No.", refusal: true }, { content: [{ type: "refusal", refusal: "No." }] }],
    [
      "an image",
      { type: "image", media_type: "image/webp", data: "aWk=" },
      { type: "image_generation_call", result: "aWk=", output_format: "webp" },
    ],
    [
      "an item of a hosted tool",
      {
        type: "native",
        dialect: "openai-responses",
        kind: "web_search_call",
        value: { type: "web_search_call", id: "ws_1", status: "completed" },
      },
      { type: "web_search_call", id: "ws_1" },
    ],
    [
      "what another vendor encrypted",
      { type: "reasoning", text: "", encrypted: "x" },
      { type: "reasoning", summary: [], encrypted_content: "weir.encrypted.x" },
    ],
  ])("gathers %s", async (_name, part, item) => {
    const final = await weir({ model: "m", parts: [part], finish: "stop" })
      .client.responses.stream(ask)
      .finalResponse();
    expect(final.output).toMatchObject([item]);
  });

  it("gathers citations and log probabilities", async () => {
    const final = await weir({
      model: "m",
      parts: [{ type: "text", text: "It is 1.5 %." }],
      finish: "stop",
      logprobs: [{ token: "It", logprob: -0.1 }],
      citations: [{ source: "rates.md", title: "Rates", start: 0, end: 5, text: "1.5 %" }],
    })
      .client.responses.stream(ask)
      .finalResponse();
    expect(final.output).toMatchObject([
      {
        content: [
          { annotations: [{ url: "rates.md", start_index: 6 }], logprobs: [{ token: "It", bytes: [73, 116] }] },
        ],
      },
    ]);
  });

  it("a stream that broke is never an answer: an error event, or nothing more", async () => {
    const begun = eventsOf(answer).slice(0, 3);
    const failed = weir([...begun, { type: "error", message: "The vendor went away." }]).client.responses.stream(ask);
    await expect(failed.finalResponse()).rejects.toThrow("The vendor went away.");
    const iterated = await weir([{ type: "error", message: "Gone." }]).client.responses.create({
      ...ask,
      stream: true,
    });
    await expect(all(iterated)).rejects.toThrow("Gone.");
  });
});

describe("responses.parse", () => {
  const rate = z.object({ city: z.string(), percent: z.number() });

  it("finds the schema's object, whole and streamed", async () => {
    const json: ChatResponse = {
      model: "m",
      parts: [{ type: "text", text: '{"city":"Zürich","percent":1.5}' }],
      finish: "stop",
    };
    const { client, asked } = weir(json);
    const wanted = { ...ask, text: { format: zodTextFormat(rate, "rate") } };
    expect((await client.responses.parse(wanted)).output_parsed).toEqual({ city: "Zürich", percent: 1.5 });
    expect((await client.responses.stream(wanted).finalResponse()).output_parsed).toEqual({
      city: "Zürich",
      percent: 1.5,
    });
    expect(asked.map((request) => request.response_format)).toMatchObject([
      { type: "json_schema", name: "rate", strict: true },
      { type: "json_schema", name: "rate", strict: true },
    ]);
  });

  it("finds a tool's arguments", async () => {
    const { client, asked } = weir({
      model: "m",
      parts: [{ type: "tool_call", id: "call_1", name: "get_rate", arguments: '{"city":"Zürich","percent":2}' }],
      finish: "tool_calls",
    });
    const tools = [zodResponsesFunction({ name: "get_rate", parameters: rate })];
    const { output: parsed } = await client.responses.parse({ ...ask, tools });
    expect(parsed).toMatchObject([{ type: "function_call", parsed_arguments: { city: "Zürich", percent: 2 } }]);
    expect(asked[0]!.tools).toMatchObject([{ name: "get_rate", strict: true }]);
  });
});

describe("errors", () => {
  it("are typed, with the field that is wrong", async () => {
    const body = openaiResponsesClient.encodeError({
      code: "invalid_request",
      message: "No.",
      status: 400,
      param: "conversation",
    });
    const client = new OpenAI({
      apiKey: "k",
      baseURL: "http://weir.invalid/v1",
      maxRetries: 0,
      fetch: async () => Response.json(body, { status: 400 }),
    });
    await expect(client.responses.create(ask)).rejects.toMatchObject({
      status: 400,
      code: "invalid_request",
      param: "conversation",
    });
  });
});
