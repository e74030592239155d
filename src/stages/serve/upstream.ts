/**
 * The only place that opens connections to vendors: undici's `dispatch` (a fifth of the cost of `fetch`) behind one
 * method. A response is handed over at its headers; its body is pulled, so a slow client slows the vendor down.
 */
import { type Dispatcher, Pool } from "undici";
import type { Clock } from "../../kernel/clock.ts";
import type { VendorTimeouts } from "../../kernel/snapshot.ts";
import type { Signal } from "../../kernel/signal.ts";

export interface UpstreamRequest {
  url: URL;
  headers: Record<string, string>;
  body: Uint8Array | string;
  signal: Signal;
  timeouts: VendorTimeouts;
}

export interface UpstreamResponse {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  /** Ends normally only where the response was complete. Leaving the loop early aborts the request. */
  body: AsyncIterable<Uint8Array>;
  /** The whole body at once, instead of `body`; rejects beyond `limitBytes`. */
  whole(limitBytes: number): Promise<Buffer>;
  /** The reader has all it wants: what little may still come is read away, so that the connection can serve again. */
  finish(): void;
  /** Gives the answer up, begun or not: the connection is closed, and a reader who waits hears this reason. */
  cancel(reason?: UpstreamFault["reason"]): void;
}

/** `reason` is stable and goes into the attempt's record. */
export class UpstreamFault extends Error {
  readonly reason:
    | "connect_failed"
    | "connect_timeout"
    /** The key could not be shown to the vendor; nothing was sent. */
    | "credentials_failed"
    | "first_byte_timeout"
    | "first_token_timeout"
    | "idle_timeout"
    | "total_timeout"
    | "too_slow"
    | "reset"
    | "aborted"
    | "body_too_large"
    | "unreadable";
  constructor(reason: UpstreamFault["reason"], options?: { cause?: unknown }) {
    super(reason, options);
    this.name = "UpstreamFault";
    this.reason = reason;
  }
}

export interface Upstream {
  send(request: UpstreamRequest): Promise<UpstreamResponse>;
  close(): Promise<void>;
}

export function createUpstream(options: { clock: Clock; connections?: number }): Upstream {
  const pools = new Map<string, Pool>();
  const poolOf = (request: UpstreamRequest) => {
    const key = `${request.url.origin} ${request.timeouts.connectMs}`;
    let pool = pools.get(key);
    if (!pool)
      pools.set(
        key,
        (pool = new Pool(request.url.origin, {
          // How many calls a target takes at once is decided by its capacity, before this.
          connections: options.connections ?? null,
          pipelining: 1,
          // Own timers below tell the three waits apart; undici's would not.
          headersTimeout: 0,
          bodyTimeout: 0,
          connect: { timeout: request.timeouts.connectMs },
        })),
      );
    return pool;
  };
  return {
    send: (request) =>
      new Promise((resolve, reject) => {
        if (request.signal.aborted) return reject(new UpstreamFault("aborted"));
        const exchange = new Exchange(options.clock, request, resolve, reject);
        poolOf(request).dispatch(
          {
            method: "POST",
            path: request.url.pathname + request.url.search,
            headers: request.headers,
            body: request.body,
          },
          exchange,
        );
      }),
    async close() {
      await Promise.all([...pools.values()].map((pool) => pool.destroy()));
    },
  };
}

// Long enough that a model's pause for thought within an answer isn't taken for a drip.
const rateWindowMs = 10_000;

// After the last word of an answer comes the end of its body, at once or never.
const restMs = 1000;
const restBytes = 16 * 1024;

// Beyond this the socket is paused until the reader has caught up.
const highWaterBytes = 64 * 1024;

/** One request and its response. The request's body, which may be large, is not held on to once it is sent. */
class Exchange implements Dispatcher.DispatchHandler, UpstreamResponse, AsyncIterable<Uint8Array> {
  status = 0;
  headers: UpstreamResponse["headers"] = {};
  readonly body = this;
  readonly #clock: Clock;
  readonly #signal: Signal;
  readonly #timeouts: VendorTimeouts;
  readonly #resolve: (response: UpstreamResponse) => void;
  readonly #reject: (fault: UpstreamFault) => void;
  readonly #onAbort = () => this.#fail(new UpstreamFault("aborted"));
  #controller: Dispatcher.DispatchController | undefined;
  #stopTimer: (() => void) | undefined;
  readonly #stopTotal: (() => void) | undefined;
  #idleDeadline = 0;
  /** Since when bytes are counted against the least rate, and how many came; a pause starts anew. */
  #windowFrom = 0;
  #windowBytes = 0;
  #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  /** Set while the body is collected whole. */
  #limitBytes: number | undefined;
  #started = false;
  #ended = false;
  #finishing = false;
  #fault: UpstreamFault | undefined;
  #wake: (() => void) | undefined;

  constructor(
    clock: Clock,
    request: UpstreamRequest,
    resolve: (response: UpstreamResponse) => void,
    reject: (fault: UpstreamFault) => void,
  ) {
    this.#clock = clock;
    this.#signal = request.signal;
    this.#timeouts = request.timeouts;
    this.#resolve = resolve;
    this.#reject = reject;
    request.signal.addEventListener("abort", this.#onAbort, { once: true });
    const { totalMs } = request.timeouts;
    if (totalMs !== undefined)
      this.#stopTotal = clock.after(totalMs, () => this.#fail(new UpstreamFault("total_timeout")));
    // Until a connection is there the connect timeout rules; a queue for a free connection counts as waiting for it.
    this.#stopTimer = clock.after(request.timeouts.connectMs + request.timeouts.firstByteMs, () =>
      this.#fail(new UpstreamFault(this.#controller ? "first_byte_timeout" : "connect_timeout")),
    );
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#fault) return controller.abort(this.#fault);
    this.#stopTimer?.();
    this.#stopTimer = this.#clock.after(this.#timeouts.firstByteMs, () =>
      this.#fail(new UpstreamFault("first_byte_timeout")),
    );
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: UpstreamResponse["headers"],
  ): void {
    if (status < 200 || this.#fault) return;
    this.#stopTimer?.();
    this.#started = true;
    this.#windowFrom = this.#clock.monotonic();
    this.#idleDeadline = this.#windowFrom + this.#timeouts.idleMs;
    this.#watchIdle();
    this.status = status;
    this.headers = headers;
    this.#resolve(this);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    this.#idleDeadline = this.#clock.monotonic() + this.#timeouts.idleMs;
    this.#queue.push(chunk);
    this.#queuedBytes += chunk.length;
    this.#windowBytes += chunk.length;
    if (this.#finishing) {
      this.#queue = [];
      if (this.#queuedBytes > restBytes) this.cancel("aborted");
      return;
    }
    if (this.#limitBytes !== undefined) {
      if (this.#queuedBytes > this.#limitBytes) this.#fail(new UpstreamFault("body_too_large"));
      return;
    }
    if (this.#queuedBytes > highWaterBytes) controller.pause();
    this.#wake?.();
  }

  onResponseEnd(): void {
    this.#ended = true;
    this.#cleanUp();
    this.#wake?.();
  }

  onResponseError(_controller: Dispatcher.DispatchController, cause: Error): void {
    if (this.#fault) return;
    const code = (cause as { code?: string }).code ?? "";
    const connecting = !this.#started && /CONNECT|REFUSED|NOTFOUND|EAI_AGAIN|CERT|TLS|SSL|EHOST|ENET/.test(code);
    const reason = code === "UND_ERR_CONNECT_TIMEOUT" ? "connect_timeout" : connecting ? "connect_failed" : "reset";
    this.#fail(new UpstreamFault(reason, { cause }));
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return {
      next: () => this.#next(),
      return: async () => {
        this.cancel();
        return { done: true, value: undefined };
      },
    };
  }

  /** What has come already is there at once; else the next chunk, the end or the fault. */
  #next(): Promise<IteratorResult<Uint8Array>> {
    return new Promise((resolve, reject) => {
      const take = () => {
        const chunk = this.#queue.shift();
        if (chunk) {
          this.#queuedBytes -= chunk.length;
          if (this.#queuedBytes <= highWaterBytes && this.#controller?.paused) this.#resume();
          resolve({ done: false, value: chunk });
        } else if (this.#fault) reject(this.#fault);
        else if (this.#ended) resolve({ done: true, value: undefined });
        else return false;
        this.#wake = undefined;
        return true;
      };
      if (!take()) this.#wake = take;
    });
  }

  finish(): void {
    if (this.#ended || this.#fault || this.#finishing) return;
    this.#finishing = true;
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#cleanUp();
    this.#stopTimer = this.#clock.after(restMs, () => this.cancel("aborted"));
    if (this.#controller?.paused) this.#controller.resume();
  }

  /** A fault carries a stack, which is dear to take: only where there is something to give up. */
  cancel(reason: UpstreamFault["reason"] = "aborted"): void {
    if (!this.#ended && !this.#fault) this.#fail(new UpstreamFault(reason));
  }

  #resume(): void {
    const now = this.#clock.monotonic();
    this.#idleDeadline = now + this.#timeouts.idleMs;
    this.#windowFrom = now;
    this.#windowBytes = 0;
    this.#controller?.resume();
  }

  async whole(limitBytes: number): Promise<Buffer> {
    // From here on nothing is paused: the limit bounds what is held.
    this.#limitBytes = limitBytes;
    if (this.#queuedBytes > limitBytes) this.#fail(new UpstreamFault("body_too_large"));
    const woken = new Promise<void>((resolve) => (this.#wake = resolve));
    if (this.#controller?.paused) this.#controller.resume();
    if (!this.#ended && !this.#fault) await woken;
    if (this.#fault) throw this.#fault;
    return this.#queue.length === 1 ? bufferOf(this.#queue[0]!) : Buffer.concat(this.#queue);
  }

  // One timer for the whole body, moved on when it rings: re-arming it for every chunk would cost more than the chunk.
  #watchIdle(): void {
    const now = this.#clock.monotonic();
    const left = this.#idleDeadline - now;
    const paused = this.#controller?.paused ?? false;
    if (left <= 0 && !paused) return this.#fail(new UpstreamFault("idle_timeout"));
    if (this.#tooSlow(now) && !paused) return this.#fail(new UpstreamFault("too_slow"));
    const { minBytesPerSecond } = this.#timeouts;
    const next = minBytesPerSecond === undefined ? left : Math.min(left, rateWindowMs);
    this.#stopTimer = this.#clock.after(Math.max(next, 10), () => this.#watchIdle());
  }

  #tooSlow(now: number): boolean {
    const least = this.#timeouts.minBytesPerSecond;
    const elapsedMs = now - this.#windowFrom;
    if (least === undefined || elapsedMs < rateWindowMs) return false;
    const slow = this.#windowBytes * 1000 < least * elapsedMs;
    this.#windowFrom = now;
    this.#windowBytes = 0;
    return slow;
  }

  #fail(fault: UpstreamFault): void {
    if (this.#fault || this.#ended) return;
    this.#fault = fault;
    this.#cleanUp();
    this.#controller?.abort(fault);
    if (!this.#started) this.#reject(fault);
    this.#wake?.();
  }

  #cleanUp(): void {
    this.#stopTimer?.();
    this.#stopTotal?.();
    this.#signal.removeEventListener("abort", this.#onAbort);
  }
}

const bufferOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
