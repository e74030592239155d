/**
 * Token counts of a request before a vendor reports them: what every model reads at most, not what one model reads.
 * Always flagged as estimated; `TokenCalibration` learns how a model's own count compares.
 */
import type { ChatPart, ChatRequest, MediaPart } from "../../kernel/chat.ts";
import { estimateTokens } from "./text-tokens.ts";

export { estimateTokens } from "./text-tokens.ts";

// A request is not changed in place: whoever rewrites it makes a new one. Several stages ask.
const known = new WeakMap<ChatRequest, number>();

export function estimateRequestTokens(request: ChatRequest): number {
  const before = known.get(request);
  if (before !== undefined) return before;
  let tokens = 0;
  for (const message of request.messages) {
    tokens += 4;
    for (const part of message.parts) tokens += estimatePart(part);
  }
  for (const tool of request.tools ?? [])
    tokens += estimateTokens(tool.name + (tool.description ?? "") + JSON.stringify(tool.parameters ?? {}));
  const { response_format: format } = request;
  if (format?.type === "json_schema") tokens += estimateTokens(format.name + JSON.stringify(format.schema ?? {}));
  known.set(request, tokens);
  return tokens;
}

function estimatePart(part: ChatPart): number {
  switch (part.type) {
    case "text":
      return estimateTokens(part.text);
    case "reasoning":
      // Ciphertext is base64 of about 4 characters a token.
      return estimateTokens(part.text) + Math.ceil((part.encrypted?.length ?? 0) / 4);
    case "tool_result":
      return estimateTokens(part.text) + sum((part.parts ?? []).map((one) => (one.type === "text" ? 0 : media(one))));
    case "tool_call":
      return estimateTokens(part.name + part.arguments) + 4;
    case "native":
      return estimateTokens(JSON.stringify(part.value) ?? "");
    case "image":
    case "file":
    case "audio":
      return media(part);
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

function media(part: MediaPart): number {
  switch (part.type) {
    case "image":
      return part.detail === "original" ? originalImageTokens : imageTokens;
    case "file":
      return fileTokens(part);
    case "audio":
      return audioTokens(part);
  }
}

// Images are billed by tiles: 1,600 tokens is the most that one costs at the vendors' default detail (Anthropic's
// documentation: a 1.15 megapixel image), 10,000 patches of an image that OpenAI is asked to read in full.
const imageTokens = 1600;
const originalImageTokens = 10_000;

// Anthropic's documentation: 1,500 to 3,000 tokens of text a page, and each page is read as an image too. A page of a
// PDF is seldom smaller than 32 KiB unless it is text alone; one that lies elsewhere is taken for five pages.
const pageTokens = 3000 + imageTokens;
const pageBytes = 32 * 1024;
const unseenPages = 5;

function fileTokens({ media_type = "", data }: Extract<MediaPart, { type: "file" }>): number {
  if (data === undefined) return unseenPages * pageTokens;
  // Base64 makes 4 characters of 3 bytes; plain words are what they are.
  if (/^text\/|json|xml|csv|yaml/.test(media_type)) return Math.ceil(data.length / 3);
  return Math.max(1, Math.ceil((data.length * 3) / 4 / pageBytes)) * pageTokens;
}

// Gemini counts 32 tokens a second, OpenAI 10. Speech has 16 KB a second uncompressed (8 kHz, 16 bit) and 4 KB
// compressed (32 kbit/s) at least.
const audioTokensPerSecond = 32;
const audioBytesPerSecond = { plain: 16_000, compressed: 4000 };
const unseenAudioTokens = 60 * audioTokensPerSecond;

function audioTokens({ format = "", data, transcript = "" }: Extract<MediaPart, { type: "audio" }>): number {
  if (data === undefined) return unseenAudioTokens + estimateTokens(transcript);
  const perSecond = audioBytesPerSecond[/wav|pcm|l16/.test(format) ? "plain" : "compressed"];
  return Math.ceil(((data.length * 3) / 4 / perSecond) * audioTokensPerSecond);
}
