/** Texts for the laws of scanning: real findings, near misses, context words and noise, glued in any way. */
import fc from "fast-check";

const piece = fc.oneof(
  fc.constantFrom(
    ..."4242424242424242|4242 4242 4242 4242|4242424242424241|DE89370400440532013000|GB29 NWBK 6016 1331 9268 19".split(
      "|",
    ),
    ..."jane@example.com|+49 30 901820|415-555-2671|123-45-6789|86 095 742 719|12345678Z|111222333|737 219 628".split(
      "|",
    ),
    ..."AKIAIOSFODNN7EXAMPLE|password=Tr0ub4dor&3|-----BEGIN PRIVATE KEY-----|-----END PRIVATE KEY-----|eyJhbGciOiJIUzI1NiJ9".split(
      "|",
    ),
    ..."123|2024|cvc|Mobile:|card|BSN|api_key:|@|+|(0)|.|-|(|[card]|[phone]|\u200b|\u00a0|–|４２|\ud835\udfd2|é|😀|\ud835".split(
      "|",
    ),
  ),
  fc.stringMatching(/^[0-9 .\-/()]{1,24}$/),
  fc.string({ unit: "binary", maxLength: 6 }),
);

const glue = fc.constantFrom("", " ", ", ", "\n");

export const samplePiece: fc.Arbitrary<string> = piece;
export const sampleText: fc.Arbitrary<string> = fc
  .array(fc.tuple(piece, glue), { maxLength: 14 })
  .map((parts) => parts.flat().join(""));

/** What hurts when it is repeated without end. */
export const hostileUnits: readonly (readonly [name: string, unit: string])[] = [
  ["one long number", "1"],
  ["single digits", "4 "],
  ["card-like groups", "4242 "],
  ["groups of three", "123 "],
  ["nine digits", "123456789 "],
  ["dotted", "1."],
  ["pluses", "+1 "],
  ["ats", "@"],
  ["addresses without end", "a@"],
  ["labels", "a@b.c."],
  ["quotes", '"@'],
  ["IBAN starts", "DE00 "],
  ["IBAN starts, joined", "DE00"],
  ["open key blocks", "-----BEGIN PRIVATE KEY-----"],
  ["bare openings", "-----BEGIN "],
  ["dashes", "-"],
  ["JWT starts", "eyJaaaaaaaaaaaaaaaaaaa."],
  ["assignments", "password="],
  ["colons", "token::"],
  ["security code words", "cvc security code "],
  ["named codes", "cvc 123 "],
  ["one long word", "x"],
  ["tax form letters", "RSSMRA85"],
  ["brackets", "(0)"],
];
