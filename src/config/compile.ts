/** From a declared configuration to the immutable snapshot that requests run under. */
import { basename, dirname, resolve } from "node:path";
import type { Model, Snapshot } from "../kernel/snapshot.ts";
import type { AlertSettings, TelemetrySettings } from "../telemetry/port.ts";
import { canonicalJson } from "./canonical.ts";
import { compileConsents } from "./compile-consents.ts";
import { builtInNames, isBuiltIn } from "./compile-ladder.ts";
import { type Artifacts, compileModel, compileTenant, compileVendor, type SecretSource } from "./compile-targets.ts";
import { compileAlerts, compileTelemetry } from "./compile-telemetry.ts";
import { compileUseCase } from "./compile-use-case.ts";
import { declare, type Declaration, unknownName } from "./declaration.ts";
import { processSecrets } from "./environment.ts";
import { type ConfigFiles, diskFiles, sha256Hex } from "./files.ts";
import { type ConfigProblem, hasErrors, sortProblems } from "./problem.ts";
import { type Config, sectionNames } from "./schema.ts";

export interface CompileOptions {
  /** Number of the snapshot; 0 (default) for one that is not applied. */
  number?: number;
  secrets: SecretSource;
  /** `warning` where the secrets are not needed, e.g. validating on another machine. Default: `error`. */
  missingSecrets?: "error" | "warning";
  /** Names of the detectors that exist; without them, names in guards are taken as they are. */
  detectors?: readonly string[];
  /** Allows names like `gpt-main@3`, which only Weir writes. */
  pinnedNames?: boolean;
}

export interface CompiledConfig {
  snapshot: Snapshot;
  /** Settings of the process rather than of requests; paths are relative to `root`. */
  server: Config["server"];
  ledger: Config["ledger"];
  telemetry: TelemetrySettings;
  alerts: AlertSettings;
  /** The effective configuration: imports merged, defaults filled in. */
  config: Config;
  /** Canonical JSON of `{config, files}`; its SHA-256 is the snapshot's hash. */
  canonical: string;
  /** Every file that is part of it, by path. */
  artifacts: Artifacts;
}

export type CompileResult =
  | { ok: true; compiled: CompiledConfig; warnings: readonly ConfigProblem[] }
  | { ok: false; problems: readonly ConfigProblem[] };

/** Compiles a main file; every problem of every file is reported at once, sorted by place. */
export function compileConfig(mainFile: string, files: ConfigFiles, options: CompileOptions): CompileResult {
  const problems: ConfigProblem[] = [];
  const declaration = declare(mainFile, files, problems);
  const compiled = declaration && compileDeclaration(declaration, options);
  const sorted = sortProblems(problems);
  if (!compiled || hasErrors(sorted)) return { ok: false, problems: sorted };
  return { ok: true, compiled, warnings: sorted };
}

/** Compiles a file on disk; secrets come from the process environment and files unless given. */
export function loadConfig(path: string, options: Partial<CompileOptions> = {}): CompileResult {
  const root = dirname(resolve(path));
  return compileConfig(basename(path), diskFiles(root), { secrets: processSecrets(root), ...options });
}

function compileDeclaration(declaration: Declaration, options: CompileOptions): CompiledConfig {
  const { config } = declaration;
  checkNames(declaration);
  if (!options.pinnedNames) refusePinnedNames(declaration);
  const artifacts: Artifacts = new Map();
  const { secrets, missingSecrets = "error" } = options;
  const vendors = mapOf(config.vendors, (name) => compileVendor(declaration, name, secrets, missingSecrets));
  const models = compileModels(declaration, artifacts, vendors);
  const targets = { models, vendors, artifacts, detectors: options.detectors };
  const useCases = mapOf(config.use_cases, (name) => compileUseCase(declaration, name, targets));
  checkDetectors(declaration, options.detectors);
  const consents = compileConsents(declaration, artifacts);
  const telemetry = compileTelemetry(declaration, { secrets, missingSecrets });
  const alerts = compileAlerts(declaration, { secrets, missingSecrets });
  const digests = Object.fromEntries([...artifacts].map(([path, { sha256 }]) => [path, sha256]));
  const canonical = canonicalJson({ config, files: digests });
  const tenants = mapOf(config.tenants, (name) => compileTenant(name, config.tenants[name]!));
  const hash = sha256Hex(canonical);
  const snapshot: Snapshot = { number: options.number ?? 0, hash, tenants, useCases, vendors, models, consents };
  return { snapshot, server: config.server, ledger: config.ledger, telemetry, alerts, config, canonical, artifacts };
}

function compileModels(
  declaration: Declaration,
  artifacts: Artifacts,
  vendors: Snapshot["vendors"],
): Map<string, Model> {
  const models = new Map<string, Model>();
  for (const name of Object.keys(declaration.config.models)) {
    const model = compileModel(declaration, name, artifacts, vendors);
    if (model) models.set(name, model);
  }
  for (const name of builtInNames) if (!models.has(name)) models.set(name, { name, type: "runtime", runtime: name });
  return models;
}

function checkNames(declaration: Declaration): void {
  const { config } = declaration;
  if (Object.keys(config.tenants).length === 0 && declaration.broken.size === 0) {
    declaration.report(["tenants"], "there is no tenant", { key: true, fix: "add tenants: { default: {} }" });
  }
  for (const name of builtInNames) {
    const own = config.models[name];
    if (!own || ("runtime" in own && own.runtime === name)) continue;
    declaration.report(["models", name], `"${name}" is the built-in runtime; name this model otherwise`, { key: true });
  }
  for (const [name, slot] of Object.entries(config.slots)) {
    if (Object.hasOwn(config.models, name) || isBuiltIn(name)) {
      declaration.report(["slots", name], `"${name}" is a model too; a slot needs its own name`, { key: true });
    }
    if (!Object.hasOwn(config.models, slot.start)) {
      const known = Object.keys(config.models);
      unknownName(
        declaration,
        ["slots", name, "start"],
        `model "${slot.start}"`,
        slot.start,
        known,
        "declare it under `models`",
      );
    }
  }
}

function refusePinnedNames(declaration: Declaration): void {
  for (const section of sectionNames) {
    for (const name of Object.keys(declaration.config[section])) {
      if (name.includes("@"))
        declaration.report([section, name], "names with @ are reserved for what Weir pins", { key: true });
    }
  }
}

function checkDetectors(declaration: Declaration, known: readonly string[] | undefined): void {
  if (!known) return;
  for (const [name, guard] of Object.entries(declaration.config.guards)) {
    guard.detect.forEach((detector, index) => {
      if (known.includes(detector)) return;
      unknownName(
        declaration,
        ["guards", name, "detect", index],
        `detector "${detector}"`,
        detector,
        known,
        "see the reference",
      );
    });
  }
}

const mapOf = <Value>(section: Record<string, unknown>, compile: (name: string) => Value): Map<string, Value> =>
  new Map(Object.keys(section).map((name) => [name, compile(name)]));
