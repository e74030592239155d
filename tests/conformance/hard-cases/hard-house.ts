/** A Weir for hard cases: one vendor of each dialect at one address, with prices that make every token visible in money. */
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import type { VirtualClock } from "../../../src/kernel/clock.ts";
import { type TimedHouse, leftovers, metric, startOnClock, until } from "../../faults/vendor-house.ts";

const health = "health: { failures: 1000000, failure_rate: 1, retry_share: 1 }";
const place = `region: eu, data_class: sensitive, ${health}`;
/** 1 µUSD for a token in, 2 for one out. */
const price = 'price: { input: 1, output: 2, as_of: "2026-01-01" }, max_output: 1000';

/** It is the one vendor that can't be called without a key. */
const bedrock = (useCases: string, line: string): string => (useCases.includes("be-main") ? line : "");

export const hardConfig = (origin: string, useCases: string, more = ""): string => `
weir: 1
server: { port: 0, ops_port: 0, environment: dev }
${more.includes("tenants:") ? "" : "tenants: { lindenbank: {} }"}
vendors:
  oa: { dialect: openai, base_url: "${origin}/v1", ${place} }
  ob: { dialect: openai, base_url: "${origin}/second/v1", ${place} }
  an: { dialect: anthropic, base_url: "${origin}", ${place} }
  re: { dialect: openai-responses, base_url: "${origin}/v1", ${place} }
  ge: { dialect: gemini, base_url: "${origin}/v1beta", ${place} }
${bedrock(useCases, `  be: { dialect: bedrock, base_url: "${origin}", region_code: eu-central-1, key: { env: AWS_KEY }, ${place} }`)}
  co: { dialect: cohere, base_url: "${origin}", ${place} }
  limited:
    dialect: openai
    base_url: "${origin}/limited/v1"
    region: eu
    timeouts: { first_byte: 3s, first_token: 6s, idle: 4s, total: 20s, min_bytes_per_second: 50 }
    ${health}
models:
  oa-main: { vendor: oa, model: gpt-vendor, ${price} }
  ob-main: { vendor: ob, model: gpt-second, ${price} }
  an-main: { vendor: an, model: claude-vendor, ${price} }
  re-main: { vendor: re, model: gpt-vendor, ${price} }
  ge-main: { vendor: ge, model: gemini-vendor, ${price} }
${bedrock(useCases, `  be-main: { vendor: be, model: "anthropic.claude-vendor-v1:0", ${price} }`)}
  co-main: { vendor: co, model: command-vendor, ${price} }
  limited-main: { vendor: limited, model: gpt-vendor, ${price} }
  free-main: { vendor: ob, model: gpt-free, price: free }
${more}
use_cases:
${useCases
  .split("\n")
  .map((line) => (line.trim() === "" ? "" : `  ${line}`))
  .join("\n")}
`;

export const startHardHouse = (clock: VirtualClock, origin: string, useCases: string, more?: string) =>
  startOnClock(clock, hardConfig(origin, useCases, more), undefined, { AWS_KEY: "AKIAIOSFODNN7EXAMPLE:its-secret" });

export const openaiOf = (house: TimedHouse, apiKey = house.key) =>
  new OpenAI({ apiKey, baseURL: `${house.origin}/v1`, maxRetries: 0 });
export const anthropicOf = (house: TimedHouse, apiKey = house.key) =>
  new Anthropic({ apiKey, baseURL: house.origin, maxRetries: 0 });

/** Everything that was held for decisions is given back. */
export const nothingLeft = (house: TimedHouse) =>
  until(() => Object.values(leftovers(house)).every((left) => left === 0), "nothing is held");

/** How many decisions have ended, however they did. */
export const ended = (house: TimedHouse): number => metric(house, "weir_decisions_total");
