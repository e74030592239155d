import type { TokenLogprob } from "../../../kernel/chat.ts";
import { isFields, textOr } from "../body-reader.ts";

/** Cohere's unit is a piece of text of one or more tokens: the piece's probability is the product of theirs. */
export function logprobsOf(value: unknown): TokenLogprob[] {
  const pieces = Array.isArray(value) ? (value as unknown[]) : [value];
  return pieces.flatMap((piece) => {
    if (!isFields(piece) || !Array.isArray(piece["logprobs"])) return [];
    const logprobs = (piece["logprobs"] as unknown[]).filter((one): one is number => typeof one === "number");
    if (logprobs.length === 0) return [];
    return [{ token: textOr(piece["text"], ""), logprob: logprobs.reduce((sum, one) => sum + one, 0) }];
  });
}
