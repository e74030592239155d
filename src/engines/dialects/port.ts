/** The two sides of a wire format. Everything here is pure: no fetch, no clock, no randomness, no I/O. */
import type { ChatEvent, ChatRequest, ChatResponse, DialectName } from "../../kernel/chat.ts";
import type { VendorQuirks } from "../../kernel/snapshot.ts";

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

/** How a client speaks to Weir. */
export interface ClientDialect {
  name: DialectName;
  /**
   * Body (already parsed JSON) → neutral form, or the path and reason of what is wrong. Strict about the types it
   * models; what it doesn't model is named in `unmodelled` and survives only while the original bytes are forwarded.
   */
  decodeRequest(body: unknown): DecodedRequest;
  /** `request` is what was asked: some APIs answer with parts of it. */
  encodeResponse(response: ChatResponse, id: AnswerId, request: ChatRequest): unknown;
  openStream(id: AnswerId, request: ChatRequest): ClientStream;
  /** The API's own error envelope. */
  encodeError(error: ClientError): unknown;
}

/** One record of a vendor's stream, e.g. an SSE event; `raw` are its exact bytes, its end included. */
export interface StreamRecord {
  event: string;
  data: string;
  raw: Uint8Array;
}

/** Stateful; any cut of the bytes yields the same records. Throws a RangeError where a record is larger than it will
 * hold, any other error where the bytes are no records. */
export interface RecordDecoder {
  push(chunk: Uint8Array): StreamRecord[];
  /** The record that the stream ended in without its proper end, if it ended in one. */
  end(): StreamRecord[];
}

/** Stateful reader of one vendor stream. After `end` or `error` it yields nothing more. */
export interface VendorStream {
  decode(record: Pick<StreamRecord, "event" | "data">): ChatEvent[];
}

export interface EncodeTarget extends VendorQuirks {
  /** The model's name at the vendor. */
  model: string;
  /** Sent where the vendor requires a maximum and the client gave none (Anthropic). */
  defaultMaxTokens: number;
}

/** How Weir speaks to a vendor. */
export interface VendorDialect {
  name: DialectName;
  /** Relative to the vendor's base URL, which for OpenAI ends in /v1 and for Anthropic doesn't. May hold a query. */
  path(call: { model: string; stream: boolean }): string;
  /** Headers of the wire format (versions, betas). Content type and credentials are set elsewhere. */
  headers(request: ChatRequest): Record<string, string>;
  /**
   * Neutral form → vendor body (serialise it with JSON.stringify and nothing else: it may hold raw numbers).
   * `dropped` names every request field that the body doesn't carry, `unmodelled` included. A stream asks for usage.
   */
  encodeRequest(request: ChatRequest, target: EncodeTarget): { body: unknown; dropped: string[] };
  decodeResponse(body: unknown): DecodedResponse;
  /** Media type of a proper stream. */
  streamType: string;
  openDecoder(): RecordDecoder;
  openStream(): VendorStream;
  decodeError(status: number, body: unknown): { code?: string; message: string };
  /**
   * For clients of the same dialect: their own bytes with only the model (and what streaming needs) changed.
   * Absent where a client can't speak this dialect.
   */
  forward?(body: Uint8Array, changes: { model: string; stream: boolean }): Uint8Array;
  /** A stream record that carries usage and nothing else: withheld from a client that didn't ask for it. */
  isUsageOnly?(data: string): boolean;
}
