/** How much to think, as Gemini is told: up to 2.5 a number of tokens, since 3 a level. */
import type { ChatRequest, ReasoningAsk } from "../../../kernel/chat.ts";
import type { Fields } from "../body-reader.ts";
import { budgetOf } from "../reasoning.ts";

const thoughtless = /gemini-(?:1|2\.0)/;
const budgetOnly = /gemini-2\.5/;

/** Models of the third generation on prove their thoughts, and refuse calls without the proof. */
export const provesThoughts = (model: string): boolean => /gemini-(?:[3-9]|\d\d)/.test(model);

export function encodeThinking({ reasoning: ask }: ChatRequest, model: string, dropped: Set<string>): Fields {
  if (ask === undefined) return {};
  if (thoughtless.test(model)) {
    if (ask.effort !== "none" && ask.budget_tokens !== 0) dropped.add("reasoning");
    return {};
  }
  const config = budgetOnly.test(model) ? budgetFor(ask, model, dropped) : levelFor(ask, model, dropped);
  if (ask.summary !== undefined) config["includeThoughts"] = ask.summary !== "none";
  return Object.keys(config).length === 0 ? {} : { thinkingConfig: config };
}

function budgetFor(
  { effort, budget_tokens: budget, adaptive }: ReasoningAsk,
  model: string,
  dropped: Set<string>,
): Fields {
  if (budget === undefined && effort === undefined) return adaptive === true ? { thinkingBudget: -1 } : {};
  if (effort !== undefined && effort !== "none") dropped.add("reasoning.effort");
  const asked = budget ?? budgetOf(effort!);
  const given = asked < 0 ? -1 : withinLimits(asked, model);
  if (given !== asked) dropped.add(budget === undefined ? "reasoning.effort" : "reasoning.budget_tokens");
  return { thinkingBudget: given };
}

/** Google's published ranges; only Flash can be told not to think at all. */
function withinLimits(asked: number, model: string): number {
  if (model.includes("pro")) return Math.min(Math.max(asked, 128), 32_768);
  const least = asked > 0 && model.includes("lite") ? 512 : 0;
  return Math.min(Math.max(asked, least), 24_576);
}

const levels = {
  none: "minimal",
  minimal: "minimal",
  low: "low",
  medium: "medium",
  high: "high",
  xhigh: "high",
  max: "high",
} as const;

function levelFor({ effort, budget_tokens: budget }: ReasoningAsk, model: string, dropped: Set<string>): Fields {
  if (effort === undefined && budget !== undefined && budget > 0) return { thinkingBudget: budget };
  // -1, and adaptive: the model decides, as it does untold.
  const wanted = budget === 0 ? "none" : effort;
  if (budget !== undefined && budget > 0) dropped.add("reasoning.budget_tokens");
  if (budget === 0 && effort !== undefined && effort !== "none") dropped.add("reasoning.effort");
  if (wanted === undefined) return {};
  const level = levelKnown(levels[wanted], model);
  if (level !== wanted) dropped.add(effort === undefined ? "reasoning.budget_tokens" : "reasoning.effort");
  return { thinkingLevel: level };
}

/** Pro doesn't know the least level, and the first of them no middle either. */
function levelKnown(level: string, model: string): string {
  if (!model.includes("pro")) return level;
  if (level === "minimal") return "low";
  return level === "medium" && /gemini-3-pro/.test(model) ? "high" : level;
}
