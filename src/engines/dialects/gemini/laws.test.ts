import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { geminiVendor } from "./index.ts";
import { chunkOf, collect, read, sse, wholeOf } from "./sample-wire.ts";
import { isProof } from "./signature.ts";
import { usageOf } from "./usage.ts";

const words = fc.string({ minLength: 1, maxLength: 6, unit: "grapheme" });
const signed = fc.option(fc.record({ thoughtSignature: words }), { nil: {} });
const part = fc.oneof(
  words.map((text) => ({ text })),
  words.map((text) => ({ text, thought: true })),
  fc.tuple(words, words).map(([text, thoughtSignature]) => ({ text, thought: true, thoughtSignature })),
  fc.tuple(words, fc.dictionary(words, fc.jsonValue({ maxDepth: 2 })), signed).map(([name, args, more]) => ({
    functionCall: { name, args },
    ...more,
  })),
  fc.constant({ inlineData: { mimeType: "image/png", data: "AAAA" } }),
  fc.constant({ executableCode: { language: "PYTHON", code: "1" } }),
);
const finish = fc.constantFrom("STOP", "MAX_TOKENS", "SAFETY", "MALFORMED_FUNCTION_CALL");
const candidates = fc.array(fc.record({ parts: fc.array(part, { maxLength: 5 }), finish }), {
  minLength: 1,
  maxLength: 3,
});
const usageMetadata = { promptTokenCount: 9, candidatesTokenCount: 7, thoughtsTokenCount: 2, totalTokenCount: 18 };

type Candidates = typeof candidates extends fc.Arbitrary<infer Value> ? Value : never;

const wholeBody = (given: Candidates) => ({
  candidates: given.map(({ parts, finish: finishReason }, index) => ({ index, content: { parts }, finishReason })),
  usageMetadata,
  modelVersion: "gemini-2.5-pro",
  responseId: "r1",
});

/** Candidates by turns, a part in each chunk, words cut in two; then the finish reasons. */
function chunksOf(given: Candidates): unknown[] {
  const envelope = { modelVersion: "gemini-2.5-pro", responseId: "r1" };
  const pieces = given.map(({ parts }) =>
    parts.flatMap((one): object[] => {
      if (!("text" in one) || "thoughtSignature" in one || one.text.length < 2) return [one];
      const letters = [...one.text];
      return [
        { ...one, text: letters[0] },
        { ...one, text: letters.slice(1).join("") },
      ];
    }),
  );
  const most = Math.max(...pieces.map(({ length }) => length));
  const said = Array.from({ length: most }, (_, turn) =>
    pieces.flatMap((own, index) =>
      own[turn] === undefined ? [] : [{ ...envelope, candidates: [{ index, content: { parts: [own[turn]] } }] }],
    ),
  ).flat();
  const last = {
    ...envelope,
    candidates: given.map(({ finish: finishReason }, index) => ({ index, finishReason })),
    usageMetadata,
  };
  return [...said, last];
}

describe("laws", () => {
  it("a stream says what the whole answer says, however it is cut", () => {
    fc.assert(
      fc.property(
        candidates,
        fc.integer({ min: 1, max: 90 }),
        fc.constantFrom("\n", "\r\n", "\r"),
        (given, chunkBytes, lineEnd) => {
          expect(collect(read(sse(chunksOf(given), lineEnd), { chunkBytes }))).toEqual(wholeOf(wholeBody(given)));
        },
      ),
    );
  });

  it("ids of calls are unique, and each call is whole JSON", () => {
    fc.assert(
      fc.property(candidates, (given) => {
        const response = wholeOf(wholeBody(given));
        const calls = [response, ...(response.others ?? [])].flatMap(({ parts }) =>
          parts.flatMap((one) => (one.type === "tool_call" ? [one] : [])),
        );
        expect(new Set(calls.map(({ id }) => id)).size).toBe(calls.length);
        for (const call of calls) expect(JSON.parse(call.arguments)).toBeTypeOf("object");
      }),
    );
  });

  it("a stream cut before its last event never ends well", () => {
    fc.assert(
      fc.property(candidates, fc.double({ min: 0, max: 1, noNaN: true }), (given, share) => {
        const wire = Buffer.from(sse(chunksOf(given)).trimEnd());
        const cutAt = Math.floor((wire.length - 1) * share);
        expect(read(wire.subarray(0, cutAt)).map((event) => event.type)).not.toContain("end");
      }),
    );
  });

  it("what an answer said goes back in the next request", () => {
    fc.assert(
      fc.property(candidates, (given) => {
        const { parts } = wholeOf(wholeBody(given));
        // Thoughts without a proof are not wanted back.
        const proved = parts.filter((one, i) => {
          const next = parts[i + 1];
          return (
            one.type !== "reasoning" || one.signature !== undefined || (next?.type === "reasoning" && isProof(next))
          );
        });
        const request = {
          model: "m",
          messages: [{ role: "assistant" as const, parts: proved }],
          stream: false,
          wants_usage: false,
          unmodelled: [],
        };
        const { body, dropped } = geminiVendor.encodeRequest(request, { model: "m", defaultMaxTokens: 1 });
        expect(dropped).toEqual([]);
        const [content] = (body as { contents: { parts: unknown[] }[] }).contents;
        const again = content && wholeOf(chunkOf(JSON.parse(JSON.stringify(content.parts)) as unknown[]));
        if (again) expect(again.parts).toEqual(merged(proved));
      }),
    );
  });

  it("no vendor's answer or event is too odd to be read, nothing follows an end, no count is negative", () => {
    const oddPart = fc.record(
      {
        text: fc.jsonValue(),
        thought: fc.jsonValue(),
        thoughtSignature: fc.jsonValue(),
        functionCall: fc.oneof(
          fc.jsonValue(),
          fc.record({ name: fc.jsonValue(), args: fc.jsonValue(), id: fc.jsonValue() }),
        ),
        inlineData: fc.oneof(fc.jsonValue(), fc.record({ mimeType: fc.jsonValue(), data: fc.jsonValue() })),
        fileData: fc.jsonValue(),
      },
      { requiredKeys: [] },
    );
    const count = fc.oneof(fc.jsonValue(), fc.integer(), fc.maxSafeNat());
    const details = fc.array(
      fc.oneof(fc.jsonValue(), fc.record({ modality: fc.constantFrom("AUDIO", "IMAGE", "TEXT"), tokenCount: count })),
    );
    const metadata = fc.record(
      {
        promptTokenCount: count,
        candidatesTokenCount: count,
        thoughtsTokenCount: count,
        totalTokenCount: count,
        cachedContentTokenCount: count,
        toolUsePromptTokenCount: count,
        promptTokensDetails: details,
        cacheTokensDetails: details,
        candidatesTokensDetails: details,
      },
      { requiredKeys: [] },
    );
    const candidate = fc.record(
      {
        index: fc.oneof(fc.nat(3), fc.jsonValue()),
        content: fc.oneof(
          fc.jsonValue(),
          fc.record({ parts: fc.oneof(fc.jsonValue(), fc.array(fc.oneof(oddPart, fc.jsonValue()))) }),
        ),
        finishReason: fc.oneof(finish, fc.jsonValue()),
        logprobsResult: fc.oneof(
          fc.jsonValue(),
          fc.record({ chosenCandidates: fc.jsonValue(), topCandidates: fc.jsonValue() }),
        ),
        groundingMetadata: fc.oneof(
          fc.jsonValue(),
          fc.record({ groundingChunks: fc.array(fc.jsonValue()), groundingSupports: fc.array(fc.jsonValue()) }),
        ),
        citationMetadata: fc.jsonValue(),
      },
      { requiredKeys: [] },
    );
    const chunk = fc.record(
      {
        candidates: fc.oneof(fc.jsonValue(), fc.array(fc.oneof(candidate, fc.jsonValue()))),
        promptFeedback: fc.jsonValue(),
        usageMetadata: fc.oneof(metadata, fc.jsonValue()),
        error: fc.option(fc.jsonValue(), { nil: undefined, freq: 9 }),
        responseId: fc.jsonValue(),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(chunk, fc.jsonValue()), { maxLength: 6 }), metadata, (chunks, counts) => {
        for (const body of chunks) geminiVendor.decodeResponse(body);
        const said = read(sse(chunks));
        const end = said.findIndex((event) => event.type === "end" || event.type === "error");
        if (end !== -1) expect(end).toBe(said.length - 1);
        const { usage } = usageOf(counts) ?? {};
        for (const value of Object.values(usage ?? {}))
          if (typeof value === "number") expect(value).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 300 },
    );
  });
});

/** Neighbours of one kind are one. */
function merged(parts: ReturnType<typeof wholeOf>["parts"]): unknown[] {
  const out: { type: string; text?: string }[] = [];
  for (const one of parts) {
    const last = out.at(-1);
    if (one.type === "text" && last?.type === "text") last.text += one.text;
    else out.push(structuredClone(one));
  }
  return out;
}
