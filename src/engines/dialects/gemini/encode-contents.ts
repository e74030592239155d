/** Neutral messages → Gemini's contents. What it has no place for is shown in the nearest form that it has, or left out; both are named. */
import type { ChatMessage, ChatPart, MediaPart, TextPart } from "../../../kernel/chat.ts";
import { type Fields, isFields, isShallow } from "../body-reader.ts";
import { parseExactly } from "../../../kernel/exact-json.ts";
import { encodeMedia } from "./media.ts";
import { isProof } from "./signature.ts";
import { provesThoughts } from "./thinking.ts";

interface Content {
  role: "user" | "model";
  parts: Fields[];
}

type Part<Type extends ChatPart["type"]> = Extract<ChatPart, { type: Type }>;

interface Writing {
  contents: Content[];
  system: Fields[];
  /** What tool results show beside words, where the model takes that from people only. */
  shown: Fields[];
  /** Gemini knows results by the name of the function too. */
  names: Map<string, string>;
  proves: boolean;
  dropped: Set<string>;
}

/** System messages go to `systemInstruction`, wherever they stood; neighbours of one role become one content. */
export function encodeContents(
  messages: readonly ChatMessage[],
  model: string,
  dropped: Set<string>,
): { contents: Content[]; systemInstruction?: { parts: Fields[] } } {
  const proves = provesThoughts(model);
  const writing: Writing = { contents: [], system: [], shown: [], names: namesIn(messages), proves, dropped };
  for (const message of messages) {
    if (message.role === "system") encodeSystem(message, writing);
    else if (message.role === "assistant") encodeModel(message, writing);
    else encodeUser(message, writing);
  }
  show(writing);
  const { contents, system } = writing;
  if (contents.length === 0 && system.length > 0) {
    // Gemini answers nothing to instructions alone.
    dropped.add("messages.system.position");
    return { contents: [{ role: "user", parts: system }] };
  }
  return { contents, ...(system.length > 0 && { systemInstruction: { parts: system } }) };
}

function namesIn(messages: readonly ChatMessage[]): Map<string, string> {
  const names = new Map<string, string>();
  for (const { parts } of messages)
    for (const part of parts) if (part.type === "tool_call") names.set(part.id, part.name);
  return names;
}

/** Results stand in a content of their own: their number must be that of the calls before them. */
function partsOf(role: Content["role"], results: boolean, { contents }: Writing): Fields[] {
  const last = contents.at(-1);
  if (last?.role === role && (role === "model" || isResult(last.parts[0]) === results)) return last.parts;
  const content: Content = { role, parts: [] };
  contents.push(content);
  return content.parts;
}

const isResult = (part: Fields | undefined): boolean => part?.["functionResponse"] !== undefined;

function show(writing: Writing): void {
  if (writing.shown.length > 0) partsOf("user", false, writing).push(...writing.shown.splice(0));
}

function encodeSystem({ parts }: ChatMessage, { system, contents, dropped }: Writing): void {
  if (contents.length > 0) dropped.add("messages.system.position");
  for (const part of parts) {
    if (part.type === "native") dropped.add(`${part.dialect}.${part.kind}`);
    else if (part.type !== "text") dropped.add(`messages.system.${part.type}`);
    else if (part.text !== "") {
      noteCache(part, dropped);
      system.push({ text: part.text });
    }
  }
}

function noteCache(part: { cache?: unknown }, dropped: Set<string>): void {
  if (part.cache !== undefined) dropped.add("cache_control");
}

function encodeUser({ parts }: ChatMessage, writing: Writing): void {
  for (const part of parts) {
    if (part.type === "tool_result") {
      partsOf("user", true, writing).push(encodeResult(part, writing));
      continue;
    }
    show(writing);
    const wire = encodeSaid(part, "user", writing.dropped);
    if (wire !== undefined) partsOf("user", false, writing).push(wire);
  }
}

function encodeModel({ parts }: ChatMessage, writing: Writing): void {
  show(writing);
  const { dropped } = writing;
  for (const [i, part] of parts.entries()) {
    if (part.type === "reasoning") encodeThought(part, parts[i + 1], writing);
    else {
      const wire = part.type === "tool_call" ? encodeCall(part, writing) : encodeSaid(part, "assistant", dropped);
      if (wire !== undefined) partsOf("model", false, writing).push(wire);
    }
  }
}

function encodeSaid(part: ChatPart, role: "user" | "assistant", dropped: Set<string>): Fields | undefined {
  switch (part.type) {
    case "text":
      noteCache(part, dropped);
      return part.text === "" ? undefined : { text: part.text };
    case "image":
    case "file":
      noteCache(part, dropped);
      return encodeMedia(part, dropped);
    case "audio":
      return encodeMedia(part, dropped);
    case "native":
      if (part.dialect === "gemini" && isFields(part.value)) return part.value;
      dropped.add(`${part.dialect}.${part.kind}`);
      return undefined;
    case "tool_call":
    case "tool_result":
    case "reasoning":
      dropped.add(role === "user" ? `messages.${part.type}` : `messages.assistant.${part.type}`);
      return undefined;
  }
}

/** Gemini takes back only thoughts that it proved: the words stand before the proof, or are an answer's. */
function encodeThought(thought: Part<"reasoning">, next: ChatPart | undefined, writing: Writing): void {
  if (isProof(thought)) {
    encodeProof(thought.text, thought.signature!, writing);
    return;
  }
  const { text, signature, encrypted, id } = thought;
  const own = signature === undefined && encrypted === undefined && id === undefined;
  if (own && next?.type === "reasoning" && isProof(next))
    partsOf("model", false, writing).push({ text, thought: true });
  else writing.dropped.add("reasoning");
}

function encodeProof(text: string, thoughtSignature: string, writing: Writing): void {
  const parts = partsOf("model", false, writing);
  const last = parts.at(-1);
  if (text !== "") parts.push({ text, thought: true, thoughtSignature });
  else if (typeof last?.["text"] === "string" && last["thoughtSignature"] === undefined) {
    last["thoughtSignature"] = thoughtSignature;
  } else parts.push({ text: "", thoughtSignature });
}

/** Google's word for calls whose thought another model had, or a client lost. */
const unproved = "skip_thought_signature_validator";

function encodeCall(call: Part<"tool_call">, writing: Writing): Fields {
  const { dropped, contents, proves } = writing;
  noteCache(call, dropped);
  if (call.custom) dropped.add("messages.tool_call.custom");
  const args = call.custom ? { input: call.arguments } : argsOf(call.arguments, dropped);
  const wire: Fields = { functionCall: { name: call.name, ...(call.id !== "" && { id: call.id }), args } };
  const last = contents.at(-1);
  const first = last?.role !== "model" || !last.parts.some((part) => part["functionCall"] !== undefined);
  // Of parallel calls the first alone is proved.
  const signature = call.signature ?? (proves && first ? unproved : undefined);
  if (signature !== undefined) wire["thoughtSignature"] = signature;
  return wire;
}

/** What isn't an object of JSON (an answer cut within its arguments) is handed over as the text it is. */
function argsOf(text: string, dropped: Set<string>): unknown {
  if (text.trim() === "") return {};
  const args = objectIn(text);
  if (args !== undefined) return args;
  dropped.add("tool_calls.function.arguments");
  return { arguments: text };
}

function objectIn(text: string): Fields | undefined {
  if (!text.trimStart().startsWith("{")) return undefined;
  try {
    const value = parseExactly(text);
    return isFields(value) && isShallow(value) ? value : undefined;
  } catch (fault) {
    if (fault instanceof SyntaxError) return undefined;
    throw fault;
  }
}

/** A result that is an object of JSON goes as it is; any other has Google's name for it: `output`, or `error`. */
function encodeResult(result: Part<"tool_result">, writing: Writing): Fields {
  const { dropped, names } = writing;
  noteCache(result, dropped);
  const name = names.get(result.id);
  if (name === undefined) dropped.add("messages.tool_result.name");
  const object = objectIn(result.text);
  const response = result.is_error === true ? { error: object ?? result.text } : (object ?? { output: result.text });
  const media = encodeShown(result, writing);
  return {
    functionResponse: {
      name: name ?? result.id,
      ...(result.id !== "" && { id: result.id }),
      response,
      ...(media.length > 0 && { parts: media }),
    },
  };
}

/** Only models since 3 take pictures from tools; to others the user shows them. */
function encodeShown(result: Part<"tool_result">, { shown, proves, dropped }: Writing): Fields[] {
  const media = (result.parts ?? []).filter((part): part is MediaPart => !isText(part));
  const within: Fields[] = [];
  const beside: Fields[] = [];
  for (const part of media) {
    const wire = encodeMedia(part, dropped);
    if (wire !== undefined) (proves && wire["inlineData"] !== undefined ? within : beside).push(wire);
  }
  if (beside.length > 0) {
    dropped.add("tool_result.parts");
    shown.push({ text: `Result of tool call ${result.id}:` }, ...beside);
  }
  return within;
}

const isText = (part: TextPart | MediaPart): part is TextPart => part.type === "text";
