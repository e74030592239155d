import type { DialectName } from "../../kernel/chat.ts";
import { anthropicBetas, bedrockBetas } from "./betas.ts";
import type { VendorPreset } from "./port.ts";

const newMaximum = { maxTokensField: "max_completion_tokens" } as const;

/** A server of one's own that speaks OpenAI's chat. */
const ownServer = (baseUrl: string, docs: string): VendorPreset => ({
  dialects: ["openai-chat", "openai-responses"],
  baseUrl,
  auth: "bearer",
  keyless: true,
  docs,
});

const presets = {
  openai: {
    dialects: ["openai-chat", "openai-responses"],
    baseUrl: "https://api.openai.com/v1",
    auth: "bearer",
    // `max_tokens` is deprecated there, and refused by every reasoning model; all others take the new name too.
    quirks: { "openai-chat": newMaximum },
    keyEnv: "OPENAI_API_KEY",
    docs: "https://platform.openai.com/docs/api-reference/chat/create",
  },
  // The v1 API: deployments are named as models are, and a version is asked for by those who want previews.
  "azure-openai": {
    dialects: ["openai-chat", "openai-responses"],
    baseUrl: "https://{resource}.openai.azure.com/openai/v1",
    query: "api-version={api_version}",
    required: ["resource"],
    optional: ["api_version"],
    auth: { header: "api-key" },
    otherAuth: ["bearer"],
    quirks: { "openai-chat": newMaximum },
    keyEnv: "AZURE_OPENAI_API_KEY",
    docs: "https://learn.microsoft.com/en-us/azure/foundry/openai/api-version-lifecycle",
  },
  // The dated API: the deployment stands in the path.
  "azure-openai-deployments": {
    dialects: ["openai-chat"],
    baseUrl: "https://{resource}.openai.azure.com/openai/deployments/{model}",
    query: "api-version={api_version}",
    required: ["resource", "api_version"],
    auth: { header: "api-key" },
    otherAuth: ["bearer"],
    quirks: { "openai-chat": newMaximum },
    keyEnv: "AZURE_OPENAI_API_KEY",
    docs: "https://learn.microsoft.com/en-us/azure/ai-services/openai/reference",
  },
  anthropic: {
    dialects: ["anthropic-messages"],
    baseUrl: "https://api.anthropic.com",
    auth: { header: "x-api-key" },
    betas: anthropicBetas,
    keyEnv: "ANTHROPIC_API_KEY",
    docs: "https://platform.claude.com/docs/en/api/messages",
  },
  gemini: {
    dialects: ["gemini"],
    baseUrl: "https://generativelanguage.googleapis.com/v1beta",
    auth: { header: "x-goog-api-key" },
    quirks: { gemini: { refuses: ["labels"] } },
    keyEnv: "GEMINI_API_KEY",
    docs: "https://ai.google.dev/api/generate-content",
  },
  // Google's own models; Claude on Vertex speaks a dialect of its own (rawPredict, the model in the path) and is not here.
  vertex: {
    dialects: ["gemini"],
    baseUrl:
      "https://{location}-aiplatform.googleapis.com/v1/projects/{project}/locations/{location}/publishers/google",
    globalBaseUrl: "https://aiplatform.googleapis.com/v1/projects/{project}/locations/global/publishers/google",
    required: ["project", "location"],
    auth: "google-service-account",
    // An access token that something else renews.
    otherAuth: ["bearer"],
    platform: "vertex",
    quirks: { gemini: { refuses: ["serviceTier"] } },
    docs: "https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference",
  },
  bedrock: {
    dialects: ["bedrock-converse"],
    baseUrl: "https://bedrock-runtime.{region_code}.amazonaws.com",
    required: ["region_code"],
    auth: "aws-sigv4",
    // Bedrock's API keys.
    otherAuth: ["bearer"],
    betas: bedrockBetas,
    docs: "https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html",
  },
  // Another host of Bedrock's, for rerank alone.
  "bedrock-agent": {
    dialects: ["bedrock-converse"],
    baseUrl: "https://bedrock-agent-runtime.{region_code}.amazonaws.com",
    required: ["region_code"],
    auth: "aws-sigv4",
    docs: "https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent-runtime_Rerank.html",
  },
  // It answers 422 (extra_forbidden) to every field that its own schema lacks; usage comes with the last chunk unasked.
  mistral: {
    dialects: ["openai-chat"],
    baseUrl: "https://api.mistral.ai/v1",
    auth: "bearer",
    quirks: {
      "openai-chat": {
        maxTokensField: "max_tokens",
        streamUsage: false,
        refuses: ["seed", "user", "logit_bias", "logprobs", "top_logprobs", "service_tier", "metadata"],
      },
    },
    keyEnv: "MISTRAL_API_KEY",
    docs: "https://docs.mistral.ai/api/endpoint/chat",
  },
  // "Will result in a 400 error if they are supplied", and n must be 1.
  groq: {
    dialects: ["openai-chat", "openai-responses"],
    baseUrl: "https://api.groq.com/openai/v1",
    auth: "bearer",
    quirks: { "openai-chat": { ...newMaximum, refuses: ["logprobs", "logit_bias", "top_logprobs", "n"] } },
    keyEnv: "GROQ_API_KEY",
    docs: "https://console.groq.com/docs/openai",
  },
  deepseek: {
    dialects: ["openai-chat"],
    baseUrl: "https://api.deepseek.com",
    auth: "bearer",
    keyEnv: "DEEPSEEK_API_KEY",
    docs: "https://api-docs.deepseek.com/api/create-chat-completion",
  },
  // Its reasoning models refuse presence_penalty, frequency_penalty and stop; the others take them.
  xai: {
    dialects: ["openai-chat", "openai-responses"],
    baseUrl: "https://api.x.ai/v1",
    auth: "bearer",
    keyEnv: "XAI_API_KEY",
    docs: "https://docs.x.ai/docs/api-reference",
  },
  openrouter: {
    dialects: ["openai-chat"],
    baseUrl: "https://openrouter.ai/api/v1",
    auth: "bearer",
    keyEnv: "OPENROUTER_API_KEY",
    docs: "https://openrouter.ai/docs/api-reference/chat-completion",
  },
  together: {
    dialects: ["openai-chat"],
    baseUrl: "https://api.together.xyz/v1",
    auth: "bearer",
    keyEnv: "TOGETHER_API_KEY",
    docs: "https://docs.together.ai/docs/inference/openai-compatibility",
  },
  fireworks: {
    dialects: ["openai-chat"],
    baseUrl: "https://api.fireworks.ai/inference/v1",
    auth: "bearer",
    keyEnv: "FIREWORKS_API_KEY",
    docs: "https://docs.fireworks.ai/tools-sdks/openai-compatibility",
  },
  cohere: {
    dialects: ["cohere"],
    baseUrl: "https://api.cohere.com",
    auth: "bearer",
    keyEnv: "CO_API_KEY",
    docs: "https://docs.cohere.com/reference/chat",
  },
  ollama: ownServer("http://127.0.0.1:11434/v1", "https://docs.ollama.com/api/openai-compatibility"),
  vllm: ownServer("http://127.0.0.1:8000/v1", "https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html"),
  "llama-cpp": ownServer(
    "http://127.0.0.1:8080/v1",
    "https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md",
  ),
  lmstudio: ownServer("http://127.0.0.1:1234/v1", "https://lmstudio.ai/docs/developer/openai-compat"),
  "openai-compatible": {
    dialects: ["openai-chat", "openai-responses"],
    auth: "bearer",
    keyless: true,
    docs: "https://platform.openai.com/docs/api-reference/chat/create",
  },
} as const satisfies Record<string, VendorPreset>;

export type PresetName = keyof typeof presets;

export const presetNames = Object.keys(presets) as [PresetName, ...PresetName[]];

export const presetOf = (name: PresetName): VendorPreset => presets[name];

const inventors: Partial<Record<DialectName, PresetName>> = {
  "openai-chat": "openai",
  "openai-responses": "openai",
  "anthropic-messages": "anthropic",
  gemini: "gemini",
  "bedrock-converse": "bedrock",
  cohere: "cohere",
};

/** Who came up with the dialect: where nothing else is said, it is theirs. */
export function presetOfDialect(dialect: DialectName): PresetName {
  const name = inventors[dialect];
  if (!name) throw new TypeError(`no vendor is spoken to in ${dialect}`);
  return name;
}
