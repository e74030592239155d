import { describe, expect, it } from "vitest";
import { type PresetName, presetNames } from "../engines/vendors/index.ts";
import type { VendorTarget } from "../kernel/snapshot.ts";
import { compileBank, replace, tryBank } from "./bank-fixture.ts";

const account = JSON.stringify({ client_email: "a@b", private_key: "-----BEGIN PRIVATE KEY-----" });
const secrets = {
  env: (name: string) =>
    name === "AWS" ? "AKIA1:secret" : name === "GOOGLE" ? account : name === "BROKEN" ? "hush\nhush" : "sk-1",
  file: () => undefined,
};

/** The bank with one more vendor. */
function compile(entry: string) {
  return tryBank([replace("vendors:\n", `vendors:\n  more: ${entry}\n`)], { secrets });
}

function vendorOf(entry: string): VendorTarget {
  const result = compile(entry);
  if (!result.ok) throw new Error(result.problems.map(({ message }) => message).join("; "));
  return result.compiled.snapshot.vendors.get("more")!;
}

const problemsOf = (entry: string) => {
  const result = compile(entry);
  return result.ok ? [] : result.problems.map(({ path, message, fix }) => `${path}: ${message} → ${fix}`);
};

const least: Partial<Record<PresetName, string>> = {
  "azure-openai": "resource: bank",
  "azure-openai-deployments": "resource: bank, api_version: 2024-10-21",
  vertex: "project: bank, location: europe-west4",
  bedrock: "region_code: eu-central-1",
  "bedrock-agent": "region_code: eu-central-1",
  "openai-compatible": "base_url: 'http://127.0.0.1:9/v1'",
};
const keys: Partial<Record<PresetName, string>> = { bedrock: "AWS", "bedrock-agent": "AWS", vertex: "GOOGLE" };
const withKey = (preset: PresetName, more = least[preset] ?? "") =>
  `{ preset: ${preset}, region: eu, key: { env: ${keys[preset] ?? "KEY"} }${more && `, ${more}`} }`;

describe("every preset", () => {
  it.each(presetNames)("%s compiles with the least that it needs", (preset) => {
    const vendor = vendorOf(withKey(preset));
    expect(vendor.baseUrl).toMatch(/^https?:\/\/[a-z0-9.:-]+(\/[a-z0-9./{}-]*)?$/i);
    expect(vendor.auth.type).not.toBe("none");
    expect(vendor.keys).toHaveLength(1);
  });

  it.each(Object.keys(least) as PresetName[])("%s says what it lacks", (preset) => {
    const problems = problemsOf(withKey(preset, ""));
    expect(problems.length).toBeGreaterThan(0);
    for (const problem of problems) expect(problem).toMatch(/^vendors.more: vendor "more" \(.*\) needs [a-z_]+ → add /);
  });

  it.each(presetNames)("%s wants a key, unless it is a server of one's own", (preset) => {
    const more = least[preset];
    const problems = problemsOf(`{ preset: ${preset}, region: eu${more ? `, ${more}` : ""} }`);
    const own = ["ollama", "vllm", "llama-cpp", "lmstudio", "openai-compatible"].includes(preset);
    expect(problems).toEqual(
      own ? [] : [expect.stringMatching(/vendor "more" has no key → add key: \{ env: [A-Z_]+ \}/)],
    );
  });
});

describe("what an entry comes to", () => {
  it.each<[string, Partial<VendorTarget>]>([
    [
      withKey("openai"),
      { dialect: "openai-chat", quirks: { maxTokensField: "max_completion_tokens" }, auth: { type: "bearer" } },
    ],
    [withKey("openai", "dialect: openai-responses"), { dialect: "openai-responses", quirks: {} }],
    [
      withKey("azure-openai"),
      { baseUrl: "https://bank.openai.azure.com/openai/v1", auth: { type: "header", name: "api-key" } },
    ],
    [withKey("azure-openai", "resource: bank, api_version: preview"), { query: "api-version=preview" }],
    [withKey("azure-openai", "resource: bank, auth: bearer"), { auth: { type: "bearer" } }],
    [
      withKey("azure-openai-deployments"),
      { baseUrl: "https://bank.openai.azure.com/openai/deployments/{model}", query: "api-version=2024-10-21" },
    ],
    [
      withKey("bedrock"),
      {
        dialect: "bedrock-converse",
        baseUrl: "https://bedrock-runtime.eu-central-1.amazonaws.com",
        auth: { type: "aws-sigv4", region: "eu-central-1", service: "bedrock" },
      },
    ],
    [
      "{ preset: bedrock, region: eu, region_code: us-east-1, auth: bearer, key: { env: KEY } }",
      { auth: { type: "bearer" } },
    ],
    [
      "{ dialect: bedrock, region: eu, region_code: us-east-1, key: { env: AWS } }",
      { baseUrl: "https://bedrock-runtime.us-east-1.amazonaws.com" },
    ],
    [
      withKey("vertex"),
      {
        baseUrl:
          "https://europe-west4-aiplatform.googleapis.com/v1/projects/bank/locations/europe-west4/publishers/google",
        platform: "vertex",
        auth: { type: "google-service-account" },
        quirks: { refuses: ["serviceTier"] },
      },
    ],
    [
      withKey("vertex", "project: bank, location: global"),
      { baseUrl: "https://aiplatform.googleapis.com/v1/projects/bank/locations/global/publishers/google" },
    ],
    [
      "{ dialect: gemini, region: us, key: { env: KEY } }",
      { baseUrl: "https://generativelanguage.googleapis.com/v1beta", auth: { type: "header", name: "x-goog-api-key" } },
    ],
    ["{ dialect: cohere, region: us, key: { env: KEY } }", { dialect: "cohere", baseUrl: "https://api.cohere.com" }],
    [
      "{ dialect: anthropic, region: us, key: { env: KEY } }",
      { betas: expect.arrayContaining(["context-1m-2025-08-07"]) },
    ],
    [
      withKey("openrouter", "headers: { HTTP-Referer: 'https://bank.example' }"),
      { headers: { "HTTP-Referer": "https://bank.example" } },
    ],
    [
      withKey("groq", "quirks: { refuses: [n], max_tokens_field: max_tokens, stream_usage: false }"),
      { quirks: { refuses: ["n"], maxTokensField: "max_tokens", streamUsage: false } },
    ],
    [
      withKey("bedrock", "region_code: eu-west-1, quirks: { model_family: claude }"),
      { quirks: { modelFamily: "claude" } },
    ],
    [
      withKey("groq", "base_url: 'https://proxy.bank.example/groq/'"),
      {
        baseUrl: "https://proxy.bank.example/groq",
        quirks: expect.objectContaining({ maxTokensField: "max_completion_tokens" }),
      },
    ],
    ["{ preset: vllm, region: onprem }", { auth: { type: "none" }, keys: [] }],
    [
      "{ dialect: openai, region: onprem, base_url: 'https://llm.bank.example/v1', key: { env: KEY }, auth: { header: X-Token } }",
      { auth: { type: "header", name: "x-token" }, quirks: {} },
    ],
    // Another's server that speaks the dialect: what its inventor refuses says nothing of it.
    ["{ dialect: gemini, region: onprem, base_url: 'http://127.0.0.1:9' }", { quirks: {}, auth: { type: "none" } }],
    ["{ dialect: anthropic, region: onprem, base_url: 'http://127.0.0.1:9' }", { quirks: {} }],
  ])("%s", (entry, target) => expect(vendorOf(entry)).toMatchObject(target));

  it("has no betas where the server isn't known", () => {
    expect(vendorOf("{ dialect: anthropic, region: onprem, base_url: 'http://127.0.0.1:9' }")).not.toHaveProperty(
      "betas",
    );
    expect(vendorOf(withKey("openai"))).not.toHaveProperty("betas");
  });

  it("is part of the snapshot's hash", () => {
    const hash = (entry: string) => compileBank(replace("vendors:\n", `vendors:\n  more: ${entry}\n`)).snapshot.hash;
    expect(hash("{ preset: vllm, region: onprem }")).not.toBe(hash("{ preset: ollama, region: onprem }"));
  });
});

describe("entries that can't be meant", () => {
  it.each<[string, RegExp]>([
    ["{ region: eu, key: { env: KEY } }", /vendors.more: vendor "more" says neither preset nor dialect/],
    ["{ preset: opnai, region: eu }", /preset: "opnai" is not allowed here → did you mean "openai"/],
    ["{ dialect: antropic, region: eu }", /dialect: "antropic" is not allowed here → did you mean "anthropic"/],
    [
      withKey("groq", "dialect: anthropic"),
      /dialect: groq doesn't speak anthropic → remove it, or write openai or openai-responses/,
    ],
    [withKey("groq", "region_code: eu-west-1"), /region_code: region_code means nothing for groq → remove it/],
    [
      withKey("bedrock", "region_code: eu-west-1, location: global"),
      /location means nothing for bedrock → it knows region_code/,
    ],
    [
      withKey("azure-openai", "resource: bank, base_url: 'https://x.example'"),
      /resource means nothing beside base_url/,
    ],
    [withKey("bedrock", "base_url: 'https://vpce.example'"), /\(bedrock\) needs region_code/],
    [
      withKey("openai", "auth: aws-sigv4, region_code: eu-west-1"),
      /auth: openai doesn't take a key as aws-sigv4 → .*bearer/,
    ],
    [withKey("vllm", "auth: none"), /auth: vendor "more" has a key that is never shown/],
    [withKey("bedrock").replace("AWS", "KEY"), /key: the secret is not ACCESS_KEY_ID/],
    [withKey("vertex").replace("GOOGLE", "KEY"), /key: the secret is not the JSON of a service account/],
    [withKey("openai").replace("KEY", "BROKEN"), /key: the secret holds characters/],
    [withKey("azure-openai", "resource: 'bank/..'"), /resource: this has letters, digits/],
    [withKey("openai", "base_url: 'https://{model}.example/v1'"), /base_url: .*no placeholder but/],
    [withKey("openai", "base_url: 'https://x.example/{resource}'"), /base_url: .*no placeholder but/],
    [withKey("openai", "headers: { Authorization: x }"), /not for the operator to set/],
    [withKey("openai", "headers: { X-Amz-Date: x }"), /not for the operator to set/],
    [withKey("openai", 'headers: { X-A: "a\\nb" }'), /printable ASCII/],
    [withKey("openai", "quirks: { refuse: [n] }"), /unknown key "refuse" → did you mean "refuses"/],
  ])("%s", (entry, said) => {
    const problems = problemsOf(entry);
    expect(problems.join("\n")).toMatch(said);
    expect(problems.join("\n")).not.toMatch(/hush|sk-1|AKIA1/);
  });
});
