/** The ladder and the decision rules of one use case: references, conditions, when a rung is final, totality. */
import { conditionCompiler, type ConditionPlace, type ConditionResult } from "../kernel/condition.ts";
import type {
  Acceptance,
  Condition,
  DecisionRule,
  FeatureContract,
  Guard,
  LadderRung,
  Model,
  PoolMember,
  Rung,
} from "../kernel/snapshot.ts";
import { type Declaration, unknownName } from "./declaration.ts";
import { suggestion } from "./problem.ts";
import type { Config } from "./schema.ts";
import type { RuleConfig, RungConfig, UseCaseConfig } from "./schema-use-case.ts";
import { unpinned } from "./values.ts";
import type { Path } from "./yaml-source.ts";

/** Built-in models, which need no declaration. */
export const extractiveName = "extractive";
export const builtInNames = [extractiveName, "detectors"] as const;
export const isBuiltIn = (name: string): name is (typeof builtInNames)[number] =>
  (builtInNames as readonly string[]).includes(name);

export type PoolRungConfig = Extract<RungConfig, { pool: unknown }>;

/** A rung that names a model or a slot. */
export type ModelRungConfig = Exclude<RungConfig, { template: string } | { refer: string } | PoolRungConfig>;

export const isPool = (item: RungConfig): item is PoolRungConfig => typeof item !== "string" && "pool" in item;

/** A member as the rung that it would be on its own; its name may be a slot's. */
export const memberName = (member: PoolRungConfig["pool"][number]): string =>
  typeof member === "string" ? member : member.model;

export type ModelRung = {
  model: string;
  slot?: string;
  when?: string | undefined;
  commit?: "first-byte" | "complete" | undefined;
  accept?: AcceptConfig | undefined;
};

type AcceptConfig = PoolRungConfig["accept"] & object;

/** Compiles the condition at a path, with its error's position inside the YAML text. */
export function conditionAt(
  declaration: Declaration,
  path: Path,
  source: string | undefined,
  compile: (source: string) => ConditionResult,
): Condition | undefined {
  if (source === undefined) return undefined;
  const result = compile(source);
  if (result.ok) return result.condition;
  const { message, start, unknown } = result.problem;
  const fix = unknown && suggestion(unknown.name, unknown.known);
  declaration.report(path, `condition: ${message}`, { offset: start, fix });
  return undefined;
}

export interface LadderParts {
  contract: FeatureContract | undefined;
  check: readonly Guard[];
  models: ReadonlyMap<string, Model>;
}

export function compileLadder(declaration: Declaration, name: string, parts: LadderParts): LadderRung[] {
  const { ladder, kind } = declaration.config.use_cases[name]!;
  const whole = wholeAnswerReason(declaration.config.use_cases[name]!);
  const compile = conditionCompiler("rung", kind === "score" ? parts.contract : undefined);
  return ladder.flatMap((item, index): LadderRung[] => {
    const path: Path = ["use_cases", name, "ladder", index];
    // What a guard blocks in a whole answer can still be climbed past; of a stream, part has left by then.
    const climbs = index < ladder.length - 1 && parts.check.some(({ action }) => action === "block");
    const usual = climbs ? "complete" : "first-byte";
    if (isPool(item))
      return compilePool(declaration, path, item, { kind, whole, usual, models: parts.models, compile });
    if (typeof item !== "string" && ("template" in item || "refer" in item)) {
      return lastRung(declaration, path, item, index === ladder.length - 1, kind);
    }
    const target = resolveRung(declaration, path, item);
    if (!target) return [];
    const when = conditionAt(declaration, [...path, "when"], target.when, compile);
    const accept = acceptanceOf(declaration, path, target.accept, kind);
    const commit = commitOf(declaration, path, target, {
      kind,
      whole: accept ? "an acceptance check" : whole,
      usual,
      models: parts.models,
    });
    const slot = target.slot === undefined ? {} : { slot: unpinned(target.slot) };
    return [
      { type: "model", model: target.model, ...slot, ...(when ? { when } : {}), commit, ...(accept ? { accept } : {}) },
    ];
  });
}

interface PoolParts {
  kind: UseCaseConfig["kind"];
  whole: string | undefined;
  models: ReadonlyMap<string, Model>;
  compile: (source: string) => ConditionResult;
  /** When a rung is final that doesn't say so itself. */
  usual: "first-byte" | "complete";
}

function compilePool(
  declaration: Declaration,
  path: Path,
  item: PoolRungConfig,
  { kind, whole, usual, models, compile }: PoolParts,
): LadderRung[] {
  if (kind === "score") {
    const fix = "write one rung for each model";
    declaration.report(path, "a pool is for chats: models that score are not interchangeable", { fix });
  }
  const accept = acceptanceOf(declaration, path, item.accept, kind);
  const reason = accept ? "an acceptance check" : whole;
  const commits: ("first-byte" | "complete")[] = [];
  const members = item.pool.flatMap((member, index): PoolMember[] => {
    const at: Path = [...path, "pool", index];
    const target = resolveRung(declaration, at, memberName(member));
    if (!target) return [];
    const { weight = 1, up_to, when } = typeof member === "string" ? {} : member;
    const condition = conditionAt(declaration, [...at, "when"], when, compile);
    commits.push(
      commitOf(declaration, path, { ...target, commit: item.commit }, { kind, whole: reason, usual, models }),
    );
    return [
      {
        model: target.model,
        ...(target.slot !== undefined && { slot: unpinned(target.slot) }),
        weight,
        ...(up_to !== undefined && { upToTokens: up_to }),
        ...(condition && { when: condition }),
      },
    ];
  });
  const twice = members.find((member, index) => members.findIndex(({ model }) => model === member.model) < index);
  if (twice) declaration.report([...path, "pool"], `"${twice.model}" stands twice in this pool`);
  const when = conditionAt(declaration, [...path, "when"], item.when, compile);
  const commit = commits.includes("complete") ? "complete" : "first-byte";
  return [
    {
      type: "pool",
      members,
      strategy: item.strategy,
      ...(when ? { when } : {}),
      commit,
      ...(accept ? { accept } : {}),
    },
  ];
}

function acceptanceOf(
  declaration: Declaration,
  path: Path,
  accept: AcceptConfig | undefined,
  kind: UseCaseConfig["kind"],
): Acceptance | undefined {
  if (!accept) return undefined;
  if (kind === "score")
    declaration.report([...path, "accept"], "a score is accepted by the rules of `decide`", {
      key: true,
      fix: "write a decide rule with climb: true",
    });
  const { schema, confidence, abstains } = accept;
  if (schema === undefined && confidence === undefined && abstains === undefined) {
    const fix = "add schema: true, confidence: 0.7 or abstains: false";
    declaration.report([...path, "accept"], "this asks nothing of the answer", { fix });
    return undefined;
  }
  return {
    ...(schema !== undefined && { schema }),
    ...(confidence !== undefined && { confidence }),
    ...(abstains !== undefined && { abstains }),
  };
}

function lastRung(
  declaration: Declaration,
  path: Path,
  item: { template: string } | { refer: string },
  last: boolean,
  kind: UseCaseConfig["kind"],
): Rung[] {
  const word = "template" in item ? "template" : "refer";
  if (!last) {
    const fix = "move it to the end, or remove the rungs behind it";
    declaration.report(path, `a ${word} rung always has an answer, so what follows it is never reached`, { fix });
  }
  if ("refer" in item) return [{ type: "refer", to: item.refer, commit: "complete" }];
  if (kind === "score") {
    const fix = "end the ladder with { refer: QUEUE } or a rules baseline";
    declaration.report(path, "a template answers with text, which is no score", { fix });
  }
  return [{ type: "template", text: item.template, commit: "complete" }];
}

/** From a name or an object to the model; a model and a slot never share a name, so a bare name is never ambiguous. */
export function rungTarget({ models, slots }: Config, item: ModelRungConfig): ModelRung | undefined {
  const { when, commit, accept } = typeof item === "string" ? {} : item;
  const named = typeof item === "string" ? item : "slot" in item ? item.slot : item.model;
  const maySlot = typeof item === "string" || "slot" in item;
  const mayModel = typeof item === "string" || "model" in item;
  if (maySlot && Object.hasOwn(slots, named)) return { model: slots[named]!.start, slot: named, when, commit, accept };
  if (mayModel && (Object.hasOwn(models, named) || isBuiltIn(named))) return { model: named, when, commit, accept };
  return undefined;
}

function resolveRung(declaration: Declaration, path: Path, item: ModelRungConfig): ModelRung | undefined {
  const target = rungTarget(declaration.config, item);
  if (target) return target;
  const slots = Object.keys(declaration.config.slots);
  const models = [...Object.keys(declaration.config.models), ...builtInNames];
  if (typeof item === "string") {
    unknownName(declaration, path, `model or slot "${item}"`, item, [...slots, ...models], "declare it under `models`");
  } else if ("slot" in item) {
    unknownName(declaration, [...path, "slot"], `slot "${item.slot}"`, item.slot, slots, "declare it under `slots`");
  } else {
    unknownName(
      declaration,
      [...path, "model"],
      `model "${item.model}"`,
      item.model,
      models,
      "declare it under `models`",
    );
  }
  return undefined;
}

/**
 * Why every rung of this use case must see the whole answer before anything leaves, if so. Output guards need not, in any
 * risk tier: each detector states how little of a stream it holds back, and what a guard does when it fails goes by tier.
 */
function wholeAnswerReason(config: UseCaseConfig): string | undefined {
  const labels = (rule: RuleConfig) => rule.when === undefined && "result" in rule && rule.result !== "refer";
  return config.decide.every(labels) ? undefined : "a decide rule";
}

function commitOf(
  declaration: Declaration,
  path: Path,
  target: ModelRung,
  { kind, whole, usual, models }: Pick<PoolParts, "kind" | "whole" | "usual" | "models">,
): "first-byte" | "complete" {
  const model = models.get(target.model);
  const misfit = model && kindMisfit(kind, model);
  if (misfit !== undefined) declaration.report(path, misfit);
  const inProcess = isBuiltIn(target.model) || model?.type === "runtime";
  const reason = kind === "score" ? "a score" : whole;
  if (target.commit === "first-byte" && reason !== undefined) {
    declaration.report(
      [...path, "commit"],
      `${reason} must see the whole answer, so this rung can't be final at its first byte`,
      {
        fix: "write commit: complete, or leave it out",
      },
    );
  }
  return target.commit ?? (reason !== undefined || inProcess ? "complete" : usual);
}

function kindMisfit(kind: UseCaseConfig["kind"], model: Model): string | undefined {
  const scores = model.type === "runtime" && "file" in model;
  const detects = model.type === "runtime" && model.runtime === "detectors";
  if (kind === "moderate")
    return detects ? undefined : `model "${model.name}" is not the built-in \`detectors\`, which alone moderates`;
  if (detects) return `\`detectors\` says what texts hold, but this use case is of kind ${kind}, not moderate`;
  if (kind === "embed" || kind === "rerank")
    return model.type === "vendor" ? undefined : `model "${model.name}" runs in this process, where none can ${kind}`;
  if (kind === "score" && !scores) return `model "${model.name}" answers with text, but this use case scores`;
  if (kind === "chat" && scores) return `model "${model.name}" scores features, but this use case is a chat`;
  return undefined;
}

export function compileRules(
  declaration: Declaration,
  name: string,
  contract: FeatureContract | undefined,
): DecisionRule[] {
  const { decide, kind } = declaration.config.use_cases[name]!;
  const place: ConditionPlace = kind === "score" ? "decide-score" : "decide-chat";
  const compile = conditionCompiler(place, contract);
  checkTotality(declaration, name);
  return decide.map((rule, index) => {
    const path: Path = ["use_cases", name, "decide", index];
    const when = conditionAt(declaration, [...path, "when"], rule.when, compile);
    return { ...(when ? { when } : {}), then: consequence(declaration, path, rule, kind) };
  });
}

function consequence(
  declaration: Declaration,
  path: Path,
  rule: RuleConfig,
  kind: UseCaseConfig["kind"],
): DecisionRule["then"] {
  if ("climb" in rule) return { climb: true };
  if ("template" in rule) {
    if (kind === "score")
      declaration.report([...path, "template"], "a template answers with text, which is no result of a score");
    return { template: rule.template };
  }
  const refers = rule.result === "refer";
  if (refers && rule.to === undefined) {
    declaration.report(path, "refer needs the queue that takes over", { fix: "write { result: refer, to: QUEUE }" });
  }
  if (!refers && rule.to !== undefined) {
    declaration.report([...path, "to"], "only `result: refer` is handed over to a queue", {
      fix: "remove `to`, or write result: refer",
    });
  }
  return { result: rule.result, ...(rule.to === undefined ? {} : { referTo: rule.to }) };
}

/** Every score gets a result: exactly the last rule has no condition. */
function checkTotality(declaration: Declaration, name: string): void {
  const { decide, kind } = declaration.config.use_cases[name]!;
  const path: Path = ["use_cases", name, "decide"];
  decide.forEach((rule, index) => {
    if (rule.when === undefined && index < decide.length - 1) {
      const fix = "give it a `when`, or move it to the end";
      declaration.report([...path, index], "this rule has no `when`, so those behind it are never reached", { fix });
    }
  });
  if (kind !== "score") return;
  const last = decide.at(-1);
  if (!last) {
    const fix = "add decide: [{ when: 'score >= 0.7', result: approve }, { result: refer, to: QUEUE }]";
    declaration.report(["use_cases", name], `score use case "${name}" has no decide rules`, { key: true, fix });
  } else if (last.when !== undefined) {
    const fix = "end with a rule without `when`, e.g. { result: refer, to: QUEUE }";
    declaration.report(
      [...path, decide.length - 1],
      "the last rule has a `when`, so some scores would have no result",
      { fix },
    );
  }
}
