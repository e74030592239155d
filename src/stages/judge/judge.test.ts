import { describe, expect, it } from "vitest";
import {
  type DecisionParts,
  aChatResponse,
  aCondition,
  aDecision,
  modelRung,
  templateRung,
} from "../../../tests/fixtures/decision.ts";
import type { ChatResponse } from "../../kernel/chat.ts";
import type { DecisionRule } from "../../kernel/snapshot.ts";
import type { Served } from "../../path/context.ts";
import { createJudge } from "./judge.ts";

const judge = createJudge();
const rung = modelRung("large");
const atLeast = (limit: number) => aCondition((v) => (v["score"] as number) >= limit, `score >= ${limit}`);
const approve: DecisionRule = { when: atLeast(0.8), then: { result: "approve" } };
const climb: DecisionRule = { when: atLeast(0.6), then: { climb: true } };
const refer: DecisionRule = { when: atLeast(0.4), then: { result: "refer", referTo: "underwriting" } };
const template: DecisionRule = { when: atLeast(0.3), then: { template: "no" } };
const decline: DecisionRule = { then: { result: "decline" } };

function judgeScore(score: number, decide: DecisionRule[], parts: DecisionParts = {}) {
  const d = aDecision({
    useCase: { kind: "score", decide },
    with: { model: "boosted", features: { income: 1 }, rung: 2, ...parts.with },
  });
  return { d, judged: judge(d, rung, { type: "score", score, reasons: [{ basis: "rule", name: "income_low" }] }) };
}

describe("judge: scores", () => {
  const rules = [approve, climb, refer, template, decline];
  it.each([
    [0.8, 0, "approve"],
    [0.79, 1, "climb"],
    [0.6, 1, "climb"],
    [0.5, 2, "refer"],
    // A text is no decision about a person: the ladder goes on.
    [0.35, 3, "climb"],
    [0.1, 4, "decline"],
  ])("score %s: rule %s decides: %s", (score, rule, outcome) => {
    const { d, judged } = judgeScore(score, rules);
    expect(d.rule).toBe(rule);
    expect(d.score).toBe(score);
    if (outcome === "climb") expect(judged).toBe("climb");
    else expect(judged).toMatchObject({ type: "score", answer: { score, result: outcome, model: "boosted" } });
    expect(d.referTo).toBe(outcome === "refer" ? "underwriting" : undefined);
  });

  it("climbs when no rule holds, and names none", () => {
    const { d, judged } = judgeScore(0.1, [approve]);
    expect(judged).toBe("climb");
    expect(d.rule).toBeUndefined();
    expect(d.result).toBeUndefined();
  });

  it("refers with who shall look at it", () => {
    expect(judgeScore(0.5, rules).judged).toMatchObject({ answer: { result: "refer", refer_to: "underwriting" } });
  });

  it("reasons are the model's, then the rule that decided", () => {
    const { d, judged } = judgeScore(0.9, rules);
    const reasons = [
      { basis: "rule", name: "income_low" },
      { basis: "policy", name: "score >= 0.8" },
    ];
    expect(d.reasons).toEqual(reasons);
    expect(judged).toMatchObject({ answer: { reasons } });
    expect(judgeScore(0, [decline]).d.reasons[1]).toEqual({ basis: "policy", name: "otherwise" });
  });

  it("reasons of a rung that was climbed past don't stay", () => {
    expect(
      judgeScore(0.9, rules, { with: { reasons: [{ basis: "rule", name: "stale" }] } }).d.reasons,
    ).not.toContainEqual({ basis: "rule", name: "stale" });
  });

  it.each([
    [0.5, 0],
    [1, 1],
    [0, 1],
    [0.75, 0.5],
  ])("confidence of %s is its distance from the coin toss: %s", (score, confidence) =>
    expect(judgeScore(score, rules).d.confidence).toBeCloseTo(confidence, 12),
  );

  it("rules see score, confidence, features and rung, and no protected feature", () => {
    const seen: unknown[] = [];
    const spy: DecisionRule = {
      when: aCondition((variables) => (seen.push(variables), true)),
      then: { result: "approve" },
    };
    judgeScore(1, [spy], { with: { protectedFeatures: { age: 40 } } });
    expect(seen).toEqual([{ score: 1, confidence: 1, features: { income: 1 }, rung: 2 }]);
  });
});

function judgeChat(response: ChatResponse, decide: DecisionRule[], on = rung as Parameters<typeof judge>[1]) {
  const raw = Buffer.from("raw");
  const d = aDecision({ useCase: { decide } });
  return { d, raw, judged: judge(d, on, { type: "chat", response, raw }) };
}

describe("judge: chats", () => {
  const unsure = (limit: number) => aCondition((v) => (v["confidence"] as number) < limit, `confidence < ${limit}`);
  const call: ChatResponse["parts"] = [{ type: "tool_call", id: "c", name: "pay", arguments: "{}" }];

  it.each([
    ["a finished answer", aChatResponse("yes"), 1],
    ["a tool call", aChatResponse("", { parts: call, finish: "tool_calls" }), 1],
    ["an answer cut off", aChatResponse("ye", { finish: "length" }), 0.5],
    ["a filtered one", aChatResponse("y", { finish: "content_filter" }), 0.5],
    ["an empty one", aChatResponse(" \n"), 0],
    ["none at all", aChatResponse("", { parts: [] }), 0],
  ])("confidence in %s: %#", (_what, response, confidence) => {
    expect(judgeChat(response, [{ then: { result: "ok" } }]).d.confidence).toBe(confidence);
  });

  it("without rules the answer goes as it came, raw bytes included", () => {
    const response = aChatResponse("yes");
    const { judged, raw, d } = judgeChat(response, []);
    expect(judged).toEqual({ type: "chat", response, raw });
    expect(d.confidence).toBeUndefined();
  });

  const rows: [string, DecisionRule[], unknown][] = [
    ["climb", [{ when: unsure(1), then: { climb: true } }], "climb"],
    [
      "a template",
      [{ when: unsure(1), then: { template: "Please call us." } }],
      { type: "chat", response: { model: "template", parts: [{ type: "text", text: "Please call us." }] } },
    ],
    [
      "refer",
      [{ when: unsure(1), then: { result: "unsure", referTo: "advisers" } }],
      { type: "chat", response: { model: "referral" } },
    ],
    [
      "a result",
      [{ when: unsure(1), then: { result: "unsure" } }],
      { type: "chat", response: { parts: [{ type: "text", text: "ye" }] } },
    ],
    [
      "no rule that holds",
      [{ when: unsure(0.1), then: { climb: true } }],
      { type: "chat", response: { parts: [{ type: "text", text: "ye" }] } },
    ],
    [
      "the first of two that hold",
      [{ when: unsure(1), then: { result: "first" } }, { then: { climb: true } }],
      { type: "chat" },
    ],
  ];
  it.each(rows)("an unsure answer and %s", (_rule, decide, expected) => {
    const { judged } = judgeChat(aChatResponse("ye", { finish: "length" }), decide);
    if (typeof expected === "string") expect(judged).toBe(expected);
    else expect(judged).toMatchObject(expected as object);
  });

  it("what a template or a referral replaces does not leak through raw bytes", () => {
    for (const then of [{ template: "no" }, { result: "refer", referTo: "x" }]) {
      const { judged } = judgeChat(aChatResponse("secret"), [{ then }]);
      expect(judged).not.toHaveProperty("raw");
      expect(JSON.stringify(judged)).not.toContain("secret");
    }
  });

  it("a template keeps the usage that the replaced answer cost", () => {
    const usage = { input: 1, cached_input: 0, output: 2, estimated: false };
    const { judged } = judgeChat(aChatResponse("x", { usage }), [{ then: { template: "no" } }]);
    expect(judged).toMatchObject({ response: { usage } });
  });

  it("a referral is pending with whom it names", () => {
    const { d } = judgeChat(aChatResponse("x"), [{ then: { result: "unsure", referTo: "advisers" } }]);
    expect([d.result, d.referTo]).toEqual(["refer", "advisers"]);
  });

  it("a rung that is a template is not judged again", () => {
    expect(judgeChat(aChatResponse("safe"), [{ then: { climb: true } }], templateRung).judged).toMatchObject({
      type: "chat",
    });
  });

  it("rules see which guards objected, how it finished and whether it abstained", () => {
    const seen: unknown[] = [];
    const d = aDecision({
      useCase: { decide: [{ when: aCondition((v) => (seen.push(v), false)), then: { climb: true } }] },
      with: { rung: 1 },
    });
    d.guards.push({ guard: "pii", on: "output", verdict: "modify", action: "redact", findings: {} });
    d.guards.push({ guard: "cards", on: "output", verdict: "allow", action: "allow", findings: {} });
    judge(d, rung, { type: "chat", response: aChatResponse("") });
    expect(seen).toEqual([{ confidence: 0, abstained: true, finish: "stop", guards: ["pii"], rung: 1 }]);
  });
});

describe("judge: after a climb", () => {
  const onFirst: DecisionRule = { when: aCondition((v) => v["rung"] === 0, "rung == 0"), then: { climb: true } };
  const climbed = (kind: "chat" | "score", ...rest: DecisionRule[]) => {
    const d = aDecision({ useCase: { kind, decide: [onFirst, ...rest] }, with: { rung: 0 } });
    const served: Served =
      kind === "chat"
        ? { type: "chat", response: aChatResponse("hm") }
        : { type: "score", score: 0.5, reasons: [{ basis: "rule", name: "income_low" }] };
    expect(judge(d, rung, served)).toBe("climb");
    expect([d.rule, d.reasons.at(-1)]).toEqual([0, { basis: "policy", name: "rung == 0" }]);
    d.rung = 1;
    return d;
  };
  const frames = (async function* () {})();

  it.each([
    ["an answer that no rule holds for", rung, { type: "chat", response: aChatResponse("yes") }],
    ["a template", templateRung, { type: "chat", response: aChatResponse("no") }],
    ["a stream", rung, { type: "stream", frames, sameDialect: true }],
    ["people", rung, { type: "refer", to: "advisers" }],
  ] as const)("%s carries nothing of the earlier judgement", (_what, on, served) => {
    const d = climbed("chat");
    expect(judge(d, on, served)).not.toBe("climb");
    expect([d.rule, d.reasons]).toEqual([undefined, []]);
  });

  it("the rule that decides later is the only one named", () => {
    const d = climbed("chat", { then: { result: "ok" } });
    judge(d, rung, { type: "chat", response: aChatResponse("yes") });
    expect([d.rule, d.reasons]).toEqual([1, [{ basis: "policy", name: "otherwise" }]]);
  });

  it("people who look at a score still see the model's reasons", () => {
    const d = climbed("score");
    const reasons = [{ basis: "rule", name: "income_low" }];
    expect(judge(d, rung, { type: "refer", to: "underwriting" })).toMatchObject({ answer: { reasons } });
    expect([d.rule, d.reasons]).toEqual([undefined, reasons]);
  });

  it("a climb that nothing follows stays in the record as the last judgement", () => {
    expect(climbed("chat").rule).toBe(0);
  });
});

describe("judge: streams and people", () => {
  it("a stream has left before it could be judged", () => {
    const frames = (async function* () {})();
    const d = aDecision({ useCase: { decide: [{ then: { climb: true } }] } });
    expect(judge(d, rung, { type: "stream", frames, sameDialect: true })).toEqual({
      type: "stream",
      frames,
      passThrough: true,
    });
    expect(judge(d, rung, { type: "stream", frames, sameDialect: false })).toMatchObject({ passThrough: false });
  });

  it.each([
    ["score", { type: "score", answer: { result: "refer", refer_to: "underwriting", reasons: [] } }],
    ["chat", { type: "chat", response: { model: "referral", finish: "stop" } }],
  ] as const)("a refer rung hands a %s over", (kind, expected) => {
    const d = aDecision({ useCase: { kind } });
    expect(judge(d, rung, { type: "refer", to: "underwriting" })).toMatchObject(expected);
    expect([d.result, d.referTo]).toEqual(["refer", "underwriting"]);
  });
});

describe("judge: a rule that can't be evaluated", () => {
  it("doesn't hold, and the record says why", () => {
    const source = "features.income >= 2.0";
    const broken: DecisionRule = {
      when: { source, test: (_variables, report) => (report?.("no such overload"), false) },
      then: { result: "approve" },
    };
    const { d } = judgeScore(0.9, [broken, decline]);
    expect(d.result).toBe("decline");
    expect(d.reasons).toContainEqual({
      basis: "policy",
      name: source,
      text: "could not be evaluated: no such overload",
    });
  });
});
