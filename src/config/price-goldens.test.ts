/** Amounts computed by hand from the vendors' lists, per vendor and meter (A5, hard case 26). */
import { describe, expect, it } from "vitest";
import { costOf, noUsage, priceAt, type Usage } from "../kernel/usage.ts";
import { bookPriceOf, priceOf } from "./price-fixture.ts";

const now = Date.parse("2026-11-22T12:00:00Z");

const gpt = { input: 1000, cached_input: 9000, output: 500, reasoning: 200 };
const claude = { input: 100, cached_input: 10_000, cache_write: 2000, cache_write_1h: 1000, output: 500 };
const audio = { input: 100, audio_input: 1000, output: 50, audio_output: 400 };

type Row = [given: string, vendor: string, model: string, used: Partial<Usage>, nanoUsd: number];
const rows: Row[] = [
  // 1,000 × 2.5 + 9,000 × 0.25 + 500 × 15 USD per million; reasoning is charged as the output that it is
  ["cached, reasoning", "openai", "gpt-5.4", gpt, 12_250_000],
  ["a dated alias", "openai", "gpt-5.4-2026-03-05", gpt, 12_250_000],
  ["batch: half", "openai", "gpt-5.4", { ...gpt, service_class: "batch" }, 6_125_000],
  ["flex: half, cached at 0.13", "openai", "gpt-5.4", { ...gpt, service_class: "flex" }, 6_170_000],
  ["priority: twice", "openai", "gpt-5.4", { ...gpt, service_class: "priority" }, 24_500_000],
  ["below the cliff", "openai", "gpt-5.4", { input: 271_999, output: 1000 }, 694_997_500],
  ["the whole request over the cliff", "openai", "gpt-5.4", { input: 272_000, output: 1000 }, 1_382_500_000],
  ["flex over the cliff", "openai", "gpt-5.4", { input: 272_000, output: 1000, service_class: "flex" }, 691_250_000],
  ["two searches", "openai", "gpt-5.4", { input: 1000, web_searches: 2 }, 22_500_000],
  ["75 nano-USD a cached token", "openai", "gpt-4o-mini", { cached_input: 1 }, 75],
  ["a factor of 5/3", "openai", "gpt-4o-mini", { input: 1000, service_class: "priority" }, 250_000],
  ["audio in and out", "openai", "gpt-4o-audio-preview", audio, 72_750_000],
  ["cached audio", "openai", "gpt-realtime", { cached_audio_input: 1000, audio_input: 10 }, 720_000],
  ["cache writes of both kinds", "anthropic", "claude-sonnet-4-5", claude, 24_300_000],
  ["batch: half of everything", "anthropic", "claude-sonnet-4-5", { ...claude, service_class: "batch" }, 12_150_000],
  ["a search is not halved", "anthropic", "claude-sonnet-4-5", { web_searches: 1, service_class: "batch" }, 10_000_000],
  [
    "cached input, below",
    "anthropic",
    "claude-sonnet-4-5",
    { input: 1000, cached_input: 199_000, output: 100 },
    64_200_000,
  ],
  [
    "counts for the cliff",
    "anthropic",
    "claude-sonnet-4-5",
    { input: 1000, cached_input: 199_001, output: 100 },
    127_650_600,
  ],
  ["an hour over the cliff", "anthropic", "claude-sonnet-4-5", { input: 1, cache_write_1h: 200_000 }, 2_400_006_000],
  ["thoughts", "google", "gemini-2.5-pro", { input: 1000, output: 300, reasoning: 200 }, 4_250_000],
  ["long context", "google", "gemini-2.5-pro", { input: 200_001, output: 10 }, 500_152_500],
  ["audio in", "google", "gemini-2.5-flash", { input: 100, audio_input: 1000, cached_audio_input: 500 }, 1_080_000],
  [
    "batch: cached stays",
    "google",
    "gemini-3.1-pro-preview",
    { input: 1000, cached_input: 1000, output: 100, service_class: "batch" },
    1_800_000,
  ],
  ["cached", "x-ai", "grok-4", { input: 1000, cached_input: 1000, output: 100 }, 5_250_000],
  ["plain", "mistral", "mistral-large-latest", { input: 1000, output: 100 }, 2_600_000],
  ["plain", "groq", "llama-3.3-70b-versatile", { input: 1000, output: 100 }, 669_000],
  ["a price per request", "perplexity", "sonar-pro", { input: 1000, output: 100 }, 18_500_000],
];

describe("goldens from the price book", () => {
  it.each(rows)("%s: %s %s", (_given, vendor, model, used, nanoUsd) => {
    expect(costOf({ ...noUsage, ...used }, priceAt(bookPriceOf(vendor, model), now))).toBe(nanoUsd);
  });

  it.each([
    ["off-peak", "2026-11-22T12:00:00Z", 660_000],
    ["at the first peak hour", "2026-11-22T01:00:00Z", 1_320_000],
    ["when it ends", "2026-11-22T04:00:00Z", 660_000],
    ["in the second", "2026-11-22T09:59:59.999Z", 1_320_000],
  ])("DeepSeek %s", (_when, at, nanoUsd) => {
    const price = bookPriceOf("deepseek", "deepseek-v4-pro");
    expect(costOf({ ...noUsage, input: 1000 }, priceAt(price, Date.parse(at)))).toBe(nanoUsd);
  });

  it.each([
    ["the day before", "2026-08-20T23:59:59.999Z", 5_000_000, "2026-09-23"],
    ["from that day on", "2026-08-21T00:00:00Z", 4_000_000, "2026-08-21"],
  ])("a dated price, %s", (_when, at, nanoUsd, named) => {
    const price = priceAt(bookPriceOf("openai", "gpt-5.6-sol"), Date.parse(at));
    expect(costOf({ ...noUsage, input: 1000 }, price)).toBe(nanoUsd);
    expect(price.version).toContain(`openai/gpt-5.6-sol/${named}/`);
  });

  it("own contract and regional uplift: tokens × 1.1 × 0.85, searches × 0.85", () => {
    const price = bookPriceOf("anthropic", "claude-sonnet-4-5", { contract: 0.85, uplift: 1.1 });
    expect(costOf({ ...noUsage, ...claude, web_searches: 1 }, price)).toBe(22_720_500 + 8_500_000);
  });
});

describe("goldens of own prices", () => {
  const own = { input: 2, output: 8, reasoning: 10 };
  it.each<[string, unknown, Partial<Usage>, number | undefined, number]>([
    ["reasoning priced apart", own, { output: 100, reasoning: 40 }, undefined, 880_000],
    ["more reasoning than output is output's", own, { output: 10, reasoning: 40 }, undefined, 100_000],
    ["an hour shared by eight", { per_hour: 2.5, parallel: 8 }, { input: 5, output: 5 }, 3600, 312_500],
    ["an hour, rounded once", { per_hour: 1, parallel: 3 }, {}, 1, 93],
    ["rerank by search unit", { input: 0, output: 0, search_unit: 0.002 }, { search_units: 3 }, undefined, 6_000_000],
    ["image output", { input: 5, output: 10, image_output: 40 }, { image_output: 1000 }, undefined, 40_000_000],
    ["a contract that leaves fractions", { input: 1, output: 1, contract: "1/3" }, { input: 1000 }, undefined, 333_333],
  ])("%s", (_given, price, used, durationMs, nanoUsd) => {
    const time = durationMs === undefined ? {} : { durationMs };
    expect(costOf({ ...noUsage, ...used }, priceOf(price), time)).toBe(nanoUsd);
  });
});
