/** Changes a few top-level fields of a JSON object in its bytes; every other byte stays (key order, numbers, spacing). */

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/** A new value, or what makes one of the present value (undefined where the field is absent). */
export type Change = unknown | ((present: unknown) => unknown);

/**
 * Replaces each named field, all of its duplicates included, and appends what is absent; a new value of `undefined`
 * leaves its field alone. `body` must be valid JSON (the caller has parsed it): throws TypeError where it finds that
 * it isn't an object, and does not otherwise validate.
 */
export function spliceTopLevel(body: Uint8Array, changes: Record<string, Change>): Uint8Array {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.length);
  const wanted = new Map(Object.entries(changes));
  const edits: Edit[] = [];
  const found = new Set<string>();
  const { end, empty } = walkObject(bytes, (key, start, valueEnd) => {
    if (!wanted.has(key)) return;
    found.add(key);
    const text = newText(wanted.get(key), () => JSON.parse(bytes.toString("utf8", start, valueEnd)) as unknown);
    if (text !== undefined) edits.push({ start, end: valueEnd, text });
  });
  let separator = empty ? "" : ",";
  for (const [key, change] of wanted) {
    const text = found.has(key) ? undefined : newText(change, () => undefined);
    if (text === undefined) continue;
    edits.push({ start: end, end, text: `${separator}${JSON.stringify(key)}:${text}` });
    separator = ",";
  }
  return applied(bytes, edits);
}

/** JSON.stringify is typed as if it always gave text; of undefined it gives undefined. */
const newText = (change: Change, present: () => unknown): string | undefined =>
  JSON.stringify(typeof change === "function" ? (change as (present: unknown) => unknown)(present()) : change);

interface Edit {
  start: number;
  end: number;
  text: string;
}

function applied(bytes: Buffer, edits: readonly Edit[]): Uint8Array {
  let size = bytes.length;
  for (const { start, end, text } of edits) size += Buffer.byteLength(text) - (end - start);
  const out = Buffer.allocUnsafe(size);
  let read = 0;
  let written = 0;
  for (const { start, end, text } of edits) {
    written += bytes.copy(out, written, read, start);
    written += out.write(text, written);
    read = end;
  }
  bytes.copy(out, written, read);
  return out;
}

/** Visits each member of the outermost object; returns where its closing brace stands. */
function walkObject(
  bytes: Buffer,
  visit: (key: string, valueStart: number, valueEnd: number) => void,
): { end: number; empty: boolean } {
  const bom = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
  let at = skipSpace(bytes, bom);
  if (bytes[at] !== openBrace) throw new TypeError("spliceTopLevel: the body is not a JSON object.");
  at = skipSpace(bytes, at + 1);
  if (bytes[at] === closeBrace) return { end: at, empty: true };
  for (;;) {
    if (bytes[at] !== quote) throw malformed(at);
    const keyEnd = stringEnd(bytes, at);
    const key = keyText(bytes, at, keyEnd);
    const colonAt = skipSpace(bytes, keyEnd);
    if (bytes[colonAt] !== 0x3a) throw malformed(colonAt);
    const valueStart = skipSpace(bytes, colonAt + 1);
    const valueEnd = skipValue(bytes, valueStart);
    visit(key, valueStart, valueEnd);
    at = skipSpace(bytes, valueEnd);
    if (bytes[at] === closeBrace) return { end: at, empty: false };
    if (bytes[at] !== comma) throw malformed(at);
    at = skipSpace(bytes, at + 1);
  }
}

const malformed = (at: number) => new TypeError(`spliceTopLevel: the body is not valid JSON at byte ${at}.`);

function keyText(bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString("utf8", start + 1, end - 1);
  return text.includes("\\") ? (JSON.parse(`"${text}"`) as string) : text;
}

function skipSpace(bytes: Uint8Array, from: number): number {
  let at = from;
  while (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09) at++;
  return at;
}

/** Beyond this many bytes without a quote, the native search beats our own loop; below, its call costs more. */
const nearBytes = 64;

/** The offset after the closing quote of the string that opens at `from`. */
function stringEnd(bytes: Uint8Array, from: number): number {
  let at = from + 1;
  for (;;) {
    for (const near = at + nearBytes; at < near; at++) {
      const byte = bytes[at];
      if (byte === quote) return at + 1;
      if (byte === backslash) at++;
    }
    // `at` is never inside an escape here, so backslashes before it are none of the next quote's.
    const start = at;
    at = bytes.indexOf(quote, at);
    if (at === -1) throw malformed(from);
    let slashes = 0;
    while (at - 1 - slashes >= start && bytes[at - 1 - slashes] === backslash) slashes++;
    at++;
    if (slashes % 2 === 0) return at;
  }
}

/** The offset after the value that starts at `from`: brackets are only counted, for the body is known to be valid. */
function skipValue(bytes: Uint8Array, from: number): number {
  let depth = 0;
  for (let at = from; at < bytes.length;) {
    const byte = bytes[at]!;
    if (byte === quote) {
      at = stringEnd(bytes, at);
      if (depth === 0) return at;
    } else if (byte === openBrace || byte === 0x5b) {
      depth++;
      at++;
    } else if (byte === closeBrace || byte === 0x5d) {
      if (depth === 0) return at;
      at++;
      if (--depth === 0) return at;
    } else if (depth === 0 && (byte === comma || byte <= 0x20)) {
      return at;
    } else at++;
  }
  throw malformed(from);
}
