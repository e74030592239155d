import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { JsonText } from "./json-text.ts";
import { sampleJson } from "./sample-answers.ts";

function readIn(pieces: readonly string[]) {
  const text = new JsonText();
  const read = pieces.map((piece) => text.read(piece)).join("") + text.end();
  return { text, read };
}

const anyText = fc.oneof(
  sampleJson,
  fc
    .array(fc.constantFrom('"', "\\", "u", "0041", "u00", "n", "{", "}", "1", "4242", " ", ":", "é"))
    .map((all) => all.join("")),
);

describe("JsonText", () => {
  it.each([
    ["escapes in strings", '{"a":"\\u0041\\n\\"\\\\\\/"}', '{"a":"A\n"\\/"}'],
    ["escapes that are none", '"\\u00zz \\x"', '"u00zz x"'],
    ["one that the text ends in", '"\\u00', '"u00'],
    ["backslashes outside of strings", "\\u0041", "\\u0041"],
  ])("reads %s", (_, given, read) => expect(readIn([given]).read).toBe(read));

  it("reads and spells the same, however it is cut", () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 1, max: 9 }), (given, size) => {
        const { text, read } = readIn(given.match(new RegExp(`[^]{1,${size}}`, "g")) ?? []);
        expect(read).toBe(readIn([given]).read);
        expect(text.take(read.length, [])).toBe(given);
      }),
      { numRuns: 500 },
    );
  });

  it("stays valid JSON whatever part is replaced, and nothing of that part is left in strings and numbers", () => {
    fc.assert(
      fc.property(sampleJson, fc.nat(), fc.integer({ min: 1, max: 40 }), (given, at, length) => {
        const { text, read } = readIn([given]);
        const start = at % read.length;
        const edit = { start, end: Math.min(read.length, start + length), replacement: "[x]" };
        const before = new JsonText();
        before.read(given);
        const left = text.take(read.length, [edit]);
        expect(() => JSON.parse(left) as unknown).not.toThrow();
      }),
      { numRuns: 500 },
    );
  });

  it("lets a number go only once it is whole", () => {
    const text = new JsonText();
    expect(text.take(text.read('{"a": 12').length, [])).toBe('{"a": ');
    expect(text.take(8 + text.read("34,").length, [])).toBe("1234,");
  });
});
