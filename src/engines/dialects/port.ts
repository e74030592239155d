/** The two sides of a wire format. Everything here is pure: no fetch, no clock, no randomness, no I/O. */
import type { ChatEvent, ChatRequest, ChatResponse } from "../../kernel/chat.ts";
import type { SseEvent } from "./sse.ts";

export type DialectName = "openai-chat" | "anthropic-messages";

export type DecodedRequest = { ok: true; request: ChatRequest } | { ok: false; path: string; message: string };
export type DecodedResponse = { ok: true; response: ChatResponse } | { ok: false; message: string };

/** What an encoded answer is named after: the decision, and when it began (Unix milliseconds). */
export interface AnswerId {
  decision: string;
  createdMs: number;
}

/** An error as a client sees it; `code` is Weir's stable code. */
export interface ClientError {
  code: string;
  message: string;
  status: number;
  param?: string;
}

/** Stateful writer of one stream. After the end or a failure every further call returns "". */
export interface ClientStream {
  /** Zero or more complete SSE records as text. */
  encode(event: ChatEvent): string;
  /** The dialect's error record, without its terminator: a client never takes a failed stream for a whole one. */
  fail(error: ClientError): string;
}

/** Stateful reader of one vendor stream. After `end` or `error` it yields nothing more. */
export interface VendorStream {
  decode(sse: Pick<SseEvent, "event" | "data">): ChatEvent[];
}

/** How a client speaks to Weir. */
export interface ClientDialect {
  name: DialectName;
  /**
   * Body (already parsed JSON) → neutral form, or the path and reason of what is wrong. Strict about the types it
   * models; what it doesn't model is named in `unmodelled` and survives only while the original bytes are forwarded.
   */
  decodeRequest(body: unknown): DecodedRequest;
  encodeResponse(response: ChatResponse, id: AnswerId): unknown;
  openStream(id: AnswerId, request: Pick<ChatRequest, "model" | "wants_usage">): ClientStream;
  /** The API's own error envelope. */
  encodeError(error: ClientError): unknown;
}

export interface VendorLimits {
  /** Sent where the vendor requires a maximum and the client gave none (Anthropic). */
  defaultMaxTokens: number;
  /** OpenAI's reasoning models refuse `max_tokens`, many compatible servers know nothing else. Default `max_tokens`. */
  maxTokensField?: "max_tokens" | "max_completion_tokens";
}

/** How Weir speaks to a vendor. */
export interface VendorDialect {
  name: DialectName;
  /** Relative to the vendor's base URL, which for OpenAI ends in /v1 and for Anthropic doesn't. */
  path: string;
  headers(key: string | undefined): Record<string, string>;
  /**
   * Neutral form → vendor body (serialise it with JSON.stringify and nothing else: it may hold raw numbers).
   * `dropped` names every request field that the body doesn't carry, `unmodelled` included. A stream asks for usage.
   */
  encodeRequest(request: ChatRequest, model: string, limits: VendorLimits): { body: unknown; dropped: string[] };
  decodeResponse(body: unknown): DecodedResponse;
  openStream(): VendorStream;
  decodeError(status: number, body: unknown): { code?: string; message: string };
}
