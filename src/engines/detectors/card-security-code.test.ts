import { describe, expect, it } from "vitest";
import type { DetectorName } from "./port.ts";
import { scan } from "./scan.ts";

const wanted: ReadonlySet<DetectorName> = new Set(["card-security-code"] as const);
const found = (text: string): string[] =>
  scan(text, wanted).map((finding) => `${finding.kind}: ${text.slice(finding.start, finding.end)}`);

describe("codes that are found", () => {
  it.each([
    ["CVV: 123", "123"],
    ["cvc 1234.", "1234"],
    ["my cvv2 is 987", "987"],
    ["security code = 4321", "4321"],
    ["Kartenprüfnummer 456", "456"],
    ["Sicherheitscode: 789", "789"],
    ["le cryptogramme est 321", "321"],
    ["código de seguridad: 654", "654"],
    ["123 (CVV)", "123"],
    ["123 is my cvc", "123"],
    ["4242 4242 4242 4242 12/29 cvc 123", "123"],
    ["4242424242424242 123 cvc", "123"],
    ["cvc 123, valid to 2028", "123"],
  ])("%s", (text, code) => {
    expect(found(text)).toEqual([`card-security-code: ${code}`]);
  });
});

describe("what is no code", () => {
  it.each([
    "room 123",
    "cvv 12345",
    "cvv 12",
    "in 2024",
    "cvc\n123",
    "cvv 1.234",
    "2024 cvc 12",
    "recvcode 123",
    "[card-security-code] 123",
  ])("%s", (text) => {
    expect(found(text)).toEqual([]);
  });
});
