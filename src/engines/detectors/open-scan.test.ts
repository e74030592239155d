import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { holdBackOf, openScan } from "./open-scan.ts";
import { type DetectorName, type Finding, detectorOrder } from "./port.ts";
import { hostileUnits, sampleText } from "./sample-texts.ts";
import { scan } from "./scan.ts";

const all: ReadonlySet<DetectorName> = new Set(detectorOrder);

/** What a view is told piece by piece, and the most that was held back. Fails where a promise is broken on the way. */
function scanned(pieces: readonly string[], ...views: ReadonlySet<DetectorName>[]) {
  const opened = openScan(views);
  const found: Finding[][] = views.map(() => []);
  let arrived = 0;
  let settled = 0;
  let mostHeld = 0;
  const take = (progress: ReturnType<typeof opened.push>) => {
    for (const [view, news] of progress.found.entries()) {
      for (const finding of news) expect(finding.start).toBeGreaterThanOrEqual(settled);
      found[view]!.push(...news);
    }
    expect(progress.settled).toBeGreaterThanOrEqual(settled);
    settled = progress.settled;
    mostHeld = Math.max(mostHeld, arrived - settled);
  };
  for (const piece of pieces) {
    arrived += piece.length;
    take(opened.push(piece));
  }
  take(opened.end());
  expect(settled).toBe(arrived);
  return { found, mostHeld };
}

function cut(text: string, sizes: readonly number[]): string[] {
  const pieces: string[] = [];
  for (let at = 0, i = 0; at < text.length; i++) {
    const size = sizes[i % sizes.length]!;
    pieces.push(text.slice(at, at + size));
    at += size;
  }
  return pieces;
}

const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 12 });
const longText = fc.array(sampleText, { minLength: 1, maxLength: 5 }).map((texts) => texts.join(" and so on, "));

describe("a text that arrives in pieces", () => {
  const wanted: (readonly [string, ReadonlySet<DetectorName>])[] = [
    ...detectorOrder.map((name) => [name, new Set([name])] as const),
    ["all together", all],
  ];
  it.each(wanted)("%s: finds what a scan of the whole text finds, and holds back no more than stated", (_, names) => {
    fc.assert(
      fc.property(longText, sizes, (text, cuts) => {
        const { found, mostHeld } = scanned(cut(text, cuts), names);
        expect(found[0]).toEqual(scan(text, names));
        expect(mostHeld).toBeLessThanOrEqual(2 * holdBackOf(names));
      }),
      { numRuns: 250 },
    );
  });

  it("finds the same cut after every single unit", () => {
    fc.assert(
      fc.property(sampleText, (text) => {
        expect(scanned(cut(text, [1]), all).found[0]).toEqual(scan(text, all));
      }),
      { numRuns: 500 },
    );
  });

  it("tells each view what its own scan would find", () => {
    const views = [all, new Set(["card"] as const), new Set(["email", "phone"] as const)];
    fc.assert(
      fc.property(sampleText, sizes, (text, cuts) => {
        expect(scanned(cut(text, cuts), ...views).found).toEqual(views.map((view) => scan(text, view)));
      }),
      { numRuns: 250 },
    );
  });

  it.each(hostileUnits)("%s without end: same findings, bounded hold-back", (_, unit) => {
    for (const [names, length] of [
      [all, 24_000],
      [new Set(detectorOrder.filter((name) => name !== "secret")), 6_000],
    ] as const) {
      const text = unit.repeat(Math.ceil(length / unit.length));
      const { found, mostHeld } = scanned(cut(text, [97]), names);
      expect(found[0]).toEqual(scan(text, names));
      expect(mostHeld).toBeLessThanOrEqual(holdBackOf(names));
    }
  });
});

describe("what is held back", () => {
  const heldOf = (text: string, names: ReadonlySet<DetectorName> = all): number =>
    text.length - openScan([names]).push(text).settled;

  it.each([
    ["prose: its last word", "The account costs nothing and can be closed at any time", 6],
    ["prose with a full stop", "The account costs nothing. It can be closed. ", 6],
    ["the beginning of a card", "Pay with 4242 4242 42", 18],
    ["the beginning of a credential", "key: AKIAIOSFO", 9],
    ["a long word that is none", `${"a".repeat(600)}`, 64],
  ])("%s", (_, text, held) => expect(heldOf(text)).toBe(held));

  it("is stated for every detector, and small but for credentials", () => {
    const stated = detectorOrder.map((name) => [name, holdBackOf(new Set([name]))]);
    expect(Object.fromEntries(stated)).toEqual({
      card: 387,
      iban: 394,
      email: 690,
      phone: 416,
      "national-id": 430,
      "card-security-code": 450,
      secret: 18833,
    });
  });

  it("refuses a text that hides a flood of invisible characters in a candidate", () => {
    const opened = openScan([new Set(["card"] as const)]);
    expect(() => opened.push(`4242 4242 42${"\u200b".repeat(10_000)}`)).toThrow("invisible");
  });

  it("stays small over a long stream", () => {
    const opened = openScan([all]);
    const chunk = "In 2024 the fee of 12.50 was waived for jane@example.com. ";
    let held = 0;
    for (let i = 1; i <= 5_000; i++) held = Math.max(held, i * chunk.length - opened.push(chunk).settled);
    expect(held).toBeLessThan(200);
  });
});
