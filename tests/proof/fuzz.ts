/** Runs inputs against a target, makes failing ones smaller, and tells findings apart by rule and place. */
import { performance } from "node:perf_hooks";
import { type Input, inputOf } from "./inputs.ts";
import { Broken, type Target } from "./target.ts";

export interface Finding {
  target: string;
  rule: string;
  message: string;
  /** The first lines of our own code in the stack. */
  place: string;
  inputNumber: number;
  salt: number;
  bytes: Uint8Array;
}

/** Longer than this for one input of at most some hundred kilobytes is a finding: it grows faster than its input. */
const slowMs = 3000;

export function findingOf(target: Target, input: Input, inputNumber: number): Finding | undefined {
  const started = performance.now();
  const told = { target: target.name, inputNumber, salt: input.salt, bytes: input.bytes };
  try {
    target.check(input.bytes, input.salt);
  } catch (fault) {
    if (fault instanceof Broken) return { ...told, rule: fault.rule, message: fault.message, place: placeOf(fault) };
    const error = fault instanceof Error ? fault : new Error(String(fault));
    return { ...told, rule: "throws", message: `${error.name}: ${error.message}`, place: placeOf(error) };
  }
  const tookMs = performance.now() - started;
  if (tookMs < slowMs) return undefined;
  return { ...told, rule: "slow", message: `took ${Math.round(tookMs)} ms for ${input.bytes.length} bytes`, place: "" };
}

function placeOf(error: Error): string {
  const lines = (error.stack ?? "").split("\n").filter((line) => line.includes("/src/"));
  return lines
    .slice(0, 3)
    .map((line) => /\/(src\/.*?:\d+)/.exec(line)?.[1] ?? "")
    .join(" < ");
}

/** Findings of one rule at one place are the same; messages quote what was given. */
export const keyOf = (finding: Finding): string =>
  `${finding.target} ${finding.rule} ${finding.place === "" ? finding.message.replaceAll(/[\d"'].*/gs, "").slice(0, 60) : finding.place.split(" < ")[0]!}`;

/** Cuts pieces out of the input as long as the same finding stays; for at most `budgetMs`. */
export function smaller(target: Target, finding: Finding, budgetMs = 3000): Finding {
  if (finding.rule === "slow") return finding;
  const until = performance.now() + budgetMs;
  const key = keyOf(finding);
  let best = finding;
  const tries = (bytes: Uint8Array): boolean => {
    if (bytes.length >= best.bytes.length) return false;
    const found = findingOf(target, { bytes, salt: best.salt }, best.inputNumber);
    if (!found || keyOf(found) !== key) return false;
    best = found;
    return true;
  };
  if (target.shape === "json") shrinkJson(best, tries, until);
  for (let piece = best.bytes.length >> 1; piece >= 1 && performance.now() < until; piece >>= 1)
    for (let at = 0; at < best.bytes.length && performance.now() < until;) {
      const rest = Buffer.concat([best.bytes.subarray(0, at), best.bytes.subarray(at + piece)]);
      if (!tries(rest)) at += piece;
    }
  return best;
}

/** A field or item less at a time, from the top. */
function shrinkJson(of: Finding, tries: (bytes: Uint8Array) => boolean, until: number): void {
  let root: unknown;
  try {
    root = JSON.parse(Buffer.from(of.bytes).toString("utf8"));
  } catch {
    return;
  }
  const attempt = () => {
    try {
      return tries(Buffer.from(JSON.stringify(root)));
    } catch {
      return false;
    }
  };
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    const holder = value as Record<string, unknown>;
    for (const key of Object.keys(holder).reverse()) {
      if (performance.now() > until) return;
      const kept = Object.entries(holder);
      if (Array.isArray(holder)) holder.splice(Number(key), 1);
      else delete holder[key];
      if (attempt()) continue;
      if (Array.isArray(holder)) holder.splice(0, holder.length, ...kept.map(([, item]) => item));
      else Object.assign(holder, Object.fromEntries(kept));
      visit(holder[key]);
    }
  };
  visit(root);
}

export interface FuzzOptions {
  runSeed: number;
  from?: number;
  done(inputs: number): boolean;
  /** Hears each input's target and number before it runs. */
  before?(target: number, number: number): void;
  /** Hears of each new finding at once. */
  found?(finding: Finding): void;
}

/** An input of each target in turn until `done` says so; returns what it found, each kind once. */
export function fuzz(targets: readonly Target[], options: FuzzOptions): Finding[] {
  const findings = new Map<string, Finding>();
  let inputs = 0;
  for (let number = options.from ?? 0; !options.done(inputs); number++)
    for (const [i, target] of targets.entries()) {
      options.before?.(i, number);
      const finding = findingOf(target, inputOf(target, options.runSeed, number), number);
      inputs += 1;
      if (!finding || findings.has(keyOf(finding))) continue;
      const least = smaller(target, finding);
      findings.set(keyOf(finding), least);
      options.found?.(least);
    }
  return [...findings.values()];
}
