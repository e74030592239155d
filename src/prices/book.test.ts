import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { findProvider, waitForUpdate } from "@pydantic/genai-prices";
import { describe, expect, it } from "vitest";
import { femtoUsdOf } from "../kernel/money.ts";
import { bookVersion, findInBook } from "./book.ts";
import { furtherMeters } from "./further-meters.ts";

const nameOf = (provider: string, model: string) => findInBook({ provider }, model)?.name;

describe("finding a model", () => {
  it.each([
    ["https://api.openai.com/v1", "gpt-5.4", "openai/gpt-5.4"],
    ["https://api.anthropic.com", "claude-sonnet-4-5-20250929", "anthropic/claude-sonnet-4-5"],
    ["https://generativelanguage.googleapis.com/v1beta", "models/gemini-2.5-pro", "google/gemini-2.5-pro"],
    ["https://europe-west1-aiplatform.googleapis.com", "gemini-2.5-pro", "google/gemini-2.5-pro"],
    ["https://bedrock-runtime.eu-west-1.amazonaws.com", "amazon.nova-pro-v1:0", "aws/amazon.nova-pro-v1:0"],
    ["https://acme.openai.azure.com/openai", "gpt-4o", "azure/gpt-4o"],
    ["https://api.mistral.ai/v1", "mistral-large-latest", "mistral/mistral-large"],
    ["https://openrouter.ai/api/v1", "openai/gpt-5.4", "openrouter/openai/gpt-5.4"],
  ])("at %s: %s is %s", (baseUrl, model, name) => expect(findInBook({ baseUrl }, model)?.name).toBe(name));

  it.each([
    ["a date that the book does not list", "openai", "gpt-5.4-2026-03-01", "openai/gpt-5.4"],
    ["a date without dashes", "anthropic", "claude-opus-4-5-20251101", "anthropic/claude-opus-4-5"],
    ["Vertex's date", "google", "claude-sonnet-4-5@20250929", "google/claude-sonnet-4-5"],
    ["capitals", "openai", "GPT-5.4", "openai/gpt-5.4"],
  ])("by an alias: %s", (_what, provider, model, name) => expect(nameOf(provider, model)).toBe(name));

  it.each([
    ["an address of one's own", { baseUrl: "http://127.0.0.1:11434/v1" }, "gpt-4o"],
    ["an unknown provider", { provider: "acme" }, "gpt-4o"],
    ["an unknown model", { provider: "openai" }, "gpt-99"],
    ["a fine-tuned model, which costs otherwise", { provider: "openai" }, "ft:gpt-4o-mini:acme::x"],
    ["an entry that other lists contradict", { provider: "deepseek" }, "deepseek-chat"],
    ["what is charged by the second", { provider: "openai" }, "whisper-1"],
  ])("knows nothing of %s", (_what, place, model) => expect(findInBook(place, model)).toBeUndefined());
});

describe("the book as a whole", () => {
  const installed = new URL("../../node_modules/@pydantic/genai-prices/package.json", import.meta.url);

  it("names the version that is installed", () => {
    expect(bookVersion).toContain(`genai-prices-${JSON.parse(readFileSync(installed, "utf8")).version}+`);
  });

  it("comes from a package that opens no connection", () => {
    const code = readFileSync(createRequire(import.meta.url).resolve("@pydantic/genai-prices"), "utf8");
    expect(code.match(/\bfetch\s*\(|XMLHttpRequest|\brequire\(|\bimport\(|process\.|globalThis/g)).toBeNull();
  });

  it("has exact figures for every model that is charged by the token", async () => {
    const providers = (await waitForUpdate())!;
    let found = 0;
    for (const { id, models } of providers) {
      for (const model of models) {
        const entry = findInBook({ provider: id }, model.id);
        for (const { input, output, ...more } of entry?.figures ?? []) {
          for (const figure of [
            input,
            output,
            more.cached_input ?? "0",
            ...(more.tiers ?? []).map((t) => t.input ?? "0"),
          ]) {
            // Nano-USD of a million tokens are femto-USD of one: nothing finer may be listed.
            expect(femtoUsdOf(figure) % 1_000_000n).toBe(0n);
          }
        }
        if (entry) found++;
      }
    }
    expect(found).toBeGreaterThan(1400);
  });

  it("adds meters only to entries that exist", () => {
    for (const name of Object.keys(furtherMeters)) {
      const [provider, model] = [name.slice(0, name.indexOf("/")), name.slice(name.indexOf("/") + 1)];
      expect(findProvider({ providerId: provider })?.models.map(({ id }) => id)).toContain(model);
    }
  });
});
