import type { ChatEvent, ChatRequest, TokenLogprob } from "../../../kernel/chat.ts";
import type { Usage } from "../../../kernel/usage.ts";
import { encodeUsage } from "../openai-chat/usage.ts";
import { encodeError } from "../openai-chat/words.ts";
import type { AnswerId, ClientError, ClientStream } from "../port.ts";
import { encodeSse } from "../sse.ts";
import { answerHead, encodeFinish, encodeLogprobs } from "./response.ts";

/** Only words are written: thoughts, tools and media have no place in this API. */
export function openClientStream(id: AnswerId, request: ChatRequest): ClientStream {
  let head = "";
  let over = false;
  let usage: Usage | undefined;
  /** Characters said so far, by choice. */
  const said = new Map<number, number>();
  // OpenAI puts `usage: null` on every chunk of a stream whose last one carries it.
  const tail = request.wants_usage ? `],"usage":null}\n\n` : "]}\n\n";

  const chunk = (index: number, text: string, logprobs: unknown, finish: string | null): string =>
    `${head}${JSON.stringify({ text, index, logprobs, finish_reason: finish })}${tail}`;

  function say(text: string, logprobs: TokenLogprob[] | undefined, index: number): string {
    const offset = said.get(index) ?? 0;
    said.set(index, offset + text.length);
    return chunk(index, text, logprobs === undefined ? null : encodeLogprobs(logprobs, offset), null);
  }

  function end(): string {
    over = true;
    const frame =
      request.wants_usage && usage !== undefined ? `${head}],"usage":${JSON.stringify(encodeUsage(usage))}}\n\n` : "";
    return `${frame}data: [DONE]\n\n`;
  }

  function fail(error: ClientError): string {
    if (over) return "";
    over = true;
    return encodeSse(JSON.stringify(encodeError(error)));
  }

  function write(event: ChatEvent): string {
    switch (event.type) {
      case "text":
        return say(event.text, event.logprobs, event.choice ?? 0);
      case "finish":
        return chunk(event.choice ?? 0, "", null, encodeFinish(event.finish));
      case "usage":
        usage = event.usage;
        return "";
      case "end":
        return end();
      case "error":
        return fail({ code: event.code ?? "upstream_error", message: event.message, status: 502 });
      default:
        return "";
    }
  }

  return {
    encode(event) {
      if (over) return "";
      const model = (event.type === "start" ? event.model : "") || request.model;
      if (head === "") head = `data: ${JSON.stringify(answerHead(id, model)).slice(0, -1)},"choices":[`;
      return write(event);
    },
    fail,
  };
}
