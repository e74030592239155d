/** Undoes the disguises that keep a number readable for people: other digits, full width, invisible characters. */
import { classes, digit, disguise, mathematicalHigh, nothing, plain, typographic } from "./character-classes.ts";
import { textOf } from "./code-units.ts";
import type { Source } from "./port.ts";

export interface Unmasked {
  text: string;
  /** Offset in the original of each character of `text`, and one more for its end. */
  offsets: Int32Array;
}

const isNumeric = (code: number): boolean => classes[code] === digit || classes[code] === disguise;

/** A typographic space or dash means a plain one only where it may part a number. */
export const partsNumber = (text: Source, index: number): boolean =>
  isNumeric(text.charCodeAt(index - 1)) || isNumeric(text.charCodeAt(index + 1));

const mathematicalDigit = (low: number): number => (low >= 0xdfce && low <= 0xdfff ? ((low - 0xdfce) % 10) + 48 : 0);

/**
 * What a code unit between two others stands for: itself, an ASCII character, or `nothing`. A high surrogate that stands
 * for another character takes its low one with it.
 */
export function plainCode(before: number, code: number, after: number): number {
  if (code === mathematicalHigh) return mathematicalDigit(after) || code;
  const kind = classes[code];
  if (kind === disguise) return plain[code]!;
  return kind === typographic && (isNumeric(before) || isNumeric(after)) ? plain[code]! : code;
}

export function unmask(text: Source): Unmasked {
  const codes = new Uint16Array(text.length);
  const offsets = new Int32Array(text.length + 1);
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const meant = plainCode(text.charCodeAt(i - 1), code, text.charCodeAt(i + 1));
    if (meant === nothing) continue;
    offsets[length] = i;
    codes[length++] = meant;
    if (code === mathematicalHigh && meant !== code) i++;
  }
  offsets[length] = text.length;
  return { text: textOf(codes, length), offsets };
}

/** Where the character before folded offset `end` ends in the original: invisible characters after it stay outside. */
export function originalEnd(unmasked: Unmasked, original: Source, end: number): number {
  const last = unmasked.offsets[end - 1]!;
  const isPair =
    original.charCodeAt(last) === mathematicalHigh && unmasked.text.charCodeAt(end - 1) !== mathematicalHigh;
  return last + (isPair ? 2 : 1);
}
