/** The schema of who is served and how much: tenants, their budgets and limits. */
import { z } from "zod";
import { limits, strict, text, usdAmount } from "./schema-values.ts";

export const tenantSchema = strict({
  budget: strict({
    usd: usdAmount.describe("Amount in USD."),
    per: z.enum(["day", "month"]).describe("Window, in UTC."),
    at_limit: z.enum(["block", "warn"]).describe("Refuse, or serve and warn.").default("block"),
  })
    .describe("Money that the tenant may spend.")
    .optional(),
  residency: z.array(text).describe("Regions where its data may be processed; empty means anywhere.").default([]),
  limits: limits.describe("Limits over all of the tenant's keys.").default({}),
}).describe("A tenant.");
