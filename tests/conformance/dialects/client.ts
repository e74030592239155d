/** What any official client does in these tests, and what it tells of the answer, in words that all of them share. */

export interface Heard {
  text: string;
  /** Thoughts shown to the client. */
  thoughts: string;
  calls: { id: string; name: string; arguments: unknown }[];
  finish: "stop" | "length" | "tool_calls" | "content_filter" | "pause";
  stopSequence?: string;
  /** `input` holds what was read from or written to a cache too. */
  usage: { input: number; cached: number; output: number };
  model: string;
  /** Pieces of text, in a stream. */
  pieces: number;
  headers: Headers;
}

export interface Asked {
  useCase: string;
  tools?: boolean;
  /** Fields of this client's own API. */
  more?: Record<string, unknown>;
  strict?: boolean;
}

export interface SdkClient {
  name: "openai-chat" | "openai-responses" | "anthropic-messages";
  create(asked: Asked): Promise<Heard>;
  /** By the client's own stream helper. */
  stream(asked: Asked): Promise<Heard>;
  /** By the client's own loop: it calls `run` for each call, hands the results back and says the last answer's text. */
  runTools(
    useCase: string,
    stream: boolean,
    run: (name: string, args: unknown) => string,
    /** Anthropic's runner wants the vendor to hold the conversation unless told otherwise. */
    threads?: boolean,
  ): Promise<string>;
  /** By the client's own reader of structured answers. */
  parse(useCase: string, stream: boolean): Promise<unknown>;
  /** Aborts when the first words have come; says the answer's headers. */
  abortStream(useCase: string): Promise<Headers>;
  /** Aborts before any answer. */
  abortWhole(useCase: string, arrived: Promise<unknown>): Promise<unknown>;
  /** The error that the client throws, as its status and Weir's code. */
  failure(error: unknown): { status: unknown; code: unknown; kind: string };
}

export const question = "What is a sight deposit? Zürich 🏦";
export const systemPrompt = "Be brief.";

export const toolSchemas = {
  get_rate: {
    type: "object",
    properties: { city: { type: "string" }, months: { type: "integer" } },
    additionalProperties: false,
    required: ["city", "months"],
  },
  get_time: { type: "object", properties: {}, additionalProperties: false, required: [] },
} as const;

/** Retries of the clients wait for what the answer says: a millisecond of it is enough here. */
export const hurried =
  (meanwhile: (response: Response) => unknown = () => {}) =>
  async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const response = await fetch(input, init);
    if (response.ok) return response;
    await meanwhile(response);
    const headers = new Headers(response.headers);
    headers.set("retry-after-ms", "1");
    return new Response(response.body, { status: response.status, headers });
  };
