/** How much to think, from one vendor's measure to another's: names of effort and numbers of tokens. */
import type { ReasoningAsk } from "../../kernel/chat.ts";

type Effort = NonNullable<ReasoningAsk["effort"]>;

/** Google's published equivalents for its OpenAI surface (minimal and low 1,024, medium 8,192, high 24,576), continued upwards. */
const budgets: Record<Effort, number> = {
  none: 0,
  minimal: 1024,
  low: 1024,
  medium: 8192,
  high: 24_576,
  xhigh: 32_768,
  max: 65_536,
};

const efforts: ReadonlySet<unknown> = new Set(Object.keys(budgets));

export const isEffort = (value: unknown): value is Effort => efforts.has(value);

export const budgetOf = (effort: Effort): number => budgets[effort];

/** The least effort that thinks at least as much. */
export function effortOf(budgetTokens: number): Effort {
  if (budgetTokens === 0) return "none";
  for (const effort of ["low", "medium", "high", "xhigh"] as const) if (budgetTokens <= budgets[effort]) return effort;
  return "max";
}
