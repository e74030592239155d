/** One Weir with a vendor of each dialect, for each of the official clients. */
import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { type TestHouse, startHouse } from "../../fixtures/house.ts";
import { type ScriptedVendor, startScriptedVendor } from "../../fixtures/scripted-vendor.ts";
import type { SdkClient } from "./client.ts";
import { anthropicClient } from "./client-anthropic.ts";
import { openaiChatClient } from "./client-openai-chat.ts";
import { openaiResponsesClient } from "./client-openai-responses.ts";
import { type VendorName, vendorCases, vendorNames } from "./vendors.ts";

const price = '{ input: 1, cached_input: 0.1, cache_write: 1.25, cache_write_1h: 2, output: 4, as_of: "2026-01-01" }';

const lines = (each: (name: VendorName) => string): string => vendorNames.map((name) => `  ${each(name)}`).join("\n");

// Made to fail hundreds of times: what breakers make of that has tests of its own.
const patient = "health: { failures: 1000000, failure_rate: 1, retry_share: 1 }";

const config = (origin: string) => `
weir: 1
server: { port: 0, ops_port: 0, environment: dev }
tenants: { lindenbank: {} }
vendors:
${lines((name) => `${name}: ${vendorCases[name].config.replace("ORIGIN", origin).replace(/ }$/, `, ${patient} }`)}`)}
models:
${lines((name) => `m-${name}: { vendor: ${name}, model: "${vendorCases[name].model}", price: ${price}, max_output: 1000 }`)}
use_cases:
${lines((name) => `${name}: { kind: chat, ladder: [m-${name}], retries: 0 }`)}
${lines((name) => `alone-${name}: { kind: chat, ladder: [m-${name}], retries: 0, limits: { concurrency: 1 } }`)}
`;

export const clientNames = ["openai-chat", "openai-responses", "anthropic-messages"] as const;
export type ClientName = (typeof clientNames)[number];

export interface ClientOptions {
  maxRetries?: number;
  fetch?: (input: string | URL | Request, init?: RequestInit) => Promise<Response>;
}

export interface MatrixHouse {
  vendor: ScriptedVendor;
  house: TestHouse;
  key: string;
  client(name: ClientName, options?: ClientOptions): SdkClient;
  close(): Promise<void>;
}

export async function startMatrixHouse(): Promise<MatrixHouse> {
  const vendor = await startScriptedVendor();
  const house = await startHouse({
    files: { "weir.yaml": config(vendor.origin) },
    secrets: { VENDOR_KEY: "sk-vendor", AWS_KEY: "AKIAIOSFODNN7EXAMPLE:wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" },
  });
  const key = house.mintKey();
  return {
    vendor,
    house,
    key,
    client(name, { maxRetries = 0, fetch: send = fetch } = {}) {
      let last = new Headers();
      const tapped: typeof send = async (input, init) => {
        const response = await send(input, init);
        last = response.headers;
        return response;
      };
      const options = { apiKey: key, maxRetries, fetch: tapped };
      if (name === "anthropic-messages") return anthropicClient(new Anthropic({ ...options, baseURL: house.origin }));
      const openai = new OpenAI({ ...options, baseURL: `${house.origin}/v1` });
      return name === "openai-chat" ? openaiChatClient(openai, () => last) : openaiResponsesClient(openai, () => last);
    },
    async close() {
      await house.stop();
      await vendor.close();
    },
  };
}
