/** The one schema of the configuration file: messages, JSON Schema, reference page and types all come from it. */
import { z } from "zod";
import { environments } from "../kernel/principal.ts";
import { tenantSchema } from "./schema-limits.ts";
import { modelSchema } from "./schema-model.ts";
import { alertsSchema, telemetrySchema } from "./schema-telemetry.ts";
import { useCaseSchema } from "./schema-use-case.ts";
import { file, name, strict, text } from "./schema-values.ts";
import { vendorSchema } from "./schema-vendor.ts";

const port = z.int().min(0).max(65_535);

const server = strict({
  host: text.describe("Address to listen on; loopback unless changed.").default("127.0.0.1"),
  port: port.describe("Port of the inference, admin and console routes; 0 takes a free one.").default(8080),
  ops_port: port.describe("Port of /livez, /readyz and /metrics.").default(9090),
  max_body_mb: z
    .int()
    .min(1)
    .max(512)
    .describe("Most MiB of a chat's body, unpacked: images and documents travel in it.")
    .default(32),
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
  tenants: named(tenantSchema).describe("Who is served, with budget and residency."),
  vendors: named(vendorSchema).describe("Vendor accounts."),
  models: named(modelSchema).describe("Models at vendors and in this process."),
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
  telemetry: telemetrySchema.prefault({}),
  alerts: alertsSchema.prefault({}),
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
