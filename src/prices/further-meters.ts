/**
 * What the price package lacks: the ratios of the service classes to the standard rates, audio and search rates of a few
 * models, and the longest answers. Keyed by the package's provider and model ids.
 *
 * Source: BerriAI/litellm model_prices_and_context_window.json (MIT) through Wei-Shaw/model-price-repo (MIT) at
 * f9ff14734f62. That a batch of Anthropic's costs half: https://platform.claude.com/docs/en/build-with-claude/batch-processing.
 * Left out as doubtful: gpt-5-nano's priority class (50 times the standard rate), cached input of gpt-5.4-pro and
 * gpt-5.5-pro (OpenAI lists none), audio of gemini-3.5-flash (below its text), gemini-2.5-pro-tts, gemini-omni.
 */
import type { PricedClass } from "./figures.ts";

export const furtherMetersAsOf = "2026-07-24";

/** A factor on all token rates ("5/3"), or one with cached input apart: at its own rate, or not reduced at all. */
export type ClassRatio = string | { factor: string; cached_input: string };

export interface FurtherMeters extends Partial<Record<PricedClass, ClassRatio>> {
  /** Most output tokens of an answer. */
  maxOutput: number;
  /** USD per million tokens, where the package has none. */
  rates?: Partial<Record<"cached_input" | "audio_input" | "audio_output", string>>;
  /** USD per search, where the package has none. */
  webSearch?: string;
}

/** Entries whose figures no longer hold at the vendor and which other lists contradict: the book does not give them. */
export const doubtful: ReadonlySet<string> = new Set(["deepseek/deepseek-chat", "deepseek/deepseek-reasoner"]);

const googleBatch = { factor: "1/2", cached_input: "standard" };

export const furtherMeters: Readonly<Record<string, FurtherMeters>> = {
  "anthropic/claude-3-7-sonnet-latest": { maxOutput: 64_000, batch: "1/2" },
  "anthropic/claude-3-haiku": { maxOutput: 4_096, batch: "1/2" },
  "anthropic/claude-3-opus-latest": { maxOutput: 4_096, batch: "1/2" },
  "anthropic/claude-fable-5": { maxOutput: 128_000, batch: "1/2" },
  "anthropic/claude-haiku-4-5": { maxOutput: 64_000, batch: "1/2" },
  "anthropic/claude-opus-4-0": { maxOutput: 32_000, batch: "1/2" },
  "anthropic/claude-opus-4-1": { maxOutput: 32_000, batch: "1/2" },
  "anthropic/claude-opus-4-5": { maxOutput: 64_000, batch: "1/2" },
  "anthropic/claude-opus-4-6": { maxOutput: 128_000, batch: "1/2" },
  "anthropic/claude-opus-4-7": { maxOutput: 128_000, batch: "1/2" },
  "anthropic/claude-opus-4-8": { maxOutput: 128_000, batch: "1/2" },
  "anthropic/claude-opus-5": { maxOutput: 128_000, batch: "1/2" },
  "anthropic/claude-sonnet-4-0": { maxOutput: 64_000, batch: "1/2" },
  "anthropic/claude-sonnet-4-5": { maxOutput: 64_000, batch: "1/2" },
  "anthropic/claude-sonnet-4-6": { maxOutput: 64_000, batch: "1/2" },
  "anthropic/claude-sonnet-5": { maxOutput: 128_000, batch: "1/2" },
  "google/gemini-2.0-flash": { maxOutput: 8_192, webSearch: "0.035" },
  "google/gemini-2.0-flash-lite": {
    maxOutput: 8_192,
    rates: { audio_input: "0.075", cached_input: "0.01875" },
    webSearch: "0.035",
  },
  "google/gemini-2.5-flash": { maxOutput: 65_535, webSearch: "0.035" },
  "google/gemini-2.5-flash-lite": { maxOutput: 65_535, webSearch: "0.035" },
  "google/gemini-2.5-pro": { maxOutput: 65_535, webSearch: "0.035" },
  "google/gemini-2.5-pro-tts": { maxOutput: 65_535 },
  "google/gemini-3-flash-preview": { maxOutput: 65_535, priority: "1.8", webSearch: "0.014" },
  "google/gemini-3-pro-preview": { maxOutput: 65_535, batch: googleBatch, priority: "1.8", webSearch: "0.014" },
  "google/gemini-3.1-flash-lite": {
    maxOutput: 65_536,
    batch: googleBatch,
    flex: "1/2",
    priority: "1.8",
    webSearch: "0.014",
  },
  "google/gemini-3.1-flash-live-preview": { maxOutput: 65_536 },
  "google/gemini-3.1-pro-preview": { maxOutput: 65_536, batch: googleBatch, priority: "1.8", webSearch: "0.014" },
  "google/gemini-3.5-flash": { maxOutput: 65_535, priority: "1.8", webSearch: "0.014" },
  "google/gemini-3.5-flash-lite": {
    maxOutput: 65_536,
    batch: googleBatch,
    flex: { factor: "1/2", cached_input: "0.02" },
    priority: { factor: "1.8", cached_input: "0.05" },
    webSearch: "0.014",
  },
  "google/gemini-3.6-flash": {
    maxOutput: 65_536,
    batch: googleBatch,
    flex: "1/2",
    priority: "1.8",
    webSearch: "0.014",
  },
  "google/gemini-live-2.5-flash": { maxOutput: 8_192 },
  "google/gemini-omni-flash-preview": { maxOutput: 65_535 },
  "openai/gpt-3.5-turbo": { maxOutput: 4_096 },
  "openai/gpt-3.5-turbo-1106": { maxOutput: 4_096 },
  "openai/gpt-3.5-turbo-16k": { maxOutput: 4_096 },
  "openai/gpt-4": { maxOutput: 4_096 },
  "openai/gpt-4-turbo": { maxOutput: 4_096 },
  "openai/gpt-4.1": { maxOutput: 32_768, batch: "1/2", priority: "1.75" },
  "openai/gpt-4.1-mini": { maxOutput: 32_768, batch: "1/2", priority: "1.75" },
  "openai/gpt-4.1-nano": { maxOutput: 32_768, batch: "1/2", priority: "2" },
  "openai/gpt-4o": { maxOutput: 16_384, batch: "1/2", priority: "1.7" },
  "openai/gpt-4o-2024-05-13": { maxOutput: 4_096, batch: "1/2", priority: "1.75" },
  "openai/gpt-4o-audio-preview": { maxOutput: 16_384, rates: { audio_input: "40", audio_output: "80" } },
  "openai/gpt-4o-mini": { maxOutput: 16_384, batch: "1/2", priority: "5/3" },
  "openai/gpt-4o-mini-audio-preview": { maxOutput: 16_384, rates: { audio_input: "10", audio_output: "20" } },
  "openai/gpt-4o-mini-realtime-preview": { maxOutput: 4_096 },
  "openai/gpt-4o-realtime-preview": { maxOutput: 4_096 },
  "openai/gpt-4o-search-preview": { maxOutput: 16_384, batch: "1/2", webSearch: "0.035" },
  "openai/gpt-5": { maxOutput: 128_000, flex: "1/2", priority: "2" },
  "openai/gpt-5-mini": { maxOutput: 128_000, flex: "1/2", priority: "1.8" },
  "openai/gpt-5-nano": { maxOutput: 128_000, flex: "1/2" },
  "openai/gpt-5-pro": { maxOutput: 128_000, batch: "1/2" },
  "openai/gpt-5.1": { maxOutput: 128_000, priority: "2" },
  "openai/gpt-5.1-codex-mini": { maxOutput: 128_000, priority: "1.8" },
  "openai/gpt-5.2": { maxOutput: 128_000, priority: "2" },
  "openai/gpt-5.2-pro": { maxOutput: 128_000 },
  "openai/gpt-5.3": { maxOutput: 16_384, priority: "2" },
  "openai/gpt-5.3-codex": { maxOutput: 128_000, priority: "2" },
  "openai/gpt-5.4": { maxOutput: 128_000, batch: "1/2", flex: { factor: "1/2", cached_input: "0.13" }, priority: "2" },
  "openai/gpt-5.4-mini": { maxOutput: 128_000, batch: "1/2", flex: "1/2", priority: "2" },
  "openai/gpt-5.4-nano": { maxOutput: 128_000, batch: "1/2", flex: "1/2" },
  "openai/gpt-5.4-pro": { maxOutput: 128_000, batch: "1/2", flex: "1/2" },
  "openai/gpt-5.5": { maxOutput: 128_000, batch: "1/2", flex: "1/2", priority: "2" },
  "openai/gpt-5.5-pro": { maxOutput: 128_000, batch: "1/2", flex: "1/2" },
  "openai/gpt-5.6-luna": { maxOutput: 128_000, batch: "1/2", flex: "1/2", priority: "2" },
  "openai/gpt-5.6-sol": { maxOutput: 128_000, batch: "1/2", flex: "1/2", priority: "2" },
  "openai/gpt-5.6-terra": { maxOutput: 128_000, batch: "1/2", flex: "1/2", priority: "2" },
  "openai/gpt-audio": { maxOutput: 16_384 },
  "openai/gpt-audio-mini": { maxOutput: 16_384 },
  "openai/gpt-realtime": { maxOutput: 4_096 },
  "openai/gpt-realtime-2": { maxOutput: 32_000 },
  "openai/gpt-realtime-mini": { maxOutput: 4_096 },
  "openai/o1": { maxOutput: 100_000 },
  "openai/o1-pro": { maxOutput: 100_000, batch: "1/2" },
  "openai/o3": { maxOutput: 100_000, flex: "1/2", priority: "1.75" },
  "openai/o3-deep-research": { maxOutput: 100_000, batch: "1/2" },
  "openai/o3-mini": { maxOutput: 100_000 },
  "openai/o3-pro": { maxOutput: 100_000, batch: "1/2" },
  "openai/o4-mini": { maxOutput: 100_000, flex: "1/2", priority: "20/11" },
  "openai/o4-mini-deep-research": { maxOutput: 100_000, batch: "1/2" },
};
