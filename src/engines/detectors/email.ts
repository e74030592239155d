/** E-mail addresses: RFC 5321 as people write it, with internationalised names (RFC 6531), no comments or routes. */
import type { Detector, Source } from "./port.ts";
import { isDigit, isLetter } from "./surroundings.ts";

export const longestLocal = 64;
const longestDomain = 253;
const quote = 34;
const dot = 46;
const dash = 45;

const isWide = (code: number): boolean => code >= 128 && /[\p{L}\p{M}\p{N}\p{Cs}]/u.test(String.fromCharCode(code));
/** RFC 5322 atext without `=`, `/`, `?`, `{`, `|`, `}`, which around an address are nearly always delimiters. */
export const isLocal = (code: number): boolean =>
  isLetter(code) ||
  isDigit(code) ||
  code === dot ||
  "!#$%&'*+-^_`~".includes(String.fromCharCode(code)) ||
  isWide(code);
const isLabel = (code: number): boolean => isLetter(code) || isDigit(code) || code === dash || isWide(code);

/** Start of the local part that ends before `at`, or -1. */
function localStart(text: Source, at: number): number {
  if (text.charCodeAt(at - 1) === quote) {
    for (let i = at - 2; i >= 0 && i >= at - longestLocal; i--) {
      const code = text.charCodeAt(i);
      if (code === quote) return i < at - 2 ? i : -1;
      if (code < 32) return -1;
    }
    return -1;
  }
  let start = at;
  while (start > 0 && at - start < longestLocal && isLocal(text.charCodeAt(start - 1))) {
    if (text.charCodeAt(start - 1) === dot && text.charCodeAt(start) === dot) break;
    start--;
  }
  while (
    start < at &&
    !isLetter(text.charCodeAt(start)) &&
    !isDigit(text.charCodeAt(start)) &&
    !isWide(text.charCodeAt(start))
  ) {
    if (text.charCodeAt(start) === 95) break;
    start++;
  }
  return start < at && text.charCodeAt(at - 1) !== dot ? start : -1;
}

/** End of the domain that starts at `from`, or -1: at least two labels, the last one of letters (or punycode). */
function domainEnd(text: Source, from: number): number {
  let end = -1;
  let labels = 0;
  let label = from;
  while (label - from <= longestDomain) {
    let stop = label;
    while (stop - label < 64 && isLabel(text.charCodeAt(stop))) stop++;
    let trimmed = stop;
    while (trimmed > label && text.charCodeAt(trimmed - 1) === dash) trimmed--;
    const name = text.slice(label, trimmed);
    if (name === "" || name.length > 63 || name.startsWith("-") || trimmed - from > longestDomain) break;
    labels++;
    if (labels > 1 && /^(?:xn--[a-z0-9-]+|\D{2,})$/i.test(name)) end = trimmed;
    if (trimmed !== stop || text.charCodeAt(stop) !== dot) break;
    label = stop + 1;
  }
  return end;
}

export const email: Detector = {
  name: "email",
  // Quotes around the local part, the `@`, and one label and its dot beyond the longest domain.
  holdBack: longestLocal + 2 + 1 + longestDomain + 65,
  onAt(text, at, found) {
    const start = localStart(text, at);
    if (start < 0) return;
    const end = domainEnd(text, at + 1);
    if (end < 0) return;
    found.push({ detector: "email", start, end, kind: "email", confidence: "pattern" });
  },
};
