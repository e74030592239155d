import fc from "fast-check";
import OpenAI from "openai";
import { describe, expect, it } from "vitest";
import type { ChatEvent, ChatRequest, ChatResponse } from "../../../kernel/chat.ts";
import { eventsOf } from "../../../kernel/chat-stream.ts";
import type { Fields } from "../body-reader.ts";
import { openSseDecoder } from "../sse.ts";
import { openaiCompletionsClient } from "./index.ts";

const id = { decision: "dec_1", createdMs: 1_700_000_000_000 };
const usage = { input: 5, cached_input: 3, output: 7, estimated: false };
const asked: ChatRequest = { model: "use-case", messages: [], stream: true, wants_usage: true, unmodelled: [] };

function decode(body: Fields): ChatRequest {
  const decoded = openaiCompletionsClient.decodeRequest({ model: "m", prompt: "Once", ...body });
  if (!decoded.ok) throw new Error(`${decoded.path}: ${decoded.message}`);
  return decoded.request;
}

function written(events: readonly ChatEvent[], request = asked): string {
  const stream = openaiCompletionsClient.openStream(id, request);
  return events.map((event) => stream.encode(event)).join("");
}

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const list: Item[] = [];
  for await (const item of items) list.push(item);
  return list;
}

describe("a request", () => {
  it("is one message of a user", () => {
    const request = decode({
      prompt: ["Once"],
      max_tokens: 16,
      temperature: 0,
      top_p: 1,
      n: 2,
      best_of: 2,
      stop: "\n",
      seed: 1,
      presence_penalty: 1,
      frequency_penalty: 2,
      logit_bias: { "50256": -100 },
      logprobs: 3,
      echo: false,
      suffix: null,
      user: "u",
      stream: true,
      stream_options: { include_usage: true, include_obfuscation: false },
      prompt_cache_key: "k",
    });
    expect(request).toEqual({
      model: "m",
      messages: [{ role: "user", parts: [{ type: "text", text: "Once" }] }],
      stream: true,
      wants_usage: true,
      max_tokens: 16,
      temperature: 0,
      top_p: 1,
      n: 2,
      stop: ["\n"],
      seed: 1,
      presence_penalty: 1,
      frequency_penalty: 2,
      logit_bias: { "50256": -100 },
      logprobs: true,
      top_logprobs: 3,
      user: "u",
      unmodelled: ["stream_options.include_obfuscation", "prompt_cache_key"],
    });
  });

  it.each<[body: Fields, path: string, message: string]>([
    [{ prompt: undefined }, "prompt", "a string"],
    [{ prompt: "" }, "prompt", "empty"],
    [{ prompt: [] }, "prompt", "exactly one text, got 0"],
    [{ prompt: ["a", "b"] }, "prompt", "one request per prompt"],
    [{ prompt: [1, 2] }, "prompt", "token ids"],
    [{ prompt: [[1, 2]] }, "prompt", "token ids"],
    [{ suffix: "end" }, "suffix", "gap"],
    [{ echo: true }, "echo", "yourself"],
    [{ best_of: 3 }, "best_of", "ranks"],
    [{ best_of: 3, n: 2 }, "best_of", "ranks"],
    [{ logprobs: -1 }, "logprobs", "negative"],
    [{ max_tokens: 0 }, "max_tokens", "at least 1"],
  ])("%j is refused", (body, path, message) => {
    const decoded = openaiCompletionsClient.decodeRequest({ model: "m", prompt: "Once", ...body });
    expect(decoded).toMatchObject({ ok: false, path });
    expect(decoded.ok || decoded.message).toContain(message);
  });

  it("is read or refused, however odd", () => {
    const odd = fc.dictionary(
      fc.constantFrom("prompt", "n", "stop", "logit_bias", "stream_options", "echo"),
      fc.jsonValue(),
    );
    fc.assert(fc.property(fc.oneof(odd, fc.jsonValue()), (body) => void openaiCompletionsClient.decodeRequest(body)));
  });
});

const answer: ChatResponse = {
  model: "vendor-model",
  parts: [
    { type: "reasoning", text: "Hm." },
    { type: "text", text: " upon" },
  ],
  finish: "stop",
  others: [{ parts: [{ type: "text", text: " more" }], finish: "length" }],
  logprobs: [
    { token: " up", logprob: -0.1, top: [{ token: " up", logprob: -0.1 }] },
    { token: "on", logprob: -0.2 },
  ],
  usage,
};
const logprobs = {
  tokens: [" up", "on"],
  token_logprobs: [-0.1, -0.2],
  top_logprobs: [{ " up": -0.1 }, null],
  text_offset: [0, 3],
};
const over = (response: Response) =>
  new OpenAI({ apiKey: "k", baseURL: "http://weir.invalid/v1", fetch: async () => response, maxRetries: 0 });

describe("an answer", () => {
  it("is words alone, read by the official client", async () => {
    const body = openaiCompletionsClient.encodeResponse(answer, id, asked);
    const completion = await over(Response.json(body)).completions.create({ model: "m", prompt: "Once" });
    expect(completion).toMatchObject({
      id: "cmpl-dec_1",
      object: "text_completion",
      created: 1_700_000_000,
      model: "vendor-model",
      choices: [
        { text: " upon", index: 0, finish_reason: "stop", logprobs },
        { text: " more", index: 1, finish_reason: "length", logprobs: null },
      ],
      usage: { prompt_tokens: 8, completion_tokens: 7, total_tokens: 15 },
    });
  });

  it("is the same streamed, with usage last where it was asked for", async () => {
    const wire = written(eventsOf(answer));
    const sse = new Response(wire, { headers: { "content-type": "text/event-stream" } });
    const chunks = await all(await over(sse).completions.create({ model: "m", prompt: "Once", stream: true }));
    const choices = chunks.flatMap((chunk) => chunk.choices);
    const of = (index: number) => choices.filter((choice) => choice.index === index);
    expect(
      of(0)
        .map((choice) => choice.text)
        .join(""),
    ).toBe(" upon");
    expect(
      of(1)
        .map((choice) => choice.text)
        .join(""),
    ).toBe(" more");
    expect([of(0).at(-1)?.finish_reason, of(1).at(-1)?.finish_reason]).toEqual(["stop", "length"]);
    expect(of(0)[0]?.logprobs).toEqual(logprobs);
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 15 } });
    expect(chunks[0]).toMatchObject({ id: "cmpl-dec_1", object: "text_completion", usage: null });
    expect(written(eventsOf(answer), { ...asked, wants_usage: false })).not.toContain("usage");
  });

  it("counts the offsets of log probabilities through the pieces of each choice", () => {
    const said = (token: string, choice: number): ChatEvent => ({
      type: "text",
      text: token,
      logprobs: [{ token, logprob: -1 }],
      choice,
    });
    const wire = written([said("ab", 0), said("xyz", 1), said("cd", 0), said("!", 1)]);
    const offsets = [...wire.matchAll(/"text_offset":\[(\d+)\]/g)].map((match) => match[1]);
    expect(offsets).toEqual(["0", "0", "2", "3"]);
  });

  it("is the same text whole and streamed, in whatever pieces", () => {
    const pieces = fc.array(fc.string({ unit: "grapheme" }), { maxLength: 5 });
    fc.assert(
      fc.property(pieces, (texts) => {
        const events = texts.map((text): ChatEvent => ({ type: "text", text }));
        const records = openSseDecoder().push(Buffer.from(written([...events, { type: "end" }])));
        expect(records.pop()?.data).toBe("[DONE]");
        const said = records.map(
          (record) => (JSON.parse(record.data) as { choices: { text: string }[] }).choices[0]?.text,
        );
        expect(said.join("")).toBe(texts.join(""));
      }),
    );
  });

  it.each([
    ["tool_calls", "stop"],
    ["refusal", "content_filter"],
    ["content_filter", "content_filter"],
    ["pause", "length"],
  ] as const)("that ended with %s ends with %s", (finish, word) => {
    const body = openaiCompletionsClient.encodeResponse({ model: "", parts: [], finish }, id, asked);
    expect(body).toMatchObject({ model: "use-case", choices: [{ text: "", finish_reason: word }] });
  });

  it("that failed is an error without an end", async () => {
    const wire = written([{ type: "text", text: "On" }, { type: "error", message: "Gone." }, { type: "end" }]);
    expect(wire).not.toContain("[DONE]");
    const sse = new Response(wire, { headers: { "content-type": "text/event-stream" } });
    const stream = await over(sse).completions.create({ model: "m", prompt: "Once", stream: true });
    await expect(all(stream)).rejects.toThrow("Gone.");
    const stream2 = openaiCompletionsClient.openStream(id, asked);
    stream2.encode({ type: "end" });
    expect(stream2.fail({ code: "late", message: "x", status: 500 })).toBe("");
  });
});
