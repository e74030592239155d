/** Neutral messages → OpenAI's. What it has no place for is shown in the nearest form that it has, or left out; both are named. */
import type { ChatMessage, ChatPart, MediaPart, TextPart } from "../../../kernel/chat.ts";
import type { Fields } from "../body-reader.ts";
import { imageToUrl } from "../image.ts";
import { encodeCall } from "./encode-response.ts";

type Content = TextPart | MediaPart;

const contentTypes = new Set<ChatPart["type"]>(["text", "image", "file", "audio"]);

/** A neutral message → its own wire message, and one more for each tool result it holds. */
export function encodeMessages(messages: readonly ChatMessage[], dropped: Set<string>): unknown[] {
  const wire: unknown[] = [];
  /** What tool results show beside words. OpenAI takes it from people only, and no person speaks between results. */
  const shown: Content[] = [];
  const show = () => {
    if (shown.length > 0) wire.push({ role: "user", content: encodeContent(shown.splice(0), dropped) });
  };
  for (const { role, parts } of messages) {
    const own: ChatPart[] = [];
    let results = 0;
    for (const part of parts) {
      if (part.type === "tool_result") {
        results++;
        wire.push(encodeResult(part, shown, dropped));
      } else if (part.type === "native") dropped.add(`${part.dialect}.${part.kind}`);
      // Which servers want to have their thoughts back, and in which field, nobody can tell from the outside.
      else if (part.type === "reasoning") dropped.add("reasoning");
      else own.push(part);
    }
    if (role === "tool" || (results > 0 && own.length === 0)) continue;
    show();
    wire.push(role === "assistant" ? encodeAssistant(own, dropped) : encodeOther(role, own, dropped));
  }
  show();
  return wire;
}

function encodeOther(role: "system" | "user", parts: readonly ChatPart[], dropped: Set<string>): unknown {
  const contents = parts.filter((part): part is Content => contentTypes.has(part.type));
  if (parts.some((part) => part.type === "tool_call")) dropped.add(`messages.${role}.tool_call`);
  return { role, content: encodeContent(contents, dropped, role) };
}

type ToolResult = Extract<ChatPart, { type: "tool_result" }>;

function encodeResult(result: ToolResult, shown: Content[], dropped: Set<string>): unknown {
  if (result.is_error === true) dropped.add("tool_result.is_error");
  if (result.cache !== undefined) dropped.add("cache_control");
  const media = result.parts?.filter((part) => part.type !== "text") ?? [];
  if (media.length === 0) return { role: "tool", tool_call_id: result.id, content: result.text };
  dropped.add("tool_result.parts");
  shown.push({ type: "text", text: `Result of tool call ${result.id}:` }, ...media);
  const content = result.text === "" ? "The result follows in the next user message." : result.text;
  return { role: "tool", tool_call_id: result.id, content };
}

function encodeAssistant(parts: readonly ChatPart[], dropped: Set<string>): unknown {
  const texts: TextPart[] = [];
  const calls: unknown[] = [];
  const message: Fields = { role: "assistant", content: null };
  let refusal = "";
  for (const part of parts) {
    if (part.type === "text") {
      if (part.refusal === true) refusal += part.text;
      else texts.push(part);
    } else if (part.type === "tool_call") {
      const { signature, ...call } = part;
      if (signature !== undefined) dropped.add("tool_calls.signature");
      if (part.cache !== undefined) dropped.add("cache_control");
      calls.push(encodeCall(call));
    } else if (part.type === "audio") replayAudio(part, message, texts, dropped);
    else dropped.add(`messages.assistant.${part.type}`);
  }
  const silent = calls.length > 0 || refusal !== "" || message["audio"] !== undefined;
  if (texts.length > 0 || !silent) message["content"] = encodeContent(texts, dropped);
  if (refusal !== "") message["refusal"] = refusal;
  if (calls.length > 0) message["tool_calls"] = calls;
  return message;
}

/** The vendor takes back only what it still holds; of other vendors' speech the words remain. */
function replayAudio(
  { id, transcript }: Extract<MediaPart, { type: "audio" }>,
  message: Fields,
  texts: TextPart[],
  dropped: Set<string>,
): void {
  if (id !== undefined && id !== "") message["audio"] = { id };
  else {
    dropped.add("messages.assistant.audio");
    if (transcript !== undefined) texts.push({ type: "text", text: transcript });
  }
}

function encodeContent(parts: readonly Content[], dropped: Set<string>, role: ChatMessage["role"] = "user"): unknown {
  if (parts.length === 0) return "";
  const [only] = parts;
  if (parts.length === 1 && only?.type === "text" && only.cache === undefined) return only.text;
  const content: unknown[] = [];
  for (const part of parts) {
    if (part.type !== "audio" && part.cache !== undefined) dropped.add("cache_control");
    const wire = role === "system" && part.type !== "text" ? undefined : encodePart(part, dropped);
    if (wire === undefined) dropped.add(role === "user" ? `messages.${part.type}` : `messages.${role}.${part.type}`);
    else content.push(wire);
  }
  return content.length === 0 ? "" : content;
}

/** Undefined where OpenAI has no form for it. */
function encodePart(part: Content, dropped: Set<string>): unknown {
  switch (part.type) {
    case "text":
      return { type: "text", text: part.text };
    case "image": {
      if (part.file_id !== undefined) return undefined;
      const detail = part.detail === undefined ? {} : { detail: part.detail };
      return { type: "image_url", image_url: { url: imageToUrl(part), ...detail } };
    }
    case "file":
      return encodeFile(part);
    case "audio": {
      if (part.transcript !== undefined) dropped.add("messages.audio.transcript");
      const { data, format } = part;
      return data === undefined ? undefined : { type: "input_audio", input_audio: { data, format: format ?? "wav" } };
    }
  }
}

function encodeFile({ file_id, data, name, media_type }: Extract<MediaPart, { type: "file" }>): unknown {
  const named = name === undefined ? {} : { filename: name };
  if (file_id !== undefined) return { type: "file", file: { file_id, ...named } };
  if (data === undefined) return undefined;
  const type = media_type ?? "application/pdf";
  // OpenAI refuses data without a name.
  const filename = name ?? (type === "application/pdf" ? "document.pdf" : "document");
  return { type: "file", file: { filename, file_data: `data:${type};base64,${data}` } };
}
