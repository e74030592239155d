/** One table lookup per UTF-16 code unit: what the sweep has to do at it; 0 is nothing. */

export const digit = 1;
export const at = 2;
export const assigns = 3;
/** Stands for an ASCII character, or for nothing, wherever it appears: full-width forms, other digits, zero width. */
export const disguise = 4;
/** Stands for a space or a dash, but only beside a digit: no-break and typographic spaces, typographic dashes. */
export const typographic = 5;

/** Value in `plain`: the character is dropped. */
export const nothing = 0xffff;
/** High surrogate of the mathematical digits U+1D7CE to U+1D7FF. */
export const mathematicalHigh = 0xd835;

export const classes = new Uint8Array(65_536);
/** 1 for what tokens are made of: ASCII letters, digits, `_` and `-`. */
export const isToken = new Uint8Array(65_536);
/** The ASCII code that a disguised or typographic character stands for. */
export const plain = new Uint16Array(65_536);

function assign(from: number, to: number, characterClass: number, toPlain: (code: number) => number): void {
  for (let code = from; code <= to; code++) {
    classes[code] = characterClass;
    plain[code] = toPlain(code);
  }
}

const same = (code: number): number => code;
assign(48, 57, digit, same);
for (const [from, to] of [
  [48, 57],
  [65, 90],
  [97, 122],
  [95, 95],
  [45, 45],
] as const) {
  isToken.fill(1, from, to + 1);
}
assign(64, 64, at, same);
assign(58, 58, assigns, same);
assign(61, 61, assigns, same);
assign(0xff01, 0xff5e, disguise, (code) => code - 0xfee0);
for (const zero of [0x660, 0x6f0, 0x966, 0x9e6]) assign(zero, zero + 9, disguise, (code) => code - zero + 48);
// Soft hyphen, zero-width and bidirectional marks, variation selectors, keycap, byte order mark.
for (const [from, to] of [
  [0xad, 0xad],
  [0x180e, 0x180e],
  [0x200b, 0x200f],
  [0x202a, 0x202e],
  [0x2060, 0x2064],
  [0x20e3, 0x20e3],
  [0xfe00, 0xfe0f],
  [0xfeff, 0xfeff],
] as const) {
  assign(from, to, disguise, () => nothing);
}
classes[mathematicalHigh] = disguise;
for (const space of [0xa0, 0x202f, 0x205f, 0x3000]) assign(space, space, typographic, () => 32);
assign(0x2000, 0x200a, typographic, () => 32);
assign(0x2010, 0x2015, typographic, () => 45);
assign(0x2212, 0x2212, typographic, () => 45);
