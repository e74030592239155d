/**
 * The configuration that serves while changed bundles wait for their release: policy as declared now, bundles as they
 * serve. What an old bundle names and the new declaration has changed is carried along as `name@3` (3: the snapshot
 * that it comes from), so the result is an ordinary configuration and compiles like any other.
 */
import { canonicalJson } from "./canonical.ts";
import type { CompiledConfig } from "./compile.ts";
import { isBuiltIn, isPool, memberName, rungTarget } from "./compile-ladder.ts";
import type { Config, ModelConfig } from "./schema.ts";
import type { RungConfig, UseCaseConfig } from "./schema-use-case.ts";

export interface PinnedConfig {
  config: Config;
  files: Map<string, Uint8Array>;
}

interface Pinning extends PinnedConfig {
  declared: CompiledConfig;
  serving: CompiledConfig;
  number: number;
}

/** `pinned` are the use cases whose bundles stay as in `serving`, which is snapshot `number`. */
export function pinBundles(
  declared: CompiledConfig,
  serving: CompiledConfig,
  number: number,
  pinned: readonly string[],
): PinnedConfig {
  const files = new Map([...declared.artifacts].map(([path, artifact]) => [path, artifact.bytes()]));
  const pinning: Pinning = { config: structuredClone(declared.config), files, declared, serving, number };
  for (const name of pinned) pinUseCase(pinning, name);
  return { config: pinning.config, files };
}

function pinUseCase(pinning: Pinning, name: string): void {
  const old = pinning.serving.config.use_cases[name]!;
  const policy: Partial<UseCaseConfig> = structuredClone(pinning.declared.config.use_cases[name]!);
  for (const field of ["prompt", "input", "ground", "detect"] as const) delete policy[field];
  const useCase: UseCaseConfig = {
    ...(policy as UseCaseConfig),
    kind: old.kind,
    screen: old.screen.map((guard) => pinGuard(pinning, guard)),
    check: old.check.map((guard) => pinGuard(pinning, guard)),
    ladder: old.ladder.map((rung) => pinRung(pinning, rung)),
    decide: structuredClone(old.decide),
  };
  if (old.detect) useCase.detect = [...old.detect];
  if (old.prompt !== undefined) useCase.prompt = pinFile(pinning, old.prompt);
  if (old.input !== undefined) useCase.input = pinFile(pinning, old.input);
  if (old.ground) useCase.ground = { ...old.ground, folder: pinFolder(pinning, name) };
  pinning.config.use_cases[name] = useCase;
}

const pinnedName = ({ number }: Pinning, name: string): string => (name.includes("@") ? name : `${name}@${number}`);

function pinFile(pinning: Pinning, path: string): string {
  const old = pinning.serving.artifacts.get(path)!;
  if (pinning.declared.artifacts.get(path)?.sha256 === old.sha256) return path;
  const pinned = pinnedName(pinning, path);
  pinning.files.set(pinned, old.bytes());
  return pinned;
}

function pinFolder(pinning: Pinning, useCase: string): string {
  const old = pinning.serving.snapshot.useCases.get(useCase)!.ground!;
  const declared = [...pinning.declared.snapshot.useCases.values()].map(({ ground }) => ground);
  if (declared.some((ground) => ground?.folder === old.folder && ground.generation === old.generation))
    return old.folder;
  const pinned = pinnedName(pinning, old.folder);
  for (const file of old.files) pinning.files.set(pinned + file.path.slice(old.folder.length), file.bytes());
  return pinned;
}

function pinGuard(pinning: Pinning, name: string): string {
  const old = pinning.serving.config.guards[name]!;
  if (canonicalJson(pinning.declared.config.guards[name]) === canonicalJson(old)) return name;
  const pinned = pinnedName(pinning, name);
  pinning.config.guards[pinned] = structuredClone(old);
  return pinned;
}

function pinRung(pinning: Pinning, rung: RungConfig): RungConfig {
  if (typeof rung !== "string" && ("template" in rung || "refer" in rung)) return structuredClone(rung);
  if (isPool(rung)) {
    const pool = rung.pool.map((member) => {
      const name = pinTarget(pinning, memberName(member));
      return typeof member === "string" ? name : { ...member, model: name };
    });
    return { ...structuredClone(rung), pool };
  }
  const name = pinTarget(pinning, rung);
  if (typeof rung === "string") return name;
  return "slot" in rung ? { ...rung, slot: name } : { ...rung, model: name };
}

function pinTarget(pinning: Pinning, rung: Parameters<typeof rungTarget>[1]): string {
  const target = rungTarget(pinning.serving.config, rung)!;
  const model = pinModel(pinning, target.model);
  return target.slot === undefined ? model : pinSlot(pinning, target.slot, model);
}

function pinSlot(pinning: Pinning, name: string, start: string): string {
  if (pinning.declared.config.slots[name]?.start === start) return name;
  const pinned = pinnedName(pinning, name);
  pinning.config.slots[pinned] = { ...pinning.serving.config.slots[name]!, start };
  return pinned;
}

function pinModel(pinning: Pinning, name: string): string {
  if (isBuiltIn(name)) return name;
  const old = pinning.serving.config.models[name]!;
  const now = pinning.declared.config.models[name];
  if (now && canonicalJson(behaviour(pinning.declared, now)) === canonicalJson(behaviour(pinning.serving, old)))
    return name;
  const pinned = pinnedName(pinning, name);
  const copy = structuredClone(old);
  if ("file" in copy) {
    copy.file = pinFile(pinning, copy.file);
    if (copy.card !== undefined) copy.card = pinFile(pinning, copy.card);
  } else if ("vendor" in copy && now && "vendor" in now && now.vendor === copy.vendor && now.model === copy.model) {
    // What a vendor charges is a fact, not a choice of the bundle.
    if (now.price !== undefined) copy.price = now.price;
  }
  pinning.config.models[pinned] = copy;
  return pinned;
}

function behaviour({ artifacts }: CompiledConfig, model: ModelConfig): unknown {
  if ("vendor" in model) return { ...model, price: model.price === "free" ? "free" : "priced", energy: undefined };
  return "file" in model ? [model.runtime, artifacts.get(model.file)?.sha256] : model.runtime;
}
