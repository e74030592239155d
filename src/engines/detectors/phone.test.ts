import { describe, expect, it } from "vitest";
import type { DetectorName } from "./port.ts";
import { scan } from "./scan.ts";

const wanted: ReadonlySet<DetectorName> = new Set(["phone"] as const);
const found = (text: string): string[] =>
  scan(text, wanted).map((finding) => `${finding.kind}: ${text.slice(finding.start, finding.end)}`);

describe("telephone numbers that are found", () => {
  it.each([
    ["+49 30 901820", "international"],
    ["+41 (0)62 585 51 90", "international"],
    ["+14155552671", "international"],
    ["+1-604-696-5272x565", "international"],
    ["0041 44 668 18 00", "international"],
    ["(415) 555-2671", "national"],
    ["415-555-2671", "national"],
    ["415.555.2671 ext. 12", "national"],
    ["030 / 901820", "national"],
    ["01 42 68 53 00", "national"],
    ["020 7946 0018", "national"],
  ])("%s without any word", (number, kind) => {
    expect(found(`please note ${number} for later`)).toEqual([`${kind}: ${number}`]);
  });

  it.each(["737 219 628", "5403926876", "71-33-52-22", "668 5702"])("%s beside a word", (number) => {
    expect(found(`ref ${number}`)).toEqual([]);
    expect(found(`Mobile: ${number}`)).toEqual([`national: ${number}`]);
    expect(found(`${number} office`)).toEqual([`national: ${number}`]);
  });
});

describe("what is no telephone number", () => {
  it.each([
    ["date", "call on 24-12-2024"],
    ["date and time", "call me 01.02.2024 10:30"],
    ["ISO date", "phone 2024-01-31"],
    ["compact date", "phone call of 20240131"],
    ["IP address", "call 192.168.100.200"],
    ["amount", "the phone costs $1 234 567"],
    ["amount", "0123 456 789 EUR"],
    ["postcode and house", "03262 2437 Main St"],
    ["UUID", "550e8400-e29b-41d4-a716-446655440000"],
    ["no such country", "+999 12345678"],
    ["sum", "a+12345678901"],
    ["decimal", "0.123456789"],
    ["long number", "12345678901234567890"],
    ["time", "10:30:00 12:00:00"],
    ["ISBN", "978-3-16-148410-0"],
    ["year range", "tel aviv 1990-2024"],
  ])("%s: %s", (_, text) => {
    expect(found(text)).toEqual([]);
  });
});
