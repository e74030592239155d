import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { wordScanner } from "../../../tests/fixtures/word-scanner.ts";
import type { Scanner } from "./guard.ts";
import { redactTogether, scanTogether, textsSideBySide } from "./side-by-side.ts";

const wanted = new Set(["card", "email"]);
/** Finds words of digits as a whole, so that what stands beside a number hides it. */
const numberScanner: Scanner = {
  scan: (text, names) =>
    Array.from(text.matchAll(/(?<!\d)\d{4}(?!\d)/g), ({ index }) => ({
      detector: "card",
      start: index,
      end: index + 4,
    })).filter(({ detector }) => names.has(detector)),
  redact: wordScanner.redact,
};

describe("texts side by side", () => {
  it.each<[string, Scanner, string[], string[]]>([
    ["nothing in them", wordScanner, ["a", "b"], ["a", "b"]],
    ["in one part", wordScanner, ["a CARD", " b"], ["a [card]", " b"]],
    ["over a seam", wordScanner, ["a CA", "RD b"], ["a [card]", " b"]],
    ["over several parts", wordScanner, ["a C", "A", "", "RD b EM", "AIL"], ["a [card]", "", "", " b [email]", ""]],
    ["at both sides of a seam", wordScanner, ["CARD", "EMAIL"], ["[card]", "[email]"]],
    ["in one part alone", numberScanner, ["is 1234", "5 more"], ["is [card]", "5 more"]],
    ["in the later part alone", numberScanner, ["is 12", "1234 and 5678"], ["is 12", "[card] and [card]"]],
    ["together and alone", numberScanner, ["1234 is 12", "34 or 5678", "9"], ["[card] is [card]", " or [card]", "9"]],
  ])("%s", (_what, scanner, parts, expected) => {
    expect(redactTogether(scanner, parts, wanted)).toEqual(expected);
  });

  it("finds, in order and once, all that stands in the joined text and in each part", () => {
    const part = fc.array(fc.constantFrom("CARD", "EM", "AIL", "CA", "RD", " ", "x")).map((words) => words.join(""));
    fc.assert(
      fc.property(fc.array(part, { maxLength: 5 }), (parts) => {
        expect(scanTogether(wordScanner, parts, wanted)).toEqual(wordScanner.scan(parts.join(""), wanted));
        expect(redactTogether(wordScanner, parts, wanted).join("")).toBe(
          wordScanner.redact(parts.join(""), wordScanner.scan(parts.join(""), wanted)),
        );
      }),
    );
  });

  it("are lists of two and more of the same kind", () => {
    const text = (words: string, more = {}) => ({ type: "text", text: words, ...more });
    const items = [
      text("1"),
      { type: "image" },
      text("2"),
      text("3"),
      text("4"),
      text("5", { refusal: true }),
      "x",
      null,
    ];
    expect(textsSideBySide(items)).toEqual([[text("2"), text("3"), text("4")]]);
  });
});
