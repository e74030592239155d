/** IBANs: country, length of that country, and ISO 7064 MOD 97-10 must all agree. */
import { ibanMod97 } from "./checksums.ts";
import { longestChain, longestLead } from "./number-chain.ts";
import type { Detector, Finding, Source } from "./port.ts";
import { isDigit, isLetter, isWord } from "./surroundings.ts";

/** SWIFT IBAN registry: total length by country. */
const lengths: ReadonlyMap<string, number> = new Map(
  (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24 " +
    "FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 " +
    "LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 " +
    "RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30"
  )
    .split(" ")
    .map((entry) => [entry.slice(0, 2), Number(entry.slice(2))]),
);

const isSeparator = (code: number): boolean => code === 32 || code === 45;

/** Reads `length` letters and digits from `start`, single spaces or dashes between them; undefined when interrupted. */
function readCompact(text: Source, start: number, length: number): { compact: string; end: number } | undefined {
  let compact = "";
  let at = start;
  while (compact.length < length) {
    const code = text.charCodeAt(at);
    if (isDigit(code)) compact += String.fromCharCode(code);
    else if (isLetter(code)) compact += String.fromCharCode(code & ~32);
    else if (!isSeparator(code) || !isWord(text.charCodeAt(at - 1))) return undefined;
    at++;
  }
  return { compact, end: at };
}

function ibanAt(text: Source, start: number, found: Finding[]): void {
  const country = text.slice(start, start + 2).toUpperCase();
  const length = lengths.get(country);
  if (length === undefined) return;
  const read = readCompact(text, start, length);
  if (read === undefined || isWord(text.charCodeAt(read.end)) || !ibanMod97(read.compact)) return;
  found.push({ detector: "iban", start, end: read.end, kind: `${country.toLowerCase()}-iban`, confidence: "checked" });
}

export const iban: Detector = {
  name: "iban",
  holdBack: longestLead + longestChain,
  onNumber(text, chain, group, found) {
    const digits = chain.starts[group]!;
    const start = digits - 2;
    if (start < 0 || !isLetter(text.charCodeAt(digits - 1)) || !isLetter(text.charCodeAt(start))) return 0;
    if (start > 0 && isWord(text.charCodeAt(start - 1))) return 0;
    if (isDigit(text.charCodeAt(digits + 1))) ibanAt(text, start, found);
    return 0;
  },
};
