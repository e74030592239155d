import type { ChatChoice, ChatPart, ChatRequest, ChatResponse, Citation, TokenLogprob } from "../../../kernel/chat.ts";
import type { Fields } from "../body-reader.ts";
import { imageToUrl } from "../image.ts";
import type { AnswerId } from "../port.ts";
import { encodeUsage } from "./usage.ts";
import { finishWords, tierOf } from "./words.ts";

export function encodeResponse(response: ChatResponse, id: AnswerId, _request: ChatRequest): unknown {
  const { others, usage, service_class, citations } = response;
  const choices = [encodeChoice(response, 0, citations ?? [])];
  if (others !== undefined) for (const other of others) choices.push(encodeChoice(other, choices.length, []));
  return {
    id: answerName(id),
    object: "chat.completion",
    created: Math.floor(id.createdMs / 1000),
    model: response.model,
    choices,
    ...(usage === undefined ? {} : { usage: encodeUsage(usage) }),
    ...(service_class === undefined ? {} : { service_tier: tierOf(service_class) }),
  };
}

export const answerName = (id: AnswerId): string => `chatcmpl-${id.decision}`;

function encodeChoice(choice: ChatChoice, index: number, citations: readonly Citation[]): unknown {
  return {
    index,
    message: encodeAnswer(choice.parts, citations),
    logprobs: choice.logprobs === undefined ? null : encodeLogprobs(choice.logprobs, choice.parts),
    finish_reason: finishWords[choice.finish],
  };
}

function encodeAnswer(parts: readonly ChatPart[], citations: readonly Citation[]): Fields {
  let content = "";
  let refusal = "";
  const message: Fields = { role: "assistant", content: null, refusal: null };
  const calls: unknown[] = [];
  const images: unknown[] = [];
  const thoughts: Thought[] = [];
  for (const part of parts) {
    if (part.type === "text") {
      if (part.refusal === true) refusal += part.text;
      else content += part.text;
    } else if (part.type === "tool_call") calls.push(encodeCall(part));
    else if (part.type === "reasoning") thoughts.push(part);
    else if (part.type === "image") images.push({ type: "image_url", image_url: { url: imageToUrl(part) } });
    else if (part.type === "audio") message["audio"] = encodeAudio(part);
  }
  const silent = calls.length > 0 || refusal !== "" || message["audio"] !== undefined;
  if (content !== "" || !silent) message["content"] = content;
  if (refusal !== "") message["refusal"] = refusal;
  if (thoughts.length > 0) encodeReasoning(thoughts, message);
  if (citations.length > 0) message["annotations"] = encodeCitations(citations, content);
  if (images.length > 0) message["images"] = images;
  if (calls.length > 0) message["tool_calls"] = calls;
  return message;
}

/** Gemini's signatures travel where its own OpenAI surface puts them, so that its clients hand them back. */
export function encodeCall(call: Extract<ChatPart, { type: "tool_call" }>): Fields {
  if (call.custom) return { id: call.id, type: "custom", custom: { name: call.name, input: call.arguments } };
  return {
    id: call.id,
    type: "function",
    function: { name: call.name, arguments: call.arguments },
    ...(call.signature !== undefined && signatureAside(call.signature)),
  };
}

export const signatureAside = (signature: string) => ({
  extra_content: { google: { thought_signature: signature } },
});

const encodeAudio = (audio: Extract<ChatPart, { type: "audio" }>): Fields => ({
  id: audio.id ?? "",
  data: audio.data ?? "",
  expires_at: audio.expires_at ?? 0,
  transcript: audio.transcript ?? "",
});

type Thought = Extract<ChatPart, { type: "reasoning" }>;

/**
 * One block goes in DeepSeek's field, its signature beside it. Several, encrypted or named ones need OpenRouter's list
 * as well: its clients hand it back unchanged.
 */
function encodeReasoning(thoughts: readonly Thought[], message: Fields): void {
  const text = thoughts.map((thought) => thought.text).join("");
  if (text !== "") message["reasoning_content"] = text;
  const [only] = thoughts;
  const plain = thoughts.length === 1 && only!.encrypted === undefined && only!.id === undefined;
  if (!plain) message["reasoning_details"] = thoughts.map(encodeThought);
  else if (only!.signature !== undefined) message["reasoning_signature"] = only!.signature;
}

export function encodeThought({ text, signature, encrypted, id }: Omit<Thought, "type">, index: number): Fields {
  const named = { ...(id === undefined ? {} : { id }), index };
  if (encrypted !== undefined) {
    return { type: "reasoning.encrypted", data: encrypted, ...(text === "" ? {} : { summary: text }), ...named };
  }
  return { type: "reasoning.text", text, ...(signature === undefined ? {} : { signature }), ...named };
}

/** OpenAI tells the probabilities of a refusal apart from those of content. */
function encodeLogprobs(logprobs: readonly TokenLogprob[], parts: readonly ChatPart[]): Fields {
  const first = parts.find((part) => part.type === "text");
  return logprobsAs(logprobs, first?.type === "text" && first.refusal === true);
}

export function logprobsAs(logprobs: readonly TokenLogprob[], refusal: boolean): Fields {
  const tokens = logprobs.map(({ top, ...token }) => ({
    bytes: null,
    ...token,
    top_logprobs: (top ?? []).map((other) => ({ bytes: null, ...other })),
  }));
  return refusal ? { content: null, refusal: tokens } : { content: tokens, refusal: null };
}

/** OpenAI's citation marks a span of the answer: where the passage's words stand in it, else the whole answer. */
export function encodeCitations(citations: readonly Citation[], answer: string): unknown[] {
  return citations.map((citation) => {
    const found = answer.indexOf(citation.text);
    return {
      type: "url_citation",
      url_citation: {
        url: citation.source,
        title: citation.title,
        start_index: found === -1 ? 0 : found,
        end_index: found === -1 ? answer.length : found + citation.text.length,
      },
    };
  });
}
