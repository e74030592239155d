import { describe, expect, it } from "vitest";
import type { DetectorName } from "./port.ts";
import { scan } from "./scan.ts";

const wanted: ReadonlySet<DetectorName> = new Set(["card"] as const);
const found = (text: string): string[] =>
  scan(text, wanted).map((finding) => `${finding.kind}: ${text.slice(finding.start, finding.end)}`);

describe("cards that are found", () => {
  it.each([
    // Stripe's published test numbers, and other schemes' documentation.
    ["4242424242424242", "visa"],
    ["4000056655665556", "visa"],
    ["5555555555554444", "mastercard"],
    ["2223003122003222", "mastercard"],
    ["378282246310005", "amex"],
    ["6011111111111117", "discover"],
    ["3056930009020004", "diners"],
    ["36227206271667", "diners"],
    ["6555900000604105", "discover"],
    ["3566002020360505", "jcb"],
    ["6200000000000005", "unionpay"],
    ["6205500000000000004", "unionpay"],
    ["2200770239097761", "mir"],
  ])("%s is %s", (number, kind) => {
    expect(found(`paid with ${number} yesterday`)).toEqual([`${kind}: ${number}`]);
  });

  it.each([
    ["4242 4242 4242 4242"],
    ["4242-4242-4242-4242"],
    ["4242 - 4242 - 4242 - 4242"],
    ["42424242 42424242"],
    ["4 2 4 2 4 2 4 2 4 2 4 2 4 2 4 2"],
  ])("%s in groups", (number) => {
    expect(found(`(${number})`)).toEqual([`visa: ${number}`]);
  });

  it("keeps expiry and security code out of the number", () => {
    expect(found("4242 4242 4242 4242 12/29 123")).toEqual(["visa: 4242 4242 4242 4242"]);
    expect(found("4242424242424242,12/29,123")).toEqual(["visa: 4242424242424242"]);
    expect(found("3782 822463 10005")).toEqual(["amex: 3782 822463 10005"]);
  });

  it("needs a word for the lengths that bar codes share", () => {
    expect(found("EAN 4222222222222")).toEqual([]);
    expect(found("card number 4222222222222")).toEqual(["visa: 4222222222222"]);
  });
});

describe("numbers that are no cards", () => {
  it.each([
    ["wrong check digit", "4242424242424241"],
    ["no issuer", "9999999999999995"],
    ["too long", "42424242424242424242"],
    ["inside a longer run", "14242424242424242"],
    ["decimal", "0.4242424242424242"],
    ["decimal before", "4242424242424242.5"],
    ["in a word", "x4242424242424242"],
    ["goes on as a word", "4242424242424242abc"],
    ["uneven groups", "424 24242 42 424242"],
    ["mixed gaps", "4242 4242-4242 4242"],
    ["UUID", "550e8400-e29b-41d4-a716-446655440000"],
    ["part number", "a4-4242424242424242"],
    ["a line each", "4242\n4242\n4242\n4242"],
  ])("%s: %s", (_, text) => {
    expect(found(text)).toEqual([]);
  });
});
