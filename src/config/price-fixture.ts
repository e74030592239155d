/** One model with a declared price, compiled: for the tests of prices. */
import { stringify } from "yaml";
import type { Model } from "../kernel/snapshot.ts";
import type { Price } from "../kernel/usage.ts";
import { compileConfig, type CompiledConfig, type CompileResult } from "./compile.ts";
import { mappedFiles } from "./files.ts";
import { printProblems } from "./problem.ts";

const addresses: Readonly<Record<string, string>> = {
  openai: "https://api.openai.com/v1",
  anthropic: "https://api.anthropic.com",
  google: "https://generativelanguage.googleapis.com/v1beta/openai",
  deepseek: "https://api.deepseek.com",
  "x-ai": "https://api.x.ai/v1",
  mistral: "https://api.mistral.ai/v1",
  groq: "https://api.groq.com/openai/v1",
  perplexity: "https://api.perplexity.ai",
  local: "http://127.0.0.1:11434/v1",
};

export interface DeclaredModel {
  /** A key of `addresses`. */
  at?: string;
  model?: string;
  price?: unknown;
  max_output?: number;
  energy?: unknown;
}

export function tryModel({ at = "local", model = "m", ...more }: DeclaredModel): CompileResult {
  const text = stringify({
    weir: 1,
    tenants: { default: {} },
    vendors: { v: { dialect: "openai", base_url: addresses[at], key: { env: "KEY" }, region: "us" } },
    models: { m: { vendor: "v", model, ...more } },
  });
  const files = mappedFiles(new Map([["weir.yaml", new TextEncoder().encode(text)]]));
  return compileConfig("weir.yaml", files, { secrets: { env: () => "secret", file: () => undefined } });
}

export function compiledModel(declared: DeclaredModel): CompiledConfig {
  const result = tryModel(declared);
  if (!result.ok) throw new Error(printProblems(result.problems));
  return result.compiled;
}

export function modelOf(declared: DeclaredModel): Extract<Model, { type: "vendor" }> {
  const model = compiledModel(declared).snapshot.models.get("m");
  if (model?.type !== "vendor") throw new Error("there is no model m");
  return model;
}

export const priceOf = (price: unknown): Price => modelOf({ price, max_output: 1000 }).price;
export const bookPriceOf = (at: string, model: string, terms?: object): Price =>
  modelOf({ at, model, max_output: 1000, ...(terms && { price: { book: true, ...terms } }) }).price;
