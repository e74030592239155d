import { crc32 } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { DetectorName } from "./port.ts";
import { scan } from "./scan.ts";

const wanted: ReadonlySet<DetectorName> = new Set(["secret"] as const);
const found = (text: string): string[] =>
  scan(text, wanted).map((finding) => `${finding.kind}: ${text.slice(finding.start, finding.end)}`);

const letters = "aB3dE5gH7jK9mN1pQ4sT6vW8xY0zC2fG5hJ8kL3nP6rS9tV1wX4yZ7";
const weirBody = "wr_test_0123456789ab_0123456789abcdefghjkmnpqrstvwxyz";

describe("secrets that are found", () => {
  it.each([
    ["aws-access-key", "AKIAIOSFODNN7EXAMPLE"],
    ["github-token", `ghp_${letters.slice(0, 36)}`],
    ["github-token", `github_pat_${letters.slice(0, 22)}_${letters}${letters.slice(0, 5)}`],
    ["gitlab-token", `glpat-${letters.slice(0, 20)}`],
    ["slack-token", `xoxb-123456789012-${letters.slice(0, 24)}`],
    ["stripe-key", `sk_live_${letters.slice(0, 24)}`],
    ["stripe-key", `rk_test_${letters.slice(0, 24)}`],
    ["openai-key", `sk-${letters.slice(0, 48)}`],
    ["openai-key", `sk-proj-${letters.slice(0, 40)}`],
    ["anthropic-key", `sk-ant-api03-${letters}`],
    ["google-api-key", `AIza${letters.slice(0, 35)}`],
    ["weir-key", `${weirBody}_00000000`],
    ["jwt", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"],
  ])("%s", (kind, value) => {
    expect(found(`use ${value} today`)).toEqual([`${kind}: ${value}`]);
    expect(found(value)).toEqual([`${kind}: ${value}`]);
  });

  it("knows a whole Weir key by its checksum", () => {
    const key = `${weirBody}_${crc32(weirBody).toString(16).padStart(8, "0")}`;
    expect(scan(key, wanted)).toEqual([
      { detector: "secret", start: 0, end: key.length, kind: "weir-key", confidence: "checked" },
    ]);
    expect(scan(`${weirBody}_00000000`, wanted)[0]?.confidence).toBe("pattern");
  });

  it("covers a private key block, closed, unclosed and escaped", () => {
    const open = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\nq1w2e3r4\n";
    const closed = `${open}-----END RSA PRIVATE KEY-----`;
    expect(found(`key:\n${closed}\nnext`)).toEqual([`private-key: ${closed}`]);
    expect(found(`${open}!`)).toEqual([`private-key: ${open}`]);
    const escaped = "-----BEGIN PRIVATE KEY-----\\nMIIE\\n-----END PRIVATE KEY-----";
    expect(found(`{"k":"${escaped}"}`)).toEqual([`private-key: ${escaped}`]);
  });

  it.each([
    ["password=Tr0ub4dor&3x", "Tr0ub4dor"],
    ['"api_key": "f3a9c1d47b2e"', "f3a9c1d47b2e"],
    ["DB_PASSWORD = 'h4rd-t0-gu3ss'", "h4rd-t0-gu3ss"],
    ["Authorization: Bearer 9f8e7d6c5b4a3210", "9f8e7d6c5b4a3210"],
    ["Passwort: Sommer2024!", "Sommer2024!"],
    ["aws_secret_access_key=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"],
  ])("assigned: %s", (text, value) => {
    expect(found(text)).toEqual([`assigned-secret: ${value}`]);
  });
});

describe("what is no secret", () => {
  it.each([
    "password: required",
    "password: ${DB_PASSWORD}",
    "api_key=<your-key-here>",
    "token = process.env.TOKEN_1",
    "password=[secret]",
    "password: ********",
    "password=aaaaaaaa1",
    "author: Tr0ub4dor&3",
    "AKIA1234",
    "xAKIAIOSFODNN7EXAMPLE",
    "sk-learn-is-a-python-library",
    "eyJhbGciOiJIUzI1NiJ9.notajwt",
    "-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----",
    "a-long-kebab-case-identifier-in-a-url",
  ])("%s", (text) => {
    expect(found(text)).toEqual([]);
  });
});
