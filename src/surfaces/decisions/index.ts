/**
 * The native surface: `POST /v1/decisions/{use_case}` with named features → result, score, reasons, decision id.
 * Errors are RFC 9457 problem documents. It knows no model and no rule.
 */
import { errorKinds } from "../../kernel/errors.ts";
import type { Answer } from "../../path/context.ts";
import {
  type Exchange,
  type Gateway,
  type Route,
  answerHeaders,
  callOf,
  problemOf,
  readJsonAsk,
  refuseAsProblem,
  sendJson,
} from "../gateway/index.ts";

const maxBodyBytes = 1024 * 1024;

export const decisionRoutes = (gateway: Gateway): Route[] => [
  {
    method: "POST",
    path: "/v1/decisions/:useCase",
    refuse: refuseAsProblem,
    handle: (exchange, { useCase }) => decideOne(gateway, exchange, useCase!),
  },
];

async function decideOne(gateway: Gateway, exchange: Exchange, useCase: string): Promise<void> {
  const call = callOf(exchange, "decisions", () =>
    readJsonAsk(exchange, maxBodyBytes, (value, body) => ({ kind: "score", useCase, input: value, body })),
  );
  const answer = await gateway.decide(call);
  const { outcome } = answer;
  if (outcome.type === "refused") {
    const headers = { ...answerHeaders(answer), "content-type": "application/problem+json" };
    return sendJson(
      exchange.response,
      errorKinds[outcome.refusal.code].status,
      headers,
      problemOf(outcome.refusal, answer.decision),
    );
  }
  if (outcome.type !== "score") throw new Error(`the decisions surface can't show a ${outcome.type}`);
  sendJson(exchange.response, 200, answerHeaders(answer), decisionBody(answer, outcome.answer));
}

type ScoreAnswer = Extract<Answer["outcome"], { type: "score" }>["answer"];

function decisionBody(answer: Answer, score: ScoreAnswer): Record<string, unknown> {
  return {
    decision_id: answer.decision,
    use_case: answer.settled?.use_case,
    // A referred decision is pending: its result comes from a person.
    status: score.refer_to === undefined ? "decided" : "pending",
    result: score.result,
    ...(score.score !== undefined && { score: score.score }),
    ...(score.refer_to !== undefined && { refer_to: score.refer_to }),
    reasons: score.reasons,
    ...(score.model !== undefined && { model: score.model }),
    ...(answer.replayed && { replayed: true }),
  };
}
