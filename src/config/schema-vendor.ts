/** The schema of a vendor account: who it is, wire format, address, credentials, region, agreement, time limits. */
import { z } from "zod";
import { presetNames } from "../engines/vendors/index.ts";
import type { DialectName } from "../kernel/chat.ts";
import { dataClasses } from "../kernel/decision.ts";
import { count, duration, secret, strict, text } from "./schema-values.ts";

/** How dialects are called here → what they are. */
export const dialectsByWord = {
  openai: "openai-chat",
  "openai-responses": "openai-responses",
  anthropic: "anthropic-messages",
  gemini: "gemini",
  bedrock: "bedrock-converse",
  cohere: "cohere",
} as const satisfies Record<string, DialectName>;

const dialectWords = Object.keys(dialectsByWord) as [keyof typeof dialectsByWord];

/** A part of a host name or a path: nothing that could lead elsewhere. */
const addressPart = z
  .string()
  .regex(/^[A-Za-z0-9]([A-Za-z0-9.-]{0,61}[A-Za-z0-9])?$/, "this has letters, digits, dots and dashes only");

/** These are Weir's to write, or carry secrets. */
const ownHeaders =
  /^(authorization|proxy-authorization|cookie|x-api-key|api-key|x-goog-api-key|host|accept|content-type|content-length|transfer-encoding|connection|x-amz-.*)$/;

const headers = z
  .record(
    z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/, "a header's name has letters, digits and dashes")
      .refine(
        (header) => !ownHeaders.test(header.toLowerCase()),
        "this header is not for the operator to set; keys go under key or keys",
      ),
    z.string().regex(/^[\x20-\x7e]{1,1000}$/, "a header's value is printable ASCII"),
  )
  .describe("Headers that it gets with every call, e.g. OpenRouter's HTTP-Referer. Never secrets.")
  .default({});

const auth = z
  .union([
    z.enum(["none", "bearer", "aws-sigv4", "google-service-account"]),
    strict({
      header: z
        .string()
        .regex(/^[A-Za-z0-9-]{1,64}$/, "this is no name of a header")
        .describe("The header that the key alone stands in."),
    }),
  ])
  .describe(
    "How a key is shown: bearer, { header: NAME }, aws-sigv4 (keys are ACCESS_KEY_ID:SECRET[:SESSION_TOKEN]), google-service-account (keys are its JSON), or none. Default: as the preset has it.",
  )
  .optional();

export const quirksSchema = strict({
  max_tokens_field: z
    .enum(["max_tokens", "max_completion_tokens"])
    .describe("What the most tokens of an answer are called.")
    .optional(),
  stream_usage: z.boolean().describe("Whether it takes `stream_options`.").optional(),
  refuses: z
    .array(text)
    .max(64)
    .describe("Fields that it refuses, by the name they have there; they are left out and named.")
    .optional(),
  model_family: z
    .enum(["claude", "nova", "nova-2", "gpt-oss", "mistral", "command"])
    .describe("Whose models these are where their names don't tell: application inference profiles of Bedrock.")
    .optional(),
})
  .describe("What it does otherwise than the preset or the dialect has it.")
  .optional();

export const vendorSchema = strict({
  preset: z
    .enum(presetNames)
    .describe("Which vendor it is: gives dialect, address, how keys are shown, and what it refuses.")
    .optional(),
  dialect: z
    .enum(dialectWords)
    .describe(
      "Wire format that it speaks. Default: the preset's first. Without a preset it is the dialect's inventor, or with base_url anyone's server.",
    )
    .optional(),
  base_url: z
    .string()
    .regex(
      /^https?:\/\/[^\s/?#@{}]+(\/([^\s?#{}]|\{model\})*)?$/,
      "a base URL starts with http:// or https:// and holds no user, query or fragment, and no placeholder but {model} in its path",
    )
    .describe(
      "Address as the vendor's own clients take it; `{model}` in it stands for the model. Default: the preset's, or the dialect's inventor's.",
    )
    .optional(),
  region_code: addressPart.describe("AWS region, e.g. eu-central-1.").optional(),
  resource: addressPart.describe("Azure OpenAI resource.").optional(),
  project: addressPart.describe("Google Cloud project.").optional(),
  location: addressPart.describe("Google Cloud location, e.g. europe-west4, or global.").optional(),
  api_version: addressPart.describe("Version of Azure's API, e.g. 2024-10-21 or preview.").optional(),
  auth,
  headers,
  quirks: quirksSchema,
  key: secret.describe("API key, by reference: { env: NAME } or { file: PATH }.").optional(),
  keys: z
    .array(secret)
    .min(1)
    .max(32)
    .describe(
      "Several API keys, used in turn. One that is limited cools down, one that the vendor no longer takes is left out; the others carry on.",
    )
    .optional(),
  region: text.describe("Where it processes data, e.g. us, eu, onprem."),
  data_class: z.enum(dataClasses).describe("Highest data class that the data agreement covers.").default("internal"),
  timeouts: strict({
    connect: duration.describe("Until connected.").default("2s"),
    first_byte: duration.describe("Until the first byte of the answer.").default("30s"),
    first_token: duration
      .describe("Until the first content of a stream, from the request on. Default: no limit beyond the others.")
      .optional(),
    total: duration.describe("For a whole attempt. Default: the decision's deadline.").optional(),
    min_bytes_per_second: count
      .describe("A stream that brings less, over ten seconds, is given up. Default: any rate will do.")
      .optional(),
    idle: duration.describe("Between two chunks of a stream.").default("30s"),
  })
    .describe("Time limits of one attempt.")
    .prefault({}),
  health: strict({
    failures: count.describe("Failures in a row that open the breaker of one of its models.").default(5),
    failure_rate: z
      .number()
      .min(0.01)
      .max(1)
      .describe("Or this part of the last minute's calls, once there were 20.")
      .default(0.5),
    open: duration
      .describe(
        "How long an open breaker turns calls away before two of them try it; doubled while they fail, up to a minute.",
      )
      .default("5s"),
    slow_start: duration
      .describe("How long a model that came back takes to get its whole share of a pool again.")
      .default("30s"),
    retry_share: z.number().min(0).max(1).describe("Retries as a part of calls; a burst of ten is free.").default(0.1),
  })
    .describe("When one of its models counts as broken, and how it is brought back.")
    .prefault({}),
  capacity: strict({
    least: count.describe("Calls at once that are always tried.").default(4),
    initial: count.describe("Where each of its models starts; then it is learned.").default(64),
    most: count.describe("Calls at once that are never exceeded.").default(4096),
  })
    .describe(
      "Calls at once to each of its models, learned between these bounds; others wait their turn or are turned away.",
    )
    .prefault({}),
}).describe("A vendor account: address, key, region, agreement.");
