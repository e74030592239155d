import { describe, expect, it } from "vitest";
import type { ChatEvent, FinishReason } from "../../../kernel/chat.ts";
import { geminiVendor } from "./index.ts";
import { proofOf } from "./signature.ts";
import { chunkOf, collect, read, sse, wholeOf } from "./sample-wire.ts";
import { usageOf } from "./usage.ts";

const counts = (prompt: number, candidates: number, more: object = {}) => ({
  usageMetadata: { promptTokenCount: prompt, candidatesTokenCount: candidates, ...more },
});
const typesOf = (events: readonly ChatEvent[]) => events.map((event) => event.type);

describe("usage", () => {
  it.each([
    [
      "thoughts are a part of the output",
      { promptTokenCount: 10, candidatesTokenCount: 12, thoughtsTokenCount: 5, totalTokenCount: 27 },
      { input: 10, cached_input: 0, output: 17, reasoning: 5 },
    ],
    [
      "thoughts are counted apart, total or none",
      { promptTokenCount: 10, candidatesTokenCount: 12, thoughtsTokenCount: 5 },
      { input: 10, cached_input: 0, output: 17, reasoning: 5 },
    ],
    [
      "some models count thoughts among the candidates",
      { promptTokenCount: 10, candidatesTokenCount: 12, thoughtsTokenCount: 5, totalTokenCount: 22 },
      { input: 10, cached_input: 0, output: 12, reasoning: 5 },
    ],
    [
      "the prompt includes what was cached",
      { promptTokenCount: 100, cachedContentTokenCount: 60, candidatesTokenCount: 1 },
      { input: 40, cached_input: 60, output: 1 },
    ],
    [
      "no candidates: the maximum went into thoughts",
      { promptTokenCount: 9, thoughtsTokenCount: 64, totalTokenCount: 73 },
      { input: 9, cached_input: 0, output: 64, reasoning: 64 },
    ],
    [
      "zero candidates, and a total that knows better",
      { promptTokenCount: 7, candidatesTokenCount: 0, totalTokenCount: 8 },
      { input: 7, cached_input: 0, output: 1 },
    ],
    [
      "tools of Google's own put input before the model",
      { promptTokenCount: 7, toolUsePromptTokenCount: 30, candidatesTokenCount: 3, totalTokenCount: 40 },
      { input: 37, cached_input: 0, output: 3 },
    ],
    [
      "audio and pictures, each once",
      {
        promptTokenCount: 300,
        promptTokensDetails: [
          { modality: "TEXT", tokenCount: 50 },
          { modality: "AUDIO", tokenCount: 250 },
        ],
        cachedContentTokenCount: 120,
        cacheTokensDetails: [
          { modality: "AUDIO", tokenCount: 100 },
          { modality: "TEXT", tokenCount: 20 },
        ],
        candidatesTokenCount: 90,
        candidatesTokensDetails: [
          { modality: "AUDIO", tokenCount: 40 },
          { modality: "IMAGE", tokenCount: 30 },
          { modality: "TEXT", tokenCount: 20 },
        ],
      },
      {
        input: 30,
        cached_input: 20,
        audio_input: 150,
        cached_audio_input: 100,
        output: 20,
        audio_output: 40,
        image_output: 30,
      },
    ],
    [
      "flexible traffic of Vertex",
      { promptTokenCount: 1, candidatesTokenCount: 1, trafficType: "ON_DEMAND_FLEX" },
      { input: 1, cached_input: 0, output: 1, service_class: "flex" },
    ],
    [
      "more cached than asked",
      { promptTokenCount: 5, cachedContentTokenCount: 9, candidatesTokenCount: 0 },
      { input: 0, cached_input: 5, output: 0 },
    ],
  ])("%s", (_name, metadata, usage) => expect(usageOf(metadata)?.usage).toEqual({ ...usage, estimated: false }));

  it.each([undefined, null, 3, {}, { promptTokenCount: "9" }, { promptTokenCount: -1 }])("%j is no report", (value) =>
    expect(usageOf(value)).toBeUndefined(),
  );

  it("is cumulative in every chunk: the last one stands", () => {
    const chunks = [1, 5, 9].map((n, i) =>
      chunkOf([{ text: "a" }], counts(4, n), i === 2 ? { finishReason: "STOP" } : {}),
    );
    const events = read(sse(chunks));
    expect(events.filter((event) => event.type === "usage")).toHaveLength(3);
    expect(collect(events)?.usage).toEqual({ input: 4, cached_input: 0, output: 9, estimated: false });
  });

  it("is a floor as long as only the prompt was counted", () => {
    const events = read(
      sse([chunkOf([{ text: "a" }], { usageMetadata: { promptTokenCount: 4, totalTokenCount: 4 } })]),
      { cut: true },
    );
    expect(typesOf(events)).toEqual(["start", "text"]);
    expect(events[0]).toMatchObject({ usage: { input: 4, output: 0 } });
  });

  it("of an answer whose words nobody counted is left to be estimated, of a refused prompt it isn't", () => {
    const uncounted = { usageMetadata: { promptTokenCount: 4, totalTokenCount: 4 } };
    expect(wholeOf(chunkOf([{ text: "a" }], uncounted, { finishReason: "STOP" })).usage).toBeUndefined();
    const refused = wholeOf({ promptFeedback: { blockReason: "SAFETY" }, ...uncounted });
    expect(refused).toMatchObject({ finish: "content_filter", parts: [], usage: { input: 4, output: 0 } });
  });
});

describe("answers", () => {
  it.each<[string, FinishReason, FinishReason]>([
    ["STOP", "stop", "tool_calls"],
    ["MAX_TOKENS", "length", "length"],
    ["SAFETY", "content_filter", "content_filter"],
    ["RECITATION", "content_filter", "content_filter"],
    ["BLOCKLIST", "content_filter", "content_filter"],
    ["PROHIBITED_CONTENT", "content_filter", "content_filter"],
    ["SPII", "content_filter", "content_filter"],
    ["MALFORMED_FUNCTION_CALL", "stop", "tool_calls"],
    ["WHAT_COMES_NEXT", "stop", "tool_calls"],
  ])("%s finishes as %s, with calls as %s", (finishReason, plain, called) => {
    const call = { functionCall: { name: "f", args: {} } };
    expect(wholeOf(chunkOf([{ text: "a" }], {}, { finishReason })).finish).toBe(plain);
    expect(wholeOf(chunkOf([call], {}, { finishReason })).finish).toBe(called);
  });

  it("names parallel calls that have no id, each its own, over several chunks too", () => {
    const call = (n: number) => ({ functionCall: { name: "f", args: { n } } });
    const events = read(sse([chunkOf([call(1), call(2)]), chunkOf([call(3)], {}, { finishReason: "STOP" })]));
    const starts = events.filter((event) => event.type === "tool_call_start");
    expect(starts.map(({ index, id }) => [index, id])).toEqual([
      [0, "call_r1_0"],
      [1, "call_r1_1"],
      [2, "call_r1_2"],
    ]);
    expect(collect(events)).toMatchObject({
      finish: "tool_calls",
      parts: [1, 2, 3].map((n) => ({ arguments: `{"n":${n}}` })),
    });
  });

  it("keeps ids that are there, arguments without any, and numbers no double holds", () => {
    const parts = collect(
      read(
        `data: {"candidates":[{"content":{"parts":[{"functionCall":{"id":"fc_1","name":"f","args":{"n":12345678901234567890}}},{"functionCall":{"name":"g"}}]},"finishReason":"STOP"}],"responseId":"x/y"}\n\n`,
      ),
    )?.parts;
    expect(parts).toEqual([
      { type: "tool_call", id: "fc_1", name: "f", arguments: '{"n":12345678901234567890}' },
      { type: "tool_call", id: "call_xy_1", name: "g", arguments: "{}" },
    ]);
  });

  it("tells thoughts from words, and hands on every signature", () => {
    const response = wholeOf(
      chunkOf([
        { text: "Hm.", thought: true, thoughtSignature: "s1" },
        { text: "Yes", thoughtSignature: "s2" },
        { functionCall: { name: "f", id: "1", args: {} }, thoughtSignature: "s3" },
      ]),
    );
    expect(response.parts).toEqual([
      { type: "reasoning", text: "Hm." },
      proofOf("s1"),
      { type: "text", text: "Yes" },
      proofOf("s2"),
      { type: "tool_call", id: "1", name: "f", arguments: "{}", signature: "s3" },
    ]);
  });

  it("shows pictures, sounds and files, and keeps what only Gemini knows", () => {
    const code = { executableCode: { language: "PYTHON", code: "1+1" } };
    const response = wholeOf(
      chunkOf([
        { inlineData: { mimeType: "image/png", data: "AAAA" } },
        { inlineData: { mimeType: "audio/L16;codec=pcm;rate=24000", data: "BBBB" } },
        { fileData: { mimeType: "video/mp4", fileUri: "gs://b/c" } },
        { inlineData: { mimeType: "image/png", data: "draft" }, thought: true },
        code,
      ]),
    );
    expect(response.parts).toEqual([
      { type: "image", media_type: "image/png", data: "AAAA" },
      { type: "audio", format: "pcm16", data: "BBBB" },
      { type: "file", media_type: "video/mp4", url: "gs://b/c" },
      { type: "native", dialect: "gemini", kind: "executableCode", value: code },
    ]);
  });

  it("several candidates are several choices, wherever they stand", () => {
    const candidate = (index: number, text: string, more: object = {}) => ({
      index,
      content: { parts: [{ text }] },
      ...more,
    });
    const response = collect(
      read(
        sse([
          { candidates: [candidate(1, "b"), candidate(0, "a")] },
          { candidates: [candidate(0, "a", { finishReason: "STOP" })] },
          { candidates: [candidate(1, "b", { finishReason: "MAX_TOKENS" })] },
        ]),
      ),
    );
    expect(response).toMatchObject({
      parts: [{ text: "aa" }],
      finish: "stop",
      others: [{ parts: [{ text: "bb" }], finish: "length" }],
    });
  });

  it("log probabilities belong to the text beside them", () => {
    const one = (token: string, logProbability: number) => ({ token, tokenId: 1, logProbability });
    const logprobsResult = {
      chosenCandidates: [one("a", -0.5)],
      topCandidates: [{ candidates: [one("a", -0.5), one("b", -2)] }],
    };
    expect(wholeOf(chunkOf([{ text: "a" }], {}, { logprobsResult })).logprobs).toEqual([
      {
        token: "a",
        logprob: -0.5,
        top: [
          { token: "a", logprob: -0.5 },
          { token: "b", logprob: -2 },
        ],
      },
    ]);
  });

  it("names its sources once, though every chunk does", () => {
    const groundingMetadata = {
      groundingChunks: [{ web: { uri: "https://a.example", title: "A" } }],
      groundingSupports: [{ segment: { startIndex: 0, endIndex: 3, text: "Yes" }, groundingChunkIndices: [0, 7] }],
    };
    const chunks = [
      chunkOf([{ text: "Y" }], {}, { groundingMetadata }),
      chunkOf([{ text: "es" }], {}, { groundingMetadata, finishReason: "STOP" }),
    ];
    expect(collect(read(sse(chunks)))?.citations).toEqual([
      { source: "https://a.example", title: "A", start: 0, end: 0, text: "Yes" },
    ]);
  });

  it.each([
    ["nothing", undefined],
    ["no object", 3],
    ["no candidates", { candidates: [] }],
    ["an error", { error: { code: 500, message: "x", status: "INTERNAL" } }],
  ])("%s is no answer", (_name, body) => expect(geminiVendor.decodeResponse(body).ok).toBe(false));
});

describe("the end of a stream", () => {
  const last = chunkOf([{ text: "a" }], counts(1, 1), { finishReason: "STOP" });

  it("is the end of its body after the last finishReason", () => {
    expect(typesOf(read(sse([last]))).slice(-2)).toEqual(["finish", "end"]);
    expect(typesOf(read(sse([last]), { cut: true }))).not.toContain("end");
  });

  it("may come after chunks that follow the finishReason", () => {
    const response = collect(read(sse([last, chunkOf([{ text: "b" }], counts(1, 2))])));
    expect(response).toMatchObject({ parts: [{ text: "ab" }], usage: { output: 2 } });
  });

  it.each([
    ["without any finishReason", [chunkOf([{ text: "a" }], counts(1, 1))]],
    ["with one candidate unfinished", [{ candidates: [{ index: 0, finishReason: "STOP" }, { index: 1 }] }]],
    ["without a word", [{ usageMetadata: { promptTokenCount: 3 } }]],
    ["without a chunk", []],
    ["with an unspecified reason", [chunkOf([], {}, { finishReason: "FINISH_REASON_UNSPECIFIED" })]],
  ])("never comes %s", (_name, chunks) => expect(typesOf(read(sse(chunks)))).not.toContain("end"));

  it("comes after a refused prompt, as content_filter", () => {
    expect(collect(read(sse([{ promptFeedback: { blockReason: "SAFETY" }, ...counts(3, 0) }])))).toMatchObject({
      finish: "content_filter",
      parts: [],
    });
  });

  const error = { error: { code: 503, message: "The model is overloaded.", status: "UNAVAILABLE" } };

  it.each([
    ["an event", sse([last, error, last])],
    ["an event of an array", sse([last, [error]])],
    ["bare JSON, as Google breaks off with", `${sse([last])}${JSON.stringify(error, null, 2)}`],
    ["bare JSON behind a blank line", `\r\n${JSON.stringify(error)}`],
    ["bare JSON before a blank line", `${JSON.stringify(error)}\n\n${sse([last])}`],
    ["a bare array", `${sse([last])}[${JSON.stringify(error, null, 2)}\n]\n`],
  ])("an error in %s ends it badly", (_name, body) => {
    expect(read(body).at(-1)).toEqual({ type: "error", message: "The model is overloaded.", code: "UNAVAILABLE" });
  });

  it("an array of chunks, which is what comes without alt=sse, is read all the same", () => {
    expect(collect(read(JSON.stringify([last, last], null, 1)))).toMatchObject({ parts: [{ text: "aa" }] });
  });
});

describe("errors", () => {
  it.each([
    [
      { error: { code: 429, message: "Slow", status: "RESOURCE_EXHAUSTED" } },
      { code: "RESOURCE_EXHAUSTED", message: "Slow" },
    ],
    [[{ error: { code: 404, message: "Gone" } }], { code: "404", message: "Gone" }],
    [
      {
        error: { code: 400, message: "Bad key", status: "INVALID_ARGUMENT", details: [{ reason: "API_KEY_INVALID" }] },
      },
      { code: "API_KEY_INVALID", message: "Bad key" },
    ],
    ["<html>", { message: "The vendor answered 502 without a message." }],
    [{ error: "x" }, { message: "The vendor answered 502 without a message." }],
  ])("%j says %j", (body, told) => expect(geminiVendor.decodeError(502, body)).toEqual(told));
});
