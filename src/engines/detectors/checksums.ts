/** Check digit schemes. All take digits as a string and assume that the caller has checked its form. */

const digit = (digits: string, index: number): number => digits.charCodeAt(index) - 48;

/** ISO/IEC 7812-1 annex B. */
export function luhn(digits: string): boolean {
  let sum = 0;
  for (let i = digits.length - 1, double = false; i >= 0; i--, double = !double) {
    const value = double ? digit(digits, i) * 2 : digit(digits, i);
    sum += value > 9 ? value - 9 : value;
  }
  return sum % 10 === 0;
}

/** ISO/IEC 7064 MOD 97-10 over letters and digits in the IBAN order (ISO 13616): country and check digits come last. */
export function ibanMod97(compactUpper: string): boolean {
  let rest = 0;
  for (let i = 0; i < compactUpper.length; i++) {
    const code = compactUpper.charCodeAt((i + 4) % compactUpper.length);
    rest = code <= 57 ? (rest * 10 + code - 48) % 97 : (rest * 100 + code - 55) % 97;
  }
  return rest === 1;
}

/** Weighted sum of the leading digits, one weight each. */
export function weightedSum(digits: string, weights: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < weights.length; i++) sum += digit(digits, i) * weights[i]!;
  return sum;
}

/** ISO/IEC 7064 MOD 11,10 (German tax id). */
export function mod11And10(digits: string): boolean {
  let product = 10;
  for (let i = 0; i < digits.length - 1; i++) {
    const sum = (digit(digits, i) + product) % 10 || 10;
    product = (sum * 2) % 11;
  }
  return (11 - product) % 10 === digit(digits, digits.length - 1);
}

/** GS1 check digit of a 13-digit number. */
export function ean13(digits: string): boolean {
  return (weightedSum(digits, [1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3]) + digit(digits, 12)) % 10 === 0;
}

const dihedral = [
  "0123456789",
  "1234067895",
  "2340178956",
  "3401289567",
  "4012395678",
  "5987604321",
  "6598710432",
  "7659821043",
  "8765932104",
  "9876543210",
];
const permutations = [
  "0123456789",
  "1576283094",
  "5803796142",
  "8916043527",
  "9453126870",
  "4286573901",
  "2793806415",
  "7046913258",
];

/** Verhoeff (1969): the dihedral group D5. */
export function verhoeff(digits: string): boolean {
  let state = 0;
  for (let i = 0; i < digits.length; i++) {
    const value = digit(permutations[i % 8]!, digit(digits, digits.length - 1 - i));
    state = digit(dihedral[state]!, value);
  }
  return state === 0;
}

/** Modulo of a decimal string too long for a double. */
export function decimalModulo(digits: string, divisor: number): number {
  let rest = 0;
  for (let i = 0; i < digits.length; i++) rest = (rest * 10 + digit(digits, i)) % divisor;
  return rest;
}
