import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { aVendor, aVendorModel } from "../../tests/fixtures/decision.ts";
import { type StageName, stageNames } from "../kernel/decision.ts";
import { type Span, spansOf, traceParentOf } from "./spans.ts";
import { aTraced, anAttempt } from "./test-decisions.ts";

const places = {
  models: new Map([["large", aVendorModel({ model: "gpt-5.4", vendor: "acme" })]]),
  vendors: new Map([["acme", aVendor({ baseUrl: "https://api.openai.com/v1" })]]),
};
const startMs = 1_767_225_600_000;
const attributesOf = (span: Span) =>
  Object.fromEntries(span.attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
const named = (spans: Span[], name: string) => spans.find((span) => span.name === name)!;
const parentSpan = "00f067aa0ba902b7";
const trace = `00-4bf92f3577b34da6a3ce929d0e0e4736-${parentSpan}-01`;

describe("spansOf", () => {
  const spans = spansOf(
    aTraced(
      {
        trace,
        started_at_ms: startMs,
        duration_ms: 1300.5,
        stages: { identify: 0.25, route: 0, serve: 1250, check: 3 },
        model: "large",
        rung: 0,
        route: [{ rung: 0, target: "acme/large", eligible: true, reason: "eligible" }],
        usage: { input: 100, cached_input: 50, cache_write: 7, output: 20, reasoning: 5, estimated: false },
        session: "s1",
      },
      [
        anAttempt({ n: 1, status: "failed", reason: "http_500", started_at_ms: startMs + 1, duration_ms: 10 }),
        anAttempt({
          n: 2,
          started_at_ms: startMs + 50,
          ttft_ms: 200,
          usage: { input: 100, cached_input: 50, cache_write: 7, output: 20, reasoning: 5, estimated: false },
        }),
      ],
    ),
    places,
  );
  const server = spans[0]!;

  it("one for the request, one for each stage that took time, one for each attempt", () => {
    expect(spans.map(({ name, kind }) => [name, kind])).toEqual([
      ["chat assistant", 2],
      ["weir.identify", 1],
      ["weir.serve", 1],
      ["weir.check", 1],
      ["chat gpt-5.4", 3],
      ["chat gpt-5.4", 3],
    ]);
  });

  it("continues the caller's trace; attempts hang below serve", () => {
    expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set(["4bf92f3577b34da6a3ce929d0e0e4736"]));
    expect(server.parentSpanId).toBe(parentSpan);
    expect(named(spans, "weir.check").parentSpanId).toBe(server.spanId);
    for (const attempt of spans.slice(-2)) expect(attempt.parentSpanId).toBe(named(spans, "weir.serve").spanId);
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(spans.length);
  });

  it("times are nanoseconds as text; stages follow one another", () => {
    expect([server.startTimeUnixNano, server.endTimeUnixNano]).toEqual(["1767225600000000000", "1767225601300500000"]);
    expect(named(spans, "weir.serve").startTimeUnixNano).toBe("1767225600000250000");
    expect(named(spans, "weir.check").startTimeUnixNano).toBe(named(spans, "weir.serve").endTimeUnixNano);
  });

  it("bears the conventions' attributes", () => {
    expect(attributesOf(server)).toMatchObject({
      "gen_ai.operation.name": "chat",
      "gen_ai.request.model": "assistant",
      "gen_ai.response.model": "gpt-5.4",
      "gen_ai.usage.input_tokens": "157",
      "gen_ai.usage.output_tokens": "20",
      "gen_ai.usage.cache_read.input_tokens": "50",
      "gen_ai.usage.cache_creation.input_tokens": "7",
      "gen_ai.conversation.id": "s1",
      "weir.decision.id": expect.stringMatching(/^dec_/) as string,
      "weir.use_case": "assistant",
      "weir.tenant": "retail",
      "weir.route.reason": "eligible",
      "weir.stream": false,
    });
    expect(attributesOf(spans.at(-1)!)).toMatchObject({
      "gen_ai.provider.name": "openai",
      "gen_ai.request.model": "gpt-5.4",
      "server.address": "api.openai.com",
      "server.port": "443",
      "weir.ttft_ms": "200",
    });
    expect(spans.at(-1)!.status).toEqual({ code: 0 });
  });

  it("a failed attempt says why", () => {
    const failed = spans.at(-2)!;
    expect(failed.status).toEqual({ code: 2, message: "http_500" });
    expect(attributesOf(failed)["error.type"]).toBe("http_500");
  });

  it("a failed decision is an error, a refused one is not", () => {
    const of = (state: "failed" | "refused", code: "ladder_exhausted" | "rate_limited") =>
      spansOf(aTraced({ state, code }), places)[0]!;
    expect(of("failed", "ladder_exhausted").status.code).toBe(2);
    expect(of("refused", "rate_limited").status.code).toBe(0);
    expect(attributesOf(of("refused", "rate_limited"))["error.type"]).toBe("rate_limited");
  });

  it("without a parent the ids follow from the decision, and are the same each time", () => {
    const [one] = spansOf(aTraced(), places);
    expect(one).toMatchObject({
      traceId: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
      spanId: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
    });
    expect(one).not.toHaveProperty("parentSpanId");
    expect(spansOf(aTraced(), places)[0]).toEqual(one);
  });

  it("a model that is no longer declared, or runs in this process, is named all the same", () => {
    const [, attempt] = spansOf(aTraced({ stages: {} }, [anAttempt({ model: "scorecard-7" })]), places);
    expect(attributesOf(attempt!)).toMatchObject({
      "gen_ai.provider.name": "weir",
      "gen_ai.request.model": "scorecard-7",
    });
  });

  it.each([
    ["https://my.openai.azure.com/openai", "azure.ai.openai"],
    ["https://bedrock-runtime.eu-central-1.amazonaws.com", "aws.bedrock"],
    ["https://europe-west4-aiplatform.googleapis.com/v1", "gcp.vertex_ai"],
    ["http://127.0.0.1:11434/v1", "acme"],
    ["https://openai.com.evil.example/v1", "acme"],
  ])("%s is the provider %s", (baseUrl, provider) => {
    const vendors = new Map([["acme", aVendor({ baseUrl })]]);
    const [, attempt] = spansOf(aTraced({ stages: {} }, [anAttempt()]), { ...places, vendors });
    expect(attributesOf(attempt!)["gen_ai.provider.name"]).toBe(provider);
  });

  it("law: no span ends before it begins, and no stage leaves the request", () => {
    const times = fc.double({ min: 0, max: 5000, noNaN: true });
    const stages = fc.dictionary(fc.constantFrom(...stageNames), times) as fc.Arbitrary<
      Partial<Record<StageName, number>>
    >;
    fc.assert(
      fc.property(stages, times, (spent, duration_ms) => {
        const [whole, ...parts] = spansOf(aTraced({ stages: spent, duration_ms }), places);
        for (const part of parts) {
          expect(BigInt(part.startTimeUnixNano) >= BigInt(whole!.startTimeUnixNano)).toBe(true);
          expect(BigInt(part.endTimeUnixNano) >= BigInt(part.startTimeUnixNano)).toBe(true);
          expect(BigInt(part.endTimeUnixNano) <= BigInt(whole!.endTimeUnixNano)).toBe(true);
        }
      }),
    );
  });
});

describe("traceParentOf", () => {
  it.each([
    [trace, true],
    [trace.replace(/01$/, "00"), false],
    [trace.replace(/01$/, "03"), true],
  ])("%s is sampled: %s", (text, sampled) => expect(traceParentOf(text)?.sampled).toBe(sampled));
  it.each([
    undefined,
    "",
    "ff-x",
    `00-${"0".repeat(32)}-${parentSpan}-01`,
    `00-${"a".repeat(32)}-${"0".repeat(16)}-01`,
  ])("%s is none", (text) => expect(traceParentOf(text)).toBeUndefined());
});
