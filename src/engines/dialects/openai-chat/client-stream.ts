import type { ChatEvent, ChatRequest } from "../../../kernel/chat.ts";
import type { Usage } from "../../../kernel/usage.ts";
import { imageToUrl } from "../image.ts";
import type { AnswerId, ClientError, ClientStream } from "../port.ts";
import { encodeSse } from "../sse.ts";
import { answerName, encodeCitations, encodeThought, logprobsAs, signatureAside } from "./encode-response.ts";
import { encodeUsage } from "./usage.ts";
import { encodeError, finishWords, tierOf } from "./words.ts";

type Of<Type extends ChatEvent["type"]> = Extract<ChatEvent, { type: Type }>;

export const openClientStream = (id: AnswerId, request: ChatRequest): ClientStream => new ChunkWriter(id, request);

/** A class, and no closures: thousands of streams may be open. */
class ChunkWriter implements ClientStream {
  readonly #id: AnswerId;
  /** What the client called the model; stands where the vendor doesn't say. */
  readonly #model: string;
  readonly #wantsUsage: boolean;
  #head = "";
  #over = false;
  #answer = "";
  #usage: Usage | undefined;
  /** Choices that have had their opening chunk. */
  #opened = 0;
  /** Of the first choice; OpenRouter's clients tell blocks of reasoning apart by their number. */
  #thoughts = 0;
  #customCalls: Set<string> | undefined;

  constructor(id: AnswerId, { model, wants_usage }: ChatRequest) {
    this.#id = id;
    this.#model = model;
    this.#wantsUsage = wants_usage === true;
  }

  encode(event: ChatEvent): string {
    if (this.#over) return "";
    // Nearly every event is text, and the stream has begun.
    if (event.type === "text" && this.#head !== "") return this.#writeText(event);
    const opening =
      this.#head !== "" || event.type === "error"
        ? ""
        : this.#start((event.type === "start" && event.model) || this.#model);
    return opening + this.#write(event);
  }

  fail(error: ClientError): string {
    if (this.#over) return "";
    this.#over = true;
    return encodeSse(JSON.stringify(encodeError(error)));
  }

  #write(event: ChatEvent): string {
    switch (event.type) {
      case "start":
        return "";
      case "text":
        return this.#writeText(event);
      case "reasoning":
        return this.#writeReasoning(event);
      case "tool_call_start":
        return this.#writeCall(event);
      case "tool_call_delta":
        return this.#writeArguments(event);
      case "part": {
        if (event.part.type !== "image") return "";
        const image = { type: "image_url", image_url: { url: imageToUrl(event.part) } };
        return this.#chunk(event.choice, JSON.stringify({ images: [image] }));
      }
      case "audio": {
        const { type: _type, choice, ...audio } = event;
        return this.#chunk(choice, JSON.stringify({ audio }));
      }
      case "citations": {
        const annotations = encodeCitations(event.citations, this.#answer);
        return this.#chunk(undefined, JSON.stringify({ annotations }));
      }
      case "finish":
        return this.#chunk(event.choice, "{}", `"${finishWords[event.finish]}"`);
      case "usage":
        this.#usage = event.usage;
        return "";
      case "end":
        return this.#end();
      case "error":
        return this.fail({ code: event.code ?? "upstream_error", message: event.message, status: 502 });
    }
  }

  // OpenAI puts `usage: null` on every chunk of a stream whose last one carries it.
  get #tail(): string {
    return this.#wantsUsage ? `],"usage":null}\n\n` : "]}\n\n";
  }

  #chunk(choice: number | undefined, delta: string, finish = "null", logprobs = "null"): string {
    const index = choice ?? 0;
    const text = `${this.#head}{"index":${index},"delta":${delta},"logprobs":${logprobs},"finish_reason":${finish}}${this.#tail}`;
    return index < this.#opened ? text : this.#open(index) + text;
  }

  #open(index: number): string {
    let text = "";
    for (; this.#opened <= index; this.#opened++) {
      text += `${this.#head}{"index":${this.#opened},"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}${this.#tail}`;
    }
    return text;
  }

  #start(model: string): string {
    const named = {
      id: answerName(this.#id),
      object: "chat.completion.chunk",
      created: Math.floor(this.#id.createdMs / 1000),
      model,
    };
    this.#head = `data: ${JSON.stringify(named).slice(0, -1)},"choices":[`;
    return this.#open(0);
  }

  #end(): string {
    this.#over = true;
    const usage = this.#usage;
    if (!this.#wantsUsage || usage === undefined) return "data: [DONE]\n\n";
    const tier = usage.service_class === undefined ? "" : `,"service_tier":"${tierOf(usage.service_class)}"`;
    return `${this.#head}],"usage":${JSON.stringify(encodeUsage(usage))}${tier}}\n\ndata: [DONE]\n\n`;
  }

  #writeText({ text, refusal, logprobs, choice }: Of<"text">): string {
    const refused = refusal === true;
    if (!refused && choice === undefined) this.#answer += text;
    const delta = `{"${refused ? "refusal" : "content"}":${JSON.stringify(text)}}`;
    if (logprobs === undefined) return this.#chunk(choice, delta);
    return this.#chunk(choice, delta, "null", JSON.stringify(logprobsAs(logprobs, refused)));
  }

  #writeReasoning({ text, signature, encrypted, id: item, choice }: Of<"reasoning">): string {
    const plain = text === "" ? {} : { reasoning_content: text };
    if (encrypted === undefined && item === undefined) {
      const signed = signature === undefined ? {} : { reasoning_signature: signature };
      return this.#chunk(choice, JSON.stringify({ ...plain, ...signed }));
    }
    const detail = encodeThought({ text, ...definite({ signature, encrypted, id: item }) }, this.#thoughts++);
    return this.#chunk(choice, JSON.stringify({ ...plain, reasoning_details: [detail] }));
  }

  #writeCall({ index, id, name, custom, signature, choice }: Of<"tool_call_start">): string {
    if (custom) (this.#customCalls ??= new Set()).add(`${choice ?? 0}/${index}`);
    const spec = custom ? { custom: { name, input: "" } } : { function: { name, arguments: "" } };
    const aside = signature === undefined ? {} : signatureAside(signature);
    const call = { index, id, type: custom ? "custom" : "function", ...spec, ...aside };
    return this.#chunk(choice, JSON.stringify({ tool_calls: [call] }));
  }

  #writeArguments({ index, arguments: text, choice }: Of<"tool_call_delta">): string {
    const custom = this.#customCalls?.has(`${choice ?? 0}/${index}`) ?? false;
    const piece = custom ? `"custom":{"input":` : `"function":{"arguments":`;
    return this.#chunk(choice, `{"tool_calls":[{"index":${index},${piece}${JSON.stringify(text)}}}]}`);
  }
}

type Definite<Value> = { [Key in keyof Value]?: Exclude<Value[Key], undefined> };

const definite = <Value extends object>(value: Value): Definite<Value> =>
  Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as Definite<Value>;
