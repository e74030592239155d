/** One pass of a list of guards over texts. Shared by the input side (screen) and the output side (check). */
import type { GuardVerdict } from "../../kernel/decision.ts";
import type { Guard } from "../../kernel/snapshot.ts";
import { redactTogether, scanTogether } from "./side-by-side.ts";

export interface Found {
  detector: string;
  start: number;
  end: number;
}

/** The detectors, as `assemble` plugs them in. */
export interface Scanner {
  scan(text: string, wanted: ReadonlySet<string>): readonly Found[];
  redact(text: string, found: readonly Found[]): string;
}

/** A scan of a text that is still arriving; each view is told what a scan for its detectors alone would find. */
export interface TextScan {
  push(piece: string): ScanProgress;
  end(): ScanProgress;
}
interface ScanProgress {
  /** Offset up to which all is told. A finding that was told may reach over it. */
  settled: number;
  /** New findings by view. */
  found: readonly (readonly Found[])[];
}
export type OpenScan = (views: readonly ReadonlySet<string>[]) => TextScan;

/** One text, or the texts of parts that stand side by side. */
export type Readable = string | readonly string[];

export interface GuardRun {
  verdicts: GuardVerdict[];
  /** Findings that may stand, by guards whose action is `allow`: they raise the data class. */
  allowed: number;
  /** Name and kinds of the guard that blocks, if any. */
  blocked?: { guard: string; kinds: string[] };
  /** A guard that could not run and fails closed. */
  failed?: string;
  /** What the redacting guards that hit look for, and how a text is rewritten as they demand. */
  redacted?: ReadonlySet<string>;
  redact?: (text: string) => string;
  redactTogether?: (parts: readonly string[]) => string[];
}

export function runGuards(
  scanner: Scanner,
  guards: readonly Guard[],
  on: GuardVerdict["on"],
  texts: readonly Readable[],
): GuardRun {
  const run: GuardRun = { verdicts: [], allowed: 0 };
  const suspects = suspectTexts(scanner, guards, texts);
  if (suspects.length === 0) return cleanRun(guards, on);
  const redacted = new Set<string>();
  for (const guard of guards) {
    try {
      const counts = count(scanner, suspects, detectedBy(guard));
      const kinds = Object.keys(counts);
      const hit = kinds.length > 0;
      run.verdicts.push(verdictOf(guard, on, counts));
      if (!hit) continue;
      if (guard.action === "block") run.blocked ??= { guard: guard.name, kinds };
      else if (guard.action === "redact") for (const kind of guard.detect) redacted.add(kind);
      else run.allowed += 1;
    } catch (fault) {
      run.verdicts.push(failureOf(guard, on, fault));
      if (guard.onFailure === "closed") run.failed ??= guard.name;
    }
  }
  if (redacted.size > 0) {
    run.redacted = redacted;
    run.redact = (text) => scanner.redact(text, scanner.scan(text, redacted));
    run.redactTogether = (parts) => redactTogether(scanner, parts, redacted);
  }
  return run;
}

export function verdictOf(guard: Guard, on: GuardVerdict["on"], findings: Record<string, number>): GuardVerdict {
  const hit = Object.keys(findings).length > 0;
  const verdict = !hit ? "allow" : guard.action === "redact" ? "modify" : "deny";
  return { guard: guard.name, on, verdict, action: hit ? guard.action : "allow", findings };
}

export function failureOf(guard: Guard, on: GuardVerdict["on"], fault: unknown): GuardVerdict {
  const action = guard.onFailure === "open" ? "allow" : "block";
  const reason = fault instanceof Error ? fault.name : "fault";
  return { guard: guard.name, on, verdict: "error", action, findings: {}, reason };
}

/** One scan for all guards: nearly every text is clean. Where it fails, each guard finds out for itself. */
function suspectTexts(scanner: Scanner, guards: readonly Guard[], texts: readonly Readable[]): readonly Readable[] {
  if (guards.length === 0) return [];
  try {
    const wanted = wantedBy(guards);
    return texts.filter((text) => scanOf(scanner, text, wanted).length > 0);
  } catch {
    return texts;
  }
}

const scanOf = (scanner: Scanner, text: Readable, wanted: ReadonlySet<string>): readonly Found[] =>
  typeof text === "string" ? scanner.scan(text, wanted) : scanTogether(scanner, text, wanted);

/** Whether no guard would find anything; a guard that can't run has not read it. */
export function isClean(scanner: Scanner, guards: readonly Guard[], text: string): boolean {
  try {
    return scanner.scan(text, wantedBy(guards)).length === 0;
  } catch {
    return false;
  }
}

/** The run of guards of which it is known that they find nothing. */
export const cleanRun = (guards: readonly Guard[], on: GuardVerdict["on"]): GuardRun => ({
  verdicts: guards.map((guard) => verdictOf(guard, on, {})),
  allowed: 0,
});

const wanted = new WeakMap<readonly Guard[], ReadonlySet<string>>();

/** One scan for all guards of a use case. */
function wantedBy(guards: readonly Guard[]): ReadonlySet<string> {
  let known = wanted.get(guards);
  if (!known) wanted.set(guards, (known = new Set(guards.flatMap((guard) => guard.detect))));
  return known;
}

const detected = new WeakMap<Guard, ReadonlySet<string>>();

export function detectedBy(guard: Guard): ReadonlySet<string> {
  let known = detected.get(guard);
  if (!known) detected.set(guard, (known = new Set(guard.detect)));
  return known;
}

function count(scanner: Scanner, texts: readonly Readable[], wanted: ReadonlySet<string>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const text of texts)
    for (const found of scanOf(scanner, text, wanted)) counts[found.detector] = (counts[found.detector] ?? 0) + 1;
  return counts;
}
