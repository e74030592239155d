import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { DetectorName, Finding, Source } from "./port.ts";
import { detectorOrder as detectorNames } from "./port.ts";
import { hostileUnits, samplePiece, sampleText } from "./sample-texts.ts";
import { redact, scan, scanSource } from "./scan.ts";

const all: ReadonlySet<DetectorName> = new Set(detectorNames);

const piece = samplePiece;
const text = sampleText;

describe("laws of scanning and redacting", () => {
  it("returns sorted, non-empty, disjoint spans inside the text", () => {
    fc.assert(
      fc.property(text, (given) => {
        let from = 0;
        for (const { start, end } of scan(given, all)) {
          expect(start).toBeGreaterThanOrEqual(from);
          expect(end).toBeGreaterThan(start);
          from = end;
        }
        expect(from).toBeLessThanOrEqual(given.length);
      }),
      { numRuns: 2000 },
    );
  });

  it("leaves nothing to find once a finding among words is redacted", () => {
    const lone = fc.tuple(
      fc.constantFrom("see ", "Mobile: ", "card ", "cvc "),
      piece,
      fc.constantFrom("", ".", " please"),
    );
    fc.assert(
      fc.property(lone, (parts) => {
        const given = parts.join("");
        expect(scan(redact(given, scan(given, all)), all)).toEqual([]);
      }),
      { numRuns: 2000 },
    );
  });

  it("comes to rest: redacting clean text changes nothing, and few rounds make any text clean", () => {
    fc.assert(
      fc.property(text, (given) => {
        let current = given;
        for (let round = 0; round < 3; round++) current = redact(current, scan(current, all));
        expect(scan(current, all)).toEqual([]);
        expect(redact(current, [])).toBe(current);
      }),
      { numRuns: 1000 },
    );
  });

  it("runs only the detectors that are wanted", () => {
    const mixed = "jane@example.com paid with 4242424242424242, cvc 123";
    expect(scan(mixed, new Set())).toEqual([]);
    for (const name of ["email", "card", "card-security-code"] as const) {
      expect(scan(mixed, new Set([name])).map(({ detector }) => detector)).toEqual([name]);
    }
    expect(redact(mixed, scan(mixed, all))).toBe("[email] paid with [card], cvc [card-security-code]");
  });

  it("covers the container, not the part: a card number in a key block or an address", () => {
    const block = "-----BEGIN PRIVATE KEY-----\nMII/4242424242424242/abc\n-----END PRIVATE KEY-----";
    expect(scan(block, all)).toMatchObject([{ detector: "secret", start: 0, end: block.length }]);
    expect(scan("4242424242424242@example.com", all)).toMatchObject([{ detector: "email", start: 0 }]);
  });
});

describe("claims that overlap in part", () => {
  it("keeps the surer one whole and covers the rest of the other", () => {
    const given = "+49 30 901820 86 095 742 719, thanks";
    expect(scan(given, all).map(({ start, end, kind }) => `${kind}: ${given.slice(start, end)}`)).toEqual([
      "international: +49 30 901820",
      "de-steuer-id: 86 095 742 719",
    ]);
  });
});

describe("disguised numbers", () => {
  it.each([
    ["full width", "４２４２４２４２４２４２４２４２"],
    ["no-break spaces", "4242\u00a04242\u00a04242\u00a04242"],
    ["narrow no-break spaces", "4242\u202f4242\u202f4242\u202f4242"],
    ["zero width between digits", "4242\u200b4242\u200d4242\ufeff4242"],
    ["soft hyphens", "4242\u00ad4242\u00ad4242\u00ad4242"],
    ["typographic dashes", "4242–4242–4242–4242"],
    ["Arabic-Indic digits", "٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢"],
    ["mathematical digits", "\ud835\udfd2\ud835\udfd0".repeat(8)],
    ["keycaps", "4\ufe0f\u20e32\ufe0f\u20e3".repeat(8).slice(0, -2)],
  ])("%s", (_, disguised) => {
    const given = `é my card\u200b ${disguised}\u200b, thanks`;
    const findings = scan(given, new Set(["card"]));
    expect(findings.map(({ start, end }) => given.slice(start, end))).toEqual([disguised]);
  });

  it("finds addresses and accounts through invisible characters", () => {
    const given = "ja\u200bne@exam\u200bple.com and DE89\u00a03704\u00a00044\u00a00532\u00a00130\u00a000";
    expect(redact(given, scan(given, all))).toBe("[email] and [iban]");
  });
});

/** A string that counts every character a detector looks at. */
function counted(value: string): Source & { reads: number } {
  return {
    reads: 0,
    length: value.length,
    charCodeAt(index: number) {
      this.reads++;
      return value.charCodeAt(index);
    },
    slice(start: number, end: number) {
      const part = value.slice(start, end);
      this.reads += part.length + 1;
      return part;
    },
    indexOf(needle: string, from: number) {
      const at = value.indexOf(needle, from);
      this.reads += (at < 0 ? value.length : at) - from + 1;
      return at;
    },
  };
}

describe("hostile input costs linear work", () => {
  const mostReadsPerCharacter = 200;

  it.each(hostileUnits)("%s", (_, unit) => {
    const readsAt = (length: number): number => {
      const source = counted(unit.repeat(Math.ceil(length / unit.length)));
      scanSource(source, all);
      return source.reads;
    };
    const small = readsAt(4_000);
    const large = readsAt(32_000);
    expect(large / 32_000).toBeLessThan(mostReadsPerCharacter);
    expect(large).toBeLessThan(small * 8 * 1.25 + 4_000);
  });

  it("would notice quadratic work", () => {
    const source = counted("a".repeat(4_000));
    for (let i = 0; i < source.length; i++) source.slice(0, i);
    expect(source.reads / source.length).toBeGreaterThan(mostReadsPerCharacter);
  });

  it("resolves many overlapping claims", () => {
    const findings: Finding[] = scan("123-45-6789 +1 415 555 2671 ".repeat(300), all);
    expect(findings.length).toBe(600);
  });
});
