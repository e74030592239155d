/** The one schema of the configuration file: messages, JSON Schema, reference page and types all come from it. */
import { z } from "zod";
import { dataClasses } from "../kernel/decision.ts";
import { environments } from "../kernel/principal.ts";
import { useCaseSchema } from "./schema-use-case.ts";
import { count, duration, file, limits, name, secret, strict, text, tokenPrice, usdAmount } from "./schema-values.ts";

const port = z.int().min(0).max(65_535);

const server = strict({
  host: text.describe("Address to listen on; loopback unless changed.").default("127.0.0.1"),
  port: port.describe("Port of the inference, admin and console routes; 0 takes a free one.").default(8080),
  ops_port: port.describe("Port of /livez, /readyz and /metrics.").default(9090),
  console: z.boolean().describe("Whether the console is served at /console.").default(true),
  environment: z
    .enum(environments)
    .describe("Environment that this server runs; keys of another are refused.")
    .default("dev"),
  tls: strict({
    cert: file.describe("Certificate chain, PEM."),
    key: file.describe("Private key, PEM."),
  })
    .describe("TLS from files. Default: plain HTTP.")
    .optional(),
  public_origin: z
    .string()
    .regex(/^https?:\/\/[^/?#@]+$/, "an origin is scheme, host and port only, e.g. https://weir.example.com")
    .describe("Origin under which browsers reach the console, where a proxy stands in front.")
    .optional(),
}).describe("Where and as what this server runs. Read at start.");

const ledger = strict({
  checkpoints: z
    .array(
      strict({
        file: file.describe("Folder that signed checkpoints are written into, best on another disk or machine."),
      }),
    )
    .describe("Where checkpoints are published outside the data directory.")
    .default([]),
}).describe("The provable record.");

const tenant = strict({
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

const vendor = strict({
  dialect: z.enum(["openai", "anthropic"]).describe("Wire format that the vendor speaks."),
  base_url: z
    .string()
    .regex(
      /^https?:\/\/[^\s/?#@]+(\/[^\s?#]*)?$/,
      "a base URL starts with http:// or https:// and holds no user, query or fragment",
    )
    .describe(
      "Address as the vendor's own clients take it. Default, by dialect: https://api.openai.com/v1 or https://api.anthropic.com.",
    )
    .optional(),
  key: secret.describe("API key, by reference: { env: NAME } or { file: PATH }.").optional(),
  region: text.describe("Where it processes data, e.g. us, eu, onprem."),
  data_class: z.enum(dataClasses).describe("Highest data class that the data agreement covers.").default("internal"),
  timeouts: strict({
    connect: duration.describe("Until connected.").default("2s"),
    first_byte: duration.describe("Until the first byte of the answer.").default("30s"),
    idle: duration.describe("Between two chunks of a stream.").default("30s"),
  })
    .describe("Time limits of one attempt.")
    .prefault({}),
}).describe("A vendor account: address, key, region, agreement.");

const price = z.union([
  z.literal("free").describe("Nothing is charged, e.g. a local server."),
  strict({
    input: tokenPrice.describe("USD per million input tokens."),
    cached_input: tokenPrice
      .describe("USD per million input tokens read from the vendor's cache. Default: as input.")
      .optional(),
    output: tokenPrice.describe("USD per million output tokens."),
    per: z.literal("1M tokens").describe("The unit; says itself, may be left out.").default("1M tokens"),
    as_of: z
      .string()
      .regex(/^\d{4}-\d{2}-\d{2}$/, 'a date is written "2026-11-22", in quotes')
      .describe("Date of the price list; names the price version in the record.")
      .optional(),
  }),
]);

const card = file.describe("The model card, Markdown.").optional();
const sha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/, "a SHA-256 has 64 lower-case hexadecimal digits")
  .describe("Digest of the file; a file that differs is refused.")
  .optional();

const model = z.union([
  strict({
    vendor: name.describe("An entry of `vendors`."),
    model: text.describe("The model's name at the vendor."),
    price: price.describe("`free`, or USD per million tokens.").optional(),
    max_output: count
      .describe("Most output tokens of an answer; the worst case that money is held for. Needed with a price.")
      .optional(),
    context: count.describe("Tokens of input and output together.").optional(),
  }).describe("A model at a vendor."),
  strict({
    runtime: z.literal("onnx").describe("An ONNX graph in this process."),
    file: file.describe("The .onnx file."),
    sha256,
    card,
  }).describe("A predictive model from a file."),
  strict({
    runtime: z.literal("rules").describe("A rules file in this process."),
    file: file.describe("The rules file."),
    sha256,
    card,
  }).describe("A rules baseline from a file."),
  strict({
    runtime: z.literal("extractive").describe("Sentences of the retrieved passages, verbatim with citations."),
  }).describe("Answers without a language model."),
]);

const slot = strict({
  start: name.describe("The model it starts with; afterwards only a release moves it."),
  release: z.enum(["direct", "one-person", "four-eyes"]).describe("Who may move it. Default: by risk tier.").optional(),
}).describe("A named place in a ladder whose model releases move.");

const guard = strict({
  detect: z.array(text).min(1).describe("Detectors, e.g. card, iban, email, phone."),
  action: z.enum(["allow", "redact", "block"]).describe("What happens with a finding; allow only records it."),
  on_failure: z
    .enum(["open", "closed"])
    .describe(
      "What happens when the guard itself fails. Default: open for minimal risk, else closed; high risk is always closed.",
    )
    .optional(),
}).describe("Detectors and what to do with their findings.");

const named = <Value extends z.ZodType>(value: Value) => z.record(name, value).default({});

const sections = {
  imports: z
    .array(file)
    .describe("Further files whose entries are added; a name may be declared only once.")
    .default([]),
  tenants: named(tenant).describe("Who is served, with budget and residency."),
  vendors: named(vendor).describe("Vendor accounts."),
  models: named(model).describe("Models at vendors and in this process."),
  slots: named(slot).describe("Named places in ladders."),
  guards: named(guard).describe("Guards over inputs and outputs."),
  use_cases: named(useCaseSchema).describe("What clients call."),
};
const version = z.literal(1).describe("Version of this format.");

/** The main file, and the whole after its imports were added. */
export const configSchema = strict({
  weir: version,
  server: server.prefault({}),
  ledger: ledger.prefault({}),
  consents: file.describe("File with the consents that the institution holds; see Consents below.").optional(),
  ...sections,
}).describe("Configuration of Weir.");
/** An imported file: entries only, the version may be left out. */
export const importSchema = strict({ weir: version.optional(), ...sections });

export const sectionNames = ["tenants", "vendors", "models", "slots", "guards", "use_cases"] as const;
export type SectionName = (typeof sectionNames)[number];

export type Config = z.output<typeof configSchema>;
export type VendorConfig = Config["vendors"][string];
export type ModelConfig = Config["models"][string];
export type GuardConfig = Config["guards"][string];
