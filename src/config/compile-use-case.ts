/** One use case: references, tier, ladder, rules, and the digest of everything that a release of it moves. */
import { conditionCompiler } from "../kernel/condition.ts";
import { type DataClass, dataClasses } from "../kernel/decision.ts";
import type { FeatureContract, Guard, Model, UseCase, VendorTarget } from "../kernel/snapshot.ts";
import { canonicalJson } from "./canonical.ts";
import { compileContract } from "./compile-contract.ts";
import {
  compileLadder,
  compileRules,
  conditionAt,
  extractiveName,
  isPool,
  memberName,
  rungTarget,
} from "./compile-ladder.ts";
import { type Artifacts, compileUsage, pinFile } from "./compile-targets.ts";
import { checkTask } from "./compile-task.ts";
import { type Declaration, unknownName } from "./declaration.ts";
import { sha256Hex } from "./files.ts";
import type { RungConfig } from "./schema-use-case.ts";
import { guardFailure, tierChoices } from "./tiers.ts";
import { durationMs, unpinned } from "./values.ts";
import type { Path } from "./yaml-source.ts";

export interface Targets {
  models: ReadonlyMap<string, Model>;
  vendors: ReadonlyMap<string, VendorTarget>;
  artifacts: Artifacts;
  /** Known detector names; unknown ones are problems. Undefined leaves them to whoever runs the guards. */
  detectors: readonly string[] | undefined;
}

const defaultDeadlineMs = { chat: 60_000, score: 5_000, embed: 60_000, rerank: 60_000, moderate: 5_000 } as const;

export function compileUseCase(declaration: Declaration, name: string, targets: Targets): UseCase {
  const config = declaration.config.use_cases[name]!;
  const path: Path = ["use_cases", name];
  checkTask(declaration, name, targets.detectors);
  const contract = contractOf(declaration, name, targets);
  const prompt = promptOf(declaration, name, targets);
  const screen = guardsOf(declaration, name, "screen");
  const check = guardsOf(declaration, name, "check");
  const ground = groundOf(declaration, name, targets);
  const ladder = compileLadder(declaration, name, { contract, check, models: targets.models });
  const decide = compileRules(declaration, name, contract);
  const condition = conditionAt(declaration, [...path, "when"], config.when, conditionCompiler("use-case"));
  const dataClass = dataClassOf(declaration, name, contract);
  warnOfUnreachable(declaration, name, dataClass, ladder, targets);
  const useCase: Omit<UseCase, "bundle"> = {
    name,
    kind: config.kind,
    risk: config.risk,
    dataClass,
    ...(config.owner === undefined ? {} : { owner: config.owner }),
    tenants: tenantsOf(declaration, name),
    purposes: config.purpose === undefined ? [] : [config.purpose].flat(),
    ...(config.basis === undefined ? {} : { basis: config.basis }),
    consent: config.consent,
    regions: config.regions ?? [],
    ...(condition ? { condition } : {}),
    ...compileUsage(config),
    ...(prompt === undefined ? {} : { prompt }),
    ...(contract ? { contract } : {}),
    ...(config.detect ? { detect: config.detect } : {}),
    screen,
    check,
    ...(ground ? { ground } : {}),
    ladder,
    decide,
    ...(config.cache ? { cache: { exactTtlMs: durationMs(config.cache.exact)!, tags: config.cache.tags } } : {}),
    ...(config.strict && { strict: true }),
    deadlineMs: config.deadline === undefined ? defaultDeadlineMs[config.kind] : durationMs(config.deadline)!,
    retries: config.retries,
    ...tierChoices(declaration, name, config),
  };
  return { ...useCase, bundle: bundleDigest(declaration, useCase, targets.models) };
}

function tenantsOf(declaration: Declaration, name: string): readonly string[] {
  const known = Object.keys(declaration.config.tenants);
  const listed = declaration.config.use_cases[name]!.tenants;
  listed?.forEach((tenant, index) => {
    if (known.includes(tenant)) return;
    const path: Path = ["use_cases", name, "tenants", index];
    unknownName(declaration, path, `tenant "${tenant}"`, tenant, known, "declare it under `tenants`");
  });
  return listed ?? known;
}

function contractOf(declaration: Declaration, name: string, { artifacts }: Targets): FeatureContract | undefined {
  const { kind, input } = declaration.config.use_cases[name]!;
  if (kind !== "score") {
    if (input !== undefined)
      declaration.report(["use_cases", name, "input"], `a feature contract belongs to a score, this is ${kind}`, {
        key: true,
        fix: "remove `input`",
      });
    return undefined;
  }
  if (input === undefined) {
    const fix = "add input: schemas/NAME.yaml";
    declaration.report(["use_cases", name], `score use case "${name}" has no feature contract`, { key: true, fix });
    return undefined;
  }
  const file = pinFile(declaration, input, ["use_cases", name, "input"], artifacts);
  return file && compileContract(declaration, file.path, file.bytes());
}

/** A use case never claims less than its features hold. */
function dataClassOf(declaration: Declaration, name: string, contract: FeatureContract | undefined): DataClass {
  const declared = declaration.config.use_cases[name]!.data_class;
  const held = (contract?.features ?? []).map((feature) => dataClasses.indexOf(feature.dataClass));
  const highest = dataClasses[Math.max(0, ...held)]!;
  if (declared === undefined) return contract ? highest : "internal";
  if (dataClasses.indexOf(declared) < dataClasses.indexOf(highest)) {
    declaration.report(
      ["use_cases", name, "data_class"],
      `the contract holds ${highest} features, so data_class can't be ${declared}`,
      {
        fix: `write data_class: ${highest}, or leave it out`,
      },
    );
  }
  return declared;
}

function promptOf(declaration: Declaration, name: string, { artifacts }: Targets): string | undefined {
  const { kind, prompt } = declaration.config.use_cases[name]!;
  if (prompt === undefined) return undefined;
  if (kind === "score") {
    declaration.report(["use_cases", name, "prompt"], "a score has no prompt", { key: true, fix: "remove `prompt`" });
    return undefined;
  }
  const file = pinFile(declaration, prompt, ["use_cases", name, "prompt"], artifacts);
  return file && new TextDecoder().decode(file.bytes());
}

function guardsOf(declaration: Declaration, useCase: string, place: "screen" | "check"): Guard[] {
  const { guards, use_cases } = declaration.config;
  return use_cases[useCase]![place].flatMap((name, index): Guard[] => {
    const guard = Object.hasOwn(guards, name) ? guards[name] : undefined;
    if (!guard) {
      const path: Path = ["use_cases", useCase, place, index];
      unknownName(declaration, path, `guard "${name}"`, name, Object.keys(guards), "declare it under `guards`");
      return [];
    }
    const onFailure = guardFailure(declaration, useCase, place, index, guard);
    return [{ name: unpinned(name), detect: guard.detect, action: guard.action, onFailure }];
  });
}

function groundOf(declaration: Declaration, name: string, { artifacts }: Targets): UseCase["ground"] {
  const { ground, kind, ladder } = declaration.config.use_cases[name]!;
  if (!ground) {
    const index = ladder.findIndex((rung) => rung === extractiveName);
    if (index >= 0) {
      const fix = "add ground: { folder: ./FOLDER }";
      declaration.report(
        ["use_cases", name, "ladder", index],
        "extractive answers from passages, but nothing is retrieved",
        { fix },
      );
    }
    return undefined;
  }
  const path: Path = ["use_cases", name, "ground"];
  if (kind === "score")
    declaration.report(path, "a score is not grounded in documents", { key: true, fix: "remove `ground`" });
  const folder = ground.folder.replace(/\/+$/, "");
  if (folder === ".") {
    declaration.report([...path, "folder"], "documents need a folder of their own", {
      fix: "move them below this one",
    });
    return undefined;
  }
  const hidden = (file: string) => file.slice(folder.length).includes("/.");
  const paths = (declaration.files.list(folder) ?? []).filter((file) => file.endsWith(".md") && !hidden(file));
  if (paths.length === 0) declaration.report([...path, "folder"], `there are no Markdown files in "${folder}"`);
  const files = paths.flatMap((file) => pinFile(declaration, file, [...path, "folder"], artifacts) ?? []);
  const generation = sha256Hex(canonicalJson(files.map((file) => [file.path.slice(folder.length + 1), file.sha256])));
  return { folder, collection: folder, passages: ground.passages, generation, files };
}

/** Rungs that can never be eligible, as things are declared: legal, and surely not meant. */
function warnOfUnreachable(
  declaration: Declaration,
  name: string,
  dataClass: DataClass,
  ladder: UseCase["ladder"],
  targets: Targets,
): void {
  const config = declaration.config.use_cases[name]!;
  ladder.forEach((rung, index) => {
    const names =
      rung.type === "pool" ? rung.members.map((one) => one.model) : rung.type === "model" ? [rung.model] : [];
    for (const named of names) warnOf(targets.models.get(named), index);
  });
  function warnOf(model: Model | undefined, index: number): void {
    const vendor = model?.type === "vendor" ? targets.vendors.get(model.vendor) : undefined;
    if (!model || !vendor) return;
    const warn = (message: string) =>
      declaration.report(["use_cases", name, "ladder", index], message, { severity: "warning" });
    if (dataClasses.indexOf(vendor.dataClass) < dataClasses.indexOf(dataClass)) {
      warn(
        `"${model.name}" is never eligible for ${dataClass} data: vendor "${vendor.name}" covers only ${vendor.dataClass}`,
      );
    }
    if (config.regions && !config.regions.includes(vendor.region)) {
      warn(
        `"${model.name}" is never eligible: vendor "${vendor.name}" is in ${vendor.region}, allowed is ${config.regions.join(", ")}`,
      );
    }
  }
}

/**
 * SHA-256 over what a release moves, by content and as declared: names of pinned copies and what the risk tier adds
 * stay out, so that the digest of a bundle is the same in every snapshot that serves it.
 */
function bundleDigest(
  declaration: Declaration,
  useCase: Omit<UseCase, "bundle">,
  models: ReadonlyMap<string, Model>,
): string {
  const config = declaration.config.use_cases[useCase.name]!;
  const guard = (name: string) => {
    const { detect, action, on_failure } = declaration.config.guards[name] ?? {};
    return { name: unpinned(name), detect, action, on_failure };
  };
  const rung = (item: RungConfig) => {
    if (typeof item !== "string" && ("template" in item || "refer" in item)) return item;
    if (isPool(item))
      return {
        ...item,
        pool: item.pool.map((member) => ({
          ...(typeof member !== "string" && member),
          ...identity(rungTarget(declaration.config, memberName(member))),
        })),
      };
    const target = rungTarget(declaration.config, item);
    const { when, commit, accept } = target ?? {};
    return { ...identity(target), when, commit, ...(accept && { accept }) };
  };
  const identity = (target: ReturnType<typeof rungTarget>) => ({
    slot: target?.slot && unpinned(target.slot),
    model: target && modelIdentity(models.get(target.model)),
  });
  return sha256Hex(
    canonicalJson({
      kind: useCase.kind,
      prompt: useCase.prompt,
      contract: useCase.contract,
      detect: useCase.detect,
      screen: config.screen.map(guard),
      check: config.check.map(guard),
      ground: useCase.ground && { passages: useCase.ground.passages, generation: useCase.ground.generation },
      ladder: config.ladder.map(rung),
      decide: config.decide,
    }),
  );
}

/** What makes a model behave as it does; prices and cards do not. */
function modelIdentity(model: Model | undefined): unknown {
  if (!model) return undefined;
  if (model.type === "vendor") {
    return {
      vendor: model.vendor,
      model: model.model,
      max_output: model.maxOutputTokens,
      context: model.contextTokens,
    };
  }
  return { runtime: model.runtime, sha256: "file" in model ? model.file.sha256 : undefined };
}
