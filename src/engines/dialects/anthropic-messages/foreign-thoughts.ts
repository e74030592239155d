/**
 * Other vendors' thoughts in Anthropic's blocks, for clients that hand back what they got: an item's name travels with
 * its seal, so that it can go back to the vendor that it came from and never to Anthropic.
 */
import type { ChatPart } from "../../../kernel/chat.ts";
import type { Fields } from "../body-reader.ts";

type Thought = Omit<Extract<ChatPart, { type: "reasoning" }>, "type">;

/** weir.<e: encrypted, s: signature>.<name>.<seal> */
const packed = /^weir\.([es])\.([\w%!~*'()-]*)\.([^]*)$/;

export function thoughtBlock({ text, signature, encrypted, id }: Thought): Fields {
  const seal = encrypted ?? signature ?? "";
  if (id === undefined) {
    return encrypted === undefined
      ? { type: "thinking", thinking: text, signature: seal }
      : { type: "redacted_thinking", data: seal };
  }
  const named = `weir.${encrypted === undefined ? "s" : "e"}.${encodeURIComponent(id.toWellFormed()).replaceAll(".", "%2E")}.${seal}`;
  return text === ""
    ? { type: "redacted_thinking", data: named }
    : { type: "thinking", thinking: text, signature: named };
}

/** What a client's thinking or redacted_thinking block holds: Anthropic's own, or another vendor's item under its name. */
export function readThought(text: string, seal: string, redacted: boolean): Thought {
  const [, kind, name = "", rest = ""] = packed.exec(seal) ?? [];
  if (kind === undefined) {
    if (redacted) return { text, encrypted: seal };
    return seal === "" ? { text } : { text, signature: seal };
  }
  const thought: Thought = { text, id: nameIn(name) };
  if (rest === "") return thought;
  return kind === "e" ? { ...thought, encrypted: rest } : { ...thought, signature: rest };
}

function nameIn(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A client that made it up gets it back as it is.
    return text;
  }
}
