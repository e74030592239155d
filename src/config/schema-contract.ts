/** The schema of a feature contract: what a score use case may be asked with. A file of its own, named by `input`. */
import { z } from "zod";
import { dataClasses } from "../kernel/decision.ts";
import { name, strict, text } from "./schema-values.ts";

const featureName = z
  .string()
  .regex(
    /^[A-Za-z_][A-Za-z0-9_]{0,63}$/,
    "a feature is named by letters, digits and underscores, so that conditions can name it",
  );

const feature = strict({
  type: z
    .enum(["number", "integer", "category"])
    .describe("number and integer are doubles in conditions, category is a string."),
  values: z.array(z.string()).min(1).describe("The allowed values of a category.").optional(),
  min: z.number().describe("Smallest allowed value.").optional(),
  max: z.number().describe("Largest allowed value.").optional(),
  nullable: z.boolean().describe("Whether it may be missing (null).").default(false),
  unit: text.describe("Unit, e.g. EUR per month.").optional(),
  immutable: z.boolean().describe("A person can't change it; counterfactuals leave it alone.").default(false),
  data_class: z.enum(dataClasses).describe("Class of this feature's values.").default("personal"),
  description: text.describe("What it means.").optional(),
}).superRefine((value, context) => {
  const issue = (path: string, message: string) => context.addIssue({ code: "custom", path: [path], message });
  if (value.type === "category" && !value.values) issue("type", "a category needs its `values`");
  if (value.type !== "category" && value.values) issue("values", "`values` belong to a category");
  if (value.type === "category" && (value.min !== undefined || value.max !== undefined)) {
    issue(value.min !== undefined ? "min" : "max", "a category has no `min` or `max`");
  }
  if (value.min !== undefined && value.max !== undefined && value.min > value.max) issue("max", "`max` is below `min`");
  if (value.values && new Set(value.values).size < value.values.length) issue("values", "a value stands here twice");
});

export const contractSchema = strict({
  contract: name.describe("Name of the contract."),
  version: z.int().min(1).describe("Raised with every change that callers must follow."),
  score: text.describe("What the score means, e.g. P(good)."),
  features: z.record(featureName, feature).describe("What the model may see, in order."),
  protected: z
    .record(featureName, feature)
    .describe("Kept for fairness audits under their own key; never given to a model, a rule or a condition.")
    .default({}),
})
  .superRefine((value, context) => {
    if (Object.keys(value.features).length === 0) {
      context.addIssue({ code: "custom", path: ["features"], message: "a contract needs at least one feature" });
    }
    for (const key of Object.keys(value.protected)) {
      if (Object.hasOwn(value.features, key)) {
        context.addIssue({
          code: "custom",
          path: ["protected", key],
          message: `"${key}" is also a feature; it can be only one of both`,
        });
      }
    }
  })
  .describe("A feature contract.");

export type ContractConfig = z.output<typeof contractSchema>;
export type FeatureConfig = ContractConfig["features"][string];
