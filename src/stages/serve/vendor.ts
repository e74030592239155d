/** Calls a vendor: same-dialect bytes pass with `model` spliced, everything else is translated and says what it dropped. */
import { isUtf8 } from "node:buffer";
import { type ChatEvent, type ChatRequest, type ChatResponse } from "../../kernel/chat.ts";
import type { Refusal } from "../../kernel/errors.ts";
import type { Model, VendorTarget } from "../../kernel/snapshot.ts";
import type { Usage } from "../../kernel/usage.ts";
import type { Decision, Frame, Served } from "../../path/context.ts";
import type { VendorDialect, VendorStream } from "../../engines/dialects/port.ts";
import type { DialectTools } from "./port.ts";
import { estimateRequestTokens, estimateTokens } from "../reserve/index.ts";
import { Attempt, type AttemptPorts } from "./attempt.ts";
import { composePrompt } from "./prompt.ts";
import { backoffMs, isRetryableStatus, retryAfterOf } from "./retry.ts";
import { type Upstream, UpstreamFault, type UpstreamResponse } from "./upstream.ts";
import { heldStream } from "../../kernel/stream.ts";
import { watchLive } from "./live.ts";

export interface VendorPorts extends AttemptPorts {
  upstream: Upstream;
  dialects: DialectTools;
  /** The live overlay: whether the caller's key still holds. */
  keyRefusal(d: Decision): Refusal | undefined;
}

type VendorModel = Extract<Model, { type: "vendor" }>;

export interface VendorRung {
  index: number;
  slot?: string;
  model: VendorModel;
  vendor: VendorTarget;
  /** True where the answer may leave as it arrives. */
  stream: boolean;
}

// A vendor's answer that is larger than this is not an answer.
const maxErrorBytes = 64 * 1024;
const maxAnswerBytes = 32 * 1024 * 1024;

export async function serveVendor(ports: VendorPorts, d: Decision, rung: VendorRung): Promise<Served | "next-rung"> {
  const prepared = prepare(ports, d, rung);
  for (let retry = 0; ; retry++) {
    const stop = ports.keyRefusal(d);
    if (stop) d.abort(stop);
    if (d.signal.aborted) return "next-rung";
    const tried = await tryOnce(ports, d, rung, prepared);
    if (tried.served) return tried.served;
    if (!tried.retryable || retry >= d.useCase.retries) return "next-rung";
    const waitMs = backoffMs(d.clock, retry, tried.retryAfterMs);
    if (waitMs > longestWaitMs(d, rung)) return "next-rung";
    try {
      await d.clock.sleep(waitMs, d.signal);
    } catch {
      // The client went or the deadline passed: the ladder sees the signal.
      return "next-rung";
    }
  }
}

/** A vendor that wants to be left alone for longer than this is left alone: the next rung, or the end, comes sooner. */
function longestWaitMs(d: Decision, rung: VendorRung): number {
  const left = d.deadlineAt - d.clock.monotonic();
  const isLast = d.rungs.at(-1)?.index === rung.index;
  return isLast ? left : Math.min(left, 2000);
}

interface Prepared {
  dialect: VendorDialect;
  request: ChatRequest;
  body: Uint8Array | string;
  sameDialect: boolean;
  /** The client asked for a stream without usage; Weir asked for it and withholds that frame. */
  withholdUsage: boolean;
  worstCase: Usage;
}

function prepare(ports: VendorPorts, d: Decision, rung: VendorRung): Prepared {
  const dialect = ports.dialects.vendor(rung.vendor.dialect);
  const composed = composePrompt(d);
  const request = composed.stream === rung.stream ? composed : { ...composed, stream: rung.stream };
  const ask = d.ask.kind === "chat" ? d.ask : undefined;
  const sameDialect = ask?.dialect === rung.vendor.dialect;
  const untouched = sameDialect && !d.rewritten && d.bytesClean && composed === ask?.request;
  const maxTokens = request.max_tokens ?? rung.model.maxOutputTokens;
  let body: Prepared["body"];
  if (untouched) {
    body = ports.dialects.splice(ask!.body, rung.vendor.dialect, { model: rung.model.model, stream: rung.stream });
  } else {
    const encoded = dialect.encodeRequest(request, rung.model.model, { defaultMaxTokens: rung.model.maxOutputTokens });
    for (const field of encoded.dropped) d.dropped.add(field);
    body = JSON.stringify(encoded.body);
  }
  return {
    dialect,
    request,
    body,
    sameDialect,
    withholdUsage: rung.stream && !request.wants_usage,
    worstCase: { input: estimateRequestTokens(request), cached_input: 0, output: maxTokens, estimated: true },
  };
}

interface Tried {
  served?: Served;
  retryable?: boolean;
  retryAfterMs?: number | undefined;
}

async function tryOnce(ports: VendorPorts, d: Decision, rung: VendorRung, prepared: Prepared): Promise<Tried> {
  const attempt = Attempt.begin(ports, d, {
    rung: rung.index,
    ...(rung.slot !== undefined && { slot: rung.slot }),
    model: rung.model.name,
    target: `${rung.vendor.name}/${rung.model.model}`,
    region: rung.vendor.region,
    price: rung.model.price,
    worstCase: prepared.worstCase,
  });
  if (!attempt) return { retryable: false };
  const used = estimated(prepared.request, "");
  try {
    const response = await ports.upstream.send({
      url: new URL(rung.vendor.baseUrl.replace(/\/$/, "") + prepared.dialect.path),
      headers: {
        ...prepared.dialect.headers(rung.vendor.key),
        "content-type": "application/json",
        accept: rung.stream ? "text/event-stream" : "application/json",
      },
      body: prepared.body,
      signal: d.signal,
      timeouts: rung.vendor.timeouts,
    });
    if (response.status >= 300) return await refusedByVendor(attempt, d, prepared, response);
    return rung.stream
      ? await openStream(ports, attempt, d, rung, prepared, response)
      : await readAnswer(attempt, d, rung, prepared, response);
  } catch (fault) {
    if (!(fault instanceof UpstreamFault)) {
      attempt.end("failed", { reason: "fault" });
      throw fault;
    }
    if (fault.reason === "aborted") attempt.end("aborted", { reason: abortReason(d), usage: used });
    else {
      // A request that reached the vendor may have been billed, whatever became of its answer.
      const reached = fault.reason === "connect_failed" || fault.reason === "connect_timeout" ? undefined : used;
      attempt.end(fault.reason.endsWith("timeout") ? "timeout" : "failed", {
        reason: fault.reason,
        ...(reached && { usage: reached }),
      });
    }
    return { retryable: fault.reason !== "aborted" };
  }
}

const abortReason = (d: Decision): string => (d.signal.reason as { code?: string } | undefined)?.code ?? "aborted";

async function refusedByVendor(
  attempt: Attempt,
  d: Decision,
  prepared: Prepared,
  response: UpstreamResponse,
): Promise<Tried> {
  // What a vendor says beyond this is no message; its status stands all the same.
  const bytes = await response.whole(maxErrorBytes).catch(() => undefined);
  const told = prepared.dialect.decodeError(response.status, bytes && parseJson(bytes.toString("utf8")));
  const retryable = isRetryableStatus(response.status);
  const rejected = response.status === 400 || response.status === 413 || response.status === 422;
  attempt.end(rejected ? "rejected" : "failed", {
    reason: `http_${response.status}${told.code ? `:${told.code}` : ""}`,
  });
  return { retryable, retryAfterMs: retryAfterOf(response.headers, d.clock.now()) };
}

async function readAnswer(
  attempt: Attempt,
  d: Decision,
  rung: VendorRung,
  prepared: Prepared,
  response: UpstreamResponse,
): Promise<Tried> {
  const bytes = await response.whole(maxAnswerBytes);
  const text = bytes.toString("utf8");
  const decoded = prepared.dialect.decodeResponse(parseJson(text));
  if (!decoded.ok) {
    attempt.end("failed", { reason: "unreadable_answer", usage: estimated(prepared.request, "") });
    return { retryable: true };
  }
  const answer = decoded.response;
  attempt.firstContent();
  attempt.end("ok", { usage: credible(answer.usage) ?? estimated(prepared.request, textOf(answer)) });
  d.model = rung.model.name;
  return {
    served: { type: "chat", response: answer, ...(prepared.sameDialect && { raw: passable(bytes, text) }) },
  };
}

/** Holds frames back until the first content: up to there the next attempt or rung can still take over unseen. */
async function openStream(
  ports: VendorPorts,
  attempt: Attempt,
  d: Decision,
  rung: VendorRung,
  prepared: Prepared,
  response: UpstreamResponse,
): Promise<Tried> {
  if (!/^text\/event-stream\b/i.test(String(response.headers["content-type"] ?? ""))) {
    response.cancel();
    attempt.end("failed", { reason: "not_a_stream", usage: estimated(prepared.request, "") });
    return { retryable: true };
  }
  const source = new StreamReader(ports.dialects, prepared, response);
  const held: Frame[] = [];
  for (;;) {
    const next = await source.next().catch((fault: unknown) => {
      source.cancel();
      throw fault;
    });
    const reason = failureOf(next);
    if (next === "truncated" || reason !== undefined) {
      attempt.end("failed", { reason: reason!, usage: source.usage() });
      source.cancel();
      return { retryable: true };
    }
    held.push(next);
    if (next.events.some(isContent)) break;
    if (next.events.some((event) => event.type === "end")) break;
  }
  attempt.firstContent();
  d.model = rung.model.name;
  return {
    served: { type: "stream", sameDialect: prepared.sameDialect, frames: deliver(ports, d, attempt, source, held) },
  };
}

const isContent = (event: ChatEvent): boolean =>
  event.type === "text" || event.type === "reasoning" || event.type === "tool_call_start" || event.type === "finish";

/** Frames as they come. The attempt is booked before the last of them leaves, and also for a reader who goes early. */
function deliver(
  ports: VendorPorts,
  d: Decision,
  attempt: Attempt,
  source: StreamReader,
  held: Frame[],
): AsyncIterable<Frame> {
  const end = (failure: string) => {
    const status = failure === "aborted" ? "aborted" : failure.endsWith("timeout") ? "timeout" : "failed";
    const reason = failure === "aborted" ? abortReason(d) : failure;
    attempt.end(status, { reason, usage: source.usage() });
    source.cancel();
    return reason;
  };
  async function* frames(): AsyncGenerator<Frame> {
    const stopWatching = watchLive(d, () => ports.keyRefusal(d));
    let failure: string | undefined;
    try {
      for (;;) {
        const next = held.shift() ?? (await source.next());
        failure = failureOf(next);
        if (next === "truncated" || failure !== undefined) break;
        const ended = next.events.some((event) => event.type === "end");
        if (ended) attempt.end("ok", { usage: source.usage() });
        yield next;
        if (ended) return;
      }
    } catch (fault) {
      if (!(fault instanceof UpstreamFault)) throw fault;
      failure = fault.reason;
    } finally {
      stopWatching();
      // Does nothing where the attempt has ended well.
      end(failure ?? "aborted");
    }
    const code = failure === "aborted" ? abortReason(d) : "stream_broken";
    yield { events: [{ type: "error", message: failure ?? "stream_broken", code }] };
  }
  return heldStream(frames, () => void end("aborted"));
}

const failureOf = (next: Frame | "truncated"): string | undefined =>
  next === "truncated" ? "truncated" : next.events.some((event) => event.type === "error") ? "vendor_error" : undefined;

/** Bytes → frames, with the usage counted along the way. */
class StreamReader {
  readonly #response: UpstreamResponse;
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #decoder: ReturnType<DialectTools["sse"]>;
  readonly #stream: VendorStream;
  readonly #prepared: Prepared;
  readonly #ready: Frame[] = [];
  readonly #isUsageOnly: (data: string) => boolean;
  #reported: Usage | undefined;
  #outputBytes = 0;
  #drained = false;
  /** What the vendor counted before it began to answer. */
  #floor: Usage | undefined;

  constructor(dialects: DialectTools, prepared: Prepared, response: UpstreamResponse) {
    this.#response = response;
    this.#chunks = response.body[Symbol.asyncIterator]();
    this.#decoder = dialects.sse();
    this.#stream = prepared.dialect.openStream();
    this.#prepared = prepared;
    this.#isUsageOnly = (data) => dialects.isUsageOnly(prepared.dialect.name, data);
  }

  async next(): Promise<Frame | "truncated"> {
    for (;;) {
      const frame = this.#ready.shift();
      if (frame) return frame;
      if (this.#drained) return "truncated";
      for (const record of await this.#records()) {
        const events = this.#stream.decode(record);
        this.#observe(events);
        const withheld = this.#prepared.withholdUsage && this.#isUsageOnly(record.data);
        if (withheld) this.#ready.push({ events });
        else this.#ready.push({ ...(this.#prepared.sameDialect && { raw: record.raw }), events });
      }
    }
  }

  /** The records of the next chunk; at the stream's end what was left without its blank line. */
  async #records() {
    const chunk = await this.#chunks.next();
    this.#drained = chunk.done ?? false;
    try {
      return chunk.done ? this.#decoder.end() : this.#decoder.push(chunk.value);
    } catch (cause) {
      // A record beyond the decoder's bound.
      throw new UpstreamFault("body_too_large", { cause });
    }
  }

  #observe(events: readonly ChatEvent[]): void {
    for (const event of events) {
      if (event.type === "usage") this.#reported = credible(event.usage);
      else if (event.type === "start") this.#floor = credible(event.usage);
      else if (event.type === "text" || event.type === "reasoning") this.#outputBytes += event.text.length;
      else if (event.type === "tool_call_delta") this.#outputBytes += event.arguments.length;
    }
  }

  /** What the vendor reported, else an estimate from what arrived. */
  usage(): Usage {
    if (this.#reported) return this.#reported;
    return {
      input: this.#floor?.input ?? estimateRequestTokens(this.#prepared.request),
      cached_input: this.#floor?.cached_input ?? 0,
      output: Math.ceil(this.#outputBytes / 3),
      estimated: true,
    };
  }

  cancel(): void {
    this.#response.cancel();
  }
}

// No model reads or writes a billion tokens in one call: such a report is a fault of the vendor's, and is estimated.
const mostTokens = 1e9;

const credible = (usage: Usage | undefined): Usage | undefined =>
  usage &&
  [usage.input, usage.cached_input, usage.output].every((n) => Number.isInteger(n) && n >= 0 && n <= mostTokens)
    ? usage
    : undefined;

const estimated = (request: ChatRequest, output: string): Usage => ({
  input: estimateRequestTokens(request),
  cached_input: 0,
  output: estimateTokens(output),
  estimated: true,
});

function textOf(response: ChatResponse): string {
  return response.parts.map((part) => (part.type === "text" || part.type === "reasoning" ? part.text : "")).join("");
}

// A short text leaves in one write with the headers, bytes in a second one; long ones are not worth encoding again.
const longAnswer = 16 * 1024;

const passable = (bytes: Buffer, text: string): Uint8Array | string =>
  bytes.length < longAnswer && isUtf8(bytes) ? text : bytes;

/** `undefined` for what is not JSON: the dialect then says that it can't be read. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
