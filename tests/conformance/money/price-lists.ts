/** What each vendor charges in this test: cliffs, classes, dates, contracts, and meters that no list names. */
import type { VendorName } from "../dialects/vendors.ts";
import type { PriceList } from "./invoice.ts";

/** The second of two lists is in force from here on. */
export const priceChange = "2026-01-02";

export const priceLists: Record<VendorName, readonly PriceList[]> = {
  "openai-chat": [
    {
      input: "2.5",
      cached_input: "0.25",
      cache_write: "3.125",
      output: "10",
      audio_input: "40",
      audio_output: "80",
      tiers: [
        { above: 2000, input: "5", cached_input: "0.5", output: "15" },
        { above: 4000, input: "7.5" },
      ],
      classes: { flex: { factor: "0.5" }, priority: { input: "4.25", cached_input: "0.425", output: "17" } },
    },
    { from: priceChange, input: "1.75", cached_input: "0.175", output: "14", classes: { flex: { factor: "0.5" } } },
  ],
  "openai-responses": [
    {
      input: "1.1",
      cached_input: "0.275",
      cache_write: "1.375",
      output: "4.4",
      reasoning: "6.6",
      per_request: "0.0001",
      contract: "5/6",
      classes: { flex: { factor: "1/3" }, priority: { factor: "1.75" } },
    },
  ],
  "anthropic-messages": [
    {
      input: "3",
      cached_input: "0.3",
      cache_write: "3.75",
      cache_write_1h: "6",
      output: "15",
      uplift: "1.1",
      tiers: [
        {
          above: 2000,
          input: "6",
          cached_input: "0.6",
          cache_write: "7.5",
          cache_write_1h: "12",
          output: "22.5",
        },
      ],
    },
    { from: priceChange, input: "3", cached_input: "0.3", output: "15" },
  ],
  gemini: [
    {
      input: "1.25",
      cached_input: "0.31",
      audio_input: "1",
      output: "10",
      audio_output: "12.5",
      contract: "0.97",
      tiers: [{ above: 2000, input: "2.5", cached_input: "0.625", output: "15" }],
      classes: { flex: { factor: "0.5" } },
    },
  ],
  "bedrock-converse": [
    {
      input: "0.8",
      cached_input: "0.08",
      cache_write: "1",
      output: "4",
      uplift: "1.1",
      per_request: "0.000001",
      classes: { flex: { factor: "0.5" }, priority: { factor: "1.75" } },
    },
  ],
  cohere: [
    { input: "2.5", output: "10", contract: "0.85" },
    { from: priceChange, input: "2.35", output: "9.999999", contract: "7/9" },
  ],
};
