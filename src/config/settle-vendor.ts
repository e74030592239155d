/** What a vendor's entry comes to: its preset with what the entry says otherwise, or every reason why it can't be used. */
import {
  type ParameterName,
  type VendorPreset,
  fillTemplate,
  parameterNames,
  presetOf,
  presetOfDialect,
} from "../engines/vendors/index.ts";
import type { VendorAuth, VendorQuirks, VendorTarget } from "../kernel/snapshot.ts";
import type { Declaration } from "./declaration.ts";
import { dialectsByWord } from "./schema-vendor.ts";
import type { VendorConfig } from "./schema.ts";
import type { Path } from "./yaml-source.ts";

export type SettledVendor = Pick<
  VendorTarget,
  "dialect" | "baseUrl" | "auth" | "quirks" | "platform" | "query" | "headers" | "betas"
> & {
  /** Whether it can't be used without a key. */
  needsKey: boolean;
  keyEnv: string | undefined;
};

type DialectWord = keyof typeof dialectsByWord;

interface Entry {
  declaration: Declaration;
  path: Path;
  name: string;
  config: VendorConfig;
  preset: VendorPreset;
  /** How the preset is called in messages. */
  called: string;
  /** Someone else's server that only speaks the dialect: what its inventor refuses or knows says nothing of it. */
  foreign: boolean;
}

export function settleVendor(declaration: Declaration, name: string, config: VendorConfig): SettledVendor {
  const entry = entryOf(declaration, name, config);
  const { preset, foreign } = entry;
  checkParameters(entry);
  const dialect = dialectOf(entry);
  const auth = authOf(entry);
  const query = preset.query === undefined ? undefined : filled(preset.query, config);
  const headers = Object.keys(config.headers).length > 0 ? config.headers : undefined;
  return {
    dialect,
    baseUrl: baseUrlOf(entry),
    auth,
    quirks: { ...(foreign ? {} : preset.quirks?.[dialect]), ...quirksOf(config) },
    ...(preset.platform && !foreign && { platform: preset.platform }),
    ...(query !== undefined && { query }),
    ...(headers && { headers }),
    ...(preset.betas && !foreign && { betas: preset.betas }),
    needsKey: auth.type !== "none" && !foreign && preset.keyless !== true,
    keyEnv: preset.keyEnv,
  };
}

function entryOf(declaration: Declaration, name: string, config: VendorConfig): Entry {
  const path: Path = ["vendors", name];
  if (config.preset === undefined && config.dialect === undefined) {
    declaration.report(path, `vendor "${name}" says neither preset nor dialect`, {
      key: true,
      fix: "add preset: openai, anthropic, azure-openai, bedrock, … or dialect and base_url for a server that isn't listed",
    });
  }
  const own = config.preset ?? presetOfDialect(dialectsByWord[config.dialect ?? "openai"]);
  const preset = presetOf(own);
  const elsewhere = config.base_url !== undefined && hostOf(config.base_url) !== hostOf(preset.baseUrl);
  const foreign = config.preset === undefined && elsewhere;
  return { declaration, path, name, config, preset, called: own, foreign };
}

/** A host of which a part is still open is nobody's yet. */
const hostOf = (url: string | undefined): string | undefined =>
  url === undefined || /^https?:\/\/[^/]*\{/.test(url) ? undefined : new URL(url).host;

/** Undefined where one of its parameters isn't given: it is optional then, or reported. */
function filled(template: string, config: VendorConfig): string | undefined {
  const text = fillTemplate(template, parametersOf(config));
  return parameterNames.some((name) => text.includes(`{${name}}`)) ? undefined : text;
}

function parametersOf(config: VendorConfig): Partial<Record<ParameterName, string>> {
  const given: Partial<Record<ParameterName, string>> = {};
  for (const name of parameterNames) if (config[name] !== undefined) given[name] = config[name];
  return given;
}

const examples: Record<ParameterName, string> = {
  region_code: "the region's code at AWS, e.g. eu-central-1",
  resource: "the resource's name, as it stands in its address before .openai.azure.com",
  project: "the Google Cloud project's id",
  location: "where the model runs, e.g. europe-west4 or global",
  api_version: "e.g. 2024-10-21",
};

function checkParameters({ declaration, path, name, config, preset, called, foreign }: Entry): void {
  const needed = new Set<ParameterName>(config.base_url === undefined ? preset.required : []);
  if (preset.query !== undefined && !foreign && preset.required?.includes("api_version")) needed.add("api_version");
  if (authWordOf(config, preset) === "aws-sigv4") needed.add("region_code");
  const missing = [...needed].filter((parameter) => config[parameter] === undefined);
  for (const parameter of missing) {
    const fix = `add ${parameter}: ${examples[parameter]}`;
    declaration.report(path, `vendor "${name}" (${called}) needs ${parameter}`, { key: true, fix });
  }
  const known = new Set([...needed, ...(preset.optional ?? []), ...(preset.required ?? [])]);
  for (const parameter of parameterNames) {
    if (config[parameter] === undefined) continue;
    const idle = config.base_url !== undefined && !needed.has(parameter) && parameter !== "api_version";
    if (known.has(parameter) && !idle) continue;
    const why = known.has(parameter) ? "beside base_url, which holds the whole address" : `for ${called}`;
    const words = known.size > 0 && !known.has(parameter) ? `it knows ${[...known].join(", ")}` : "remove it";
    declaration.report([...path, parameter], `${parameter} means nothing ${why}`, { key: true, fix: words });
  }
}

function dialectOf({ declaration, path, config, preset, called }: Entry): VendorTarget["dialect"] {
  const [usual, ...others] = preset.dialects;
  const asked = config.dialect && dialectsByWord[config.dialect];
  if (asked === undefined || asked === usual || others.includes(asked)) return asked ?? usual;
  const words = (Object.keys(dialectsByWord) as DialectWord[]).filter((word) =>
    preset.dialects.includes(dialectsByWord[word]),
  );
  declaration.report([...path, "dialect"], `${called} doesn't speak ${config.dialect}`, {
    fix: `remove it, or write ${words.join(" or ")}`,
  });
  return usual;
}

function baseUrlOf({ declaration, path, name, config, preset, called }: Entry): string {
  if (config.base_url !== undefined) return config.base_url.replace(/\/+$/, "");
  const template = config.location === "global" ? (preset.globalBaseUrl ?? preset.baseUrl) : preset.baseUrl;
  if (template === undefined) {
    declaration.report(path, `vendor "${name}" (${called}) needs base_url`, {
      key: true,
      fix: "add base_url: the address as the server's own clients take it, e.g. http://127.0.0.1:8000/v1",
    });
  }
  return fillTemplate(template ?? "http://127.0.0.1:1", parametersOf(config));
}

const authWordOf = (config: VendorConfig, preset: VendorPreset) => config.auth ?? preset.auth;

function authOf({ declaration, path, name, config, preset, called, foreign }: Entry): VendorAuth {
  const word = authWordOf(config, preset);
  const taken = [preset.auth, ...(preset.otherAuth ?? [])];
  const fits = foreign || config.base_url !== undefined || taken.some((one) => wordFor(one) === wordFor(word));
  if (config.auth !== undefined && !fits) {
    declaration.report([...path, "auth"], `${called} doesn't take a key as ${wordFor(word)}`, {
      fix: `remove it, or write ${taken.map(wordFor).join(" or ")}`,
    });
  }
  const hasKey = config.key !== undefined || config.keys !== undefined;
  if (word === "none" && hasKey) {
    const fix = "remove the key, or write how it is shown: bearer, or { header: NAME }";
    declaration.report([...path, "auth"], `vendor "${name}" has a key that is never shown`, { fix });
  }
  if (typeof word === "object") return { type: "header", name: word.header.toLowerCase() };
  // A missing region is reported.
  if (word === "aws-sigv4") return { type: word, region: config.region_code ?? "", service: "bedrock" };
  return { type: word };
}

const wordFor = (auth: VendorPreset["auth"]): string =>
  typeof auth === "string" ? auth : `{ header: ${auth.header.toLowerCase()} }`;

export function quirksOf({ quirks }: Pick<VendorConfig, "quirks">): VendorQuirks {
  if (!quirks) return {};
  const { max_tokens_field, stream_usage, refuses, model_family } = quirks;
  return {
    ...(max_tokens_field !== undefined && { maxTokensField: max_tokens_field }),
    ...(stream_usage !== undefined && { streamUsage: stream_usage }),
    ...(refuses !== undefined && { refuses }),
    ...(model_family !== undefined && { modelFamily: model_family }),
  };
}
