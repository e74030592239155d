/** Tenants, vendors and models: addresses, secrets, prices and pinned files. */
import { freePrice, type Price } from "../kernel/usage.ts";
import type {
  Allowance,
  ArtifactRef,
  Budget,
  Limits,
  Model,
  TenantPolicy,
  UseCase,
  VendorTarget,
} from "../kernel/snapshot.ts";
import { canonicalJson } from "./canonical.ts";
import { type Declaration, unknownName } from "./declaration.ts";
import { sha256Hex } from "./files.ts";
import { suggestion } from "./problem.ts";
import type { BudgetConfig } from "./schema-limits.ts";
import type { Config, ModelConfig, VendorConfig } from "./schema.ts";
import { durationMs, femtoPerToken, nanoUsdOf } from "./values.ts";
import type { Path } from "./yaml-source.ts";

/** Where secrets come from; `undefined` is "not there". */
export interface SecretSource {
  env(name: string): string | undefined;
  file(path: string): string | undefined;
}

/** Files that the snapshot pins, by path. */
export type Artifacts = Map<string, ArtifactRef>;

function compileLimits(config: Config["tenants"][string]["limits"]): Limits {
  return {
    ...(config.requests_per_minute === undefined ? {} : { requestsPerMinute: config.requests_per_minute }),
    ...(config.tokens_per_minute === undefined ? {} : { tokensPerMinute: config.tokens_per_minute }),
    ...(config.concurrency === undefined ? {} : { concurrency: config.concurrency }),
  };
}

export function compileTenant(name: string, config: Config["tenants"][string]): TenantPolicy {
  const { each_principal, each_key, principals, weight } = config;
  const named = Object.entries(principals).map(
    ([id, one]) => [id, { ...compileAllowance(one), ...(one.priority && { priority: one.priority }) }] as const,
  );
  return {
    name,
    limits: compileLimits(config.limits),
    residency: config.residency,
    ...(config.budget && { budgets: compileBudgets(config.budget) }),
    ...(each_principal && { eachPrincipal: compileAllowance(each_principal) }),
    ...(named.length > 0 && { principals: new Map(named) }),
    ...(each_key && { eachKey: compileAllowance(each_key) }),
    ...(weight !== 1 && { weight }),
  };
}

type AllowanceConfig = NonNullable<Config["tenants"][string]["each_key"]>;

const compileAllowance = ({ limits, budget }: AllowanceConfig): Allowance => ({
  limits: compileLimits(limits),
  budgets: compileBudgets(budget ?? []),
});

const compileBudgets = (config: BudgetConfig | readonly BudgetConfig[]): Budget[] =>
  [config]
    .flat()
    .map(({ usd, per, at_limit, steps }) => ({ nanoUsd: nanoUsdOf(usd), per, atLimit: at_limit, steps }));

/** What a use case may use, and its place under load. */
export function compileUsage(
  config: Config["use_cases"][string],
): Pick<UseCase, "limits" | "budgets" | "priority" | "maxCost" | "maxInputTokens" | "maxOutputTokens"> {
  const { budget, priority, max_cost, max_input_tokens, max_output_tokens } = config;
  return {
    limits: compileLimits(config.limits),
    ...(budget && { budgets: compileBudgets(budget) }),
    ...(priority && { priority }),
    ...(max_cost !== undefined && { maxCost: nanoUsdOf(max_cost) }),
    ...(max_input_tokens !== undefined && { maxInputTokens: max_input_tokens }),
    ...(max_output_tokens !== undefined && { maxOutputTokens: max_output_tokens }),
  };
}

const vendorDefaults = {
  openai: {
    dialect: "openai-chat",
    auth: { type: "bearer" },
    baseUrl: "https://api.openai.com/v1",
    host: "api.openai.com",
  },
  anthropic: {
    dialect: "anthropic-messages",
    auth: { type: "header", name: "x-api-key" },
    baseUrl: "https://api.anthropic.com",
    host: "api.anthropic.com",
  },
} as const;

export function compileVendor(
  declaration: Declaration,
  name: string,
  secrets: SecretSource,
  missingSecrets: "error" | "warning",
): VendorTarget {
  const config = declaration.config.vendors[name]!;
  const defaults = vendorDefaults[config.dialect];
  const key = resolveKey(declaration, name, config, secrets, missingSecrets);
  if (!config.key && (config.base_url === undefined || new URL(config.base_url).host === defaults.host)) {
    declaration.report(["vendors", name], `vendor "${name}" has no key`, {
      key: true,
      fix: "add key: { env: NAME_OF_VARIABLE } or key: { file: PATH }",
    });
  }
  const { timeouts } = config;
  return {
    name,
    dialect: defaults.dialect,
    baseUrl: (config.base_url ?? defaults.baseUrl).replace(/\/+$/, ""),
    auth: key === undefined ? { type: "none" } : defaults.auth,
    keys: key === undefined ? [] : [{ id: `${name}#1`, secret: key }],
    region: config.region,
    dataClass: config.data_class,
    timeouts: {
      connectMs: durationMs(timeouts.connect)!,
      firstByteMs: durationMs(timeouts.first_byte)!,
      idleMs: durationMs(timeouts.idle)!,
    },
    quirks: {},
  };
}

function resolveKey(
  declaration: Declaration,
  name: string,
  { key }: VendorConfig,
  secrets: SecretSource,
  severity: "error" | "warning",
): string | undefined {
  if (!key) return undefined;
  const value = ("env" in key ? secrets.env(key.env) : secrets.file(key.file))?.trim();
  if (value) return value;
  const missing =
    "env" in key ? `the environment variable ${key.env} is not set` : `the file "${key.file}" is not there or empty`;
  const path: Path = ["vendors", name, "key", "env" in key ? "env" : "file"];
  declaration.report(path, missing, { severity, fix: "provide the secret where the server runs" });
  return undefined;
}

const freeMaxOutput = 4096;

export function compileModel(declaration: Declaration, name: string, artifacts: Artifacts): Model | undefined {
  const config = declaration.config.models[name]!;
  if ("vendor" in config) return compileVendorModel(declaration, name, config);
  if (config.runtime === "extractive") return { name, type: "runtime", runtime: "extractive" };
  const path: Path = ["models", name];
  const file = pinFile(declaration, config.file, [...path, "file"], artifacts);
  const card = config.card === undefined ? undefined : pinFile(declaration, config.card, [...path, "card"], artifacts);
  if (!file) return undefined;
  if (config.sha256 !== undefined && config.sha256 !== file.sha256) {
    declaration.report([...path, "sha256"], `"${config.file}" has another digest than declared`, {
      fix: `if the file is the right one, write sha256: ${file.sha256}`,
    });
  }
  return { name, type: "runtime", runtime: config.runtime, file, ...(card ? { card } : {}) };
}

function compileVendorModel(
  declaration: Declaration,
  name: string,
  config: Extract<ModelConfig, { vendor: string }>,
): Model | undefined {
  const vendors = Object.keys(declaration.config.vendors);
  if (!vendors.includes(config.vendor)) {
    const path: Path = ["models", name, "vendor"];
    unknownName(declaration, path, `vendor "${config.vendor}"`, config.vendor, vendors, "declare it under `vendors`");
  }
  if (config.price === undefined) {
    declaration.report(["models", name], `the price of model "${name}" is not known, so no worst case can be held`, {
      key: true,
      fix: "add price: { input: …, output: … } (USD per million tokens) and max_output, or price: free",
    });
    return undefined;
  }
  const free = config.price === "free";
  if (!free && config.max_output === undefined) {
    declaration.report(
      ["models", name],
      `model "${name}" has a price but no max_output, so no worst case can be held`,
      {
        key: true,
        fix: "add max_output: the most output tokens that the vendor lets this model write",
      },
    );
    return undefined;
  }
  return {
    name,
    type: "vendor",
    vendor: config.vendor,
    model: config.model,
    price: compilePrice(name, config.price),
    maxOutputTokens: config.max_output ?? freeMaxOutput,
    ...(config.context === undefined ? {} : { contextTokens: config.context }),
  };
}

function compilePrice(name: string, config: NonNullable<Extract<ModelConfig, { vendor: string }>["price"]>): Price {
  if (config === "free") return { ...freePrice, version: "free" };
  const { input, cached_input, output, as_of } = config;
  const price = {
    input: femtoPerToken(input),
    cached_input: femtoPerToken(cached_input ?? input),
    output: femtoPerToken(output),
    call: 0n,
  };
  const figures = canonicalJson([price.input, price.cached_input, price.output].map(String));
  return { version: `${name}/${as_of ?? sha256Hex(figures).slice(0, 8)}`, ...price };
}

/** Reads a file once and pins it by digest; a missing file is a problem at `at`. */
export function pinFile(
  declaration: Declaration,
  path: string,
  at: Path,
  artifacts: Artifacts,
): ArtifactRef | undefined {
  const known = artifacts.get(path);
  if (known) return known;
  const bytes = declaration.files.read(path);
  if (!bytes) {
    const near = suggestion(path, declaration.files.neighbours(path));
    declaration.report(at, `there is no file "${path}"`, near === undefined ? {} : { fix: near });
    return undefined;
  }
  const artifact: ArtifactRef = { path, sha256: sha256Hex(bytes), bytes: () => bytes };
  artifacts.set(path, artifact);
  return artifact;
}
