import { describe, expect, it } from "vitest";
import type { DetectorName } from "./port.ts";
import { scan } from "./scan.ts";

const wanted: ReadonlySet<DetectorName> = new Set(["email"] as const);
const found = (text: string): string[] =>
  scan(text, wanted).map((finding) => `${finding.kind}: ${text.slice(finding.start, finding.end)}`);

describe("addresses that are found", () => {
  it.each([
    ["write to jane.doe@example.com.", "jane.doe@example.com"],
    ["<jane@example.co.uk>", "jane@example.co.uk"],
    ["mailto:jane+news@example.org?subject=x", "jane+news@example.org"],
    ["email=jane_d@mail-1.example.com;", "jane_d@mail-1.example.com"],
    ['"jane doe"@example.com', '"jane doe"@example.com'],
    ["jürgen@müller.example", "jürgen@müller.example"],
    ["info@xn--bcher-kva.example", "info@xn--bcher-kva.example"],
    ["用户@例子.公司", "用户@例子.公司"],
    ["'o'brien@example.com'", "o'brien@example.com"],
    ["a@b.co", "a@b.co"],
  ])("%s", (text, address) => {
    expect(found(text)).toEqual([`email: ${address}`]);
  });
});

describe("what is no address", () => {
  it.each([
    "@handle",
    "a@b",
    "a@b.1",
    "jane@",
    "jane @ example.com",
    "user@-x.com",
    "me@.com",
    "a.@b.com",
    "3@4.5",
    "foo@bar..com",
    "@@@@",
  ])("%s", (text) => {
    expect(found(text)).toEqual([]);
  });
});
