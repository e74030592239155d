/** One content block of an answer → the neutral parts it stands for. */
import type { ChatPart, Citation } from "../../../kernel/chat.ts";
import { type Fields, isFields, isShallow, textOr } from "../body-reader.ts";

type Native = Extract<ChatPart, { type: "native" }>;

/** The kind of native part that holds one citation of the text before it. */
export const citationKind = "citation";

export function readBlock(block: Fields, citations: Citation[]): ChatPart[] {
  for (const key in readers) if (isFields(block[key])) return readers[key]!(block[key], citations);
  if (typeof block["text"] === "string") return textPart(block["text"]);
  const kind = Object.keys(block)[0];
  return kind === undefined || !isShallow(block) ? [] : [native(kind, block)];
}

const native = (kind: string, value: unknown): Native => ({ type: "native", dialect: "bedrock-converse", kind, value });

const textPart = (text: string): ChatPart[] => (text === "" ? [] : [{ type: "text", text }]);

const readers: Record<string, (value: Fields, citations: Citation[]) => ChatPart[]> = {
  toolUse: (call) => [
    {
      type: "tool_call",
      id: textOr(call["toolUseId"], ""),
      name: textOr(call["name"], ""),
      arguments: isShallow(call["input"]) ? JSON.stringify(call["input"] ?? {}) : "{}",
    },
  ],
  reasoningContent: (content) => {
    const thought = readThought(isFields(content["reasoningText"]) ? content["reasoningText"] : content);
    return thought === undefined ? [] : [{ type: "reasoning", ...thought }];
  },
  citationsContent: (content, citations) => {
    const texts = Array.isArray(content["content"]) ? (content["content"] as unknown[]) : [];
    const parts = texts.flatMap((one) => (isFields(one) ? textPart(textOr(one["text"], "")) : []));
    const marks = Array.isArray(content["citations"]) ? (content["citations"] as unknown[]) : [];
    for (const mark of marks) {
      const read = readCitation(mark);
      if (read === undefined) continue;
      if ("type" in read) parts.push(read);
      else citations.push(read);
    }
    return parts;
  },
  image: (image) => {
    const source = isFields(image["source"]) ? image["source"] : {};
    const data = source["bytes"];
    if (typeof data !== "string") return [native("image", isShallow(image) ? { image } : {})];
    return [{ type: "image", media_type: `image/${textOr(image["format"], "png")}`, data }];
  },
};

interface Thought {
  text: string;
  signature?: string;
  encrypted?: string;
}

/** Of a whole reasoningText or one piece of it; undefined where it says nothing. */
export function readThought(content: Fields): Thought | undefined {
  const { text, signature, redactedContent } = content;
  if (typeof redactedContent === "string") return { text: "", encrypted: redactedContent };
  const sealed = textOr(signature, "");
  const words = textOr(text, "");
  if (words === "" && sealed === "") return undefined;
  return { text: words, ...(sealed === "" ? {} : { signature: sealed }) };
}

/** Pages, chunks and search results have no offsets: they stay what they are. */
export function readCitation(value: unknown): Citation | Native | undefined {
  if (!isFields(value) || !isShallow(value)) return undefined;
  const location = isFields(value["location"]) ? value["location"]["documentChar"] : undefined;
  if (!isFields(location)) return native(citationKind, value);
  const { start, end, documentIndex } = location;
  if (typeof start !== "number" || typeof end !== "number") return native(citationKind, value);
  const title = textOr(value["title"], "");
  const source = title || `document ${typeof documentIndex === "number" ? documentIndex : 0}`;
  const cited = Array.isArray(value["sourceContent"]) ? (value["sourceContent"] as unknown[]) : [];
  const text = cited.map((one) => (isFields(one) ? textOr(one["text"], "") : "")).join("");
  return { source, title, start, end, text };
}
