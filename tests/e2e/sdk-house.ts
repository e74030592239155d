/** One Weir over one scripted vendor for the official clients. */
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { type ScriptedVendor, startScriptedVendor } from "../fixtures/scripted-vendor.ts";
import { type TestHouse, startHouse } from "../fixtures/house.ts";

const config = (origin: string) => `
weir: 1
server: { port: 0, ops_port: 0, environment: dev }
tenants:
  lindenbank: {}
  other: {}
vendors:
  oa: { dialect: openai, base_url: "${origin}/v1", region: eu, key: { env: OA_KEY } }
  an: { dialect: anthropic, base_url: "${origin}", region: eu, key: { env: AN_KEY } }
models:
  oa-main: { vendor: oa, model: gpt-vendor, price: { input: 1, output: 2, as_of: "2026-01-01" }, max_output: 1000 }
  an-main: { vendor: an, model: claude-vendor, price: { input: 1, output: 2, as_of: "2026-01-01" }, max_output: 1000 }
guards:
  secrets: { detect: [card], action: block }
use_cases:
  over-openai: { kind: chat, owner: desk, tenants: [lindenbank], ladder: [oa-main], retries: 0 }
  over-anthropic: { kind: chat, tenants: [lindenbank], ladder: [an-main], retries: 0 }
  guarded: { kind: chat, tenants: [lindenbank], screen: [secrets], ladder: [oa-main], retries: 0 }
  limited: { kind: chat, tenants: [lindenbank], ladder: [oa-main], retries: 0, limits: { requests_per_minute: 1 } }
  purposeful: { kind: chat, tenants: [lindenbank], purpose: [advice, training], ladder: [oa-main], retries: 0 }
  elsewhere: { kind: chat, tenants: [other], ladder: [oa-main], retries: 0 }
`;

export interface SdkHouse {
  vendor: ScriptedVendor;
  house: TestHouse;
  key: string;
  openai(key?: string): OpenAI;
  anthropic(key?: string): Anthropic;
  close(): Promise<void>;
}

export async function startSdkHouse(): Promise<SdkHouse> {
  const vendor = await startScriptedVendor();
  const house = await startHouse({
    files: { "weir.yaml": config(vendor.origin) },
    secrets: { OA_KEY: "sk-vendor-openai", AN_KEY: "sk-vendor-anthropic" },
  });
  const key = house.mintKey();
  return {
    vendor,
    house,
    key,
    openai: (own = key) => new OpenAI({ apiKey: own, baseURL: `${house.origin}/v1`, maxRetries: 0 }),
    anthropic: (own = key) => new Anthropic({ apiKey: own, baseURL: house.origin, maxRetries: 0 }),
    async close() {
      await house.stop();
      await vendor.close();
    },
  };
}
