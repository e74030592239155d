/** A vendor's answer → the neutral one. Reads what compatible servers send in other shapes too; never throws. */
import type { ChatChoice, ChatPart, Citation, MediaPart, TokenLogprob } from "../../../kernel/chat.ts";
import { type Fields, isFields, isShallow, textOr } from "../body-reader.ts";
import { imageFromUrl } from "../image.ts";
import type { DecodedResponse } from "../port.ts";
import { usageOf } from "./usage.ts";
import { decodeError, finishOf, serviceClassOf } from "./words.ts";

type Reasoning = Extract<ChatPart, { type: "reasoning" }>;

export function decodeResponse(body: unknown): DecodedResponse {
  if (!isFields(body)) return { ok: false, message: "The vendor's answer is not a JSON object." };
  const { error } = body;
  if (isFields(error) || (typeof error === "string" && error !== "")) {
    return { ok: false, message: decodeError(200, body).message };
  }
  const choices = Array.isArray(body["choices"]) ? (body["choices"] as unknown[]) : [];
  const answerId = textOr(body["id"], "");
  const answers = choices
    .filter((choice) => isFields(choice) && isFields(choice["message"]))
    .toSorted((a, b) => indexOf(a as Fields) - indexOf(b as Fields))
    .map((choice, i) => decodeChoice(choice as Fields, answerId, i));
  const [first, ...others] = answers;
  if (first === undefined) return { ok: false, message: "The vendor's answer has no choices[0].message." };
  const usage = usageOf(body);
  const served = serviceClassOf(body["service_tier"]);
  const citations = citationsIn(choices);
  return {
    ok: true,
    response: {
      model: textOr(body["model"], ""),
      ...first,
      ...(others.length === 0 ? {} : { others }),
      ...(usage === undefined ? {} : { usage }),
      ...(served === undefined ? {} : { service_class: served }),
      ...(citations.length === 0 ? {} : { citations }),
    },
  };
}

const indexOf = (choice: Fields): number => (typeof choice["index"] === "number" ? choice["index"] : 0);

function decodeChoice(choice: Fields, answerId: string, i: number): ChatChoice {
  const logprobs = logprobsOf(choice["logprobs"]);
  return {
    parts: decodeMessage(choice["message"] as Fields, i === 0 ? answerId : `${answerId}_${i}`),
    finish: finishOf(choice["finish_reason"]),
    ...(logprobs === undefined ? {} : { logprobs }),
  };
}

function decodeMessage(message: Fields, answerId: string): ChatPart[] {
  const parts: ChatPart[] = [...reasoningOf(message)];
  const { content } = message;
  for (const thought of thoughtsIn(content)) parts.push({ type: "reasoning", text: thought });
  for (const text of textsOf(content)) if (text !== "") parts.push({ type: "text", text });
  const refusal = textOr(message["refusal"], "");
  if (refusal !== "") parts.push({ type: "text", text: refusal, refusal: true });
  parts.push(...imagesOf(message["images"]));
  const audio = audioOf(message["audio"]);
  if (audio !== undefined) parts.push(audio);
  const calls = Array.isArray(message["tool_calls"]) ? (message["tool_calls"] as unknown[]) : [];
  // What older servers answer with, to requests in the retired form.
  const retired = isFields(message["function_call"]) ? [{ function: message["function_call"] }] : [];
  for (const [i, call] of [...calls, ...retired].entries()) {
    const read = isFields(call) ? decodeCall(call, answerId, i) : undefined;
    if (read !== undefined) parts.push(read);
  }
  return parts;
}

function decodeCall(call: Fields, answerId: string, i: number): ChatPart | undefined {
  const id = textOr(call["id"], "") || madeUpCallId(answerId, i);
  const { custom } = call;
  if (isFields(custom)) {
    const name = textOr(custom["name"], "");
    return { type: "tool_call", id, name, arguments: textOr(custom["input"], ""), custom: true };
  }
  const spec = call["function"];
  if (!isFields(spec)) return undefined;
  const signature = thoughtSignatureOf(call);
  return {
    type: "tool_call",
    id,
    name: textOr(spec["name"], ""),
    arguments: argumentsOf(spec["arguments"]) || "{}",
    ...(signature === undefined ? {} : { signature }),
  };
}

/** Ollama and others answer with the object instead of its text. */
export const argumentsOf = (value: unknown): string =>
  typeof value === "string" ? value : isFields(value) && isShallow(value) ? JSON.stringify(value) : "";

/** Some compatible servers send no call id; the conversation needs one that no other turn has. */
export const madeUpCallId = (answerId: string, index: number): string =>
  `call_${answerId.replaceAll(/[^a-zA-Z0-9_-]/g, "")}_${index}`;

/** Where Gemini's OpenAI surface puts its proof of the thought behind a call. */
export function thoughtSignatureOf(call: Fields): string | undefined {
  const extra = call["extra_content"];
  if (!isFields(extra) || !isFields(extra["google"])) return undefined;
  return textOr(extra["google"]["thought_signature"], "") || undefined;
}

/**
 * The thoughts beside a message or delta. OpenRouter's `reasoning_details` say most (blocks, signatures, encrypted
 * items) and repeat the plain fields of DeepSeek (`reasoning_content`) and vLLM (`reasoning`), which may stand together.
 */
export function reasoningOf(fields: Fields): Reasoning[] {
  const details = fields["reasoning_details"];
  if (Array.isArray(details) && details.length > 0) {
    const parts = (details as unknown[]).flatMap((detail) => (isFields(detail) ? decodeDetail(detail) : []));
    if (parts.length > 0) return parts;
  }
  const text = textOr(fields["reasoning_content"], "") || textOr(fields["reasoning"], "");
  const signature = textOr(fields["reasoning_signature"], "");
  if (text === "" && signature === "") return [];
  return [{ type: "reasoning", text, ...(signature === "" ? {} : { signature }) }];
}

function decodeDetail(detail: Fields): Reasoning[] {
  const id = textOr(detail["id"], "");
  const named = id === "" ? {} : { id };
  const encrypted = textOr(detail["data"], "");
  if (encrypted !== "") return [{ type: "reasoning", text: textOr(detail["summary"], ""), encrypted, ...named }];
  const text = textOr(detail["text"], "") || textOr(detail["summary"], "");
  const signature = textOr(detail["signature"], "");
  if (text === "" && signature === "" && id === "") return [];
  return [{ type: "reasoning", text, ...(signature === "" ? {} : { signature }), ...named }];
}

/** Mistral answers with an array of parts where OpenAI answers with a string. */
export function textsOf(content: unknown): string[] {
  if (typeof content === "string") return [content];
  if (!Array.isArray(content)) return [];
  return (content as unknown[]).map((part) =>
    isFields(part) && part["type"] === "text" ? textOr(part["text"], "") : "",
  );
}

/** Mistral's thoughts stand among the parts of the content. */
export function thoughtsIn(content: unknown): string[] {
  if (!Array.isArray(content)) return [];
  return (content as unknown[])
    .map((part) => (isFields(part) && part["type"] === "thinking" ? textsOf(part["thinking"]).join("") : ""))
    .filter((text) => text !== "");
}

/** Generated images, as OpenRouter sends them. */
export function imagesOf(images: unknown): MediaPart[] {
  if (!Array.isArray(images)) return [];
  return (images as unknown[]).flatMap((image) => {
    const url = isFields(image) && isFields(image["image_url"]) ? textOr(image["image_url"]["url"], "") : "";
    return url === "" ? [] : [imageFromUrl(url)];
  });
}

export function audioOf(value: unknown): Extract<MediaPart, { type: "audio" }> | undefined {
  if (!isFields(value)) return undefined;
  const { id, data, transcript, expires_at: expires } = value;
  if (typeof id !== "string" && typeof data !== "string" && typeof transcript !== "string") return undefined;
  return {
    type: "audio",
    ...(typeof id === "string" && { id }),
    ...(typeof data === "string" && { data }),
    ...(typeof transcript === "string" && { transcript }),
    ...(typeof expires === "number" && { expires_at: expires }),
  };
}

export function logprobsOf(value: unknown): TokenLogprob[] | undefined {
  if (!isFields(value)) return undefined;
  const tokens = Array.isArray(value["content"]) ? value["content"] : value["refusal"];
  if (!Array.isArray(tokens)) return undefined;
  return (tokens as unknown[]).flatMap((token) => {
    const read = tokenOf(token);
    if (read === undefined) return [];
    const top = (token as Fields)["top_logprobs"];
    if (!Array.isArray(top) || top.length === 0) return [read];
    return [{ ...read, top: (top as unknown[]).flatMap((other) => tokenOf(other) ?? []) }];
  });
}

function tokenOf(value: unknown): TokenLogprob | undefined {
  if (!isFields(value) || typeof value["token"] !== "string" || typeof value["logprob"] !== "number") return undefined;
  const { token, logprob, bytes } = value;
  const known = bytes === null || (Array.isArray(bytes) && bytes.every((byte) => typeof byte === "number"));
  return { token, logprob, ...(known && { bytes: bytes as number[] | null }) };
}

function citationsIn(choices: unknown[]): Citation[] {
  const [choice] = choices;
  const message = isFields(choice) ? choice["message"] : undefined;
  return isFields(message) ? citationsOf(message["annotations"], textsOf(message["content"]).join("")) : [];
}

/** OpenAI's marks stand in the answer, the neutral ones in the source: what is cited is known, not where it stands. */
export function citationsOf(annotations: unknown, answer: string): Citation[] {
  if (!Array.isArray(annotations)) return [];
  return (annotations as unknown[]).flatMap((annotation) => {
    const cited = isFields(annotation) ? annotation["url_citation"] : undefined;
    if (!isFields(cited)) return [];
    const { start_index: from, end_index: to } = cited;
    const text = typeof from === "number" && typeof to === "number" ? answer.slice(from, to) : "";
    const source = textOr(cited["url"], "");
    return [{ source, title: textOr(cited["title"], ""), start: 0, end: 0, text }];
  });
}
