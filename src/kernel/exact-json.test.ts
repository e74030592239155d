import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseExactly } from "./exact-json.ts";

describe("parseExactly", () => {
  it.each(["12345678901234567890", "1.10e3", "-0", "0.1000000000000000055", "[9007199254740993]", '{"a":{"b":1E400}}'])(
    "writes %s back digit for digit",
    (text) => expect(JSON.stringify(parseExactly(text))).toBe(text),
  );

  it("is JSON.parse for what a double holds", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.stringify(parseExactly(JSON.stringify(value)))).toBe(JSON.stringify(value));
      }),
    );
  });

  it("throws SyntaxError where JSON.parse does", () => expect(() => parseExactly("{")).toThrow(SyntaxError));
});
