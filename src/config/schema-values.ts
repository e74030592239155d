/** Building blocks of the schema: names, durations, amounts, secrets, and objects that refuse unknown keys. */
import { z } from "zod";
import { femtoUsdOf } from "../kernel/money.ts";
import { durationMs, femtoPerToken, nanoUsdOf } from "./values.ts";

/** An object that refuses unknown keys. The issue's message carries the known ones, for "did you mean". */
export function strict<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  const known = Object.keys(shape).join(", ");
  return z.strictObject(shape, { error: (issue) => (issue.code === "unrecognized_keys" ? known : undefined) });
}

/** `@3` marks what an earlier snapshot pinned; only Weir writes that. */
const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}(@[0-9]{1,9})?$/;
export const name = z
  .string()
  .regex(
    namePattern,
    "a name has 1 to 64 letters, digits, dots, dashes or underscores and starts with a letter or digit",
  );

export const text = z.string().trim().min(1, "this must not be empty");
export const file = text.describe("A file, relative to the file that names it.");

export const duration = z
  .string()
  .regex(/^[0-9]{1,9}(ms|s|m|h|d)$/, 'a duration is a whole number with a unit: "1500ms", "30s", "10m", "24h", "7d"')
  .refine((value) => durationMs(value) !== 0, "a duration must be more than zero");

const decimal = z.union([z.number(), z.string()]);

/** A check that passes where `convert` does not throw. */
export function exactly(convert: (value: string | number) => unknown) {
  return (context: z.core.ParsePayload<string | number>) => {
    try {
      convert(context.value);
    } catch (error) {
      context.issues.push({ code: "custom", message: (error as RangeError).message, input: context.value });
    }
  };
}

/** USD per million tokens, exact to 9 decimals. */
export const tokenPrice = decimal.check(exactly(femtoPerToken));
/** USD per use or per hour, exact to 15 decimals. */
export const usdRate = decimal.check(exactly(femtoUsdOf));
/** Watts or watt-hours. */
export const energyRate = z.number().min(0).max(1_000_000);
/** A USD amount, exact to 9 decimals, at most 9 million. */
export const usdAmount = decimal.check(exactly(nanoUsdOf));

export const count = z.int().min(1).max(1_000_000_000);

export const limits = strict({
  requests_per_minute: count.describe("Requests in any minute.").optional(),
  tokens_per_minute: count.describe("Input and output tokens in any minute.").optional(),
  concurrency: count.describe("Requests at the same time.").optional(),
});

export const secret = z
  .union([
    strict({
      env: z
        .string()
        .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "this is no name of an environment variable")
        .describe("Environment variable that holds the secret."),
    }),
    strict({ file: file.describe("File that holds the secret; surrounding white space is cut off.") }),
  ])
  .describe("A secret by reference: { env: NAME } or { file: PATH }. Secrets never stand in this file.");

export const oneOrMore = z.union([text, z.array(text).min(1)]);
