/** Applying registers a configuration as the next snapshot; which bundles serve at once is decided here. */
import type { Clock } from "../kernel/clock.ts";
import { canonicalJson } from "./canonical.ts";
import { compileConfig, type CompiledConfig, type CompileOptions } from "./compile.ts";
import { mappedFiles, sha256Hex } from "./files.ts";
import { pinBundles } from "./pin-bundles.ts";
import type { AppliedSnapshot, SnapshotStore } from "./port.ts";
import { ConfigError, type ConfigProblem } from "./problem.ts";

export interface ApplyOptions {
  clock: Clock;
  /** The operator's name, as recorded with the snapshot. */
  appliedBy: string;
  /** Lets changed bundles serve at once, whatever their release policy (until releases exist): all, or these use cases. */
  activate?: boolean | readonly string[];
}

export type ApplyResult =
  | {
      ok: true;
      applied: AppliedSnapshot;
      /** True where the configuration is the current one already; nothing was stored. */
      unchanged: boolean;
      /** Use cases whose bundle serves from now on. */
      activated: readonly string[];
      /** Use cases whose changed bundle waits. */
      waiting: readonly string[];
    }
  | { ok: false; problems: readonly ConfigProblem[] };

/** An applied snapshot, compiled again from what is stored. */
export interface EffectiveSnapshot {
  record: AppliedSnapshot;
  /** What serves. */
  compiled: CompiledConfig;
}

const noSecrets = { env: () => undefined, file: () => undefined };

/**
 * Makes `declared` the next snapshot. Where old bundles stay in service but cannot run under the new declaration (a
 * vendor was removed, the tier was raised), nothing is applied and the problems say so. Throws `SnapshotConflict`.
 */
export async function applyConfig(
  store: SnapshotStore,
  declared: CompiledConfig,
  options: ApplyOptions,
): Promise<ApplyResult> {
  const current = await effectiveSnapshot(store, { secrets: noSecrets, missingSecrets: "warning" });
  const { activated, waiting } = sortBundles(current?.compiled, declared, options.activate ?? false);
  const serving =
    current && waiting.length > 0
      ? compilePinned(declared, current, waiting)
      : { ok: true as const, compiled: declared };
  if (!serving.ok) return { ok: false, problems: serving.problems.map(explained) };
  const effective = serving.compiled.canonical;
  if (current && current.record.effective === effective && current.record.declared === declared.canonical) {
    return { ok: true, applied: current.record, unchanged: true, activated: [], waiting };
  }
  for (const { artifacts } of [declared, serving.compiled]) {
    for (const artifact of artifacts.values()) await store.putBlob(artifact.bytes());
  }
  const applied: AppliedSnapshot = {
    number: (current?.record.number ?? 0) + 1,
    hash: sha256Hex(effective),
    applied_at_ms: options.clock.now(),
    applied_by: options.appliedBy,
    effective,
    declared: declared.canonical,
    bundles: bundlesOf(serving.compiled, declared, waiting),
  };
  await store.add(applied);
  return { ok: true, applied, unchanged: false, activated, waiting };
}

/** New use cases, direct releases (before and after) and what is asked for serve at once; other changed bundles wait. */
export function sortBundles(
  current: CompiledConfig | undefined,
  declared: CompiledConfig,
  activate: boolean | readonly string[],
): { activated: string[]; waiting: string[] } {
  const sorted = { activated: [] as string[], waiting: [] as string[] };
  for (const [name, useCase] of declared.snapshot.useCases) {
    const serving = current?.snapshot.useCases.get(name);
    if (serving?.bundle === useCase.bundle) continue;
    const asked = activate === true || (Array.isArray(activate) && activate.includes(name));
    const direct = useCase.release === "direct" && serving?.release === "direct";
    (!serving || direct || asked ? sorted.activated : sorted.waiting).push(name);
  }
  return sorted;
}

function compilePinned(declared: CompiledConfig, current: EffectiveSnapshot, waiting: readonly string[]) {
  const { config, files } = pinBundles(declared, current.compiled, current.record.number, waiting);
  return compileText(canonicalJson(config), files, { secrets: noSecrets, missingSecrets: "warning" });
}

const explained = (problem: ConfigProblem): ConfigProblem => ({
  ...problem,
  fix: "the bundle that still serves needs it: keep it declared, or apply with --activate so that the new bundle serves",
});

function bundlesOf(
  serving: CompiledConfig,
  declared: CompiledConfig,
  waiting: readonly string[],
): AppliedSnapshot["bundles"] {
  const bundles: AppliedSnapshot["bundles"] = {};
  for (const [name, { bundle }] of serving.snapshot.useCases) {
    const candidate = waiting.includes(name) ? declared.snapshot.useCases.get(name)?.bundle : undefined;
    bundles[name] = { active: bundle, ...(candidate === undefined ? {} : { candidate }) };
  }
  return bundles;
}

function compileText(config: string, files: ReadonlyMap<string, Uint8Array>, options: CompileOptions) {
  const main = "effective configuration";
  return compileConfig(main, mappedFiles(new Map([...files, [main, Buffer.from(config)]])), {
    ...options,
    pinnedNames: true,
  });
}

/**
 * What serves: compiled from the store alone, so files that changed on disk since do not matter. Undefined where
 * nothing was applied. Throws `ConfigError` where it does not compile here, e.g. for a missing secret.
 */
export async function effectiveSnapshot(
  store: SnapshotStore,
  options: CompileOptions,
  number?: number,
): Promise<EffectiveSnapshot | undefined> {
  const record = number === undefined ? await store.current() : await store.get(number);
  return record && { record, compiled: await compileStored(store, record, record.effective, options) };
}

/** What was declared with an applied snapshot: the base of the next plan. */
export async function declaredConfig(store: SnapshotStore, record: AppliedSnapshot): Promise<CompiledConfig> {
  return compileStored(store, record, record.declared, { secrets: noSecrets, missingSecrets: "warning" });
}

async function compileStored(
  store: SnapshotStore,
  record: AppliedSnapshot,
  text: string,
  options: CompileOptions,
): Promise<CompiledConfig> {
  const stored = JSON.parse(text) as { config: unknown; files: Record<string, string> };
  const files = new Map<string, Uint8Array>();
  for (const [path, digest] of Object.entries(stored.files)) {
    const bytes = await store.blob(digest);
    if (!bytes)
      throw new Error(
        `the blob ${digest} of "${path}" in snapshot ${record.number} is missing; restore it from a backup`,
      );
    files.set(path, bytes);
  }
  const result = compileText(canonicalJson(stored.config), files, { ...options, number: record.number });
  if (!result.ok) throw new ConfigError(result.problems);
  // Decisions name the hash that was applied, even where a later Weir fills in other defaults.
  const hash = text === record.effective ? record.hash : result.compiled.snapshot.hash;
  return { ...result.compiled, snapshot: { ...result.compiled.snapshot, hash } };
}
