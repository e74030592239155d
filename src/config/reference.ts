/** The reference page of the configuration, made from the schema; a test compares docs/reference/config.md with it. */
import { conditionVariables } from "../kernel/condition.ts";
import { riskTiers } from "../kernel/decision.ts";
import { configJsonSchema, consentsJsonSchema, contractJsonSchema } from "./json-schema.ts";
import { tiers } from "./tiers.ts";

interface Schema {
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  default?: unknown;
  pattern?: string;
  description?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: Schema | false;
  items?: Schema;
  anyOf?: Schema[];
}

export function configReference(): string {
  const config = configJsonSchema() as Schema;
  const contract = contractJsonSchema() as Schema;
  const consents = consentsJsonSchema() as Schema;
  return [
    "# Configuration",
    "",
    "Generated from the schema in `src/config/`; change it there. Unknown keys are errors. Durations are whole numbers with a",
    'unit: `"1500ms"`, `"30s"`, `"10m"`, `"24h"`, `"7d"`. Paths are relative to the file that names them.',
    "",
    ...objectSection("weir.yaml", "", config),
    ...tierSection(),
    ...conditionSection(),
    "## Feature contract",
    "",
    "A file of its own, named by `input` of a score use case.",
    "",
    ...objectSection("contract file", "", contract).slice(2),
    "## Consents",
    "",
    "A file of its own, named by `consents`: what the institution holds, where no consent service is plugged in.",
    "",
    ...objectSection("consents file", "", consents).slice(2),
  ]
    .join("\n")
    .replace(/\n{3,}/g, "\n\n")
    .trimEnd()
    .concat("\n");
}

/** One table per object; objects inside follow as sections of their own. */
function objectSection(title: string, prefix: string, schema: Schema): string[] {
  const entries = Object.entries(schema.properties ?? {});
  const rows = entries.map(([key, value]) => {
    const required = schema.required?.includes(key) && value.default === undefined;
    return `| \`${key}\` | ${cell(typeOf(value))} | ${required ? "required" : defaultOf(value)} | ${cell(meaningOf(value))} |`;
  });
  const lines = [`## ${title}`, "", "| key | value | default | meaning |", "| --- | --- | --- | --- |", ...rows, ""];
  return [...lines, ...entries.flatMap(([key, value]) => nestedSections(`${prefix}${key}`, value))];
}

function nestedSections(path: string, schema: Schema): string[] {
  if (schema.properties) return objectSection(`\`${path}\``, `${path}.`, schema);
  if (schema.anyOf) return choiceSections(path, schema.anyOf);
  if (schema.items) return nestedSections(`${path}[]`, schema.items);
  if (schema.additionalProperties) return nestedSections(`${path}.NAME`, schema.additionalProperties);
  return [];
}

/** The forms of a choice, each named by its keys. */
function choiceSections(path: string, forms: readonly Schema[]): string[] {
  return forms.flatMap((form) => {
    if (!form.properties) return [];
    const first = Object.entries(form.properties).find(([key]) => form.required?.includes(key));
    const mark = first ? (first[1].const === undefined ? first[0] : `${first[0]}: ${String(first[1].const)}`) : "";
    return objectSection(`\`${path}\` with \`${mark}\``, `${path}.`, form);
  });
}

function typeOf(schema: Schema): string {
  if (schema.const !== undefined) return `\`${String(schema.const)}\``;
  if (schema.enum) return schema.enum.map((value) => `\`${String(value)}\``).join(", ");
  if (schema.anyOf) return [...new Set(schema.anyOf.map(typeOf))].join(" or ");
  if (schema.items) return `list of ${typeOf(schema.items)}`;
  if (schema.properties) return `{ ${Object.keys(schema.properties).join(", ")} }`;
  if (schema.additionalProperties) return `NAME: ${typeOf(schema.additionalProperties)}`;
  if (schema.pattern?.endsWith("(ms|s|m|h|d)$")) return "duration";
  const names: Record<string, string> = { string: "text", integer: "whole number", boolean: "true, false" };
  return [schema.type ?? "text"]
    .flat()
    .map((type) => names[type] ?? type)
    .join(" or ");
}

/** Its own description, else those of its forms. */
const meaningOf = (schema: Schema): string =>
  schema.description ??
  (schema.anyOf ?? [schema.items ?? {}])
    .map(({ description }) => description ?? "")
    .join(" ")
    .trim();

function defaultOf({ default: value }: Schema): string {
  if (value === undefined) return "";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text === "{}" || text === "[]" ? "none" : `\`${text}\``;
}

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");

function tierSection(): string[] {
  const rows = riskTiers.map((risk) => {
    const tier = tiers[risk];
    const open = tier.notEnforced.length > 0 ? tier.notEnforced.join("; ") : "–";
    const columns = [tier.durability, tier.record, tier.guardFailure, tier.release].map((values) => values.join(", "));
    return `| \`${risk}\` | ${[...columns, open].join(" | ")} |`;
  });
  return [
    "## Risk tiers",
    "",
    "The first value of each column is the default; a use case that asks for a value that is not there is refused.",
    "",
    "| risk | durability | record | a guard that fails is | release | not enforced yet |",
    "| --- | --- | --- | --- | --- | --- |",
    ...rows,
    "",
  ];
}

const placeNames: Record<keyof typeof conditionVariables, string> = {
  "decide-score": "`decide` of a score (with `features` of the contract)",
  "decide-chat": "`decide` of a chat",
  rung: "`when` of a rung (of a score: with `features` of the contract)",
  "use-case": "`when` of a use case",
};

function conditionSection(): string[] {
  const rows = Object.entries(conditionVariables).map(([place, variables]) => {
    const names = Object.entries(variables).flatMap(([name, type]) =>
      typeof type === "string"
        ? [`\`${name}: ${type}\``]
        : Object.entries(type).map(([field, fieldType]) => `\`${name}.${field}: ${fieldType}\``),
    );
    return `| ${placeNames[place as keyof typeof conditionVariables]} | ${names.join(", ") || "–"} |`;
  });
  return [
    "## Conditions",
    "",
    "Conditions are [CEL](https://cel.dev), type-checked when the file is read. Numbers are doubles and whole-number literals mix",
    "with them: `score >= 1` and `score >= 1.0` mean the same. A condition that cannot be evaluated, e.g. because a nullable",
    "feature is null, counts as false and is recorded; ask first: `features.Income != null && features.Income > 100`.",
    "",
    "| place | variables |",
    "| --- | --- |",
    ...rows,
    "",
  ];
}
