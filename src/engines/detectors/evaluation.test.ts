import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { DetectorName, Finding } from "./port.ts";
import { detectorOrder as detectorNames } from "./port.ts";
import { scan } from "./scan.ts";

interface Span {
  start: number;
  end: number;
  type: string;
}

const path = fileURLToPath(new URL("../../../../shared/data/pii-dev.json", import.meta.url));
const isPresent = existsSync(path);
if (!isPresent) console.warn(`SKIPPED: detector evaluation, ${path} is absent`);

const all: ReadonlySet<DetectorName> = new Set(detectorNames);
const labels: readonly (readonly [type: string, detector: DetectorName, recall: number, precision: number])[] = [
  ["CREDIT_CARD", "card", 0.97, 0.97],
  ["IBAN_CODE", "iban", 1, 1],
  ["EMAIL_ADDRESS", "email", 1, 1],
  ["PHONE_NUMBER", "phone", 0.94, 0.94],
  ["US_SSN", "national-id", 1, 1],
];

const overlaps = (span: Span, finding: Finding): boolean => finding.start < span.end && span.start < finding.end;

describe.skipIf(!isPresent)("labelled documents (read in place)", () => {
  const documents = isPresent ? (JSON.parse(readFileSync(path, "utf8")) as { text: string; spans: Span[] }[]) : [];
  const scanned = documents.map(({ text, spans }) => ({ spans, findings: scan(text, all) }));

  it("holds recall and precision by type", () => {
    const rows = labels.map(([type, detector, recallFloor, precisionFloor]) => {
      const tally = { expected: 0, hit: 0, exact: 0, claimed: 0, false: 0 };
      for (const { spans, findings } of scanned) {
        const wanted = spans.filter((span) => span.type === type);
        const claims = findings.filter((finding) => finding.detector === detector);
        tally.expected += wanted.length;
        tally.claimed += claims.length;
        tally.hit += wanted.filter((span) => claims.some((claim) => overlaps(span, claim))).length;
        tally.exact += wanted.filter((span) =>
          claims.some(({ start, end }) => start === span.start && end === span.end),
        ).length;
        tally.false += claims.filter((claim) => !wanted.some((span) => overlaps(span, claim))).length;
      }
      const recall = tally.hit / tally.expected;
      const precision = 1 - tally.false / tally.claimed;
      return { type, ...tally, recall, precision, recallFloor, precisionFloor };
    });
    console.table(rows);
    for (const row of rows) {
      expect(row.expected, row.type).toBeGreaterThan(0);
      expect(row.recall, row.type).toBeGreaterThanOrEqual(row.recallFloor);
      expect(row.precision, row.type).toBeGreaterThanOrEqual(row.precisionFloor);
    }
  });

  it("raises no false alarm on the documents without any label", () => {
    const clean = scanned.filter(({ spans }) => spans.length === 0);
    expect(clean.length).toBe(60);
    expect(clean.flatMap(({ findings }) => findings)).toEqual([]);
  });

  it("claims nothing of the kinds that the documents do not contain", () => {
    const others = scanned.flatMap(({ findings }) =>
      findings.filter(({ detector }) => detector === "secret" || detector === "card-security-code"),
    );
    expect(others).toEqual([]);
  });
});
