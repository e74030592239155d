import { audienceOf } from "./audience.ts";
import { codeUnits } from "./code-units.ts";
import { originalEnd, unmask } from "./disguise.ts";
import type { DetectorName, Finding, Source } from "./port.ts";
import { resolve } from "./resolve.ts";
import { sweep } from "./sweep.ts";

/** `scan` over anything that reads like a string; tests count what it reads. */
export function scanSource(text: Source, wanted: ReadonlySet<DetectorName>): Finding[] {
  if (wanted.size === 0) return [];
  const audience = audienceOf(wanted);
  const claims: Finding[] = [];
  if (sweep(text, codeUnits(text), audience, claims, false)) return resolve(text, claims);
  const unmasked = unmask(text);
  claims.length = 0;
  sweep(unmasked.text, codeUnits(unmasked.text), audience, claims, true);
  return resolve(unmasked.text, claims).map((finding) => ({
    ...finding,
    start: unmasked.offsets[finding.start]!,
    end: originalEnd(unmasked, text, finding.end),
  }));
}

/**
 * What the wanted detectors find: sorted by start, without overlaps; the longest, then the most certain wins. Linear in
 * the text, synchronous, never throws. `wanted` must not change afterwards: a set that is kept costs less.
 */
export const scan = (text: string, wanted: ReadonlySet<DetectorName>): Finding[] => scanSource(text, wanted);

/** `text` with each finding replaced by the name of its detector, as in `[card]`. Findings as `scan` returns them. */
export function redact(text: string, findings: readonly Finding[]): string {
  let redacted = "";
  let from = 0;
  for (const finding of findings) {
    redacted += `${text.slice(from, finding.start)}[${finding.detector}]`;
    from = finding.end;
  }
  return redacted + text.slice(from);
}
