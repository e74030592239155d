/**
 * The neutral form of a chat: what guards, retrieval, runtimes and cross-dialect translation read.
 * When client and vendor speak the same dialect the original body travels beside it and is preferred.
 */
import type { ServiceClass, Usage } from "./usage.ts";

export const dialectNames = [
  "openai-chat",
  "openai-responses",
  "openai-completions",
  "anthropic-messages",
  "gemini",
  "bedrock-converse",
  "cohere",
] as const;
export type DialectName = (typeof dialectNames)[number];

/** How long a vendor is asked to keep what stands before and in this part; vendors without marks ignore it. */
export type CacheMark = "5m" | "1h";

/** What people and tool results may hold. Exactly one of `url`, `data` (base64) and `file_id` is set. */
export type MediaPart =
  | {
      type: "image";
      media_type?: string;
      url?: string;
      data?: string;
      file_id?: string;
      detail?: "low" | "high" | "auto" | "original";
      cache?: CacheMark;
    }
  /** A document, e.g. a PDF; `text` documents carry their words in `data` all the same. */
  | {
      type: "file";
      media_type?: string;
      name?: string;
      url?: string;
      data?: string;
      file_id?: string;
      cache?: CacheMark;
    }
  /** `id` stands for audio that the vendor answered earlier and still holds; `format` is wav, mp3, … */
  | { type: "audio"; format?: string; data?: string; id?: string; transcript?: string; expires_at?: number };

/** `refusal`: the model's own words for declining, which OpenAI carries apart from content. */
export interface TextPart {
  type: "text";
  text: string;
  refusal?: true;
  cache?: CacheMark;
}

export type ChatPart =
  | TextPart
  | MediaPart
  /** `custom`: a tool whose input is free text instead of JSON. `signature`: Gemini's proof of the thought behind the call. */
  | {
      type: "tool_call";
      id: string;
      name: string;
      arguments: string;
      custom?: true;
      signature?: string;
      cache?: CacheMark;
    }
  /** `text` joins the result's texts; `parts` is there only where the result holds more than text. */
  | {
      type: "tool_result";
      id: string;
      text: string;
      parts?: (TextPart | MediaPart)[];
      is_error?: boolean;
      cache?: CacheMark;
    }
  /**
   * `encrypted` is reasoning that only its vendor can read (Anthropic's redacted_thinking, OpenAI's
   * encrypted_content): hand it back unchanged. `id` is the vendor's name of the item, where it has one.
   */
  | { type: "reasoning"; text: string; signature?: string; encrypted?: string; id?: string }
  /** What only one dialect knows, as it stood on the wire; another dialect drops it and names `<dialect>.<kind>`. */
  | { type: "native"; dialect: DialectName; kind: string; value: unknown };

export interface ChatMessage {
  role: "system" | "user" | "assistant" | "tool";
  parts: ChatPart[];
}

export interface ChatTool {
  name: string;
  description?: string;
  /** JSON Schema of the arguments; absent for a custom tool, whose input is free text. */
  parameters?: unknown;
  strict?: boolean;
  custom?: true;
  cache?: CacheMark;
}

/** How much a model should think. Vendors know one of effort and budget; a translation from the other is named. */
export interface ReasoningAsk {
  effort?: "none" | "minimal" | "low" | "medium" | "high" | "xhigh" | "max";
  /** Most tokens of thought. 0: none. -1: as many as the model likes. */
  budget_tokens?: number;
  /** The model decides by itself how much to think. */
  adaptive?: true;
  /** Whether the thoughts, or a summary of them, are answered too. */
  summary?: "none" | "auto" | "concise" | "detailed";
}

export interface ChatRequest {
  /** What the client put where OpenAI clients put `model`: the use case. */
  model: string;
  messages: ChatMessage[];
  stream: boolean;
  /** OpenAI clients ask for a usage frame with stream_options.include_usage; Anthropic streams always carry usage. */
  wants_usage: boolean;
  max_tokens?: number;
  temperature?: number;
  top_p?: number;
  stop?: string[];
  seed?: number;
  top_k?: number;
  presence_penalty?: number;
  frequency_penalty?: number;
  /** Token id (decimal) → bias in [-100, 100]. */
  logit_bias?: Record<string, number>;
  /** Answers wanted, 1 unless set. */
  n?: number;
  logprobs?: boolean;
  top_logprobs?: number;
  reasoning?: ReasoningAsk;
  service_class?: ServiceClass;
  /** Present where audio is wanted. */
  audio?: { voice: string; format: string };
  /** Client's own tags, passed on to vendors that take them. */
  metadata?: Record<string, string>;
  tools?: ChatTool[];
  tool_choice?: "auto" | "none" | "required" | { name: string };
  parallel_tool_calls?: boolean;
  response_format?:
    | { type: "text" | "json_object" }
    | { type: "json_schema"; name: string; schema: unknown; strict?: boolean };
  user?: string;
  /** Anthropic: features that are asked for by the `anthropic-beta` header; vendors take some of them. */
  betas?: string[];
  /** OpenAI Responses: the answer that this request continues lies at the vendor that gave it. */
  previous_response_id?: string;
  /** Client fields that the neutral form does not model, by path; named in x-weir-dropped when a translation loses them. */
  unmodelled: string[];
}

/** `pause`: the vendor interrupted a long turn and wants to be called again with it (Anthropic's pause_turn). */
export type FinishReason = "stop" | "length" | "tool_calls" | "content_filter" | "refusal" | "pause";

/** Log probability of one token of the answer, natural logarithm. */
export interface TokenLogprob {
  token: string;
  logprob: number;
  bytes?: number[] | null;
  top?: { token: string; logprob: number; bytes?: number[] | null }[];
}

/** One of several answers to the same request. */
export interface ChatChoice {
  parts: ChatPart[];
  finish: FinishReason;
  /** The stop sequence that ended the answer, where the vendor says so (Anthropic does, OpenAI doesn't). */
  stop_sequence?: string;
  logprobs?: TokenLogprob[];
}

/** Where an answer's words come from: offsets into the passage's source file, in UTF-16 code units. */
export interface Citation {
  source: string;
  title: string;
  start: number;
  end: number;
  text: string;
}

export interface ChatResponse extends ChatChoice {
  /** Model name as the vendor reported it. */
  model: string;
  /** The second and further answers, where `n` asked for them. */
  others?: ChatChoice[];
  usage?: Usage;
  citations?: Citation[];
  /** The class that the vendor served it in, where it says so. */
  service_class?: ServiceClass;
  /** The vendor's own name of the answer, where a later request may refer to it. */
  vendor_id?: string;
}

/**
 * What a stream says, one event at a time. `index` numbers the tool calls of one choice from 0, in order of
 * appearance. `choice` says which of several answers is meant; absent is the first.
 */
export type ChatEvent =
  /** `usage` is what the vendor had counted when the answer began (Anthropic): a floor for a cut stream, never the final figure. */
  | { type: "start"; model: string; usage?: Usage; vendor_id?: string }
  | { type: "text"; text: string; refusal?: true; logprobs?: TokenLogprob[]; choice?: number }
  /** A signature closes its block: reasoning after it belongs to a new one. */
  | { type: "reasoning"; text: string; signature?: string; encrypted?: string; id?: string; choice?: number }
  | {
      type: "tool_call_start";
      index: number;
      id: string;
      name: string;
      custom?: true;
      signature?: string;
      choice?: number;
    }
  | { type: "tool_call_delta"; index: number; arguments: string; choice?: number }
  /** A part that comes whole: an image, a file, native items. */
  | { type: "part"; part: MediaPart | Extract<ChatPart, { type: "native" }>; choice?: number }
  /** A piece of spoken answer: `data` is base64 of whole bytes, `transcript` the next words. */
  | {
      type: "audio";
      id?: string;
      data?: string;
      transcript?: string;
      format?: string;
      expires_at?: number;
      choice?: number;
    }
  /** From retrieval, or a vendor's own. */
  | { type: "citations"; citations: Citation[] }
  | { type: "finish"; finish: FinishReason; stop_sequence?: string; choice?: number }
  /** The vendor's total so far, not an increment: where several come, the last one stands. */
  | { type: "usage"; usage: Usage }
  /** The dialect's own terminator was seen: without it a stream is truncated and never a success. */
  | { type: "end" }
  | { type: "error"; message: string; code?: string };
