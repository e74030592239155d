/** Changes a few top-level fields of a JSON object in its bytes; every other byte stays (key order, numbers, spacing). */

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/**
 * Replaces each named field, all of its duplicates included, and appends what is absent; a change of `undefined`
 * leaves its field alone. `bytes` must be valid JSON (the caller has parsed it): throws TypeError where it finds that
 * it isn't an object, and does not otherwise validate.
 */
export function spliceTopLevel(bytes: Uint8Array, changes: Record<string, unknown>): Uint8Array {
  const values = new Map<string, Buffer>();
  for (const [key, value] of Object.entries(changes)) {
    const text = JSON.stringify(value);
    if (text !== undefined) values.set(key, Buffer.from(text));
  }
  const pieces: Uint8Array[] = [];
  const missing = new Set(values.keys());
  let copied = 0;
  const { end, empty } = walkObject(bytes, (key, valueStart, valueEnd) => {
    const value = values.get(key);
    if (value === undefined) return;
    missing.delete(key);
    pieces.push(bytes.subarray(copied, valueStart), value);
    copied = valueEnd;
  });
  if (missing.size > 0) {
    const added = [...missing].map((key) => `${JSON.stringify(key)}:${values.get(key)!.toString()}`).join(",");
    pieces.push(bytes.subarray(copied, end), Buffer.from(empty ? added : `,${added}`));
    copied = end;
  }
  pieces.push(bytes.subarray(copied));
  return Buffer.concat(pieces);
}

/** Visits each member of the outermost object; returns where its closing brace stands. */
function walkObject(
  bytes: Uint8Array,
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

function keyText(bytes: Uint8Array, start: number, end: number): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("utf8");
  return text.includes("\\") ? (JSON.parse(text) as string) : text.slice(1, -1);
}

function skipSpace(bytes: Uint8Array, from: number): number {
  let at = from;
  while (bytes[at] === 0x20 || bytes[at] === 0x0a || bytes[at] === 0x0d || bytes[at] === 0x09) at++;
  return at;
}

/** The offset after the closing quote of the string that opens at `from`. */
function stringEnd(bytes: Uint8Array, from: number): number {
  let at = from;
  for (;;) {
    at = bytes.indexOf(quote, at + 1);
    if (at === -1) throw malformed(from);
    let slashes = 0;
    while (bytes[at - 1 - slashes] === backslash) slashes++;
    if (slashes % 2 === 0) return at + 1;
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
