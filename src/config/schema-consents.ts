/** The schema of the consents file: what the institution holds, where no consent service is plugged in. */
import { z } from "zod";
import { name, strict, text } from "./schema-values.ts";

const date = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}$/, "a date is written 2026-11-22")
  .refine((value) => dateMs(value) !== undefined, "there is no such day");

/** Midnight UTC; undefined for a day that the calendar does not have. */
export function dateMs(text: string): number | undefined {
  const ms = Date.parse(`${text}T00:00:00Z`);
  return Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== text ? undefined : ms;
}

const consent = strict({
  reference: text.describe("What callers send in x-weir-consent."),
  tenant: name.describe("Tenant whose subjects gave it."),
  subject: text
    .describe("The subject that gave it. Default: any; the reference then names a form that every subject signs.")
    .optional(),
  purposes: z.array(text).min(1).describe("Purposes that it covers."),
  from: date.describe("First day, from 0:00 UTC."),
  until: date.describe("Day on whose 0:00 UTC it ends."),
}).superRefine((value, context) => {
  if ((dateMs(value.from) ?? 0) < (dateMs(value.until) ?? Infinity)) return;
  context.addIssue({ code: "custom", path: ["until"], message: "`until` is not after `from`" });
});

export const consentsSchema = strict({
  consents: z.array(consent).describe("Consents; a reference may stand in several."),
}).describe("Consents.");
