import { describe, expect, it } from "vitest";
import { allowanceOf } from "./allowance.ts";
import { durationOf } from "./retry.ts";

const now = Date.parse("2026-11-22T10:00:00Z");
const told = (headers: Record<string, string | string[]>) => allowanceOf(headers, (text) => durationOf(text, now));

describe("allowanceOf", () => {
  it.each([
    [
      "OpenAI's two limits, the sooner reset",
      {
        "x-ratelimit-remaining-requests": "59",
        "x-ratelimit-remaining-tokens": "149984",
        "x-ratelimit-reset-requests": "1s",
        "x-ratelimit-reset-tokens": "6m0s",
      },
      { requests: 59, tokens: 149_984, resetMs: 1000 },
    ],
    [
      "Anthropic's, with instants",
      {
        "anthropic-ratelimit-requests-remaining": "0",
        "anthropic-ratelimit-requests-reset": "2026-11-22T10:00:20Z",
      },
      { requests: 0, resetMs: 20_000 },
    ],
    [
      "the reset of the one that is spent",
      {
        "x-ratelimit-remaining-requests": "7",
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-requests": "1s",
        "x-ratelimit-reset-tokens": "20s",
      },
      { requests: 7, tokens: 0, resetMs: 20_000 },
    ],
    [
      "one of them",
      { "x-ratelimit-remaining-tokens": "7", "x-ratelimit-reset-tokens": "20ms" },
      { tokens: 7, resetMs: 20 },
    ],
    ["nothing said", {}, undefined],
    ["no time said", { "x-ratelimit-remaining-requests": "0" }, undefined],
    ["no number", { "x-ratelimit-remaining-requests": "-1", "x-ratelimit-reset-requests": "1s" }, undefined],
    ["said twice", { "x-ratelimit-remaining-requests": ["1", "2"], "x-ratelimit-reset-requests": "1s" }, undefined],
  ])("%s", (_what, headers, expected) => expect(told(headers)).toEqual(expected));
});
