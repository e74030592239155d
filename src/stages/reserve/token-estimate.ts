/**
 * Token counts before a vendor reports them. A vendor-neutral upper estimate: one token per 3 UTF-8 bytes plus 4 per
 * message (English averages 4 bytes a token, German 3.3, so this errs on the safe side). Always flagged as estimated.
 */
import type { ChatPart, ChatRequest } from "../../kernel/chat.ts";

const bytesPerToken = 3;

export const estimateTokens = (text: string): number => Math.ceil(Buffer.byteLength(text) / bytesPerToken);

export function estimateRequestTokens(request: ChatRequest): number {
  let tokens = 0;
  for (const message of request.messages) {
    tokens += 4;
    for (const part of message.parts) tokens += estimatePart(part);
  }
  for (const tool of request.tools ?? [])
    tokens += estimateTokens(tool.name + (tool.description ?? "") + JSON.stringify(tool.parameters ?? {}));
  return tokens;
}

// Images are billed by tiles: 1,600 tokens is the most that one image costs at the vendors' default detail.
const imageTokens = 1600;

function estimatePart(part: ChatPart): number {
  switch (part.type) {
    case "text":
    case "reasoning":
    case "tool_result":
      return estimateTokens(part.text);
    case "tool_call":
      return estimateTokens(part.name + part.arguments) + 4;
    case "image":
      return imageTokens;
  }
}
