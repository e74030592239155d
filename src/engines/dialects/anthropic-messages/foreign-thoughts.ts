/**
 * Other vendors' thoughts in Anthropic's blocks, for clients that hand back what they got: an item's name travels with
 * its seal, so that it can go back to the vendor that it came from and never to Anthropic.
 */
import type { ChatPart } from "../../../kernel/chat.ts";
import type { Fields } from "../body-reader.ts";

type Thought = Omit<Extract<ChatPart, { type: "reasoning" }>, "type">;

const mark = "weir.";

const pack = (id: string, sealed: string): string => `${mark}${encodeURIComponent(id)}.${sealed}`;

export function thoughtBlock({ text, signature, encrypted, id }: Thought): Fields {
  const seal = encrypted ?? signature ?? "";
  if (id === undefined) {
    return encrypted === undefined
      ? { type: "thinking", thinking: text, signature: seal }
      : { type: "redacted_thinking", data: seal };
  }
  const named = pack(id, seal);
  return text === ""
    ? { type: "redacted_thinking", data: named }
    : { type: "thinking", thinking: text, signature: named };
}

/** What a client's thinking or redacted_thinking block holds: Anthropic's own, or another vendor's item under its name. */
export function readThought(text: string, seal: string, redacted: boolean): Thought {
  if (!seal.startsWith(mark)) {
    if (redacted) return { text, encrypted: seal };
    return seal === "" ? { text } : { text, signature: seal };
  }
  const end = seal.indexOf(".", mark.length);
  const id = idIn(seal.slice(mark.length, end));
  const rest = seal.slice(end + 1);
  return { text, ...(rest === "" ? {} : { encrypted: rest }), id };
}

function idIn(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
