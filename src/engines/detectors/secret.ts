/** Credentials: formats that vendors publish, JWTs, PEM private keys, and values assigned to a name like `password`. */
import { crc32 } from "node:zlib";
import type { Detector, Finding, Source } from "./port.ts";
import { isDigit, isLetter, isSpace, isWord } from "./surroundings.ts";

/** Longest private key block that is covered whole. */
const longestKeyBlock = 16_384;
const longestSegment = 4096;
const longestToken = 512;
const longestTokenLead = 8;
const longestValue = 256;
const longestName = 40;
/** A value is judged by its beginning. */
const judgedChars = 64;

/** Keyed by the first two characters, so that an ordinary long word costs one lookup. */
const tokenForms: ReadonlyMap<string, readonly (readonly [kind: string, form: RegExp])[]> = new Map([
  ["AK", [["aws-access-key", /^AKIA[A-Z2-7]{16}$/]]],
  ["AS", [["aws-access-key", /^ASIA[A-Z2-7]{16}$/]]],
  ["AI", [["google-api-key", /^AIza[\w-]{35}$/]]],
  ["gh", [["github-token", /^gh[pousr]_[A-Za-z0-9]{36,255}$/]]],
  ["gi", [["github-token", /^github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}$/]]],
  ["gl", [["gitlab-token", /^gl(?:pat|ptt|dt|rt|soat|agent|oas)-[\w-]{20,}$/]]],
  ["xo", [["slack-token", /^xox[abeoprs]-[A-Za-z0-9-]{10,}$/]]],
  ["xa", [["slack-token", /^xapp-\d-[A-Za-z0-9-]{10,}$/]]],
  ["wh", [["stripe-key", /^whsec_[A-Za-z0-9]{24,}$/]]],
  ["rk", [["stripe-key", /^rk_(?:live|test)_[A-Za-z0-9]{16,}$/]]],
  ["wr", [["weir-key", /^wr_(?:dev|test|prod)_[0-9a-z]{12}_[0-9a-z]{32}_[0-9a-f]{8}$/]]],
  [
    "sk",
    [
      ["stripe-key", /^sk_(?:live|test)_[A-Za-z0-9]{16,}$/],
      ["anthropic-key", /^sk-ant-[\w-]{20,}$/],
      ["openai-key", /^sk-(?:(?:proj|svcacct|admin)-[\w-]{20,}|[A-Za-z0-9]{32,})$/],
    ],
  ],
]);

const secretNames: readonly string[] = (
  "password passwd passwort kennwort contraseña passphrase pwd secret apikey accesskey secretkey " +
  "privatekey token authorization connectionstring credentials motdepasse signingkey encryptionkey"
).split(" ");

const isTokenCode = (code: number): boolean => isWord(code) || code === 45;

function runEnd(text: Source, from: number, limit: number, belongs: (code: number) => boolean): number {
  let at = from;
  while (at - from < limit && belongs(text.charCodeAt(at))) at++;
  return at;
}

/** Three base64url segments, the first two JSON objects (`eyJ` is base64 for `{"`). */
function jwtEnd(text: Source, start: number, firstEnd: number): number {
  if (firstEnd - start > longestSegment) return -1;
  if (text.slice(start, start + 3) !== "eyJ" || text.slice(firstEnd, firstEnd + 4) !== ".eyJ") return -1;
  const payloadEnd = runEnd(text, firstEnd + 1, longestSegment, isTokenCode);
  if (payloadEnd - firstEnd < 8 || text.charCodeAt(payloadEnd) !== 46) return -1;
  return runEnd(text, payloadEnd + 1, longestSegment, isTokenCode);
}

/** Weir's keys end in the CRC-32 of what precedes the last `_`; a mistyped key is still treated as one. */
const hasWeirChecksum = (key: string): boolean =>
  crc32(key.slice(0, -9)).toString(16).padStart(8, "0") === key.slice(-8);

/** Bits per character; needs no more than the value's own letters. */
function entropy(value: string): number {
  const counts = new Map<string, number>();
  for (const character of value) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / value.length) * Math.log2(count / value.length);
  return bits;
}

/** A word, a placeholder (`${…}`, `<…>`, `[secret]`, `****`) or a repeated character is no secret. */
function looksSecret(value: string): boolean {
  if (value.length < 8 || /^[[<{$*(%]/.test(value) || /^(?:process\.|os\.|env[.:])/.test(value)) return false;
  const kinds = [/[a-z]/, /[A-Z]/, /\d/, /[^A-Za-z0-9]/].filter((kind) => kind.test(value)).length;
  if (/^[A-Za-z]+[-_.!?]*$/.test(value) || /^[a-z]+(?:[-_./][a-z]+)+$/i.test(value))
    return value.length >= 24 && entropy(value) >= 4.2;
  return kinds >= 2 && entropy(value) >= 2.5;
}

const isNameCode = (code: number): boolean => isWord(code) || code === 45 || code === 46 || code === 0xf1;
const isQuote = (code: number): boolean => code === 34 || code === 39 || code === 96;
const isValueCode = (code: number): boolean =>
  code > 32 && !isQuote(code) && !",;&<>)]}".includes(String.fromCharCode(code));

/** True where the words before the `:` or `=` at `at` name a credential. */
function namesSecret(text: Source, at: number): boolean {
  let end = at;
  while (end > at - 3 && (isSpace(text.charCodeAt(end - 1)) || isQuote(text.charCodeAt(end - 1)))) end--;
  let start = end;
  while (end - start < longestName && isNameCode(text.charCodeAt(start - 1))) start--;
  if (end - start < 3) return false;
  const name = text.slice(start, end).toLowerCase().replace(/[-_.]/g, "");
  if (secretNames.some((secret) => name.endsWith(secret))) return true;
  return name === "key" && /api[ -]$/i.test(text.slice(Math.max(0, start - 4), start));
}

/** Start of the value after `:`, `=`, `:=`, `=>` and an optional quote and `Bearer`/`Basic`. */
function valueStart(text: Source, at: number): number {
  let start = at + 1;
  if (text.charCodeAt(start) === 61 || text.charCodeAt(start) === 62) start++;
  for (const skip of [isSpace, isSpace, isSpace, isQuote]) if (skip(text.charCodeAt(start))) start++;
  const scheme = /^(?:Bearer|Basic|Token) /i.exec(text.slice(start, start + 7))?.[0].length ?? 0;
  return start + scheme;
}

const header = "-----BEGIN";
const isKeyBody = (code: number): boolean =>
  isLetter(code) || isDigit(code) || code === 10 || code === 13 || "+/= \t\\:,-".includes(String.fromCharCode(code));

/** A private key block; an unclosed one is covered as far as its body reaches. */
function keyBlockAt(text: Source, start: number, found: Finding[]): number {
  const head = /^-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----/.exec(text.slice(start, start + 64))?.[0];
  if (head === undefined) return start + header.length;
  const end = keyBodyEnd(text, start + head.length);
  found.push({ detector: "secret", start, end, kind: "private-key", confidence: "pattern" });
  return end;
}

function keyBodyEnd(text: Source, from: number): number {
  let at = from;
  for (; at - from < longestKeyBlock && isKeyBody(text.charCodeAt(at)); at++) {
    if (text.charCodeAt(at) !== 45 || text.slice(at, at + 5) !== "-----") continue;
    const tail = /^-----END [A-Z0-9 ]{1,40}-----/.exec(text.slice(at, at + 64))?.[0];
    return tail === undefined ? at : at + tail.length;
  }
  return at;
}

/** Where the token in a run of token characters begins: its first letter, if that is near. */
function tokenStart(text: Source, start: number, end: number): number {
  let from = start;
  while (from < end && !isLetter(text.charCodeAt(from)) && from - start < longestTokenLead) from++;
  return from;
}

/** Whether a run of token characters that is this long already, and goes on, may still turn out to be a credential. */
export function mayBeToken(text: Source, start: number, end: number): boolean {
  if (end - start < longestTokenLead + 2) return true;
  const from = tokenStart(text, start, end);
  const prefix = text.slice(from, from + 2);
  if (prefix === "ey") return end - from <= longestSegment;
  return tokenForms.has(prefix) && end - from <= longestToken;
}

export const secret: Detector = {
  name: "secret",
  // A key block; three segments of a JWT are shorter.
  holdBack: 64 + longestKeyBlock + 64,
  onToken(text, start, end, found) {
    const from = tokenStart(text, start, end);
    const prefix = text.slice(from, from + 2);
    if (prefix === "ey") {
      const jwt = jwtEnd(text, from, end);
      if (jwt > 0) found.push({ detector: "secret", start: from, end: jwt, kind: "jwt", confidence: "pattern" });
      return;
    }
    const forms = tokenForms.get(prefix);
    if (forms === undefined || end - from > longestToken) return;
    const token = text.slice(from, end);
    const kind = forms.find(([, form]) => form.test(token))?.[0];
    if (kind === undefined) return;
    const confidence = kind === "weir-key" && hasWeirChecksum(token) ? "checked" : "pattern";
    found.push({ detector: "secret", start: from, end, kind, confidence });
  },
  onAssignment(text, at, found) {
    if (!namesSecret(text, at)) return;
    const start = valueStart(text, at);
    const end = runEnd(text, start, longestValue, isValueCode);
    if (!looksSecret(text.slice(start, Math.min(end, start + judgedChars)))) return;
    found.push({ detector: "secret", start, end, kind: "assigned-secret", confidence: "pattern" });
  },
  landmark: header,
  onLandmark: keyBlockAt,
};
