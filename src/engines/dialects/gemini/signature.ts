/**
 * The proof of thoughts, which Gemini alone can read. It is a thought without words, under a name that says whose it is:
 * so it finds its way back through clients of every dialect, and never to a vendor that would refuse it.
 */
import { createHash } from "node:crypto";
import type { ChatPart } from "../../../kernel/chat.ts";

type Reasoning = Extract<ChatPart, { type: "reasoning" }>;

const ownIds = "gemini_";

export const proofOf = (signature: string): Reasoning => ({
  type: "reasoning",
  text: "",
  signature,
  id: ownIds + digestOf(signature),
});

export const isProof = ({ signature, id }: Reasoning): boolean =>
  signature !== undefined && id?.startsWith(ownIds) === true;

/** A short name of a text, the same each time. */
export const digestOf = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 16);
