/** Text as an array of UTF-16 code units and back: reading one of a string costs V8 several times as much. */
import type { Source } from "./port.ts";

const isBigEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 0;
/** Reused by every scan: scans are synchronous and read it only until they return. */
const scratch = new Uint16Array(65_536);

/** Valid until the next call; may be longer than the text. */
export function codeUnits(text: Source): Uint16Array {
  const codes = text.length <= scratch.length ? scratch : new Uint16Array(text.length);
  if (typeof text === "string" && !isBigEndian) {
    Buffer.from(codes.buffer, 0, text.length * 2).write(text, "utf16le");
    return codes;
  }
  for (let i = 0; i < text.length; i++) codes[i] = text.charCodeAt(i);
  return codes;
}

/** The first `length` code units as a string, lone surrogates included. */
export function textOf(codes: Uint16Array, length: number): string {
  const bytes = Buffer.from(codes.buffer, codes.byteOffset, length * 2);
  return (isBigEndian ? Buffer.from(bytes).swap16() : bytes).toString("utf16le");
}
