/** National identifiers: form first, then check digits, then (for weak forms) a word nearby. */
import { longestChain, longestLead } from "./number-chain.ts";
import { nationalIdKinds } from "./national-id-kinds.ts";
import type { NationalIdKind } from "./national-id-kinds.ts";
import type { Detector, Finding, Source } from "./port.ts";
import { closes, groupLength, isLetter, opens, precededBy } from "./surroundings.ts";

/** The longest written form is 22 characters; the rest is for look-aheads inside the forms. */
const windowChars = 32;
/** In the first chain of any form that does not start with letters: `AB 12 34 56 C`. */
const fewestDigits = 6;

const byFirstGroup: readonly (readonly NationalIdKind[])[] = Array.from({ length: 16 }, (_, length) =>
  nationalIdKinds.filter((kind) => kind.firstGroup.includes(length)),
);

function tryKind(text: Source, kind: NationalIdKind, start: number): Finding | undefined {
  const written = kind.form.exec(text.slice(start, start + windowChars))?.[0];
  if (written === undefined || !closes(text, start + written.length)) return undefined;
  if (!kind.isValid(written.replace(/[^A-Za-z0-9]/g, "").toUpperCase())) return undefined;
  if (kind.needsWord(written) && !precededBy(text, start, kind.words)) return undefined;
  return { detector: "national-id", start, end: start + written.length, kind: kind.kind, confidence: kind.confidence };
}

/** Two kinds may accept the same digits; a word that names one of them decides, else the table's order. */
function choose(text: Source, candidates: readonly Finding[]): Finding | undefined {
  if (candidates.length < 2) return candidates[0];
  const named = candidates.find((candidate) => {
    const kind = nationalIdKinds.find(({ kind: name }) => name === candidate.kind)!;
    return precededBy(text, candidate.start, kind.words);
  });
  return named ?? candidates[0];
}

export const nationalId: Detector = {
  name: "national-id",
  holdBack: longestLead + longestChain + windowChars,
  onNumber(text, chain, group, found) {
    if (chain.isWhole && chain.digits < fewestDigits && !isLetter(text.charCodeAt(chain.starts[0]! - 1))) return 0;
    const kinds = byFirstGroup[groupLength(chain, group)];
    if (kinds === undefined || kinds.length === 0) return 0;
    const candidates: Finding[] = [];
    for (const kind of kinds) {
      for (const lead of kind.leads) {
        const start = chain.starts[group]! - lead;
        if (start < 0 || (lead > 0 && !isLetter(text.charCodeAt(start))) || !opens(text, start)) continue;
        const candidate = tryKind(text, kind, start);
        if (candidate !== undefined) candidates.push(candidate);
      }
    }
    const chosen = choose(text, candidates);
    if (chosen !== undefined) found.push(chosen);
    return 0;
  },
};
