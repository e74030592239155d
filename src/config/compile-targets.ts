/** Tenants, vendors and models: addresses, secrets, prices and pinned files. */
import type {
  Allowance,
  ArtifactRef,
  Budget,
  HealthPolicy,
  Limits,
  Model,
  TenantPolicy,
  UseCase,
  VendorAuth,
  VendorKey,
  VendorTarget,
} from "../kernel/snapshot.ts";
import { keyProblem } from "../engines/vendors/index.ts";
import { compileEnergy, compileRuntimePrice, compileVendorModel } from "./compile-price.ts";
import type { Declaration } from "./declaration.ts";
import { sha256Hex } from "./files.ts";
import { suggestion } from "./problem.ts";
import type { BudgetConfig } from "./schema-limits.ts";
import type { Config, VendorConfig } from "./schema.ts";
import { settleVendor } from "./settle-vendor.ts";
import { durationMs, nanoUsdOf } from "./values.ts";
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
  [config].flat().map(({ usd, per, at_limit, steps }) => ({ nanoUsd: nanoUsdOf(usd), per, atLimit: at_limit, steps }));

/** What a use case may use, and its place under load. */
export function compileUsage(
  config: Config["use_cases"][string],
): Pick<UseCase, "limits" | "budgets" | "priority" | "maxCost" | "trimTo" | "maxInputTokens" | "maxOutputTokens"> {
  const { budget, priority, max_cost, trim_to, max_input_tokens, max_output_tokens } = config;
  return {
    limits: compileLimits(config.limits),
    ...(budget && { budgets: compileBudgets(budget) }),
    ...(priority && { priority }),
    ...(max_cost !== undefined && { maxCost: nanoUsdOf(max_cost) }),
    ...(trim_to !== undefined && { trimTo: trim_to }),
    ...(max_input_tokens !== undefined && { maxInputTokens: max_input_tokens }),
    ...(max_output_tokens !== undefined && { maxOutputTokens: max_output_tokens }),
  };
}

const leastRequests = 20;

const compileHealth = ({ health }: VendorConfig): HealthPolicy => ({
  consecutiveFailures: health.failures,
  failureRate: health.failure_rate,
  minRequests: leastRequests,
  openMs: durationMs(health.open)!,
  slowStartMs: durationMs(health.slow_start)!,
  retryShare: health.retry_share,
});

export function compileVendor(
  declaration: Declaration,
  name: string,
  secrets: SecretSource,
  missingSecrets: "error" | "warning",
): VendorTarget {
  const config = declaration.config.vendors[name]!;
  const { needsKey, keyEnv, auth, ...settled } = settleVendor(declaration, name, config);
  const keys = resolveKeys(declaration, name, config, auth, secrets, missingSecrets);
  if (needsKey && !config.key && !config.keys) {
    declaration.report(["vendors", name], `vendor "${name}" has no key`, {
      key: true,
      fix: `add key: { env: ${keyEnv ?? "NAME_OF_VARIABLE"} } or key: { file: PATH }, or several under keys`,
    });
  }
  const { timeouts, capacity } = config;
  return {
    name,
    ...settled,
    auth: keys.length === 0 ? { type: "none" } : auth,
    keys,
    region: config.region,
    dataClass: config.data_class,
    capacity: {
      min: capacity.least,
      initial: Math.max(capacity.least, capacity.initial),
      max: Math.max(capacity.most, capacity.least),
    },
    timeouts: {
      connectMs: durationMs(timeouts.connect)!,
      firstByteMs: durationMs(timeouts.first_byte)!,
      idleMs: durationMs(timeouts.idle)!,
      ...(timeouts.first_token === undefined ? {} : { firstTokenMs: durationMs(timeouts.first_token)! }),
      ...(timeouts.total === undefined ? {} : { totalMs: durationMs(timeouts.total)! }),
      ...(timeouts.min_bytes_per_second === undefined ? {} : { minBytesPerSecond: timeouts.min_bytes_per_second }),
    },
    health: compileHealth(config),
  };
}

/** A key's number is its place in the declaration, `key` first, so that it stays when another one is missing. */
function resolveKeys(
  declaration: Declaration,
  name: string,
  { key, keys = [] }: VendorConfig,
  auth: VendorAuth,
  secrets: SecretSource,
  severity: "error" | "warning",
): VendorKey[] {
  const declared = [
    ...(key ? [{ key, path: ["vendors", name, "key"] as Path }] : []),
    ...keys.map((one, index) => ({ key: one, path: ["vendors", name, "keys", index] as Path })),
  ];
  return declared.flatMap((one, index): VendorKey[] => {
    const secret = resolveKey(declaration, one.path, one.key, secrets, severity);
    const wrong = secret === undefined ? undefined : keyProblem(auth, secret);
    if (wrong !== undefined) declaration.report(one.path, `the secret ${wrong}`, { fix: "provide it in that form" });
    return secret === undefined ? [] : [{ id: `${name}#${index + 1}`, secret }];
  });
}

function resolveKey(
  declaration: Declaration,
  path: Path,
  key: NonNullable<VendorConfig["key"]>,
  secrets: SecretSource,
  severity: "error" | "warning",
): string | undefined {
  const value = ("env" in key ? secrets.env(key.env) : secrets.file(key.file))?.trim();
  if (value) return value;
  const missing =
    "env" in key ? `the environment variable ${key.env} is not set` : `the file "${key.file}" is not there or empty`;
  const at: Path = [...path, "env" in key ? "env" : "file"];
  declaration.report(at, missing, { severity, fix: "provide the secret where the server runs" });
  return undefined;
}

export function compileModel(
  declaration: Declaration,
  name: string,
  artifacts: Artifacts,
  vendors: ReadonlyMap<string, VendorTarget>,
): Model | undefined {
  const config = declaration.config.models[name]!;
  if ("vendor" in config) return compileVendorModel(declaration, name, config, vendors.get(config.vendor));
  const costs = {
    ...(config.price && { price: compileRuntimePrice(name, config.price) }),
    ...(config.energy && { energy: compileEnergy(config.energy) }),
  };
  if (config.runtime === "extractive") return { name, type: "runtime", runtime: "extractive", ...costs };
  const path: Path = ["models", name];
  const file = pinFile(declaration, config.file, [...path, "file"], artifacts);
  const card = config.card === undefined ? undefined : pinFile(declaration, config.card, [...path, "card"], artifacts);
  if (!file) return undefined;
  if (config.sha256 !== undefined && config.sha256 !== file.sha256) {
    declaration.report([...path, "sha256"], `"${config.file}" has another digest than declared`, {
      fix: `if the file is the right one, write sha256: ${file.sha256}`,
    });
  }
  return { name, type: "runtime", runtime: config.runtime, file, ...(card ? { card } : {}), ...costs };
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
