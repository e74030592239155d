/** The schema of who is served and how much: limits, budgets, and who goes first. */
import { z } from "zod";
import { budgetWindows, priorityClasses } from "../kernel/snapshot.ts";
import { count, limits, strict, text, usdAmount } from "./schema-values.ts";

const budgetStep = strict({
  at: z.int().min(1).max(99).describe("Percentage of the amount that has been spent."),
  do: z
    .enum(["warn", "degrade"])
    .describe("warn tells the operators; degrade also leaves out a ladder's dearest rung where another is eligible."),
});

const budgetSchema = strict({
  usd: usdAmount.describe("Amount in USD."),
  per: z.enum(budgetWindows).describe("Window, in UTC; weeks begin on Monday."),
  at_limit: z.enum(["block", "warn"]).describe("Refuse, or serve and warn.").default("block"),
  steps: z
    .array(budgetStep)
    .refine((steps) => steps.every((step, i) => i === 0 || step.at > steps[i - 1]!.at), "steps ascend by `at`")
    .describe("What happens before the limit, e.g. [{ at: 80, do: warn }, { at: 95, do: degrade }].")
    .default([]),
});
export type BudgetConfig = z.output<typeof budgetSchema>;

const budgets = z
  .union([budgetSchema, z.array(budgetSchema).min(1)])
  .refine(
    (value) => new Set([value].flat().map(({ per }) => per)).size === [value].flat().length,
    "there is one budget for each window",
  );

const priority = z.enum(priorityClasses);

const allowance = {
  limits: limits.describe("Limits of each of them.").default({}),
  budget: budgets.describe("Money that each of them may spend; one budget or a list.").optional(),
};

export const tenantSchema = strict({
  budget: budgets.describe("Money that the tenant may spend; one budget or a list with several windows.").optional(),
  residency: z.array(text).describe("Regions where its data may be processed; empty means anywhere.").default([]),
  limits: limits.describe("Limits over all of the tenant's keys.").default({}),
  each_principal: strict(allowance)
    .describe("What each principal (service, user or agent) may use over all its keys, unless named below.")
    .optional(),
  principals: z
    .record(
      text,
      strict({ ...allowance, priority: priority.describe("Lowers the class of what it sends.").optional() }),
    )
    .describe("What single principals may use, by their id.")
    .default({}),
  each_key: strict(allowance).describe("What each key may use, beside what it was minted with.").optional(),
  weight: z.int().min(1).max(1000).describe("Share of a contended model, relative to other tenants.").default(1),
}).describe("A tenant.");

/** What a use case may use and how it is served under load: part of its schema. */
export const useCaseLimits = {
  limits: limits.describe("Limits of the use case over all callers of a tenant.").default({}),
  budget: budgets.describe("Money that each tenant may spend on the use case; one budget or a list.").optional(),
  priority: priority
    .describe("Who goes first where a model is contended. Default: standard, and critical for high risk.")
    .optional(),
  max_cost: usdAmount
    .describe("Most that one call of a model may cost at worst, in USD; dearer rungs are passed over.")
    .optional(),
  trim_to: count
    .describe(
      "Estimated input tokens above which blanks and then the oldest turns of a talk are left out; system messages, the last turn and all up to the last cache mark stay. Default: nothing is.",
    )
    .optional(),
  max_input_tokens: count.describe("Longer input is refused.").optional(),
  max_output_tokens: count.describe("Longer answers are not asked for.").optional(),
};
