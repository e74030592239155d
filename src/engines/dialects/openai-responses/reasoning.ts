/**
 * Reasoning that only its issuer can read or prove. OpenAI knows its own by the pair of id and encrypted content; what
 * other vendors signed or encrypted travels through Responses clients in the same field, marked as not OpenAI's.
 */
import type { ChatPart } from "../../../kernel/chat.ts";
import { type Fields, isFields, textOr } from "../body-reader.ts";
import type { AnswerId } from "../port.ts";
import { itemName } from "./words.ts";

export type Reasoning = Extract<ChatPart, { type: "reasoning" }>;

const signedMark = "weir.signature.";
const foreignMark = "weir.encrypted.";
/** Ids that begin so are Weir's: no vendor knows them. */
const ownIds = "rs_weir_";

export const madeUpReasoningId = (id: AnswerId, index: number): string => itemName(ownIds.slice(0, -1), id, index);

/** The `encrypted_content` that a client is given, to be handed back unread. */
export function sealOf({ signature, encrypted, id }: Omit<Reasoning, "type" | "text">): string | undefined {
  if (encrypted !== undefined) return id === undefined ? foreignMark + encrypted : encrypted;
  return signature === undefined ? undefined : signedMark + signature;
}

/** What `encrypted_content` stands for, with the item's id where that is a vendor's own. */
export function unsealed(seal: unknown, itemId: unknown): Pick<Reasoning, "signature" | "encrypted" | "id"> {
  const id = typeof itemId === "string" && itemId !== "" && !itemId.startsWith(ownIds) ? { id: itemId } : {};
  if (typeof seal !== "string" || seal === "") return id;
  if (seal.startsWith(signedMark)) return { signature: seal.slice(signedMark.length) };
  if (seal.startsWith(foreignMark)) return { encrypted: seal.slice(foreignMark.length) };
  return { encrypted: seal, ...id };
}

/** A reasoning item's words: the model's own where the vendor shows them, else its summary of them. */
export function reasoningText(item: Fields): string {
  const own = textsIn(item["content"]);
  return own.length > 0 ? own.join("\n\n") : textsIn(item["summary"]).join("\n\n");
}

function textsIn(list: unknown): string[] {
  if (!Array.isArray(list)) return [];
  return (list as unknown[])
    .map((part) => (isFields(part) ? textOr(part["text"], "") : ""))
    .filter((text) => text !== "");
}

/** A streamed item says its words first and its seal last: parts of one id that follow one another are one item. */
export function joinReasoning(parts: readonly ChatPart[]): ChatPart[] {
  const joined: ChatPart[] = [];
  for (const part of parts) {
    const last = joined.at(-1);
    if (part.type === "reasoning" && last?.type === "reasoning" && part.id !== undefined && part.id === last.id) {
      joined[joined.length - 1] = { ...last, ...part, text: last.text + part.text };
    } else joined.push(part);
  }
  return joined;
}
