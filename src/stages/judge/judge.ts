import type { ChatPart, ChatResponse } from "../../kernel/chat.ts";
import type { DecisionRule, Rung } from "../../kernel/snapshot.ts";
import type { Decision, Outcome, Served } from "../../path/context.ts";
import type { CascadeReport } from "../route/port.ts";
import { acceptanceProblem, confidenceOf, textOf } from "./acceptance.ts";

type Judged = Outcome | "climb";

export function createJudge(cascades?: CascadeReport): (d: Decision, rung: Rung, served: Served) => Judged {
  return (d, rung, served) => {
    const judged =
      served.type === "chat" && !isAccepted(d, rung, served.response, cascades) ? "climb" : judge(d, rung, served);
    // What this rung's translation lost is of no interest once another one answers.
    if (judged === "climb") d.dropped.clear();
    return judged;
  };
}

function judge(d: Decision, rung: Rung, served: Served): Judged {
  forgetEarlier(d);
  switch (served.type) {
    case "stream":
      return { type: "stream", frames: served.frames, passThrough: served.sameDialect };
    case "refer":
      return refer(d, served.to);
    case "score":
      return judgeScore(d, served);
    case "task":
      return served;
    case "chat":
      return judgeChat(d, rung, withoutOwnLogprobs(d, served));
  }
}

/** Records why a light rung's answer is not good enough. */
function isAccepted(d: Decision, rung: Rung, response: ChatResponse, cascades: CascadeReport | undefined): boolean {
  if (rung.type !== "model" || !rung.accept) return true;
  const problem = acceptanceProblem(rung.accept, d.request!, response);
  cascades?.judged(d.useCase.name, d.rung ?? 0, rung.model, problem === undefined);
  if (problem === undefined) return true;
  d.reasons.push({ basis: "policy", name: `accept ${rung.model}`, text: `not accepted: ${problem}` });
  return false;
}

/** Log probabilities that only the acceptance check asked for. */
function withoutOwnLogprobs(d: Decision, served: Extract<Served, { type: "chat" }>): typeof served {
  if (d.request?.logprobs === true || !served.response.logprobs || served.raw !== undefined) return served;
  d.confidence = confidenceOf(served.response)!;
  const { logprobs: _own, ...response } = served.response;
  return { ...served, response };
}

/** A rung that was climbed past decided nothing: its rule must not be named beside what a later rung brings. */
function forgetEarlier(d: Decision): void {
  if (d.rule === undefined) return;
  delete d.rule;
  d.reasons = d.reasons.filter((reason) => reason.basis !== "policy");
}

function refer(d: Decision, to: string): Outcome {
  d.result = "refer";
  d.referTo = to;
  return d.kind === "score"
    ? { type: "score", answer: { result: "refer", refer_to: to, reasons: d.reasons } }
    : { type: "chat", response: handedOver(to) };
}

const handedOver = (to: string) => ({
  model: "referral",
  parts: [{ type: "text", text: `A person has to look at this. It has been handed to ${to}.` }] satisfies ChatPart[],
  finish: "stop" as const,
});

function judgeScore(d: Decision, served: Extract<Served, { type: "score" }>): Judged {
  d.score = served.score;
  // Distance from the coin toss, in [0, 1]: what a calibrated P(good) says about its own certainty.
  d.confidence = Math.abs(served.score - 0.5) * 2;
  d.reasons = [...served.reasons];
  const variables = { score: served.score, confidence: d.confidence, features: d.features, rung: d.rung ?? 0 };
  const rule = firstMatch(d, variables);
  if (!rule || "climb" in rule.then) return "climb";
  if ("template" in rule.then) return "climb";
  const { result, referTo } = rule.then;
  d.result = result;
  if (referTo !== undefined) d.referTo = referTo;
  const answer = { score: served.score, result, reasons: d.reasons, ...(d.model !== undefined && { model: d.model }) };
  return { type: "score", answer: referTo === undefined ? answer : { ...answer, refer_to: referTo } };
}

function judgeChat(d: Decision, rung: Rung, served: Extract<Served, { type: "chat" }>): Judged {
  const { response, raw } = served;
  if (d.useCase.decide.length === 0 || rung.type === "template") return { type: "chat", response, ...(raw && { raw }) };
  const text = textOf(response);
  // Without log probabilities a vendor says nothing about certainty: full, unless it was cut off, filtered or empty.
  d.confidence =
    text.trim() === "" && !response.parts.some((part) => part.type === "tool_call")
      ? 0
      : response.finish === "stop" || response.finish === "tool_calls"
        ? 1
        : 0.5;
  const rule = firstMatch(d, {
    confidence: d.confidence,
    abstained: d.confidence === 0,
    finish: response.finish,
    guards: d.guards.filter((guard) => guard.verdict !== "allow").map((guard) => guard.guard),
    rung: d.rung ?? 0,
  });
  if (!rule) return { type: "chat", response, ...(raw && { raw }) };
  if ("climb" in rule.then) return "climb";
  if ("template" in rule.then) {
    d.model = "template";
    const parts: ChatPart[] = [{ type: "text", text: rule.then.template }];
    return {
      type: "chat",
      response: { model: "template", parts, finish: "stop", ...(response.usage && { usage: response.usage }) },
    };
  }
  d.result = rule.then.result;
  if (rule.then.referTo !== undefined) return refer(d, rule.then.referTo);
  return { type: "chat", response, ...(raw && { raw }) };
}

function firstMatch(d: Decision, variables: Record<string, unknown>): DecisionRule | undefined {
  // A rule that can't be evaluated doesn't hold, and the record says that it was not because of the facts.
  const index = d.useCase.decide.findIndex(
    ({ when }) =>
      when === undefined ||
      when.test(variables, (problem) =>
        d.reasons.push({ basis: "policy", name: when.source, text: `could not be evaluated: ${problem}` }),
      ),
  );
  if (index < 0) return undefined;
  d.rule = index;
  const rule = d.useCase.decide[index]!;
  d.reasons.push({ basis: "policy", name: rule.when?.source ?? "otherwise" });
  return rule;
}
