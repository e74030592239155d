import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sampleText } from "../../engines/detectors/sample-texts.ts";
import { type DetectorName, detectorNames, scan } from "../../engines/detectors/index.ts";
import { unescaped } from "./unescaped.ts";

const all: ReadonlySet<DetectorName> = new Set(detectorNames);

const escapedAll = (text: string): string =>
  `"${Array.from({ length: text.length }, (_, i) => `\\u${text.charCodeAt(i).toString(16).padStart(4, "0")}`).join("")}"`;

describe("unescaped", () => {
  it.each([
    ["no escapes", '{"a":"b"}', '{"a":"b"}'],
    ["the usual ones", '"a\\nb\\"c"', '"a\nb"c"'],
    ["an escaped backslash before an n", '"a\\\\n"', '"a\\n"'],
    ["all of them", '"\\t\\r\\b\\f\\/\\u0041\\\\"', '"\t\r\b\f/A\\"'],
    ["one that is none", '"\\u00"', '"u00"'],
  ])("%s", (_, given, expected) => expect(unescaped(given)).toBe(expected));

  it("shows what any parser would read, however it is spelled", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(unescaped(JSON.stringify(text).slice(1, -1))).toBe(
          text.toWellFormed() === text ? text : expect.any(String),
        );
        expect(unescaped(escapedAll(text))).toBe(`"${text}"`);
      }),
    );
  });

  it("leaves nothing that a scan of the text alone would find, so that clean bytes mean a clean request", () => {
    fc.assert(
      fc.property(sampleText, fc.boolean(), (text, escapes) => {
        const body = `{"messages":[{"role":"user","content":${escapes ? escapedAll(text) : JSON.stringify(text)}}]}`;
        if (scan(text, all).length > 0) expect(scan(unescaped(body), all)).not.toEqual([]);
      }),
      { numRuns: 3000 },
    );
  });
});
