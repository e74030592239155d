/** Payment cards: issuer range, length and Luhn must all agree. */
import { luhn } from "./checksums.ts";
import { longestChain } from "./number-chain.ts";
import type { Detector, Finding, NumberChain, Source } from "./port.ts";
import { closes, contextWords, groupDigits, groupLength, opens, precededBy } from "./surroundings.ts";

interface Scheme {
  kind: string;
  issuer: RegExp;
  lengths: readonly number[];
  /** Lengths that ordinary numbers (bar codes, order numbers) share too often to count without a context word. */
  weakLengths?: readonly number[];
}

/** First match wins, so narrow ranges stand before wide ones. Sources: ISO/IEC 7812 ranges as published by the schemes. */
const schemes: readonly Scheme[] = [
  { kind: "amex", issuer: /^3[47]/, lengths: [15] },
  { kind: "mir", issuer: /^220[0-4]/, lengths: [16, 17, 18, 19] },
  {
    kind: "mastercard",
    issuer: /^(?:5[1-5]|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)/,
    lengths: [16],
  },
  { kind: "jcb", issuer: /^(?:1800|2131)/, lengths: [15] },
  { kind: "jcb", issuer: /^35(?:2[89]|[3-8]\d)/, lengths: [16, 17, 18, 19] },
  { kind: "diners", issuer: /^(?:30[0-5]|3095|3[689])/, lengths: [14, 16, 17, 18, 19] },
  { kind: "visa", issuer: /^4/, lengths: [16, 19], weakLengths: [13] },
  { kind: "discover", issuer: /^(?:6011|64[4-9]|65)/, lengths: [16, 19], weakLengths: [17, 18] },
  { kind: "unionpay", issuer: /^(?:62|81)/, lengths: [16, 17, 18, 19] },
  { kind: "rupay", issuer: /^(?:60|82|508)/, lengths: [16] },
  { kind: "troy", issuer: /^9792/, lengths: [16] },
  { kind: "verve", issuer: /^506(?:099|1[0-8]\d|19[0-8])/, lengths: [16, 18, 19] },
  { kind: "maestro", issuer: /^(?:5[0678]|6)/, lengths: [16, 19], weakLengths: [12, 13, 14, 15, 17, 18] },
];

const words = contextWords(
  "(?:credit|debit|kredit|giro|bank)?(?:cards?|karten?)(?:nummer)?|kreditkartennummer|cartes?|tarjetas?|cart[ae]|visa|" +
    "master ?card|maestro|amex|american express|diners|pan|cc",
);
const mostDigits = 19;
const fewestDigits = 12;

function schemeOf(digits: string, hasContext: () => boolean): string | undefined {
  for (const scheme of schemes) {
    if (!scheme.issuer.test(digits)) continue;
    if (scheme.lengths.includes(digits.length)) return scheme.kind;
    if (scheme.weakLengths?.includes(digits.length) && hasContext()) return scheme.kind;
  }
  return undefined;
}

/** 4-4-4-4, 4-6-5, 8-8, digit by digit … : as people write cards, never an arbitrary row of numbers. */
function isLaidOut(lengths: readonly number[]): boolean {
  if (lengths.length === 1) return true;
  const layout = lengths.join("-");
  if (layout === "4-6-5" || layout === "4-6-4" || layout === "6-13" || layout === "4-4-5") return true;
  const size = lengths[0]!;
  return lengths.every((length, index) => (index === lengths.length - 1 ? length <= size : length === size));
}

/** Groups must be set apart in one way throughout: `4242-4242 …` mixed with dots is something else. */
const cardGaps: ReadonlySet<string> = new Set([" ", "  ", "-", " - "]);

/** The last group of the card that starts with group `first`, or -1. */
function cardFrom(text: Source, chain: NumberChain, first: number, found: Finding[]): number {
  const start = chain.starts[first]!;
  if (groupLength(chain, first) > mostDigits || !opens(text, start, ".-")) return -1;
  const gap = chain.gaps[first + 1] ?? "";
  let best: Finding | undefined;
  let bestLast = -1;
  let digits = "";
  const lengths: number[] = [];
  for (let last = first; last < chain.starts.length; last++) {
    if (last > first && (chain.gaps[last] !== gap || !cardGaps.has(gap))) break;
    if (digits.length + groupLength(chain, last) > mostDigits) break;
    digits += groupDigits(text, chain, last);
    lengths.push(groupLength(chain, last));
    const end = chain.ends[last]!;
    if (digits.length < fewestDigits || !luhn(digits) || !isLaidOut(lengths) || !closes(text, end, ".-")) continue;
    const kind = schemeOf(digits, () => precededBy(text, start, words));
    if (kind === undefined) continue;
    best = { detector: "card", start, end, kind, confidence: "checked" };
    bestLast = last;
  }
  if (best !== undefined) found.push(best);
  return bestLast;
}

export const card: Detector = {
  name: "card",
  holdBack: longestChain,
  onNumber(text, chain, group, found) {
    if (chain.isWhole && chain.digits < fewestDigits) return 0;
    const last = cardFrom(text, chain, group, found);
    return last < 0 ? 0 : chain.ends[last]!;
  },
};
