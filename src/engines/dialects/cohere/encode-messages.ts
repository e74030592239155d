/** Neutral messages → Cohere's. What it has no place for is shown in the nearest form that it has, or left out; both are named. */
import type { ChatMessage, ChatPart, MediaPart, TextPart } from "../../../kernel/chat.ts";
import type { Fields } from "../body-reader.ts";
import { imageToUrl } from "../image.ts";

type Part<Type extends ChatPart["type"]> = Extract<ChatPart, { type: Type }>;

/** A neutral message → its own wire message, and one more for each tool result it holds. */
export function encodeMessages(messages: readonly ChatMessage[], dropped: Set<string>): Fields[] {
  const wire: Fields[] = [];
  /** What tool results show beside words: Cohere takes it from people only, and no person speaks between results. */
  const shown: (TextPart | MediaPart)[] = [];
  const show = () => {
    if (shown.length > 0) wire.push({ role: "user", content: encodeContent(shown.splice(0), dropped) });
  };
  for (const { role, parts } of messages) {
    const own: ChatPart[] = [];
    for (const part of parts) {
      if (part.type === "tool_result") wire.push(encodeResult(part, shown, dropped));
      else own.push(part);
    }
    if (own.length === 0) continue;
    show();
    const message = role === "assistant" ? encodeAssistant(own, dropped) : encodeSaid(role, own, dropped);
    if (message !== undefined) wire.push(message);
  }
  show();
  return wire;
}

function encodeSaid(
  role: "system" | "user" | "tool",
  parts: readonly ChatPart[],
  dropped: Set<string>,
): Fields | undefined {
  const speaker = role === "system" ? "system" : "user";
  const said: (TextPart | MediaPart)[] = [];
  for (const part of parts) {
    if (part.type === "text") said.push(part);
    else if (part.type === "native") dropped.add(`${part.dialect}.${part.kind}`);
    else if (speaker === "user" && isMedia(part)) said.push(part);
    else dropped.add(speaker === "user" ? `messages.${part.type}` : `messages.system.${part.type}`);
  }
  const content = encodeContent(said, dropped);
  return content === "" ? undefined : { role: speaker, content };
}

const isMedia = (part: ChatPart): part is MediaPart =>
  part.type === "image" || part.type === "file" || part.type === "audio";

function encodeContent(parts: readonly (TextPart | MediaPart)[], dropped: Set<string>): string | Fields[] {
  const content: Fields[] = [];
  for (const part of parts) {
    if (part.type !== "audio" && part.cache !== undefined) dropped.add("cache_control");
    const wire = part.type === "text" ? textOf(part) : encodeMedia(part, dropped);
    if (wire !== undefined) content.push(wire);
  }
  if (content.length === 0) return "";
  const [only] = content;
  return content.length === 1 && only!["type"] === "text" ? (only!["text"] as string) : content;
}

const textOf = ({ text }: TextPart): Fields | undefined => (text === "" ? undefined : { type: "text", text });

/** Vision models take pictures; text files are read out, every other file and all sound is lost. */
function encodeMedia(part: MediaPart, dropped: Set<string>): Fields | undefined {
  switch (part.type) {
    case "image": {
      if (part.url === undefined && part.data === undefined) break;
      const { detail } = part;
      const known = detail === "low" || detail === "high" || detail === "auto";
      if (detail !== undefined && !known) dropped.add("messages.image.detail");
      return { type: "image_url", image_url: { url: imageToUrl(part), ...(known && { detail }) } };
    }
    case "file":
      if (part.data === undefined || !/^text\/|^application\/json$/.test(part.media_type ?? "")) break;
      dropped.add("messages.file");
      return textOf({ type: "text", text: Buffer.from(part.data, "base64").toString() });
    case "audio":
      dropped.add("messages.audio");
      return part.transcript === undefined ? undefined : textOf({ type: "text", text: part.transcript });
  }
  dropped.add(`messages.${part.type}`);
  return undefined;
}

function encodeResult(result: Part<"tool_result">, shown: (TextPart | MediaPart)[], dropped: Set<string>): Fields {
  if (result.is_error === true) dropped.add("tool_result.is_error");
  if (result.cache !== undefined) dropped.add("cache_control");
  const media = (result.parts ?? []).filter((part) => part.type !== "text");
  if (media.length > 0) {
    dropped.add("tool_result.parts");
    shown.push({ type: "text", text: `Result of tool call ${result.id}:` }, ...media);
  }
  const empty = media.length > 0 ? "The result follows in the next user message." : "";
  return { role: "tool", tool_call_id: result.id, content: result.text || empty };
}

function encodeAssistant(parts: readonly ChatPart[], dropped: Set<string>): Fields | undefined {
  const content: Fields[] = [];
  const calls: Fields[] = [];
  for (const part of parts) {
    switch (part.type) {
      case "text": {
        if (part.cache !== undefined) dropped.add("cache_control");
        const wire = textOf(part);
        if (wire !== undefined) content.push(wire);
        break;
      }
      case "reasoning":
        // Proved, sealed and named thoughts are other vendors': Cohere's are words.
        if (part.text === "" || part.signature !== undefined || part.encrypted !== undefined || part.id !== undefined) {
          dropped.add("reasoning");
        } else content.push({ type: "thinking", thinking: part.text });
        break;
      case "tool_call":
        calls.push(encodeCall(part, dropped));
        break;
      case "audio": {
        const wire = encodeMedia({ type: "audio", ...(part.transcript && { transcript: part.transcript }) }, dropped);
        if (wire !== undefined) content.push(wire);
        break;
      }
      case "native":
        dropped.add(`${part.dialect}.${part.kind}`);
        break;
      case "image":
      case "file":
      case "tool_result":
        dropped.add(`messages.assistant.${part.type}`);
    }
  }
  if (content.length === 0 && calls.length === 0) return undefined;
  return { role: "assistant", ...spoken(content, calls.length > 0), ...(calls.length > 0 && { tool_calls: calls }) };
}

/** Beside tool calls a lone thought is the plan that every model of Cohere's knows; elsewhere it is a block of content. */
function spoken(content: Fields[], calls: boolean): Fields {
  const [only] = content;
  if (only === undefined) return {};
  if (content.length > 1) return { content };
  if (only["type"] === "text") return { content: only["text"] };
  return calls ? { tool_plan: only["thinking"] } : { content };
}

function encodeCall(call: Part<"tool_call">, dropped: Set<string>): Fields {
  if (call.signature !== undefined) dropped.add("tool_calls.signature");
  if (call.cache !== undefined) dropped.add("cache_control");
  if (call.custom) dropped.add("messages.tool_call.custom");
  const text = call.custom ? JSON.stringify({ input: call.arguments }) : call.arguments.trim() || "{}";
  return { id: call.id, type: "function", function: { name: call.name, arguments: text } };
}
