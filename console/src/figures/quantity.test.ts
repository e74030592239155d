import { describe, expect, it } from "vitest";
import { formatDuration, formatRate, formatShare } from "./quantity.ts";

describe("figures", () => {
  it.each([
    [undefined, "–"],
    [0, "0 ms"],
    [0.012, "12 µs"],
    [1.7, "1.70 ms"],
    [42.34, "42.3 ms"],
    [999.4, "999 ms"],
    [999.6, "1.00 s"],
    [125_000, "2 min 5 s"],
    [179_700, "3 min 0 s"],
  ])("%d ms is %s", (ms, text) => expect(formatDuration(ms)).toBe(text));

  it.each([
    [0, 0, "–"],
    [0, 10, "0%"],
    [10, 10, "100%"],
    [99_999, 100_000, ">99.9%"],
    [1, 100_000, "<0.01%"],
    [1, 3, "33.3%"],
  ])("%d of %d is %s", (part, whole, text) => expect(formatShare(part, whole)).toBe(text));

  it.each([
    [0, "0"],
    [0.004, "<0.01"],
    [2.236, "2.24"],
    [48.31, "48.3"],
    [1234.5, "1,235"],
  ])("%d per second is %s", (rate, text) => expect(formatRate(rate)).toBe(text));
});
