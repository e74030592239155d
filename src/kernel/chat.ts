/**
 * The neutral form of a chat: what guards, retrieval, runtimes and cross-dialect translation read.
 * When client and vendor speak the same dialect the original body travels beside it and is preferred.
 */
import type { Usage } from "./usage.ts";

export type ChatPart =
  /** `refusal`: the model's own words for declining, which OpenAI carries apart from content. */
  | { type: "text"; text: string; refusal?: true }
  | { type: "image"; media_type?: string; url?: string; data?: string }
  | { type: "tool_call"; id: string; name: string; arguments: string }
  | { type: "tool_result"; id: string; text: string; is_error?: boolean }
  /** `encrypted` is reasoning that only its vendor can read (Anthropic's redacted_thinking): hand it back unchanged, `text` is "". */
  | { type: "reasoning"; text: string; signature?: string; encrypted?: string };

export interface ChatMessage {
  role: "system" | "user" | "assistant" | "tool";
  parts: ChatPart[];
}

export interface ChatTool {
  name: string;
  description?: string;
  /** JSON Schema of the arguments. */
  parameters: unknown;
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
  tools?: ChatTool[];
  tool_choice?: "auto" | "none" | "required" | { name: string };
  parallel_tool_calls?: boolean;
  response_format?:
    | { type: "text" | "json_object" }
    | { type: "json_schema"; name: string; schema: unknown; strict?: boolean };
  user?: string;
  /** Client fields that the neutral form does not model, by path; named in x-weir-dropped when a translation loses them. */
  unmodelled: string[];
}

export type FinishReason = "stop" | "length" | "tool_calls" | "content_filter";

/** Where an answer's words come from: offsets into the passage's source file, in UTF-16 code units. */
export interface Citation {
  source: string;
  title: string;
  start: number;
  end: number;
  text: string;
}

export interface ChatResponse {
  /** Model name as the vendor reported it. */
  model: string;
  parts: ChatPart[];
  finish: FinishReason;
  /** The stop sequence that ended the answer, where the vendor says so (Anthropic does, OpenAI doesn't). */
  stop_sequence?: string;
  usage?: Usage;
  citations?: Citation[];
}

/** What a stream says, one event at a time. `index` numbers the tool calls of the answer from 0, in order of appearance. */
export type ChatEvent =
  /** `usage` is what the vendor had counted when the answer began (Anthropic): a floor for a cut stream, never the final figure. */
  | { type: "start"; model: string; usage?: Usage }
  | { type: "text"; text: string; refusal?: true }
  /** A signature closes its block: reasoning after it belongs to a new one. */
  | { type: "reasoning"; text: string; signature?: string; encrypted?: string }
  | { type: "tool_call_start"; index: number; id: string; name: string }
  | { type: "tool_call_delta"; index: number; arguments: string }
  /** Weir's own, from retrieval; no vendor stream is decoded to it. */
  | { type: "citations"; citations: Citation[] }
  | { type: "finish"; finish: FinishReason; stop_sequence?: string }
  /** The vendor's total so far, not an increment: where several come, the last one stands. */
  | { type: "usage"; usage: Usage }
  /** The dialect's own terminator was seen: without it a stream is truncated and never a success. */
  | { type: "end" }
  | { type: "error"; message: string; code?: string };
