/**
 * Telephone numbers. International form stands on its own; national forms need the layout of a country family or a word
 * such as "mobile" nearby. Dates, amounts, IP addresses and parts of longer numbers are not phones.
 */
import { longestChain, longestLead } from "./number-chain.ts";
import type { Detector, NumberChain, Source } from "./port.ts";
import { closes, contextWords, groupDigits, groupLength, isSpace, isWord, opens, precededBy } from "./surroundings.ts";

/** ITU-T E.164 country codes in use. */
const callingCode =
  /^(?:1|7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|2[1-689]\d|3[578]\d|42\d|5[09]\d|6[789]\d|8[0578]\d|9(?:6[0-8]|7[0-79]|9[2-68]))/;
const words = contextWords(
  "(?:tele|cell ?|mobile ?|smart)?phones?|tel|mobile|mob|cell|calls?|called|calling|dial|fax|desk|office|whatsapp|sms|text me|messages?|" +
    "answer(?:ing|ed)?|ring|reach (?:me|us|him|her|them)|hotline|handy(?:nummer)?|telefon(?:nummer|o)?|téléphone|portable|rufnummer|" +
    "mobil(?:nummer)?|móvil|teléfono|celular|cellulare|llámame|llamar|appele[rz]|anrufen|ruf",
);
const wordReach = 32;
const wordAfter = /^[ \t]*\(?(?:office|fax|home|mobile|cell|work|phone|tel)\b/i;
const extension = /^ ?(?:x|ext\.?|extension) ?\d{1,5}(?![\p{L}\p{N}])/iu;
/** Far enough for the longest extension and for a word after the number. */
const phoneLookAhead = 20;
const mostGroups = 8;
const mostDigits = 15;
const fewestDigits = 7;

interface Window {
  start: number;
  end: number;
  digits: string;
  lengths: readonly number[];
  gaps: readonly string[];
}

function isDate(window: Window): boolean {
  const { lengths, gaps, digits } = window;
  if (lengths.length === 1)
    return /^(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])/.test(digits) && digits.length !== 10;
  if (lengths.join("-") === "4-4" && /^(?:19|20)\d\d(?:19|20)/.test(digits)) return true;
  const [a, b, c] = lengths;
  if (c === undefined || gaps[0] !== gaps[1]) return false;
  if (a === 4) return b! <= 2 && c <= 2 && /^(?:19|20)/.test(digits) && gaps[0] !== " ";
  const isDayAndMonth =
    a! <= 2 && b! <= 2 && Number(digits.slice(0, a)) <= 31 && Number(digits.slice(a, a! + b!)) <= 31;
  return isDayAndMonth && ((c === 4 && /^(?:19|20)/.test(digits.slice(a! + b!))) || (c === 2 && lengths.length === 3));
}

const isIpAddress = ({ lengths, gaps }: Window): boolean =>
  lengths.length === 4 && gaps.every((gap) => gap === ".") && lengths.every((length) => length <= 3);

const isEvenlySpaced = (gaps: readonly string[]): boolean => gaps.every((gap) => gap === gaps[0]);

/** 0496 46 46 70, 0341 8387176, 03.93.92.16.85: a trunk zero, then the rest in like gaps. */
function isTrunkForm({ digits, lengths, gaps }: Window): boolean {
  if (lengths.length < 2 || digits.length < 9 || digits.length > 12 || !/^0[1-9]/.test(digits)) return false;
  // A postcode and a house number: `03262 2437`.
  if (lengths.length === 2 && lengths[0] === 5 && digits.length < 10) return false;
  const isPhoneSized = lengths[0]! >= 2 && lengths[0]! <= 5 && lengths.every((length) => length >= 2 && length <= 8);
  return isPhoneSized && isEvenlySpaced(gaps.slice(1));
}

/** (579) 888-3058, 905-674-3793, 1-905-674-3793; spaces alone are too weak a sign. */
function isNorthAmericanForm({ digits, lengths, gaps }: Window): boolean {
  const layout = lengths.join("-");
  if (layout !== "3-3-4" && layout !== "1-3-3-4") return false;
  const area = layout === "3-3-4" ? digits : digits.slice(1);
  if (!/^[2-9]/.test(area) || (layout !== "3-3-4" && digits[0] !== "1")) return false;
  return gaps.every((gap) => !/^ +$/.test(gap));
}

function isNationalWithWord({ digits, lengths, gaps }: Window): boolean {
  if (digits.length < fewestDigits || digits.length > 12 || lengths.length > 5) return false;
  return lengths.every((length) => length >= 2) && gaps.every((gap) => gap.trim().length <= 1);
}

/** 00 as the international prefix, or the digits after `+`. */
function isInternational(digits: string, groups: number, hasPlus: boolean): boolean {
  if (!hasPlus && (groups < 2 || !digits.startsWith("00"))) return false;
  const number = hasPlus ? digits : digits.slice(2);
  return number.length >= 8 && number.length <= (groups > 1 ? 13 : mostDigits) && callingCode.test(number);
}

function isMoney(text: Source, start: number, end: number): boolean {
  const before = text.slice(Math.max(0, start - 4), start);
  return (
    /(?:[$€£¥₹]|EUR|USD|GBP|CHF) ?$/.test(before) || /^ ?(?:[$€£¥₹%]|EUR|USD|GBP|CHF)/.test(text.slice(end, end + 4))
  );
}

function kindOf(text: Source, window: Window, plusAt: number): string | undefined {
  const { start, end, digits, lengths } = window;
  if (plusAt >= 0) return isInternational(digits, lengths.length, true) ? "international" : undefined;
  if (isDate(window) || isIpAddress(window) || isMoney(text, start, end)) return undefined;
  if (isInternational(digits, lengths.length, false)) return "international";
  if (isTrunkForm(window) || isNorthAmericanForm(window)) return "national";
  if (!isNationalWithWord(window)) return undefined;
  const isNamed = precededBy(text, start, words, wordReach) || wordAfter.test(text.slice(end, end + phoneLookAhead));
  return isNamed ? "national" : undefined;
}

/** Offset of the `+` that belongs to the group, or -1. */
function plusBefore(text: Source, start: number): number {
  let at = start - 1;
  while (at > start - 3 && (isSpace(text.charCodeAt(at)) || text.charCodeAt(at) === 40)) at--;
  return text.charCodeAt(at) === 43 && !isWord(text.charCodeAt(at - 1)) ? at : -1;
}

/** `+41 (0)62`: the bracketed trunk zero is written but never dialled from abroad. */
const isTrunkNote = (text: Source, chain: NumberChain, group: number): boolean =>
  text.slice(chain.starts[group]! - 1, chain.ends[group]! + 1) === "(0)";

/** Windows of the chain from group `first`, shortest first. */
function* windowsFrom(text: Source, chain: NumberChain, first: number): Generator<{ window: Window; last: number }> {
  const bracket = text.charCodeAt(chain.starts[first]! - 1) === 40 ? 1 : 0;
  const lengths: number[] = [];
  const gaps: string[] = [];
  let digits = "";
  for (let last = first; last < chain.starts.length && last < first + mostGroups; last++) {
    if (last > first && isTrunkNote(text, chain, last)) continue;
    if (digits.length + groupLength(chain, last) > mostDigits) return;
    digits += groupDigits(text, chain, last);
    lengths.push(groupLength(chain, last));
    if (last > first) gaps.push(chain.gaps[last]!);
    yield {
      window: {
        start: chain.starts[first]! - bracket,
        end: chain.ends[last]!,
        digits,
        lengths: [...lengths],
        gaps: [...gaps],
      },
      last,
    };
  }
}

export const phone: Detector = {
  name: "phone",
  holdBack: longestLead + longestChain + phoneLookAhead,
  onNumber(text, chain, group, found) {
    if (chain.isWhole && chain.digits < fewestDigits) return 0;
    const start = chain.starts[group]!;
    const plusAt = plusBefore(text, start);
    if (plusAt < 0 && (!opens(text, start) || (groupLength(chain, group) === 1 && text.charCodeAt(start) !== 49)))
      return 0;
    let lastGroup = -1;
    let best: { start: number; end: number; kind: string } | undefined;
    for (const { window, last } of windowsFrom(text, chain, group)) {
      if (window.digits.length < fewestDigits) continue;
      const extra = extension.exec(text.slice(window.end, window.end + phoneLookAhead))?.[0].length ?? 0;
      if (extra === 0 && !closes(text, window.end)) continue;
      const kind = kindOf(text, window, plusAt);
      if (kind === undefined) continue;
      best = { start: plusAt >= 0 ? plusAt : window.start, end: window.end + extra, kind };
      lastGroup = last;
    }
    if (best === undefined) return 0;
    found.push({ detector: "phone", ...best, confidence: "pattern" });
    return chain.ends[lastGroup]!;
  },
};
