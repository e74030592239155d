/** Undoes the disguises that keep a number readable for people: other digits, full width, invisible characters. */
import { classes, digit, disguise, mathematicalHigh, nothing, plain, typographic } from "./character-classes.ts";
import { textOf } from "./code-units.ts";
import type { Source } from "./port.ts";

export interface Unmasked {
  text: string;
  /** Offset in the original of each character of `text`, and one more for its end. */
  offsets: Int32Array;
}

/** A typographic space or dash means a plain one only where it may part a number. */
export function partsNumber(text: Source, index: number): boolean {
  const before = classes[text.charCodeAt(index - 1)];
  const after = classes[text.charCodeAt(index + 1)];
  return before === digit || after === digit || before === disguise || after === disguise;
}

const mathematicalDigit = (low: number): number => (low >= 0xdfce && low <= 0xdfff ? ((low - 0xdfce) % 10) + 48 : 0);

export function unmask(text: Source): Unmasked {
  const codes = new Uint16Array(text.length);
  const offsets = new Int32Array(text.length + 1);
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    let code = text.charCodeAt(i);
    offsets[length] = i;
    const kind = classes[code];
    if (code === mathematicalHigh) {
      const value = mathematicalDigit(text.charCodeAt(i + 1));
      if (value > 0) {
        code = value;
        i++;
      }
    } else if (kind === disguise) {
      code = plain[code]!;
      if (code === nothing) continue;
    } else if (kind === typographic && partsNumber(text, i)) code = plain[code]!;
    codes[length++] = code;
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
