import type { ChatEvent, ChatRequest } from "../../../kernel/chat.ts";
import type { Usage } from "../../../kernel/usage.ts";
import { imageToUrl } from "../image.ts";
import type { AnswerId, ClientError, ClientStream } from "../port.ts";
import { encodeSse } from "../sse.ts";
import { answerName, encodeCitations, encodeThought, logprobsAs, signatureAside } from "./encode-response.ts";
import { encodeUsage } from "./usage.ts";
import { encodeError, finishWords, tierOf } from "./words.ts";

type Of<Type extends ChatEvent["type"]> = Extract<ChatEvent, { type: Type }>;

export function openClientStream(id: AnswerId, request: ChatRequest): ClientStream {
  let head = "";
  let over = false;
  let answer = "";
  let usage: Usage | undefined;
  /** Choices that have had their opening chunk. */
  let opened = 0;
  /** Of the first choice; OpenRouter's clients tell blocks of reasoning apart by their number. */
  let thoughts = 0;
  const customCalls = new Set<string>();
  // OpenAI puts `usage: null` on every chunk of a stream whose last one carries it.
  const tail = request.wants_usage ? `],"usage":null}\n\n` : "]}\n\n";

  function chunk(choice: number | undefined, delta: string, finish = "null", logprobs = "null"): string {
    const index = choice ?? 0;
    const text = `${head}{"index":${index},"delta":${delta},"logprobs":${logprobs},"finish_reason":${finish}}${tail}`;
    if (index < opened) return text;
    return open(index) + text;
  }

  function open(index: number): string {
    let text = "";
    for (; opened <= index; opened++) {
      text += `${head}{"index":${opened},"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}${tail}`;
    }
    return text;
  }

  function start(model: string): string {
    const named = {
      id: answerName(id),
      object: "chat.completion.chunk",
      created: Math.floor(id.createdMs / 1000),
      model,
    };
    head = `data: ${JSON.stringify(named).slice(0, -1)},"choices":[`;
    return open(0);
  }

  function end(): string {
    over = true;
    if (!request.wants_usage || usage === undefined) return "data: [DONE]\n\n";
    const tier = usage.service_class === undefined ? "" : `,"service_tier":"${tierOf(usage.service_class)}"`;
    return `${head}],"usage":${JSON.stringify(encodeUsage(usage))}${tier}}\n\ndata: [DONE]\n\n`;
  }

  function fail(error: ClientError): string {
    if (over) return "";
    over = true;
    return encodeSse(JSON.stringify(encodeError(error)));
  }

  function writeText({ text, refusal, logprobs, choice }: Of<"text">): string {
    const refused = refusal === true;
    if (!refused && choice === undefined) answer += text;
    const delta = `{"${refused ? "refusal" : "content"}":${JSON.stringify(text)}}`;
    if (logprobs === undefined) return chunk(choice, delta);
    return chunk(choice, delta, "null", JSON.stringify(logprobsAs(logprobs, refused)));
  }

  function writeReasoning({ text, signature, encrypted, id: item, choice }: Of<"reasoning">): string {
    const plain = text === "" ? {} : { reasoning_content: text };
    if (encrypted === undefined && item === undefined) {
      const signed = signature === undefined ? {} : { reasoning_signature: signature };
      return chunk(choice, JSON.stringify({ ...plain, ...signed }));
    }
    const detail = encodeThought({ text, ...definite({ signature, encrypted, id: item }) }, thoughts++);
    return chunk(choice, JSON.stringify({ ...plain, reasoning_details: [detail] }));
  }

  const writers: { [Type in ChatEvent["type"]]: (event: Of<Type>) => string } = {
    start: () => "",
    text: writeText,
    reasoning: writeReasoning,
    tool_call_start: ({ index, id: callId, name, custom, signature, choice }) => {
      if (custom) customCalls.add(`${choice ?? 0}/${index}`);
      const spec = custom ? { custom: { name, input: "" } } : { function: { name, arguments: "" } };
      const aside = signature === undefined ? {} : signatureAside(signature);
      const call = { index, id: callId, type: custom ? "custom" : "function", ...spec, ...aside };
      return chunk(choice, JSON.stringify({ tool_calls: [call] }));
    },
    tool_call_delta: ({ index, arguments: text, choice }) => {
      const custom = customCalls.size > 0 && customCalls.has(`${choice ?? 0}/${index}`);
      const piece = custom ? `"custom":{"input":` : `"function":{"arguments":`;
      return chunk(choice, `{"tool_calls":[{"index":${index},${piece}${JSON.stringify(text)}}}]}`);
    },
    part: ({ part, choice }) => {
      if (part.type !== "image") return "";
      const image = { type: "image_url", image_url: { url: imageToUrl(part) } };
      return chunk(choice, JSON.stringify({ images: [image] }));
    },
    audio: ({ type: _type, choice, ...audio }) => chunk(choice, JSON.stringify({ audio })),
    citations: ({ citations }) => chunk(undefined, JSON.stringify({ annotations: encodeCitations(citations, answer) })),
    finish: ({ finish, choice }) => chunk(choice, "{}", `"${finishWords[finish]}"`),
    usage: (event) => {
      usage = event.usage;
      return "";
    },
    end,
    error: ({ message, code }) => fail({ code: code ?? "upstream_error", message, status: 502 }),
  };

  return {
    encode(event) {
      if (over) return "";
      // Nearly every event is text: it goes without the table.
      if (event.type === "text" && head !== "") return writeText(event);
      const opening =
        head !== "" || event.type === "error" ? "" : start((event.type === "start" && event.model) || request.model);
      return opening + (writers[event.type] as (event: ChatEvent) => string)(event);
    },
    fail,
  };
}

type Definite<Value> = { [Key in keyof Value]?: Exclude<Value[Key], undefined> };

const definite = <Value extends object>(value: Value): Definite<Value> =>
  Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as Definite<Value>;
