/** A vendor's answer → the neutral one. Never throws. */
import type { ChatEvent } from "../../../kernel/chat.ts";
import { openCollector } from "../../../kernel/chat-stream.ts";
import { isFields } from "../body-reader.ts";
import type { DecodedResponse } from "../port.ts";
import { closeAnswer, openAnswer, readAnswer } from "./read-answer.ts";
import { decodeError } from "./words.ts";

/** A whole answer is a stream of one chunk: read so, both say the same. */
export function decodeResponse(body: unknown): DecodedResponse {
  const chunks = Array.isArray(body) ? (body as unknown[]) : [body];
  const answer = openAnswer();
  const events: ChatEvent[] = [];
  for (const chunk of chunks) {
    if (!isFields(chunk)) return { ok: false, message: "The vendor's answer is not a JSON object." };
    if (isFields(chunk["error"])) return { ok: false, message: decodeError(200, chunk).message };
    readAnswer(chunk, answer, events);
  }
  if (answer.candidates.size === 0 && !answer.blocked) {
    return { ok: false, message: "The vendor's answer has no candidates and no promptFeedback.blockReason." };
  }
  closeAnswer(answer, events);
  const collector = openCollector();
  for (const event of events) collector.add(event);
  return { ok: true, response: collector.partial() };
}
