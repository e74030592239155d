/** A vendor's answer → the neutral one; blocks that only Anthropic knows are kept as they are. Never throws. */
import type { ChatPart, Citation } from "../../../kernel/chat.ts";
import { type Fields, isFields, isShallow, textOr } from "../body-reader.ts";
import type { DecodedResponse } from "../port.ts";
import { readCitation } from "./citations.ts";
import { serviceClassOf, usageOf } from "./usage.ts";
import { decodeError, finishOf } from "./words.ts";

export function decodeResponse(body: unknown): DecodedResponse {
  if (!isFields(body)) return { ok: false, message: "The vendor's answer is not a JSON object." };
  if (body["type"] === "error") return { ok: false, message: decodeError(200, body).message };
  const content = body["content"];
  if (!Array.isArray(content)) return { ok: false, message: "The vendor's answer has no content array." };
  const usage = usageOf(body["usage"]);
  const served = isFields(body["usage"]) ? serviceClassOf(body["usage"]["service_tier"]) : undefined;
  const stopped = body["stop_sequence"];
  const citations: Citation[] = [];
  return {
    ok: true,
    response: {
      model: textOr(body["model"], ""),
      parts: (content as unknown[]).flatMap((block) => (isFields(block) ? decodeBlock(block, citations) : [])),
      finish: finishOf(body["stop_reason"]),
      ...(typeof stopped === "string" ? { stop_sequence: stopped } : {}),
      ...(usage === undefined ? {} : { usage }),
      ...(served === undefined ? {} : { service_class: served }),
      ...(citations.length === 0 ? {} : { citations }),
    },
  };
}

type BlockDecoder = (block: Fields, citations: Citation[]) => ChatPart[];

const decoders = new Map<unknown, BlockDecoder>([
  ["text", decodeText],
  [
    "tool_use",
    (block) => [
      {
        type: "tool_call",
        id: textOr(block["id"], ""),
        name: textOr(block["name"], ""),
        arguments: isShallow(block["input"]) ? JSON.stringify(block["input"] ?? {}) : "{}",
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

function decodeBlock(block: Fields, citations: Citation[]): ChatPart[] {
  const decode = decoders.get(block["type"]);
  if (decode !== undefined) return decode(block, citations);
  const native = nativeBlock(block);
  return native === undefined ? [] : [native];
}

function decodeText(block: Fields, citations: Citation[]): ChatPart[] {
  const text = textOr(block["text"], "");
  const parts: ChatPart[] = text === "" ? [] : [{ type: "text", text }];
  if (!Array.isArray(block["citations"])) return parts;
  for (const value of block["citations"] as unknown[]) {
    const citation = readCitation(value);
    if (citation === undefined) continue;
    if ("type" in citation) parts.push(citation);
    else citations.push(citation);
  }
  return parts;
}

/** A block of Anthropic's own tools, or of what comes next. */
export function nativeBlock(block: Fields): Extract<ChatPart, { type: "native" }> | undefined {
  const kind = textOr(block["type"], "");
  if (kind === "" || !isShallow(block)) return undefined;
  return { type: "native", dialect: "anthropic-messages", kind, value: block };
}
