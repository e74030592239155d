/** The book against two price lists in ../shared/data: equal where both know a model, but for the table of differences. */
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { femtoUsdOf, usdDecimal } from "../kernel/money.ts";
import { findInBook } from "./book.ts";
import type { PriceFigures } from "./figures.ts";

const folder = new URL("../../../shared/data/", import.meta.url);
const files = {
  litellm: new URL("prices-litellm-trimmed.json", folder),
  genai: new URL("prices-genai-trimmed.json", folder),
};
const there = existsSync(files.litellm) && existsSync(files.genai);
if (!there)
  console.warn("SKIPPED: the price lists in ../shared/data are not there; the book is not checked against them");

const read = (file: URL) => JSON.parse(readFileSync(file, "utf8"));
const perMillion = (usd: number): string => usdDecimal(femtoUsdOf(Number((usd * 1e6).toPrecision(10))));

/** The book's figures on the day that a list was taken. */
const inForce = (figures: readonly PriceFigures[], day: string): PriceFigures =>
  figures.findLast(({ from, hours }) => !hours && (from ?? "") <= day)!;

function litellmDifferences(): { compared: number; differences: string[] } {
  const providers: Record<string, string> = { gemini: "google", "vertex_ai-language-models": "google" };
  const differences: string[] = [];
  let compared = 0;
  for (const [name, listed] of Object.entries<Record<string, never>>(read(files.litellm).models)) {
    const model = name.replace(/^(gemini|deepseek|vertex_ai)\//, "");
    const provider = listed["litellm_provider"]!;
    const entry = findInBook({ provider: providers[provider] ?? provider }, model);
    if (!entry) continue;
    const ours = inForce(entry.figures, "2026-07-24");
    const compare = (what: string, mine: string | undefined, theirs: number | undefined) => {
      if (theirs === undefined || (mine === undefined && theirs === 0)) return;
      compared++;
      if (mine !== perMillion(theirs))
        differences.push(`${model}: ${what} ${mine ?? "none"}, litellm ${perMillion(theirs)}`);
    };
    compare("input", ours.input, listed["input_cost_per_token"]);
    compare("output", ours.output, listed["output_cost_per_token"]);
    compare("cached_input", ours.cached_input, listed["cache_read_input_token_cost"]);
    compare("cache_write", ours.cache_write, listed["cache_creation_input_token_cost"]);
    compare("cache_write_1h", ours.cache_write_1h, listed["cache_creation_input_token_cost_above_1hr"]);
    compare("audio_input", ours.audio_input, listed["input_cost_per_audio_token"]);
    compare("audio_output", ours.audio_output, listed["output_cost_per_audio_token"]);
    compare("reasoning", ours.reasoning ?? ours.output, listed["output_cost_per_reasoning_token"]);
    for (const above of [200, 272]) {
      const tier = ours.tiers?.find((one) => Math.abs(one.above - above * 1000) <= 1);
      for (const [meter, key] of [
        ["input", "input"],
        ["output", "output"],
      ] as const) {
        compare(`${meter} above ${above}k`, tier?.[meter], listed[`${key}_cost_per_token_above_${above}k_tokens`]);
      }
    }
  }
  return { compared, differences };
}

function genaiDifferences(): { compared: number; differences: string[] } {
  const meters = {
    input: "input_mtok",
    output: "output_mtok",
    cached_input: "cache_read_mtok",
    cache_write: "cache_write_mtok",
  } as const;
  type Rate = number | { base: number } | undefined;
  type Listed = { constraint?: { start_date?: string }; prices: Record<string, Rate> };
  const differences: string[] = [];
  let compared = 0;
  for (const { id, models } of read(files.genai).providers) {
    for (const model of models as { id: string; prices: Listed[] | Listed["prices"] }[]) {
      const entry = findInBook({ provider: id }, model.id);
      if (entry?.name !== `${id}/${model.id}`) continue;
      const listed: Listed[] = Array.isArray(model.prices) ? model.prices : [{ prices: model.prices }];
      const theirs = listed.findLast(
        ({ constraint }) =>
          !constraint || (constraint.start_date !== undefined && constraint.start_date <= "2026-08-21"),
      )!.prices;
      const ours = inForce(entry.figures, "2026-08-21");
      for (const [meter, key] of Object.entries(meters) as [keyof typeof meters, string][]) {
        const rate = theirs[key];
        if (rate === undefined) continue;
        compared++;
        const figure = usdDecimal(femtoUsdOf(typeof rate === "object" ? rate.base : rate));
        if (ours[meter] !== figure) differences.push(`${entry.name}: ${meter} ${ours[meter] ?? "none"}, was ${figure}`);
      }
    }
  }
  return { compared, differences };
}

type Explained = readonly (readonly [why: string, differences: readonly string[]])[];

/** USD per million tokens: the book's, then the list's; `none` where the book has no such meter. */
const fromLitellm: Explained = [
  [
    "litellm's are copied from another model: an hour costs twice the input",
    ["claude-3-haiku-20240307: cache_write_1h 0.5, litellm 6", "claude-3-opus-20240229: cache_write_1h 30, litellm 6"],
  ],
  [
    "the long context of Sonnet 4 was retired; longer requests are refused by the vendor",
    [
      "claude-4-sonnet-20250514: input above 200k none, litellm 6",
      "claude-4-sonnet-20250514: output above 200k none, litellm 22.5",
      "claude-sonnet-4-20250514: input above 200k none, litellm 6",
      "claude-sonnet-4-20250514: output above 200k none, litellm 22.5",
    ],
  ],
  [
    "the package has one entry for the stable model and its previews; litellm keeps the previews' old rates",
    [
      "gemini-2.0-flash-001: input 0.1, litellm 0.15",
      "gemini-2.0-flash-001: output 0.4, litellm 0.6",
      "gemini-2.0-flash-001: cached_input 0.025, litellm 0.0375",
      "gemini-2.0-flash-001: audio_input 0.7, litellm 1",
      "gemini-2.5-flash-lite-preview-06-17: cached_input 0.01, litellm 0.025",
      "gemini-2.5-flash-lite-preview-06-17: audio_input 0.3, litellm 0.5",
      "gemini-2.5-flash-preview-09-2025: cached_input 0.03, litellm 0.075",
    ],
  ],
  [
    "the package takes the Live API's prices for the native audio models",
    [
      "gemini-2.5-flash-native-audio-latest: input 0.5, litellm 0.3",
      "gemini-2.5-flash-native-audio-latest: output 2, litellm 2.5",
      "gemini-2.5-flash-native-audio-latest: audio_input 3, litellm 1",
      "gemini-2.5-flash-native-audio-preview-09-2025: input 0.5, litellm 0.3",
      "gemini-2.5-flash-native-audio-preview-09-2025: output 2, litellm 2.5",
      "gemini-2.5-flash-native-audio-preview-09-2025: audio_input 3, litellm 1",
      "gemini-2.5-flash-native-audio-preview-12-2025: input 0.5, litellm 0.3",
      "gemini-2.5-flash-native-audio-preview-12-2025: output 2, litellm 2.5",
      "gemini-2.5-flash-native-audio-preview-12-2025: audio_input 3, litellm 1",
    ],
  ],
  [
    "the package has the speech model's own rates, litellm those of gemini-2.5-pro",
    [
      "gemini-2.5-pro-preview-tts: input 1, litellm 1.25",
      "gemini-2.5-pro-preview-tts: output 20, litellm 10",
      "gemini-2.5-pro-preview-tts: cached_input none, litellm 0.125",
      "gemini-2.5-pro-preview-tts: audio_input none, litellm 0.7",
      "gemini-2.5-pro-preview-tts: input above 200k none, litellm 2.5",
      "gemini-2.5-pro-preview-tts: output above 200k none, litellm 15",
    ],
  ],
  [
    "litellm's audio is cheaper than text: left out, so audio is charged as text and flagged",
    ["gemini-3.5-flash: audio_input none, litellm 1", "gemini-omni-flash-preview: audio_input none, litellm 1.5"],
  ],
  [
    "the vendor's introductory price, which ends on 2027-01-01 in the book",
    [
      "gemini-3.6-flash: input 0.75, litellm 1.5",
      "gemini-3.6-flash: output 3.75, litellm 7.5",
      "gemini-3.6-flash: cached_input 0.075, litellm 0.15",
      "gemini-3.6-flash: reasoning 3.75, litellm 7.5",
    ],
  ],
  [
    "OpenAI lists no cached input for these: charged as input",
    [
      "gpt-4o-search-preview: cached_input none, litellm 1.25",
      "gpt-4o-search-preview-2025-03-11: cached_input none, litellm 1.25",
      "gpt-5.4-pro: cached_input none, litellm 3",
      "gpt-5.4-pro-2026-03-05: cached_input none, litellm 3",
      "gpt-5.5-pro: cached_input none, litellm 3",
      "gpt-5.5-pro-2026-04-23: cached_input none, litellm 3",
    ],
  ],
  ["litellm has the older model's rate", ["gpt-realtime-2: output 24, litellm 16"]],
];
const fromEarlier: Explained = [
  [
    "corrected since",
    [
      "azure/phi-4-mini-instruct: cached_input none, was 0.08",
      "mistral/devstral-small: input 0.1, was 0.06",
      "mistral/devstral-small: output 0.3, was 0.12",
      "mistral/ministral-8b: output 0.1, was 1",
      "mistral/voxtral-small-24b-2507: output 0.4, was 0.3",
      "x-ai/grok-4.5: cached_input 0.3, was 0.5",
    ],
  ],
  [
    "changed on 2026-08-17, after the list's data",
    [
      "deepseek/deepseek-v4-flash: input 0.22, was 0.14",
      "deepseek/deepseek-v4-flash: output 0.66, was 0.28",
      "deepseek/deepseek-v4-flash: cached_input 0.007, was 0.0028",
      "deepseek/deepseek-v4-pro: input 0.66, was 0.435",
      "deepseek/deepseek-v4-pro: output 1.98, was 0.87",
      "deepseek/deepseek-v4-pro: cached_input 0.022, was 0.003625",
    ],
  ],
  [
    "text and image output are told apart since",
    [
      "google/gemini-2.5-flash-image: output 2.5, was 30",
      "google/gemini-3-pro-image-preview: output 12, was 120",
      "google/gemini-3.1-flash-image-preview: output 3, was 60",
    ],
  ],
  [
    "an introductory price, dated since",
    [
      "google/gemini-3.6-flash: input 0.75, was 1.5",
      "google/gemini-3.6-flash: output 3.75, was 7.5",
      "google/gemini-3.6-flash: cached_input 0.075, was 0.15",
    ],
  ],
  [
    "changed on 2026-07-30 and 2026-08-21",
    [
      "openai/gpt-5.6-luna: input 0.2, was 1",
      "openai/gpt-5.6-luna: output 1.2, was 6",
      "openai/gpt-5.6-luna: cached_input 0.02, was 0.1",
      "openai/gpt-5.6-luna: cache_write 0.25, was 1.25",
      "openai/gpt-5.6-sol: input 4, was 5",
      "openai/gpt-5.6-sol: output 20, was 30",
      "openai/gpt-5.6-sol: cached_input 0.4, was 0.5",
      "openai/gpt-5.6-sol: cache_write 5, was 6.25",
      "openai/gpt-5.6-terra: input 2, was 2.5",
      "openai/gpt-5.6-terra: output 12, was 15",
      "openai/gpt-5.6-terra: cached_input 0.2, was 0.25",
      "openai/gpt-5.6-terra: cache_write 2.5, was 3.125",
    ],
  ],
];

const explained = (table: Explained) => table.flatMap(([, differences]) => differences).toSorted();

describe.skipIf(!there)("the price book against", () => {
  it("litellm's list of 2026-07-24", () => {
    const { compared, differences } = litellmDifferences();
    expect(compared).toBeGreaterThan(600);
    expect(differences.toSorted()).toEqual(explained(fromLitellm));
  });

  it("its own package a month earlier", () => {
    const { compared, differences } = genaiDifferences();
    expect(compared).toBeGreaterThan(900);
    expect(differences.toSorted()).toEqual(explained(fromEarlier));
  });
});
