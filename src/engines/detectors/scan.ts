import { cardSecurityCode } from "./card-security-code.ts";
import { card } from "./card.ts";
import { codeUnits } from "./code-units.ts";
import { originalEnd, unmask } from "./disguise.ts";
import { email } from "./email.ts";
import { iban } from "./iban.ts";
import { nationalId } from "./national-id.ts";
import { phone } from "./phone.ts";
import type { Detector, DetectorName, Finding, Source } from "./port.ts";
import { resolve } from "./resolve.ts";
import { secret } from "./secret.ts";
import { sweep } from "./sweep.ts";

/** In the order that decides where two detectors are equally sure of the same characters. */
const detectors: readonly Detector[] = [card, iban, nationalId, cardSecurityCode, secret, email, phone];

export const detectorNames: readonly DetectorName[] = detectors.map((detector) => detector.name);

/** `scan` over anything that reads like a string; tests count what it reads. */
export function scanSource(text: Source, wanted: ReadonlySet<DetectorName>): Finding[] {
  const active = detectors.filter((detector) => wanted.has(detector.name));
  if (active.length === 0) return [];
  const claims: Finding[] = [];
  if (sweep(text, codeUnits(text), active, claims, false)) return resolve(text, claims);
  const unmasked = unmask(text);
  claims.length = 0;
  sweep(unmasked.text, codeUnits(unmasked.text), active, claims, true);
  return resolve(unmasked.text, claims).map((finding) => ({
    ...finding,
    start: unmasked.offsets[finding.start]!,
    end: originalEnd(unmasked, text, finding.end),
  }));
}

/**
 * What the wanted detectors find: sorted by start, without overlaps; the longest, then the most certain wins. Linear in
 * the text, synchronous, never throws.
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
