import type { ChatPart, ChatRequest, ChatResponse } from "../../../kernel/chat.ts";
import { type Fields, isFields } from "../body-reader.ts";
import { parseExactly } from "../../../kernel/exact-json.ts";
import type { AnswerId } from "../port.ts";
import { encodeCitations, isNativeCitation } from "./citations.ts";
import { thoughtBlock } from "./foreign-thoughts.ts";
import { encodeUsage } from "./usage.ts";
import { encodeEnding } from "./words.ts";

/** The first answer alone: Anthropic's clients can't ask for several. */
export function encodeResponse(response: ChatResponse, id: AnswerId, _request: ChatRequest): unknown {
  const { parts } = response;
  const content: Fields[] = [];
  for (const part of parts) encodeBlock(part, content);
  const citations = response.citations ?? [];
  if (citations.length > 0) for (const citation of encodeCitations(citations)) cite(citation, content);
  return {
    id: answerName(id),
    type: "message",
    role: "assistant",
    model: response.model,
    content,
    ...encodeEnding({
      finish: response.finish,
      stopSequence: response.stop_sequence,
      calledTools: parts.some((part) => part.type === "tool_call"),
      refused: parts.some((part) => part.type === "text" && part.refusal === true),
    }),
    usage: encodeUsage(response.usage),
  };
}

export const answerName = (id: AnswerId): string => `msg_${id.decision}`;

/** Citations are the last text's. */
function cite(citation: unknown, content: Fields[]): void {
  const text = content.findLast((block) => block["type"] === "text");
  if (text !== undefined) text["citations"] = [...((text["citations"] as unknown[] | undefined) ?? []), citation];
}

function encodeBlock(part: ChatPart, content: Fields[]): void {
  switch (part.type) {
    case "text":
      if (part.text !== "") content.push({ type: "text", text: part.text });
      return;
    case "tool_call":
      content.push({ type: "tool_use", id: part.id, name: part.name, input: inputOf(part.arguments) });
      return;
    case "reasoning":
      content.push(thoughtBlock(part));
      return;
    case "native":
      if (isNativeCitation(part)) cite(part.value, content);
      else if (part.dialect === "anthropic-messages" && isFields(part.value)) content.push(part.value);
      return;
    case "audio":
      // Anthropic's clients hear nothing; what was said they can read.
      if (part.transcript !== undefined && part.transcript !== "") {
        content.push({ type: "text", text: part.transcript });
      }
      return;
    case "image":
    case "file":
    case "tool_result":
  }
}

/** A model cut within its arguments leaves no JSON; the client gets the text, beside stop_reason max_tokens. */
function inputOf(text: string): unknown {
  try {
    const input = parseExactly(text.trim() === "" ? "{}" : text);
    if (isFields(input)) return input;
  } catch (fault) {
    if (!(fault instanceof SyntaxError)) throw fault;
  }
  return { arguments: text };
}
