/** A vendor's stream as frames: held until the first content, observed for usage, ended honestly whatever ends it. */
import type { VendorStream, RecordDecoder, StreamRecord } from "../../engines/dialects/port.ts";
import type { ChatEvent } from "../../kernel/chat.ts";
import type { Refusal } from "../../kernel/errors.ts";
import { heldStream } from "../../kernel/stream.ts";
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
  const frames = deliver({ d, attempt, source, held, keyRefusal: ports.keyRefusal, learn });
  return { served: { type: "stream", sameDialect: prepared.sameDialect, frames } };
}

/** The end counts too: an answer may be empty. */
const isContent = ({ type }: ChatEvent): boolean => type !== "start" && type !== "usage" && type !== "citations";

/** Frames as they come. The attempt is booked before the last of them leaves, and also for a reader who goes early. */
interface Delivery {
  d: Decision;
  attempt: Attempt;
  source: StreamReader;
  held: Frame[];
  keyRefusal(d: Decision): Refusal | undefined;
  /** Hears what the vendor counted. */
  learn(usage: Usage): void;
}

function deliver({ d, attempt, source, held, keyRefusal, learn }: Delivery): AsyncIterable<Frame> {
  const end = (failure: string) => {
    const status = failure === "aborted" ? "aborted" : failure.endsWith("timeout") ? "timeout" : "failed";
    const reason = failure === "aborted" ? abortReason(d) : failure;
    attempt.end(status, { reason, usage: source.usage() });
    source.cancel();
  };
  async function* frames(): AsyncGenerator<Frame> {
    const stopWatching = watchLive(d, () => keyRefusal(d));
    let failure: string | undefined;
    let whole = false;
    try {
      for (;;) {
        const next = held.shift() ?? (await source.next());
        failure = failureOf(next);
        if (next === "truncated" || failure !== undefined) break;
        const ended = next.events.at(-1)?.type === "end";
        if (ended) {
          const usage = source.usage();
          if (!usage.estimated) learn(usage);
          attempt.end("ok", { usage });
          whole = true;
        }
        yield next;
        if (ended) return;
      }
    } catch (fault) {
      if (!(fault instanceof UpstreamFault)) throw fault;
      failure = fault.reason;
    } finally {
      stopWatching();
      if (whole) source.finish();
      else end(failure ?? "aborted");
    }
    const code = failure === "aborted" ? abortReason(d) : "stream_broken";
    yield { events: [{ type: "error", message: failure ?? "stream_broken", code }] };
  }
  return heldStream(frames, () => void end("aborted"));
}

const failureOf = (next: Frame | "truncated"): string | undefined =>
  next === "truncated" ? "truncated" : next.events.at(-1)?.type === "error" ? "vendor_error" : undefined;

/**
 * Bytes → frames, with the usage counted along the way. A frame holds the records that one chunk completed; an error
 * stands in a frame of its own, so that what came before it is delivered.
 */
class StreamReader {
  readonly #response: UpstreamResponse;
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #decoder: RecordDecoder;
  readonly #stream: VendorStream;
  readonly #prepared: Prepared;
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
    this.#prepared = prepared;
  }

  async next(): Promise<Frame | "truncated"> {
    for (;;) {
      const frame = this.#ready.shift();
      if (frame) return frame;
      if (this.#drained) return "truncated";
      this.#collect(await this.#records());
    }
  }

  /** The records of the next chunk; at the stream's end what was left without its proper end. */
  async #records(): Promise<StreamRecord[]> {
    const chunk = await this.#chunks.next();
    this.#drained = chunk.done ?? false;
    try {
      return chunk.done ? this.#decoder.end() : this.#decoder.push(chunk.value);
    } catch (cause) {
      throw new UpstreamFault(cause instanceof RangeError ? "body_too_large" : "unreadable", { cause });
    }
  }

  #collect(records: readonly StreamRecord[]): void {
    const { dialect, sameDialect, withholdUsage } = this.#prepared;
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
      input: this.#floor?.input ?? this.#prepared.expectedInput,
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
