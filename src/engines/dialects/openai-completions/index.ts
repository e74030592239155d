/**
 * OpenAI's retired Completions as wire format for clients that still speak it: one prompt becomes one message of a user,
 * and any vendor's words the text that continues it. No vendor is spoken to in it.
 * Never imitates what a chat can't do: echoes, insertions before a suffix, several prompts and token ids are refused.
 */
import { encodeError } from "../openai-chat/words.ts";
import type { ClientDialect } from "../port.ts";
import { openClientStream } from "./client-stream.ts";
import { decodeRequest } from "./decode-request.ts";
import { encodeResponse } from "./response.ts";

export const openaiCompletionsClient: ClientDialect = {
  name: "openai-completions",
  decodeRequest,
  encodeResponse,
  openStream: openClientStream,
  encodeError,
};
