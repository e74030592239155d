/** Output items of an answer as they stand on the wire, and what they mean. */
import type { ChatPart, Citation, MediaPart, TokenLogprob } from "../../../kernel/chat.ts";
import { type Fields, countOf, isFields, isShallow, textOr } from "../body-reader.ts";
import { splitDataUrl } from "../image.ts";
import { thoughtSignatureOf } from "../openai-chat/decode-response.ts";
import { signatureAside } from "../openai-chat/encode-response.ts";
import type { AnswerId } from "../port.ts";
import { reasoningText, unsealed } from "./reasoning.ts";
import { itemName } from "./words.ts";

export type ItemStatus = "in_progress" | "completed" | "incomplete";
type Call = Extract<ChatPart, { type: "tool_call" }>;
type Native = Extract<ChatPart, { type: "native" }>;
type Image = Extract<MediaPart, { type: "image" }>;

export const messageItem = (name: string, content: Fields[], status: ItemStatus): Fields => ({
  id: name,
  type: "message",
  status,
  content,
  role: "assistant",
});

export const textContent = (text: string, logprobs: unknown[] = [], annotations: unknown[] = []): Fields => ({
  type: "output_text",
  annotations,
  logprobs,
  text,
});

export const refusalContent = (refusal: string): Fields => ({ type: "refusal", refusal });

export const reasoningItem = (name: string, text: string, seal: string | undefined): Fields => ({
  id: name,
  type: "reasoning",
  summary: text === "" ? [] : [{ type: "summary_text", text }],
  ...(seal === undefined ? {} : { encrypted_content: seal }),
});

/** A signature is Gemini's: it stands beside the call where Gemini's own OpenAI surface puts it. */
export function callItem(
  name: string,
  call: Pick<Call, "id" | "name" | "arguments" | "custom" | "signature">,
  status: ItemStatus,
): Fields {
  const aside = call.signature === undefined ? {} : signatureAside(call.signature);
  return call.custom
    ? { id: name, type: "custom_tool_call", status, call_id: call.id, name: call.name, input: call.arguments, ...aside }
    : {
        id: name,
        type: "function_call",
        status,
        call_id: call.id,
        name: call.name,
        arguments: call.arguments,
        ...aside,
      };
}

/** Items of no neutral meaning go as they came; of the media only images with their bytes have an item. */
export function wholeItem(part: MediaPart | Native, id: AnswerId, index: number): Fields | undefined {
  if (part.type === "native") {
    if (part.dialect !== "openai-responses" || !isFields(part.value)) return undefined;
    return { ...part.value, type: part.kind, id: textOr(part.value["id"], "") || itemName("item", id, index) };
  }
  if (part.type !== "image" || part.data === undefined) return undefined;
  const format = part.media_type?.startsWith("image/") ? { output_format: part.media_type.slice("image/".length) } : {};
  const name = itemName("ig", id, index);
  return { id: name, type: "image_generation_call", status: "completed", result: part.data, ...format };
}

/** An annotation marks a span of the answer: where the passage's words stand in it, else the whole answer. */
export const encodeCitations = (citations: readonly Citation[], answer: string): Fields[] =>
  citations.map((citation) => {
    const found = citation.text === "" ? -1 : answer.indexOf(citation.text);
    return {
      type: "url_citation",
      url: citation.source,
      title: citation.title,
      start_index: found === -1 ? 0 : found,
      end_index: found === -1 ? answer.length : found + citation.text.length,
    };
  });

const encodeTokens = (tokens: readonly Omit<TokenLogprob, "top">[]): Fields[] =>
  tokens.map(({ token, logprob, bytes }) => ({ token, logprob, bytes: bytes ?? [...Buffer.from(token)] }));

export const encodeLogprobs = (logprobs: readonly TokenLogprob[]): Fields[] =>
  encodeTokens(logprobs).map((token, i) => ({ ...token, top_logprobs: encodeTokens(logprobs[i]!.top ?? []) }));

export function logprobsOf(value: unknown): TokenLogprob[] {
  return tokensOf(value).map(([token, fields]) => {
    const top = tokensOf(fields["top_logprobs"]).map(([other]) => other);
    return { ...token, ...(top.length === 0 ? {} : { top }) };
  });
}

function tokensOf(list: unknown): [Omit<TokenLogprob, "top">, Fields][] {
  if (!Array.isArray(list)) return [];
  return (list as unknown[]).flatMap((item) => {
    if (!isFields(item)) return [];
    const { token, logprob, bytes } = item;
    if (typeof token !== "string" || typeof logprob !== "number") return [];
    const known = Array.isArray(bytes) && bytes.every((byte) => countOf(byte) !== undefined);
    return [[{ token, logprob, ...(known ? { bytes: bytes as number[] } : {}) }, item]];
  });
}

/** What one finished item says. Never throws; what has no neutral meaning stays what it was. */
export function partsOf(item: Fields): ChatPart[] {
  const kind = textOr(item["type"], "");
  const read = readers.get(kind)?.(item);
  if (read !== undefined) return read;
  return kind === "" || !isShallow(item) ? [] : [{ type: "native", dialect: "openai-responses", kind, value: item }];
}

const readers = new Map<string, (item: Fields) => ChatPart[] | undefined>([
  ["message", (item) => contentOf(item).flatMap(textPartOf)],
  ["reasoning", (item) => reasoningOf(item)],
  ["function_call", (item) => callOf(item, textOr(item["arguments"], "") || "{}")],
  ["custom_tool_call", (item) => callOf(item, textOr(item["input"], "")).map((call) => ({ ...call, custom: true }))],
  ["image_generation_call", (item) => imageOf(item)],
]);

export const contentOf = (item: Fields): Fields[] =>
  Array.isArray(item["content"]) ? (item["content"] as unknown[]).filter(isFields) : [];

function textPartOf(content: Fields): ChatPart[] {
  if (content["type"] === "refusal") {
    const refusal = textOr(content["refusal"], "");
    return refusal === "" ? [] : [{ type: "text", text: refusal, refusal: true }];
  }
  const text = textOr(content["text"], "");
  return text === "" ? [] : [{ type: "text", text }];
}

function reasoningOf(item: Fields): ChatPart[] {
  const text = reasoningText(item);
  const seal = unsealed(item["encrypted_content"], item["id"]);
  const empty = text === "" && seal.signature === undefined && seal.encrypted === undefined;
  return empty ? [] : [{ type: "reasoning", text, ...seal }];
}

/** The call's own id is what its result must name; the item's id stands in for vendors that send no other. */
function callOf(item: Fields, text: string): Call[] {
  const name = textOr(item["name"], "");
  const signature = thoughtSignatureOf(item);
  const signed = signature === undefined ? {} : { signature };
  return name === "" ? [] : [{ type: "tool_call", id: callId(item), name, arguments: text, ...signed }];
}

export const callId = (item: Fields): string => textOr(item["call_id"], "") || textOr(item["id"], "");

function imageOf(item: Fields): Image[] | undefined {
  const result = textOr(item["result"], "");
  if (result === "") return undefined;
  const format = textOr(item["output_format"], "") || "png";
  return [{ type: "image", ...(splitDataUrl(result) ?? { media_type: `image/${format}`, data: result }) }];
}
