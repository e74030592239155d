import { describe, expect, it } from "vitest";
import {
  aChatAsk,
  aChatResponse,
  aCondition,
  aDecision,
  aScoreAsk,
  userSays,
} from "../../../tests/fixtures/decision.ts";
import { nanoUsd } from "../../kernel/money.ts";
import { begunMeta, settledContent, settledMeta } from "./meta.ts";

const scrub = (text: string) => text.replaceAll("CVC", "[cvc]");

describe("begunMeta", () => {
  it("says who asked what of which configuration, and nothing that was not there", () => {
    expect(begunMeta(aDecision())).toEqual({
      use_case: "assistant",
      kind: "chat",
      environment: "test",
      surface: "openai",
      principal: { type: "service", id: "branch-app", credential: "k00000000001" },
      risk: "limited",
      data_class: "internal",
      snapshot: { number: 7, hash: "f".repeat(64) },
      bundle: "b".repeat(64),
      stream: false,
    });
  });

  it("keeps pseudonyms of subject and session and never themselves, bounds what headers say", () => {
    const long = "x".repeat(1000);
    const d = aDecision({
      useCase: { consent: "required", basis: "contract" },
      context: {
        subject: "anna@example.org",
        consent: long,
        session: "session of anna",
        traceparent: "00-trace",
        synthetic: true,
      },
      with: {
        consent: "form-7",
        subject: "pseudonym",
        session: "pseudonym 2",
        purpose: "service",
        idempotency: { key: "k", body: "b" },
      },
    });
    const meta = begunMeta(d);
    expect(meta).toMatchObject({
      subject: "pseudonym",
      purpose: "service",
      basis: "contract",
      synthetic: true,
      session: "pseudonym 2",
      trace: "00-trace",
      idempotency: { key: "k", body: "b" },
    });
    expect(meta.consent).toBe("form-7");
    expect(JSON.stringify(meta)).not.toContain("anna");
  });

  it("a consent reference that nobody checked is not recorded as one", () => {
    expect(begunMeta(aDecision({ context: { consent: "c-1" } }))).not.toHaveProperty("consent");
  });
});

describe("settledMeta", () => {
  it("an answer is 200 and a refusal has its code's status", () => {
    const d = aDecision({ with: { begun: true } });
    expect(settledMeta(d, { state: "answered" })).toMatchObject({ state: "answered", status: 200 });
    expect(settledMeta(d, { state: "refused", code: "rate_limited" })).toMatchObject({
      code: "rate_limited",
      status: 429,
    });
  });

  it("names the rules as they stood and the one that decided", () => {
    const decide = [
      { when: aCondition(() => true, "score >= 0.8"), then: { result: "approve" } },
      { when: aCondition(() => true, "score >= 0.6"), then: { climb: true as const } },
      { then: { template: "secret wording" } },
    ];
    const meta = settledMeta(
      aDecision({ useCase: { decide }, with: { rule: 0, result: "approve", score: 0.9, confidence: 0.8 } }),
      { state: "answered" },
    );
    expect(meta.thresholds).toEqual([
      { when: "score >= 0.8", result: "approve" },
      { when: "score >= 0.6", result: "climb" },
      { when: "otherwise", result: "template" },
    ]);
    expect(meta).toMatchObject({ rule: 0, result: "approve", score: 0.9, confidence: 0.8, automation: "auto" });
  });

  it("a referral is assisted, everything else automatic", () => {
    expect(settledMeta(aDecision({ with: { referTo: "underwriting" } }), { state: "referred" })).toMatchObject({
      automation: "assisted",
      refer_to: "underwriting",
    });
  });

  it("books usage, cost and times in their units", async () => {
    const d = aDecision({
      with: {
        usage: { input: 3, cached_input: 2, output: 1, estimated: true },
        costNanoUsd: nanoUsd(12),
        ttftMs: 1.23456,
        stages: { serve: 1.00049 },
      },
    });
    await d.clock.advance(250);
    expect(settledMeta(d, { state: "answered" })).toMatchObject({
      usage: { input: 3, cached_input: 2, output: 1, estimated: true },
      cost_nano_usd: 12,
      duration_ms: 250,
      ttft_ms: 1.235,
      stages: { serve: 1 },
    });
  });

  it("holds no content: not the question, not the features, not a protected attribute", () => {
    const chat = aDecision({ ask: aChatAsk({ messages: [userSays("my wage is 4711")] }) });
    const score = aDecision({
      ask: aScoreAsk(),
      with: { features: { income: 4711 }, protectedFeatures: { age: 47110 } },
    });
    for (const d of [chat, score]) expect(JSON.stringify(settledMeta(d, { state: "answered" }))).not.toContain("4711");
  });
});

describe("settledContent", () => {
  const said = { type: "chat" as const, response: aChatResponse("use CVC 123"), raw: Buffer.from("raw") };
  const question = aChatAsk({ messages: [userSays("CVC 999")] });

  it.each(["redacted", "full"] as const)("record %s: messages and answer, card security codes taken out", (record) => {
    const content = settledContent(aDecision({ ask: question, useCase: { record } }), said, scrub);
    expect(content).toEqual({
      messages: [userSays("[cvc] 999")],
      answer: [{ type: "text", text: "use [cvc] 123" }],
    });
  });

  it("record digest: nothing", () => {
    expect(settledContent(aDecision({ ask: question, useCase: { record: "digest" } }), said, scrub)).toBeUndefined();
  });

  it("keeps the answer under an idempotency key whatever `record` says, to the last byte", () => {
    const d = aDecision({
      ask: question,
      useCase: { record: "digest" },
      with: { idempotency: { key: "k", body: "b" } },
    });
    expect(Object.keys(settledContent(d, said, scrub)!)).toEqual(["kept_answer"]);
    expect(settledContent(d, said, scrub)).toMatchObject({
      kept_answer: { type: "chat", response: { finish: "stop" }, raw: "raw" },
    });
  });

  it("a score keeps its features and never a protected one", () => {
    const d = aDecision({ ask: aScoreAsk(), with: { features: { income: 1 }, protectedFeatures: { age: 40 } } });
    expect(settledContent(d, { type: "score", answer: { result: "approve", reasons: [] } }, scrub)).toEqual({
      features: { income: 1 },
    });
  });

  it("citations are kept as they are: their offsets are evidence", () => {
    const citations = [{ source: "a.md", title: "A", start: 0, end: 3, text: "CVC" }];
    const outcome = { type: "chat" as const, response: aChatResponse("x", { citations }) };
    expect(settledContent(aDecision(), outcome, scrub)).toMatchObject({ citations });
  });
});
