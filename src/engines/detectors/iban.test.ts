import { describe, expect, it } from "vitest";
import type { DetectorName } from "./port.ts";
import { scan } from "./scan.ts";

const wanted: ReadonlySet<DetectorName> = new Set(["iban"] as const);
const found = (text: string): string[] =>
  scan(text, wanted).map((finding) => `${finding.kind}: ${text.slice(finding.start, finding.end)}`);

describe("IBANs that are found", () => {
  // The examples of the SWIFT registry.
  it.each([
    "DE89370400440532013000",
    "GB29NWBK60161331926819",
    "FR1420041010050500013M02606",
    "NL91ABNA0417164300",
    "ES9121000418450200051332",
    "IT60X0542811101000000123456",
    "CH9300762011623852957",
    "AT611904300234573201",
    "BE68539007547034",
    "NO9386011117947",
    "PL61109010140000071219812874",
    "MT84MALT011000012345MTLCAST001S",
    "SE4550000000058398257466",
  ])("%s, compact, in groups and in lower case", (iban) => {
    const kind = `${iban.slice(0, 2).toLowerCase()}-iban`;
    const grouped = iban.replace(/(.{4})(?=.)/g, "$1 ");
    for (const written of [iban, grouped, iban.toLowerCase()]) {
      expect(found(`to ${written}, please`)).toEqual([`${kind}: ${written}`]);
    }
  });
});

describe("what is no IBAN", () => {
  it.each([
    ["wrong check digits", "DE88370400440532013000"],
    ["wrong length", "DE8937040044053201300"],
    ["goes on", "DE893704004405320130001"],
    ["unknown country", "XX89370400440532013000"],
    ["starts in a word", "ADE89370400440532013000"],
    ["two spaces", "DE89  370400440532013000"],
    ["a sentence", "GB29 of the 60161331 that were here"],
  ])("%s: %s", (_, text) => {
    expect(found(text)).toEqual([]);
  });
});
