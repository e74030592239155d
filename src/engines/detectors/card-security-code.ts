/** Card security codes: three or four digits that a word names as such. They must never be recorded. */
import { longestChain } from "./number-chain.ts";
import type { Detector, Source } from "./port.ts";
import { closes, contextBefore, contextWords, isDigit, isLetter, opens } from "./surroundings.ts";

const named =
  "cv[vcn]2?|cs[cv]2?|cav2?|cvc ?code|security (?:code|number)|card verification(?: (?:code|value|number))?|verification value|" +
  "(?:karten)?prüf(?:nummer|ziffer|nr)|(?:karten)?sicherheits(?:code|nummer)|cryptogramme|code de sécurité|code de vérification|" +
  "c[oó]digo de (?:seguridad|verificaci[oó]n)|codice di sicurezza";
const before = contextWords(named);
/** Not a name that has its own number after it: `4242 cvc 123`. */
const after = new RegExp(
  `^[\\s("'-]{1,3}(?:(?:is|as|ist|est|es) (?:the|my|der|die|mein|le|mon|el|mi) )?(?:${named})(?![a-z\u00e0-\u00ff]|[^a-z0-9[]{0,3}[\\d[])`,
  "i",
);
const securityCodeLookAhead = 56;
const lookBehind = 48;

/** Where the text before `start` that may name it begins: after the last line break or number (`cvv2` is none). */
function nameWindow(text: Source, start: number): number {
  let from = start;
  while (from > 0 && start - from < lookBehind) {
    const before = text.charCodeAt(from - 1);
    if (before === 10 || (isDigit(before) && !isLetter(text.charCodeAt(from - 2)))) break;
    from--;
  }
  return from;
}

/** No number between name and number, so that `cvc 123, valid to 2028` names only 123. */
function isNamed(text: Source, start: number, end: number, isLast: boolean): boolean {
  const from = nameWindow(text, start);
  if (start - from > 3 && before.test(contextBefore(text, from, start))) return true;
  return isLast && after.test(text.slice(end, end + securityCodeLookAhead));
}

export const cardSecurityCode: Detector = {
  name: "card-security-code",
  holdBack: longestChain + securityCodeLookAhead,
  onNumber(text, chain, group, found) {
    const start = chain.starts[group]!;
    const end = chain.ends[group]!;
    if (end - start < 3 || end - start > 4 || !opens(text, start, ".,-") || !closes(text, end, ".,-")) return 0;
    if (isNamed(text, start, end, chain.isWhole && group === chain.starts.length - 1))
      found.push({ detector: "card-security-code", start, end, kind: "card-security-code", confidence: "pattern" });
    return 0;
  },
};
