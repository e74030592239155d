/** Differences between two bundles of a use case: thresholds, rungs, guards, prompt, contract, documents. */
import type { DecisionRule, Feature, Guard, LadderRung, Model, PoolRung, UseCase } from "../kernel/snapshot.ts";
import { canonicalJson } from "./canonical.ts";
import type { CompiledConfig } from "./compile.ts";
import { fieldChanges, shortDigest, shown } from "./plan-sections.ts";
import { unpinned } from "./values.ts";

export function describeBundle(serving: CompiledConfig, candidate: CompiledConfig, name: string): string[] {
  const old = serving.snapshot.useCases.get(name)!;
  const now = candidate.snapshot.useCases.get(name)!;
  const texts = [
    ...(old.kind === now.kind ? [] : [`kind ${old.kind} → ${now.kind}`]),
    ...promptChanges(old, now),
    ...contractChanges(old, now),
    ...guardChanges("screen", old.screen, now.screen),
    ...guardChanges("check", old.check, now.check),
    ...(shown(old.detect) === shown(now.detect) ? [] : [`detect ${shown(old.detect)} → ${shown(now.detect)}`]),
    ...groundChanges(old, now),
    ...ladderChanges(old, serving.snapshot.models, now, candidate.snapshot.models),
    ...ruleChanges(old, now),
  ];
  return texts.length > 0 ? texts : ["declared otherwise with the same meaning"];
}

function promptChanges(old: UseCase, now: UseCase): string[] {
  if (old.prompt === now.prompt) return [];
  const lines = (text: string | undefined) =>
    text === undefined ? "none" : `${text.trimEnd().split("\n").length} lines`;
  return [`prompt changed (${lines(old.prompt)} → ${lines(now.prompt)})`];
}

function contractChanges(old: UseCase, now: UseCase): string[] {
  const [before, after] = [old.contract, now.contract];
  if (!before || !after)
    return before === after ? [] : [`feature contract ${before?.name ?? "none"} → ${after?.name ?? "none"}`];
  const { name, version, score } = after;
  return [
    ...fieldChanges(
      { name: before.name, version: before.version, score: before.score },
      { name, version, score },
      "contract",
    ),
    ...featureChanges("feature", before.features, after.features),
    ...featureChanges("protected feature", before.protectedFeatures, after.protectedFeatures),
  ];
}

function featureChanges(word: string, before: readonly Feature[], after: readonly Feature[]): string[] {
  const old = new Map(before.map((feature) => [feature.name, feature]));
  const now = new Map(after.map((feature) => [feature.name, feature]));
  const removed = before.filter(({ name }) => !now.has(name)).map(({ name }) => `${word} ${name} removed`);
  const others = after.flatMap((feature) => {
    const was = old.get(feature.name);
    return was ? fieldChanges(was, feature, `${word} ${feature.name}`) : [`${word} ${feature.name} added`];
  });
  return [...removed, ...others];
}

function guardChanges(place: "screen" | "check", before: readonly Guard[], after: readonly Guard[]): string[] {
  const names = (guards: readonly Guard[]) => shown(guards.map(({ name }) => name));
  const listed = names(before) === names(after) ? [] : [`${place} ${names(before)} → ${names(after)}`];
  const changed = after.flatMap((guard) => {
    const old = before.find(({ name }) => name === guard.name);
    return old ? fieldChanges(old, guard, `guard ${guard.name}`) : [];
  });
  return [...listed, ...changed];
}

function groundChanges(old: UseCase, now: UseCase): string[] {
  const [before, after] = [old.ground, now.ground];
  if (!before || !after)
    return before === after ? [] : [`documents ${before?.folder ?? "none"} → ${after?.folder ?? "none"}`];
  const passages = before.passages === after.passages ? [] : [`passages ${before.passages} → ${after.passages}`];
  if (before.generation === after.generation) return passages;
  const digests = (ground: NonNullable<UseCase["ground"]>) =>
    new Map(ground.files.map((file) => [file.path.slice(ground.folder.length + 1), file.sha256]));
  const [was, is] = [digests(before), digests(after)];
  const added = [...is.keys()].filter((path) => !was.has(path)).length;
  const removed = [...was.keys()].filter((path) => !is.has(path)).length;
  const changed = [...is].filter(([path, digest]) => was.has(path) && was.get(path) !== digest).length;
  return [...passages, `documents in ${after.folder}: ${added} added, ${removed} removed, ${changed} changed`];
}

type Models = ReadonlyMap<string, Model>;

function ladderChanges(old: UseCase, oldModels: Models, now: UseCase, nowModels: Models): string[] {
  const before = old.ladder.map(rungName);
  const after = now.ladder.map(rungName);
  if (canonicalJson(before) !== canonicalJson(after)) return [`ladder ${before.join(", ")} → ${after.join(", ")}`];
  return now.ladder.flatMap((rung, index) => rungChanges(old.ladder[index]!, oldModels, rung, nowModels, index));
}

function rungChanges(old: LadderRung, oldModels: Models, now: LadderRung, nowModels: Models, index: number): string[] {
  if (old.type === "template" && now.type === "template") return old.text === now.text ? [] : ["template text changed"];
  if (old.type === "pool" && now.type === "pool") return poolChanges(old, oldModels, now, nowModels, index);
  if (old.type !== "model" || now.type !== "model") return [];
  const [was, is] = [oldModels.get(old.model), nowModels.get(now.model)];
  const where = `rung ${index + 1} (${rungName(now)})`;
  const condition =
    old.when?.source === now.when?.source ? [] : [`${where} when ${shown(old.when)} → ${shown(now.when)}`];
  const commit = old.commit === now.commit ? [] : [`${where} commit ${old.commit} → ${now.commit}`];
  const model =
    was && is && unpinned(old.model) === unpinned(now.model)
      ? modelChanges(was, is)
      : [`model ${old.model} → ${now.model}`];
  return [...condition, ...commit, ...acceptChanges(old, now, where), ...model.map((text) => `${where} ${text}`)];
}

const acceptChanges = (old: Pick<PoolRung, "accept">, now: Pick<PoolRung, "accept">, where: string): string[] =>
  canonicalJson(old.accept ?? null) === canonicalJson(now.accept ?? null)
    ? []
    : [`${where} accept ${shown(old.accept)} → ${shown(now.accept)}`];

function poolChanges(old: PoolRung, oldModels: Models, now: PoolRung, nowModels: Models, index: number): string[] {
  const where = `rung ${index + 1} (${rungName(now)})`;
  const plain = ({ strategy, commit, when, members }: PoolRung) => ({
    strategy,
    commit,
    when: when?.source,
    weights: members.map(({ weight }) => weight),
    up_to: members.map(({ upToTokens }) => upToTokens ?? null),
    conditions: members.map((member) => member.when?.source ?? null),
  });
  const models = now.members.flatMap((member, at) => {
    const [was, is] = [oldModels.get(old.members[at]!.model), nowModels.get(member.model)];
    return was && is ? modelChanges(was, is).map((text) => `${where} ${unpinned(member.model)} ${text}`) : [];
  });
  return [...fieldChanges(plain(old), plain(now), where), ...acceptChanges(old, now, where), ...models];
}

function modelChanges(was: Model, is: Model): string[] {
  if (was.type === "runtime" && is.type === "runtime" && "file" in was && "file" in is) {
    return was.file.sha256 === is.file.sha256
      ? []
      : [`file ${shortDigest(was.file.sha256)} → ${shortDigest(is.file.sha256)}`];
  }
  if (was.type !== "vendor" || is.type !== "vendor") return was.type === is.type ? [] : [`${was.type} → ${is.type}`];
  const plain = ({ vendor, model, maxOutputTokens, contextTokens }: typeof was) => ({
    vendor,
    model,
    maxOutputTokens,
    contextTokens,
  });
  return fieldChanges(plain(was), plain(is));
}

function rungName(rung: LadderRung): string {
  if (rung.type === "pool")
    return `pool of ${rung.members.map(({ model, slot }) => slot ?? unpinned(model)).join(" and ")}`;
  if (rung.type === "template") return "template";
  if (rung.type === "refer") return `refer ${rung.to}`;
  return rung.slot ?? unpinned(rung.model);
}

const numberPattern = /(?<![\w.])\d+(?:\.\d+)?/g;

function ruleChanges(old: UseCase, now: UseCase): string[] {
  const count = Math.max(old.decide.length, now.decide.length);
  return Array.from({ length: count }, (_, index) => index).flatMap((index) => {
    const [before, after] = [old.decide[index], now.decide[index]];
    const where = `(${now.kind} rule ${index + 1})`;
    if (!before) return [`rule added: ${ruleText(after!)} ${where}`];
    if (!after) return [`rule removed: ${ruleText(before)} ${where}`];
    if (ruleText(before) === ruleText(after)) return [];
    return (
      thresholdChanges(before, after)?.map((text) => `${text} ${where}`) ?? [
        `${ruleText(before)} → ${ruleText(after)} ${where}`,
      ]
    );
  });
}

/** The same rule with other figures; undefined where more differs. */
function thresholdChanges(before: DecisionRule, after: DecisionRule): string[] | undefined {
  const [was, is] = [before.when?.source, after.when?.source];
  if (was === undefined || is === undefined || consequence(before) !== consequence(after)) return undefined;
  if (was.replace(numberPattern, "#") !== is.replace(numberPattern, "#")) return undefined;
  const [old, now] = [was.match(numberPattern) ?? [], is.match(numberPattern) ?? []];
  return now.flatMap((figure, index) =>
    figure === old[index] ? [] : [`${consequence(after)} threshold ${old[index]} → ${figure}`],
  );
}

const ruleText = (rule: DecisionRule): string =>
  rule.when ? `${consequence(rule)} when "${rule.when.source}"` : `else ${consequence(rule)}`;

function consequence({ then }: DecisionRule): string {
  if ("climb" in then) return "climb";
  if ("template" in then) return `template "${then.template}"`;
  return then.referTo === undefined ? then.result : `${then.result} to ${then.referTo}`;
}
