import type { ChatChoice, ChatPart, ChatResponse, Citation } from "../../kernel/chat.ts";

/**
 * The answer as its stream would tell it: parts whose words go on in the next one are one part. Clients of dialects
 * without parts read them so, and what leaves is what was read. The same object where no part goes on.
 */
export function asOneText(response: ChatResponse): ChatResponse {
  const { parts, others } = response;
  if (!goesOn(response) && !others?.some(goesOn)) return response;
  const joinedOthers = others?.map((choice) => ({ ...choice, parts: joined(choice.parts) }));
  return { ...response, parts: joined(parts), ...(joinedOthers && { others: joinedOthers }) };
}

const goesOn = ({ parts }: ChatChoice): boolean =>
  parts.some((part, i) => i > 0 && together(parts[i - 1]!, part) !== undefined);

function joined(parts: readonly ChatPart[]): ChatPart[] {
  const whole: ChatPart[] = [];
  for (const part of parts) {
    const last = whole.at(-1);
    const both = last && together(last, part);
    if (both) whole[whole.length - 1] = both;
    else whole.push(part);
  }
  return whole;
}

/** Both as one, if the second goes on where the first ends: a seal closes reasoning, and an id begins an item. */
function together(first: ChatPart, second: ChatPart): ChatPart | undefined {
  if (first.type === "text" && second.type === "text")
    return first.refusal === second.refusal ? { ...first, text: first.text + second.text } : undefined;
  if (first.type !== "reasoning" || second.type !== "reasoning") return undefined;
  if (first.signature !== undefined || first.encrypted !== undefined || second.encrypted !== undefined)
    return undefined;
  if (second.id !== undefined && second.id !== first.id) return undefined;
  return { ...first, ...second, text: first.text + second.text };
}

/** Clients are shown a citation's words beside the answer's: they are read like it. */
export const wordsOf = ({ text, title }: Citation): string[] => [text, title];

export function withWords(citation: Citation, say: (words: string) => string): Citation {
  const title = say(citation.title);
  // A source without an address is called by its title.
  const source = citation.source === citation.title ? title : citation.source;
  return { ...citation, source, title, text: say(citation.text) };
}
