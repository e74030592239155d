import { describe, expect, it } from "vitest";
import { aChatRequest, aChatResponse, aDecision, modelRung } from "../../../tests/fixtures/decision.ts";
import type { ChatRequest, ChatResponse } from "../../kernel/chat.ts";
import type { Acceptance } from "../../kernel/snapshot.ts";
import { acceptanceProblem, confidenceOf } from "./acceptance.ts";
import { createJudge } from "./judge.ts";

const problem = (accept: Acceptance, response: Partial<ChatResponse>, request: Partial<ChatRequest> = {}) =>
  acceptanceProblem(accept, aChatRequest(request), { ...aChatResponse("Fine."), ...response });
const says = (text: string): Partial<ChatResponse> => ({ parts: [{ type: "text", text }] });

describe("abstains: false", () => {
  it.each([
    "",
    "  \n",
    "I don't know.",
    "I'm sorry, but I can't help with that.",
    "I’m not sure what you mean.",
    "Unfortunately, I have no access to this.",
    "As an AI language model I have no opinion.",
    "Ich weiß es leider nicht.",
    "Leider kann ich dazu nichts sagen.",
    "Es tut mir leid, das geht nicht.",
  ])("%j is not accepted", (text) => expect(problem({ abstains: false }, says(text))).toBeDefined());

  it.each([
    "An account costs nothing.",
    "It costs 5 €. I don't know of other fees.",
    "Knowing that, I would choose the second one.",
    "Ein Konto kostet nichts.",
  ])("%j is", (text) => expect(problem({ abstains: false }, says(text))).toBeUndefined());

  it.each(["length", "content_filter", "refusal"] as const)("nor an answer that ended with %s", (finish) =>
    expect(problem({ abstains: false }, { finish })).toBeDefined(),
  );

  it("a tool call says something without words", () => {
    const parts: ChatResponse["parts"] = [{ type: "tool_call", id: "1", name: "pay", arguments: "{}" }];
    expect(problem({ abstains: false }, { parts, finish: "tool_calls" })).toBeUndefined();
  });
});

describe("schema: true", () => {
  const format: ChatRequest["response_format"] = {
    type: "json_schema",
    name: "fee",
    schema: { type: "object", properties: { eur: { type: "number" } }, required: ["eur"] },
  };
  it.each([
    ['{"eur": 5}', format, true],
    ['{"eur": "5"}', format, false],
    ["five euros", format, false],
    ['{"any": 1}', { type: "json_object" } as const, true],
    ["[1]", { type: "json_object" } as const, false],
    ["words", undefined, true],
  ])("%s for %j: %s", (text, response_format, accepted) => {
    expect(problem({ schema: true }, says(text), response_format && { response_format }) === undefined).toBe(accepted);
  });

  const tools = [{ name: "pay", parameters: { type: "object", required: ["to"] } }];
  it.each([
    ["pay", '{"to":"ada"}', true],
    ["pay", "{}", false],
    ["pay", '{"to":', false],
    ["steal", "{}", false],
  ])("a call of %s with %s: %s", (name, args, accepted) => {
    const parts: ChatResponse["parts"] = [{ type: "tool_call", id: "1", name, arguments: args }];
    expect(problem({ schema: true }, { parts, finish: "tool_calls" }, { tools }) === undefined).toBe(accepted);
  });
});

describe("confidence", () => {
  const logprobs = (...probabilities: number[]) =>
    probabilities.map((probability) => ({ token: "t", logprob: Math.log(probability) }));
  it("is the geometric mean of the tokens' probabilities", () => {
    expect(confidenceOf(aChatResponse("x", { logprobs: logprobs(0.9, 0.4) }))).toBeCloseTo(0.6, 10);
    expect(confidenceOf(aChatResponse("x"))).toBeUndefined();
  });
  it.each([
    [logprobs(0.9, 0.4), 0.59, true],
    [logprobs(0.9, 0.4), 0.61, false],
    [[], 0.1, false],
  ])("%j at least %s: %s", (given, least, accepted) =>
    expect(problem({ confidence: least }, { logprobs: given }) === undefined).toBe(accepted),
  );
});

describe("judging a light rung", () => {
  const light = modelRung("light", { commit: "complete", accept: { abstains: false, confidence: 0.5 } });
  const setUp = (response: ChatResponse) => {
    const judged: unknown[] = [];
    const d = aDecision({ with: { rung: 0 } });
    d.dropped.add("seed");
    const judge = createJudge({ judged: (...told) => void judged.push(told), attempted: () => {} });
    return { d, judged, outcome: judge(d, light, { type: "chat", response }) };
  };

  it("climbs past what is not accepted, and tells the record and the cascade", () => {
    const { d, judged, outcome } = setUp(aChatResponse("I don't know."));
    expect(outcome).toBe("climb");
    expect(d.reasons).toMatchObject([{ basis: "policy", name: "accept light" }]);
    expect(judged).toEqual([["assistant", 0, "light", false]]);
    expect([...d.dropped]).toEqual([]);
  });

  it("passes what is accepted, without the log probabilities that only the check asked for", () => {
    const logprobs = [{ token: "N", logprob: -0.1 }];
    const { d, judged, outcome } = setUp(aChatResponse("Nothing.", { logprobs }));
    expect(outcome).toEqual({ type: "chat", response: aChatResponse("Nothing.") });
    expect(d.confidence).toBeCloseTo(Math.exp(-0.1));
    expect(judged).toEqual([["assistant", 0, "light", true]]);
    expect([...d.dropped]).toEqual(["seed"]);
  });
});
