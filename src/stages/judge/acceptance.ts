/** Whether a light rung's answer is good enough: the check of a cascade. */
import type { ChatRequest, ChatResponse } from "../../kernel/chat.ts";
import type { Acceptance } from "../../kernel/snapshot.ts";
import { schemaProblem } from "./json-schema.ts";

/** Why it is not; `undefined` where it is. Never quotes the answer. */
export function acceptanceProblem(
  accept: Acceptance,
  request: ChatRequest,
  response: ChatResponse,
): string | undefined {
  return (
    (accept.abstains === false ? abstention(response) : undefined) ??
    (accept.schema ? misfit(request, response) : undefined) ??
    (accept.confidence === undefined ? undefined : doubt(accept.confidence, response))
  );
}

/** The geometric mean of the tokens' probabilities; `undefined` without log probabilities. */
export function confidenceOf({ logprobs }: ChatResponse): number | undefined {
  if (!logprobs || logprobs.length === 0) return undefined;
  const sum = logprobs.reduce((total, { logprob }) => total + Math.max(logprob, -100), 0);
  return Math.min(1, Math.exp(sum / logprobs.length));
}

export const textOf = (response: ChatResponse): string =>
  response.parts.map((part) => (part.type === "text" ? part.text : "")).join("");

// How models say in English and German that they can't: at the start, where an answer that goes on to help rarely says it.
const givingUp =
  /^\W*(?:(?:i'?m |i am )?(?:very )?sorry\b|i (?:do not|don'?t|cannot|can'?t|could not|couldn'?t)\b|i(?: a|')?m (?:not (?:able|sure)|unable)\b|unfortunately,? i\b|as an ai\b|there is no(?:t enough)? information|leider |ich (?:weiß|kann) (?:es |das |dir |ihnen )?(?:leider )?nicht|dazu (?:habe|kann) ich|es tut mir leid)/i;

function abstention(response: ChatResponse): string | undefined {
  if (response.finish === "length") return "the answer is cut short";
  if (response.finish === "content_filter" || response.finish === "refusal") return "the answer was declined";
  if (response.parts.some((part) => part.type === "tool_call")) return undefined;
  if (response.parts.some((part) => part.type === "text" && part.refusal)) return "the answer was declined";
  const text = textOf(response).trim();
  if (text === "") return "the answer says nothing";
  return givingUp.test(text.replaceAll("’", "'")) ? "the answer says that it can't tell" : undefined;
}

function misfit(request: ChatRequest, response: ChatResponse): string | undefined {
  for (const part of response.parts) {
    if (part.type !== "tool_call" || part.custom) continue;
    const tool = request.tools?.find(({ name }) => name === part.name);
    if (!tool) return "a tool is called that was not offered";
    const held = parsed(part.arguments === "" ? "{}" : part.arguments);
    const problem = held ? schemaProblem(held.value, tool.parameters) : "it is no JSON";
    if (problem !== undefined) return `a tool call's arguments don't fit: ${problem}`;
  }
  const format = request.response_format;
  if (!format || format.type === "text" || response.parts.some((part) => part.type === "tool_call")) return undefined;
  const held = parsed(textOf(response));
  if (!held) return "the answer is no JSON";
  const problem = schemaProblem(held.value, format.type === "json_schema" ? format.schema : { type: "object" });
  return problem === undefined ? undefined : `the answer doesn't fit its schema: ${problem}`;
}

function parsed(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

function doubt(least: number, response: ChatResponse): string | undefined {
  const confidence = confidenceOf(response);
  if (confidence === undefined) return "its confidence is not known, for the vendor gave no log probabilities";
  return confidence < least ? `its confidence ${confidence.toFixed(3)} is below ${least}` : undefined;
}
