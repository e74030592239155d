import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { durationMs, femtoPerToken, nanoUsdOf, unpinned } from "./values.ts";

describe("durations", () => {
  it.each([
    ["1500ms", 1500],
    ["30s", 30_000],
    ["10m", 600_000],
    ["24h", 86_400_000],
    ["7d", 604_800_000],
    ["10", undefined],
    ["1.5s", undefined],
    ["-1s", undefined],
    ["10 m", undefined],
    ["ms", undefined],
  ])("%s", (text, ms) => {
    expect(durationMs(text)).toBe(ms);
  });
});

describe("prices", () => {
  it.each<[string | number, bigint]>([
    [2.5, 2_500_000_000n],
    ["0.25", 250_000_000n],
    [0.075, 75_000_000n],
    ["0.000000001", 1n],
    [0, 0n],
  ])("%s USD per million tokens", (usd, femto) => {
    expect(femtoPerToken(usd)).toBe(femto);
  });

  it.each(["0.0000000001", "-1", "1e3", "", "1,5"])("%s is refused", (usd) => {
    expect(() => femtoPerToken(usd)).toThrow(RangeError);
  });

  it("are exact: a million tokens cost what the list says", () => {
    fc.assert(
      fc.property(fc.nat(100_000), fc.nat(999_999_999), (whole, fraction) => {
        const text = `${whole}.${String(fraction).padStart(9, "0")}`;
        expect(femtoPerToken(text) * 1_000_000n).toBe(BigInt(whole) * 10n ** 15n + BigInt(fraction) * 10n ** 6n);
      }),
    );
  });
});

describe("amounts", () => {
  it("are whole nano-USD", () => {
    expect(nanoUsdOf("0.000000001")).toBe(1);
    expect(nanoUsdOf(4000)).toBe(4_000_000_000_000);
    expect(() => nanoUsdOf("0.0000000001")).toThrow(RangeError);
    expect(() => nanoUsdOf(10_000_000)).toThrow(RangeError);
  });
});

it("pinned names lead back to the declared ones", () => {
  expect(["gpt-main@3", "gpt-main", "a@b"].map(unpinned)).toEqual(["gpt-main", "gpt-main", "a@b"]);
});
