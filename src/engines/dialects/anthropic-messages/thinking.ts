/** How much to think, as Anthropic is told, and what else a thinking model refuses. */
import type { ChatRequest, ReasoningAsk } from "../../../kernel/chat.ts";
import type { Fields } from "../body-reader.ts";
import { budgetOf } from "../reasoning.ts";

/** Models before 4.6 know budgets only (claude-3-7-sonnet, claude-sonnet-4-20250514, claude-opus-4-5, …). */
const budgetOnly = /claude-3|claude-(?:opus|sonnet|haiku)-4(?:-[0-5](?!\d))?(?:$|[-@:]\d{8}|-v\d|[@:-]latest)/;

const knowsNoXhigh = /-4-6(?!\d)/;

const leastBudget = 1024;

/** Adds `thinking` and `output_config.effort` to the body, and takes out what can't stand beside them. Call it last. */
export function encodeThinking(request: ChatRequest, body: Fields, dropped: Set<string>): void {
  const ask = request.reasoning;
  if (ask === undefined) return;
  const olderModel = budgetOnly.test(String(body["model"]));
  encodeEffort(ask, olderModel, body, dropped);
  const thinking = thinkingOf(ask, olderModel, body["max_tokens"] as number, dropped);
  if (thinking === undefined) return;
  if (thinking["type"] === "disabled") {
    body["thinking"] = thinking;
    return;
  }
  if (isForced(body["tool_choice"]) || (thinking["type"] === "enabled" && hasThoughtlessCall(body["messages"]))) {
    dropped.add("reasoning");
    return;
  }
  const display = ask.summary === undefined ? undefined : ask.summary === "none" ? "omitted" : "summarized";
  body["thinking"] = display === undefined ? thinking : { ...thinking, display };
  leaveOutBesideThinking(body, dropped);
}

function encodeEffort({ effort }: ReasoningAsk, olderModel: boolean, body: Fields, dropped: Set<string>): void {
  if (effort === undefined || effort === "none") return;
  const known =
    effort === "minimal" ? "low" : effort === "xhigh" && knowsNoXhigh.test(String(body["model"])) ? "max" : effort;
  if (olderModel || known !== effort) dropped.add("reasoning.effort");
  // To older models it goes as a budget, where thinking is asked for at all.
  if (!olderModel) body["output_config"] = { ...(body["output_config"] as object), effort: known };
}

function thinkingOf(
  { effort, budget_tokens: budget, adaptive }: ReasoningAsk,
  olderModel: boolean,
  maxTokens: number,
  dropped: Set<string>,
): Fields | undefined {
  if (effort === "none") return { type: "disabled" };
  // Zero beside an effort: the effort of the answer is meant, and thinking was never asked for.
  if (budget === 0) return effort === undefined ? { type: "disabled" } : undefined;
  if (budget !== undefined && budget > 0) return enabled(budget, maxTokens, dropped);
  if (adaptive !== true && effort === undefined && budget === undefined) return undefined;
  if (!olderModel) return { type: "adaptive" };
  if (effort === undefined) dropped.add(adaptive === true ? "reasoning.adaptive" : "reasoning.budget_tokens");
  return enabled(budgetOf(effort ?? "medium"), maxTokens, dropped, false);
}

/** Thoughts are a part of the maximum here: a fifth of it is kept for the answer. */
function enabled(asked: number, maxTokens: number, dropped: Set<string>, named = true): Fields | undefined {
  const budget = asked < maxTokens ? Math.max(asked, leastBudget) : Math.max(Math.floor(maxTokens * 0.8), leastBudget);
  if (budget >= maxTokens) {
    dropped.add("reasoning");
    return undefined;
  }
  if (named && budget !== asked) dropped.add("reasoning.budget_tokens");
  return { type: "enabled", budget_tokens: budget };
}

const isForced = (choice: unknown): boolean =>
  typeof choice === "object" && choice !== null && ["any", "tool"].includes(String((choice as Fields)["type"]));

/** With a budget, the turn that called tools must begin with the thought behind it; clients of other vendors have none. */
function hasThoughtlessCall(messages: unknown): boolean {
  const last = (messages as { role: string; content: Fields[] }[]).findLast(({ role }) => role === "assistant");
  if (last === undefined || !last.content.some((block) => block["type"] === "tool_use")) return false;
  return !String(last.content[0]?.["type"]).endsWith("thinking");
}

/** A thinking model takes no temperature but 1, no top_k, and no top_p below 0.95. */
function leaveOutBesideThinking(body: Fields, dropped: Set<string>): void {
  const refused: [string, boolean][] = [
    ["temperature", body["temperature"] !== 1],
    ["top_k", true],
    ["top_p", typeof body["top_p"] === "number" && body["top_p"] < 0.95],
  ];
  for (const [field, refuses] of refused) {
    if (body[field] === undefined || !refuses) continue;
    delete body[field];
    dropped.add(field);
  }
}
