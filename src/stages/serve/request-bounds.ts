/** What one request can use at most: for the money that is held while it runs, and for its place in a queue. */
import type { ChatPart, ChatRequest, DialectName } from "../../kernel/chat.ts";
import type { Bounds } from "../../kernel/usage.ts";

export type RequestBounds = Pick<Bounds, "serviceClass" | "cacheWrite" | "audio" | "imageOutput" | "searchUnits">;

export function boundsOf(request: ChatRequest, dialect: DialectName): RequestBounds {
  const serviceClass = request.service_class;
  return {
    ...(serviceClass !== undefined && { serviceClass }),
    cacheWrite: cacheWriteOf(request, dialect),
    ...((request.audio !== undefined || request.messages.some(({ parts }) => parts.some(isAudio))) && { audio: true }),
  };
}

/** Where prompts are kept only on demand, the request's own marks say how long; elsewhere vendors keep them unasked. */
function cacheWriteOf(request: ChatRequest, dialect: DialectName): NonNullable<Bounds["cacheWrite"]> {
  if (dialect !== "anthropic-messages" && dialect !== "bedrock-converse") return "5m";
  let longest: "none" | "5m" | "1h" = "none";
  const see = (mark: "5m" | "1h" | undefined) => {
    if (mark === "1h" || (mark === "5m" && longest === "none")) longest = mark;
  };
  for (const tool of request.tools ?? []) see(tool.cache);
  for (const { parts } of request.messages) for (const part of parts) if ("cache" in part) see(part.cache);
  return longest;
}

const isAudio = (part: ChatPart): boolean => part.type === "audio";
