/** A vendor's stream as frames: held until the first content, observed for usage, ended honestly whatever ends it. */
import type { VendorStream, RecordDecoder, StreamRecord } from "../../engines/dialects/port.ts";
import type { ChatEvent } from "../../kernel/chat.ts";
import type { Refusal } from "../../kernel/errors.ts";
import { PulledStream } from "../../kernel/stream.ts";
import { type Usage, inputTokens } from "../../kernel/usage.ts";
import type { Decision, Frame, Served } from "../../path/context.ts";
import { type Attempt, abortReason } from "./attempt.ts";
import { watchLive } from "./live.ts";
import { UpstreamFault, type UpstreamResponse } from "./upstream.ts";
import type { ChatCall, Prepared } from "./vendor.ts";
import { credible } from "./vendor-usage.ts";

export type Opened = { served: Served } | { failed: string; usage: Usage };

/** Holds frames back until the first content: up to there the next attempt or rung can still take over unseen. */
export async function openStream(
  { ports, d, rung, prepared }: ChatCall,
  response: UpstreamResponse,
  attempt: Attempt,
): Promise<Opened> {
  const source = new StreamReader(prepared, response);
  const type = String(response.headers["content-type"] ?? "").toLowerCase();
  if (!type.startsWith(prepared.dialect.streamType)) {
    source.cancel();
    return { failed: "not_a_stream", usage: source.usage() };
  }
  const held: Frame[] = [];
  const { firstTokenMs } = rung.vendor.timeouts;
  const stopTimer =
    firstTokenMs === undefined
      ? undefined
      : d.clock.after(Math.max(0, firstTokenMs - attempt.elapsedMs()), () => source.cancel("first_token_timeout"));
  for (;;) {
    const next = await source.next().catch((fault: unknown) => {
      stopTimer?.();
      source.cancel();
      throw fault;
    });
    const failure = failureOf(next);
    if (next === "truncated" || failure !== undefined) {
      stopTimer?.();
      source.cancel();
      return { failed: failure!, usage: source.usage() };
    }
    held.push(next);
    if (next.events.some(isContent)) break;
  }
  stopTimer?.();
  attempt.firstContent();
  const learn = (usage: Usage) => ports.calibration.observe(rung.model.name, prepared.estimate, inputTokens(usage));
  const frames = new Delivery({ d, attempt, source, held, keyRefusal: ports.keyRefusal, learn });
  return { served: { type: "stream", sameDialect: prepared.sameDialect, frames } };
}

/** The end counts too: an answer may be empty. */
const isContent = ({ type }: ChatEvent): boolean => type !== "start" && type !== "usage" && type !== "citations";

interface DeliveryParts {
  d: Decision;
  attempt: Attempt;
  source: StreamReader;
  held: Frame[];
  keyRefusal(d: Decision): Refusal | undefined;
  /** Hears what the vendor counted. */
  learn(usage: Usage): void;
}

/** Frames as they come. The attempt is booked before the last of them leaves, and also for a reader who goes early. */
class Delivery extends PulledStream<Frame> {
  readonly #parts: DeliveryParts;
  readonly #stopWatching: () => void;
  #booked = false;

  constructor(parts: DeliveryParts) {
    super();
    this.#parts = parts;
    this.#stopWatching = watchLive(parts.d, () => parts.keyRefusal(parts.d));
  }

  protected pull(): Promise<Frame | undefined> {
    const { held, source } = this.#parts;
    const first = held.shift();
    return first === undefined ? source.next().then(this.#pass, this.#broken) : Promise.resolve(this.#pass(first));
  }

  readonly #pass = (next: Frame | "truncated"): Frame | undefined => {
    const failure = failureOf(next);
    if (next === "truncated" || failure !== undefined) return this.#fail(failure!);
    if (next.events.at(-1)?.type === "end") this.#wellEnded();
    return next;
  };

  readonly #broken = (fault: unknown): Frame => {
    if (fault instanceof UpstreamFault) return this.#fail(fault.reason);
    this.#giveUp("aborted");
    throw fault;
  };

  #wellEnded(): void {
    const { attempt, source, learn } = this.#parts;
    const usage = source.usage();
    if (!usage.estimated) learn(usage);
    attempt.end("ok", { usage });
    this.over = true;
    this.#booked = true;
    this.#stopWatching();
    source.finish();
  }

  #fail(failure: string): Frame {
    this.#giveUp(failure);
    const code = failure === "aborted" ? abortReason(this.#parts.d) : "stream_broken";
    return { events: [{ type: "error", message: failure, code }] };
  }

  #giveUp(failure: string): void {
    const { d, attempt, source } = this.#parts;
    this.over = true;
    // A reader who goes while he is waited for cancels the source, which tells it as a fault of its own.
    if (this.#booked) return;
    this.#booked = true;
    this.#stopWatching();
    const status = failure === "aborted" ? "aborted" : failure.endsWith("timeout") ? "timeout" : "failed";
    attempt.end(status, { reason: failure === "aborted" ? abortReason(d) : failure, usage: source.usage() });
    source.cancel();
  }

  protected leave(): void {
    this.#giveUp("aborted");
  }
}

const failureOf = (next: Frame | "truncated"): string | undefined =>
  next === "truncated" ? "truncated" : next.events.at(-1)?.type === "error" ? "vendor_error" : undefined;

/** The part of a call that its answer is read by: the request itself, which may be large, is let go. */
type ReadAs = Pick<Prepared, "dialect" | "sameDialect" | "withholdUsage" | "expectedInput">;

/**
 * Bytes → frames, with the usage counted along the way. A frame holds the records that one chunk completed; an error
 * stands in a frame of its own, so that what came before it is delivered.
 */
class StreamReader {
  readonly #response: UpstreamResponse;
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #decoder: RecordDecoder;
  readonly #stream: VendorStream;
  readonly #how: ReadAs;
  readonly #ready: Frame[] = [];
  #reported: Usage | undefined;
  #outputLength = 0;
  #drained = false;
  /** What the vendor counted before it began to answer. */
  #floor: Usage | undefined;

  constructor(prepared: Prepared, response: UpstreamResponse) {
    this.#response = response;
    this.#chunks = response.body[Symbol.asyncIterator]();
    this.#decoder = prepared.dialect.openDecoder();
    this.#stream = prepared.dialect.openStream();
    const { dialect, sameDialect, withholdUsage, expectedInput } = prepared;
    this.#how = { dialect, sameDialect, withholdUsage, expectedInput };
  }

  next(): Promise<Frame | "truncated"> {
    const frame = this.#ready.shift() ?? (this.#drained ? "truncated" : undefined);
    return frame === undefined ? this.#chunks.next().then(this.#take) : Promise.resolve(frame);
  }

  readonly #take = (chunk: IteratorResult<Uint8Array>): Frame | "truncated" | Promise<Frame | "truncated"> => {
    this.#drained = chunk.done ?? false;
    this.#collect(this.#records(chunk));
    return this.#ready.shift() ?? this.next();
  };

  /** The records of a chunk; at the stream's end what was left without its proper end. */
  #records(chunk: IteratorResult<Uint8Array>): StreamRecord[] {
    try {
      return chunk.done ? this.#decoder.end() : this.#decoder.push(chunk.value);
    } catch (cause) {
      throw new UpstreamFault(cause instanceof RangeError ? "body_too_large" : "unreadable", { cause });
    }
  }

  #collect(records: readonly StreamRecord[]): void {
    const { dialect, sameDialect, withholdUsage } = this.#how;
    const raws: Uint8Array[] = [];
    let events: ChatEvent[] = [];
    for (const record of records) {
      const said = this.#stream.decode(record);
      const error = said.at(-1)?.type === "error";
      if (error) {
        this.#push(raws, events);
        raws.length = 0;
        events = [];
      }
      for (const event of said) {
        this.#observe(event);
        events.push(event);
      }
      if (sameDialect && !(withholdUsage && dialect.isUsageOnly?.(record.data))) raws.push(record.raw);
    }
    this.#push(raws, events);
  }

  #push(raws: readonly Uint8Array[], events: ChatEvent[]): void {
    if (raws.length === 0 && events.length === 0) return;
    const raw = raws.length > 1 ? joined(raws) : raws[0];
    this.#ready.push(raw === undefined ? { events } : { raw, events });
  }

  #observe(event: ChatEvent): void {
    switch (event.type) {
      case "text":
      case "reasoning":
        this.#outputLength += event.text.length;
        return;
      case "tool_call_delta":
        this.#outputLength += event.arguments.length;
        return;
      case "audio":
        this.#outputLength += event.transcript?.length ?? 0;
        return;
      case "usage":
        this.#reported = credible(event.usage) ?? this.#reported;
        return;
      case "start":
        this.#floor = credible(event.usage);
    }
  }

  /** What the vendor reported, else an estimate from what arrived. */
  usage(): Usage {
    if (this.#reported) return this.#reported;
    return {
      ...this.#floor,
      input: this.#floor?.input ?? this.#how.expectedInput,
      cached_input: this.#floor?.cached_input ?? 0,
      output: Math.ceil(this.#outputLength / 3),
      estimated: true,
    };
  }

  finish(): void {
    this.#response.finish();
  }

  cancel(reason?: UpstreamFault["reason"]): void {
    this.#response.cancel(reason);
  }
}

/** Records that lie side by side in one chunk are one slice of it. */
function joined(raws: readonly Uint8Array[]): Uint8Array {
  const first = raws[0]!;
  let end = first.byteOffset;
  for (const raw of raws) {
    if (raw.buffer !== first.buffer || raw.byteOffset !== end) return Buffer.concat(raws);
    end += raw.length;
  }
  return new Uint8Array(first.buffer, first.byteOffset, end - first.byteOffset);
}
