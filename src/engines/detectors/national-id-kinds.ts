/** The national identifiers that Weir knows: form, check digits, and the words that the weak forms need. */
import { decimalModulo, ean13, luhn, mod11And10, verhoeff, weightedSum } from "./checksums.ts";
import { contextWords } from "./surroundings.ts";

export interface NationalIdKind {
  kind: string;
  /** How many characters may stand before the first digit group. */
  leads: readonly number[];
  /** Lengths that the first digit group may have; the index by which candidates are found. */
  firstGroup: readonly number[];
  /** Matched at the start of the candidate. */
  form: RegExp;
  /** Gets letters (upper case) and digits only. */
  isValid(compact: string): boolean;
  confidence: "checked" | "pattern";
  words: RegExp;
  /** Forms of this shape are common enough in ordinary text that one of `words` must stand before. */
  needsWord(written: string): boolean;
}

const never = (): boolean => false;
const always = (): boolean => true;
const whenBare = (written: string): boolean => /^\d+$/.test(written);

const isMonthDay = (monthDay: string): boolean => /^(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])$/.test(monthDay);

/** Exactly one digit occurs twice or three times among the first ten, as the tax office assigns them. */
function isSteuerId(digits: string): boolean {
  if (digits[0] === "0" || !mod11And10(digits)) return false;
  const counts = Array.from({ length: 10 }, () => 0);
  for (const digit of digits.slice(0, 10)) counts[Number(digit)]!++;
  const repeated = counts.filter((count) => count > 1);
  return repeated.length === 1 && repeated[0]! <= 3;
}

function isNir(compact: string): boolean {
  const numeric = compact.replace("2A", "19").replace("2B", "18");
  const body = /^[12]\d\d(?:0[1-9]|1[0-2]|[2-4]\d|[5-9]\d)\d{10}$/.test(numeric);
  return body && 97 - decimalModulo(numeric.slice(0, 13), 97) === Number(numeric.slice(13));
}

const spanishLetters = "TRWAGMYFPDXBNJZSQVHLCKE";
const hasSpanishLetter = (digits: string, letter: string | undefined): boolean =>
  spanishLetters[Number(digits) % 23] === letter;

const oddValues = [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
function isCodiceFiscale(code: string): boolean {
  let sum = 0;
  for (let i = 0; i < 15; i++) {
    const value = /\d/.test(code[i]!) ? Number(code[i]) : code.charCodeAt(i) - 65;
    sum += i % 2 === 0 ? oddValues[value]! : value;
  }
  return code.charCodeAt(15) - 65 === sum % 26;
}

function isPesel(digits: string): boolean {
  const month = Number(digits.slice(2, 4)) % 20;
  const day = Number(digits.slice(4, 6));
  return (
    month >= 1 &&
    month <= 12 &&
    day >= 1 &&
    day <= 31 &&
    weightedSum(digits, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]) % 10 === 0
  );
}

function isCpf(digits: string): boolean {
  if (/^(\d)\1*$/.test(digits)) return false;
  const check = (weights: readonly number[]): number => ((weightedSum(digits, weights) * 10) % 11) % 10;
  return (
    check([10, 9, 8, 7, 6, 5, 4, 3, 2]) === Number(digits[9]) &&
    check([11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) === Number(digits[10])
  );
}

function isNhs(digits: string): boolean {
  const check = (11 - (weightedSum(digits, [10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11)) % 11;
  return check === Number(digits[9]) && !/^0+$/.test(digits);
}

export const nationalIdKinds: readonly NationalIdKind[] = [
  {
    kind: "us-ssn",
    leads: [0],
    firstGroup: [3, 9],
    form: /^(?!000|666|9)\d{3}([- ]?)(?!00)\d\d\1(?!0000)\d{4}/,
    isValid: always,
    confidence: "pattern",
    words: contextWords("ssn|social security|social(?: number| no)?"),
    needsWord: (written) => !written.includes("-"),
  },
  {
    kind: "de-steuer-id",
    leads: [0],
    firstGroup: [2, 11],
    form: /^\d\d( ?)\d{3}\1\d{3}\1\d{3}/,
    isValid: isSteuerId,
    confidence: "checked",
    words: contextWords(
      "steuer[- ]?id(?:nr)?|steueridentifikationsnummer|steuer[- ]?(?:nr|nummer)|idnr|tin|tax (?:id|identification|number)",
    ),
    needsWord: whenBare,
  },
  {
    kind: "uk-nino",
    leads: [2, 3],
    firstGroup: [2, 6],
    form: /^(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z](?: ?\d\d){3} ?[A-D]/,
    isValid: always,
    confidence: "pattern",
    words: contextWords("national insurance|nino|ni (?:number|no)"),
    needsWord: never,
  },
  {
    kind: "uk-nhs-number",
    leads: [0],
    firstGroup: [3, 10],
    form: /^\d{3}([- ]?)\d{3}\1\d{4}/,
    isValid: isNhs,
    confidence: "checked",
    words: contextWords("nhs|national health"),
    needsWord: always,
  },
  {
    kind: "fr-nir",
    leads: [0],
    firstGroup: [1, 6, 13, 15],
    form: /^[12] ?\d\d ?\d\d ?(?:\d\d|2[AB]) ?\d{3} ?\d{3} ?\d\d/,
    isValid: isNir,
    confidence: "checked",
    words: contextWords("nir|sécurité sociale|insee|numéro de sécu"),
    needsWord: never,
  },
  {
    kind: "es-dni",
    leads: [0],
    firstGroup: [2, 8],
    form: /^(?:\d{8}|\d\d\.\d{3}\.\d{3})[- ]?[A-HJ-NP-TV-Z]/,
    isValid: (compact) => hasSpanishLetter(compact.slice(0, 8), compact[8]),
    confidence: "checked",
    words: contextWords("dni|nif|documento nacional"),
    needsWord: (written) => written.includes(" "),
  },
  {
    kind: "es-nie",
    leads: [1, 2],
    firstGroup: [7],
    form: /^[XYZ]-?\d{7}-?[A-HJ-NP-TV-Z]/i,
    isValid: (compact) => hasSpanishLetter("XYZ".indexOf(compact[0]!) + compact.slice(1, 8), compact[8]),
    confidence: "checked",
    words: contextWords("nie"),
    needsWord: never,
  },
  {
    kind: "it-codice-fiscale",
    leads: [6],
    firstGroup: [1, 2],
    form: /^[A-Z]{6}\d[\dLMNP-V][A-EHLMPR-T][0-7LMNP-V][\dLMNP-V][A-Z][\dLMNP-V]{3}[A-Z]/i,
    isValid: isCodiceFiscale,
    confidence: "checked",
    words: contextWords("codice fiscale"),
    needsWord: never,
  },
  {
    kind: "nl-bsn",
    leads: [0],
    firstGroup: [4, 9],
    form: /^(?:\d{9}|\d{4}[. ]\d\d[. ]\d{3})/,
    isValid: (digits) => Number(digits) > 0 && weightedSum(digits, [9, 8, 7, 6, 5, 4, 3, 2, -1]) % 11 === 0,
    confidence: "checked",
    words: contextWords("bsn|burgerservicenummer|sofi(?:[- ]?nummer)?"),
    needsWord: always,
  },
  {
    kind: "pl-pesel",
    leads: [0],
    firstGroup: [11],
    form: /^\d{11}/,
    isValid: isPesel,
    confidence: "checked",
    words: contextWords("pesel"),
    needsWord: always,
  },
  {
    kind: "se-personnummer",
    leads: [0],
    firstGroup: [6, 8, 10, 12],
    form: /^(?:19|20)?\d{6}[-+]?\d{4}/,
    isValid: (digits) => isMonthDay(digits.slice(-8, -4)) && luhn(digits.slice(-10)),
    confidence: "checked",
    words: contextWords("personnummer|person(?:al)?[- ]?(?:nr|number|id)|samordningsnummer"),
    needsWord: whenBare,
  },
  {
    kind: "ch-ahv",
    leads: [0],
    firstGroup: [3, 13],
    form: /^756([. ]?)\d{4}\1\d{4}\1\d\d/,
    isValid: ean13,
    confidence: "checked",
    words: contextWords("ahv|avs|oasi"),
    needsWord: never,
  },
  {
    kind: "br-cpf",
    leads: [0],
    firstGroup: [3, 9, 11],
    form: /^(?:\d{3}\.\d{3}\.\d{3}-\d\d|\d{9}-?\d\d)/,
    isValid: isCpf,
    confidence: "checked",
    words: contextWords("cpf"),
    needsWord: whenBare,
  },
  {
    kind: "in-aadhaar",
    leads: [0],
    firstGroup: [4, 12],
    form: /^[2-9]\d{3}([- ]?)\d{4}\1\d{4}(?![- ]\d{3})/,
    isValid: verhoeff,
    confidence: "checked",
    words: contextWords("aadhaa?r|uidai"),
    needsWord: whenBare,
  },
];
