import type { ChatPart, ChatResponse, Citation } from "../../../kernel/chat.ts";
import { type Fields, isFields, textOr } from "../body-reader.ts";
import { parseExactly } from "../exact-json.ts";
import type { AnswerId, DecodedResponse } from "../port.ts";
import { decodeError, encodeEnding, encodeUsage, finishOf, usageOf } from "./words.ts";

export function decodeResponse(body: unknown): DecodedResponse {
  if (!isFields(body)) return { ok: false, message: "The vendor's answer is not a JSON object." };
  if (body["type"] === "error") return { ok: false, message: decodeError(200, body).message };
  const content = body["content"];
  if (!Array.isArray(content)) return { ok: false, message: "The vendor's answer has no content array." };
  const usage = usageOf(body["usage"]);
  const stopped = body["stop_sequence"];
  return {
    ok: true,
    response: {
      model: textOr(body["model"], ""),
      parts: (content as unknown[]).flatMap((block) => (isFields(block) ? decodeBlock(block) : [])),
      finish: finishOf(body["stop_reason"]),
      ...(typeof stopped === "string" ? { stop_sequence: stopped } : {}),
      ...(usage === undefined ? {} : { usage }),
    },
  };
}

const decoders = new Map<unknown, (block: Fields) => ChatPart[]>([
  ["text", (block) => (textOr(block["text"], "") === "" ? [] : [{ type: "text", text: textOr(block["text"], "") }])],
  [
    "tool_use",
    (block) => [
      {
        type: "tool_call",
        id: textOr(block["id"], ""),
        name: textOr(block["name"], ""),
        arguments: JSON.stringify(block["input"] ?? {}),
      },
    ],
  ],
  [
    "thinking",
    (block) => {
      const signature = textOr(block["signature"], "");
      return [{ type: "reasoning", text: textOr(block["thinking"], ""), ...(signature === "" ? {} : { signature }) }];
    },
  ],
  ["redacted_thinking", (block) => [{ type: "reasoning", text: "", encrypted: textOr(block["data"], "") }]],
]);

/** Blocks of Anthropic's own server tools have no neutral form and are left out. */
const decodeBlock = (block: Fields): ChatPart[] => decoders.get(block["type"])?.(block) ?? [];

export function encodeResponse(response: ChatResponse, id: AnswerId): unknown {
  const { parts } = response;
  const content = parts.flatMap(encodeBlock);
  const citations = response.citations ?? [];
  const lastText = content.findLast((block) => block["type"] === "text");
  if (citations.length > 0 && lastText !== undefined) lastText["citations"] = encodeCitations(citations);
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

function encodeBlock(part: ChatPart): Fields[] {
  switch (part.type) {
    case "text":
      return part.text === "" ? [] : [{ type: "text", text: part.text }];
    case "tool_call":
      return [{ type: "tool_use", id: part.id, name: part.name, input: inputOf(part.arguments) }];
    case "reasoning":
      return part.encrypted === undefined
        ? [{ type: "thinking", thinking: part.text, signature: part.signature ?? "" }]
        : [{ type: "redacted_thinking", data: part.encrypted }];
    case "image":
    case "file":
    case "audio":
    case "native":
    case "tool_result":
      return [];
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

export function encodeCitations(citations: readonly Citation[]): Fields[] {
  const sources = [...new Set(citations.map((citation) => citation.source))];
  return citations.map((citation) => ({
    type: "char_location",
    cited_text: citation.text,
    document_index: sources.indexOf(citation.source),
    document_title: citation.title,
    start_char_index: citation.start,
    end_char_index: citation.end,
    file_id: null,
  }));
}
