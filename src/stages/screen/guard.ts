/** One pass of a list of guards over texts. Shared by the input side (screen) and the output side (check). */
import type { GuardVerdict } from "../../kernel/decision.ts";
import type { Guard } from "../../kernel/snapshot.ts";

interface Found {
  detector: string;
  start: number;
  end: number;
}

/** The detectors, as `assemble` plugs them in. */
export interface Scanner {
  scan(text: string, wanted: ReadonlySet<string>): readonly Found[];
  redact(text: string, found: readonly Found[]): string;
}

export interface GuardRun {
  verdicts: GuardVerdict[];
  /** Findings that may stand, by guards whose action is `allow`: they raise the data class. */
  allowed: number;
  /** Name and kinds of the guard that blocks, if any. */
  blocked?: { guard: string; kinds: string[] };
  /** A guard that could not run and fails closed. */
  failed?: string;
  /** Rewrites a text as the redacting guards demand. */
  redact?: (text: string) => string;
}

export function runGuards(
  scanner: Scanner,
  guards: readonly Guard[],
  on: GuardVerdict["on"],
  texts: readonly string[],
): GuardRun {
  const run: GuardRun = { verdicts: [], allowed: 0 };
  if (guards.length === 0) return run;
  const redacted = new Set<string>();
  for (const guard of guards) {
    try {
      const counts = count(scanner, texts, new Set(guard.detect));
      const kinds = Object.keys(counts);
      const hit = kinds.length > 0;
      run.verdicts.push({
        guard: guard.name,
        on,
        verdict: !hit ? "allow" : guard.action === "redact" ? "modify" : "deny",
        action: hit ? guard.action : "allow",
        findings: counts,
      });
      if (!hit) continue;
      if (guard.action === "block") run.blocked ??= { guard: guard.name, kinds };
      else if (guard.action === "redact") for (const kind of guard.detect) redacted.add(kind);
      else run.allowed += 1;
    } catch (fault) {
      const open = guard.onFailure === "open";
      const reason = fault instanceof Error ? fault.name : "fault";
      run.verdicts.push({
        guard: guard.name,
        on,
        verdict: "error",
        action: open ? "allow" : "block",
        findings: {},
        reason,
      });
      if (!open) run.failed ??= guard.name;
    }
  }
  if (redacted.size > 0) run.redact = (text) => scanner.redact(text, scanner.scan(text, redacted));
  return run;
}

/** Whether no guard would find anything; a guard that can't run has not read it. */
export function isClean(scanner: Scanner, guards: readonly Guard[], text: string): boolean {
  try {
    return scanner.scan(text, wantedBy(guards)).length === 0;
  } catch {
    return false;
  }
}

/** The run of guards of which it is known that they find nothing. */
export const cleanRun = (guards: readonly Guard[]): GuardRun => ({
  verdicts: guards.map((guard) => ({
    guard: guard.name,
    on: "input",
    verdict: "allow",
    action: "allow",
    findings: {},
  })),
  allowed: 0,
});

const wanted = new WeakMap<readonly Guard[], ReadonlySet<string>>();

/** One scan for all guards of a use case. */
function wantedBy(guards: readonly Guard[]): ReadonlySet<string> {
  let known = wanted.get(guards);
  if (!known) wanted.set(guards, (known = new Set(guards.flatMap((guard) => guard.detect))));
  return known;
}

function count(scanner: Scanner, texts: readonly string[], wanted: ReadonlySet<string>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const text of texts)
    for (const found of scanner.scan(text, wanted)) counts[found.detector] = (counts[found.detector] ?? 0) + 1;
  return counts;
}

/** What a guard reads of a message part; tool arguments are text too. */
export const guardText = (part: { type: string; text?: string; arguments?: string }): string | undefined =>
  part.text ?? part.arguments;
