import type { ChatEvent, ChatRequest } from "../../../kernel/chat.ts";
import type { Usage } from "../../../kernel/usage.ts";
import type { AnswerId, ClientError, ClientStream } from "../port.ts";
import { encodeSse } from "../sse.ts";
import { answerName, encodeCitations } from "./response.ts";
import { encodeError, encodeUsage } from "./words.ts";

export function openClientStream(id: AnswerId, request: Pick<ChatRequest, "model" | "wants_usage">): ClientStream {
  let head = "";
  let over = false;
  let answer = "";
  let usage: Usage | undefined;
  // OpenAI puts `usage: null` on every chunk of a stream whose last one carries it.
  const tail = request.wants_usage ? `],"usage":null}\n\n` : "]}\n\n";

  const chunk = (delta: unknown, finish: string | null = null): string =>
    `${head}{"index":0,"delta":${JSON.stringify(delta)},"logprobs":null,"finish_reason":${finish === null ? "null" : `"${finish}"`}}${tail}`;

  function start(model: string): string {
    if (head !== "") return "";
    const named = {
      id: answerName(id),
      object: "chat.completion.chunk",
      created: Math.floor(id.createdMs / 1000),
      model,
    };
    head = `data: ${JSON.stringify(named).slice(0, -1)},"choices":[`;
    return chunk({ role: "assistant", content: "", refusal: null });
  }

  function finish(): string {
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

  const writers: { [Type in ChatEvent["type"]]: (event: Extract<ChatEvent, { type: Type }>) => string } = {
    start: () => "",
    text: ({ text, refusal }) => {
      if (refusal !== true) answer += text;
      return chunk(refusal === true ? { refusal: text } : { content: text });
    },
    reasoning: ({ text, signature, encrypted }) =>
      encrypted === undefined
        ? chunk({ reasoning_content: text, ...(signature === undefined ? {} : { reasoning_signature: signature }) })
        : "",
    tool_call_start: ({ index, id: callId, name }) =>
      chunk({ tool_calls: [{ index, id: callId, type: "function", function: { name, arguments: "" } }] }),
    tool_call_delta: ({ index, arguments: text }) => chunk({ tool_calls: [{ index, function: { arguments: text } }] }),
    part: () => "",
    audio: () => "",
    citations: ({ citations }) => chunk({ annotations: encodeCitations(citations, answer) }),
    finish: (event) => chunk({}, event.finish),
    usage: (event) => {
      usage = event.usage;
      return "";
    },
    end: finish,
    error: ({ message, code }) => fail({ code: code ?? "upstream_error", message, status: 502 }),
  };

  return {
    encode(event) {
      if (over) return "";
      const opening = event.type === "error" ? "" : start((event.type === "start" ? event.model : "") || request.model);
      return opening + (writers[event.type] as (event: ChatEvent) => string)(event);
    },
    fail,
  };
}
