import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sentencesOf } from "./sentences.ts";

const texts = (text: string) => sentencesOf(text).map(({ start, end }) => text.slice(start, end));

describe("sentencesOf", () => {
  const cases: [given: string, then: string[]][] = [
    ["One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]],
    ["A fee of 4.90 euros applies. It is due monthly.", ["A fee of 4.90 euros applies.", "It is due monthly."]],
    ["Ask Dr. Meyer, e.g. by telephone. She knows.", ["Ask Dr. Meyer, e.g. by telephone.", "She knows."]],
    ["Open from 9 a.m. to 5 p.m. on weekdays.", ["Open from 9 a.m. to 5 p.m. on weekdays."]],
    ["Open until 5 p.m. Closed on Sundays.", ["Open until 5 p.m.", "Closed on Sundays."]],
    ["Valid from 31. December 2026. Then it ends.", ["Valid from 31. December 2026.", "Then it ends."]],
    ["See J. R. Smith. He decides.", ["See J. R. Smith.", "He decides."]],
    ["No. 5 is free. No. 6 is not.", ["No. 5 is free.", "No. 6 is not."]],
    ['He said "stop." Then he left.', ['He said "stop."', "Then he left."]],
    ["See lindenbank.example/fees. It lists all.", ["See lindenbank.example/fees.", "It lists all."]],
    ["- First item\n- Second item. With more\n2. Third", ["First item", "Second item.", "With more", "Third"]],
    ["# Fees\nA wrapped\nsentence. Next.", ["Fees", "A wrapped\nsentence.", "Next."]],
    ["| a | b |\n|---|---|\n| 1 | 2 |", ["| a | b |", "| 1 | 2 |"]],
    ["One\r\n\r\nTwo\r\n", ["One", "Two"]],
    ["**Free.** Always.", ["**Free.**", "Always."]],
    ["", []],
    ["... --- !!!", []],
  ];
  it.each(cases)("splits %j", (given, then) => expect(texts(given)).toEqual(then));

  it("yields ordered spans within the text, and every letter is in exactly one of them", () => {
    const piece = fc.constantFrom(
      "Fee",
      " ",
      ". ",
      "! ",
      "\n",
      "\n\n",
      "- ",
      "4.90",
      "a.m.",
      "Dr. ",
      "é",
      "|",
      "# ",
      '"',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const text = pieces.join("");
        let last = 0;
        let letters = "";
        for (const { start, end } of sentencesOf(text)) {
          expect(start).toBeGreaterThanOrEqual(last);
          expect(end).toBeGreaterThan(start);
          expect(text.slice(start, end)).toBe(text.slice(start, end).trim());
          letters += text.slice(start, end).replace(/[^\p{L}]/gu, "");
          last = end;
        }
        expect(last).toBeLessThanOrEqual(text.length);
        expect(letters).toBe(text.replace(/[^\p{L}]/gu, ""));
      }),
    );
  });
});
