/** A bounded queue in front of one address: tries again with growing pauses, and gives up in the end. */
import type { Clock } from "../../kernel/clock.ts";
import { type Outbound, OutboundFault, type OutboundRequest, type OutboundResponse } from "./outbound.ts";

export type DeliveryOutcome = "delivered" | "retried" | "rejected" | "gave_up" | "dropped" | "gone";

export interface DeliveryOptions {
  clock: Clock;
  outbound: Outbound;
  /** Items that may wait; the oldest goes when there is no room. */
  capacity: number;
  /** Tries of one item before it is given up. */
  tries: number;
  firstPauseMs: number;
  longestPauseMs: number;
  /** Statuses after which the same thing is tried again; others but 2xx are final. */
  retryable(status: number): boolean;
  told(outcome: DeliveryOutcome, why?: string): void;
}

interface Waiting {
  /** Made anew for each try: a signature covers the time of sending. */
  make: () => OutboundRequest;
  tries: number;
}

/** One at a time and in order, so that what is resolved never overtakes what fired. */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #queue: Waiting[] = [];
  #busy = false;
  #stopPause: (() => void) | undefined;
  #closed = false;
  #idle: (() => void)[] = [];

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  /** Never throws and never waits. */
  push(make: () => OutboundRequest): void {
    if (this.#closed) return this.#options.told("dropped", "closed");
    if (this.#queue.length >= this.#options.capacity) {
      // The one under way stays: it may have arrived already.
      this.#queue.splice(this.#busy ? 1 : 0, 1);
      this.#options.told("dropped", "the queue is full");
    }
    this.#queue.push({ make, tries: 0 });
    this.#next();
  }

  get waiting(): number {
    return this.#queue.length;
  }

  /** Resolves when nothing is under way or waiting; what pauses before a further try does not count. */
  settled(): Promise<void> {
    if (!this.#busy) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  close(): void {
    this.#closed = true;
    this.#stopPause?.();
    for (let i = this.#busy ? 1 : 0; i < this.#queue.length; i++) this.#options.told("dropped", "closed");
    this.#queue.length = 0;
  }

  #next(): void {
    const first = this.#queue[0];
    if (this.#busy || this.#stopPause || this.#closed) return;
    if (!first) {
      for (const resolve of this.#idle.splice(0)) resolve();
      return;
    }
    this.#busy = true;
    void this.#try(first).then((pauseMs) => {
      this.#busy = false;
      if (pauseMs === undefined) this.#queue.shift();
      else this.#pause(pauseMs);
      this.#next();
      if (this.#stopPause) for (const resolve of this.#idle.splice(0)) resolve();
    });
  }

  #pause(ms: number): void {
    if (this.#closed) return;
    this.#stopPause = this.#options.clock.after(ms, () => {
      this.#stopPause = undefined;
      this.#next();
    });
  }

  /** Milliseconds until the next try; undefined when the item is done with. */
  async #try(item: Waiting): Promise<number | undefined> {
    item.tries += 1;
    const answer = await this.#send(item);
    if (this.#closed) return undefined;
    if ("status" in answer && answer.status >= 200 && answer.status < 300) return this.#done("delivered");
    if ("status" in answer && answer.status === 410) return this.#done("gone", "HTTP 410");
    const why = "status" in answer ? `HTTP ${answer.status}` : `${answer.reason}: ${answer.message}`;
    const final = "status" in answer ? !this.#options.retryable(answer.status) : answer.reason === "refused_address";
    if (final) return this.#done("rejected", why);
    if (item.tries >= this.#options.tries) return this.#done("gave_up", why);
    this.#options.told("retried", why);
    return this.#pauseAfter(item.tries, "status" in answer ? answer.retryAfterMs : undefined);
  }

  async #send(item: Waiting): Promise<OutboundResponse | OutboundFault> {
    try {
      return await this.#options.outbound.post(item.make());
    } catch (fault) {
      return fault instanceof OutboundFault ? fault : new OutboundFault("connection", "the call could not be made");
    }
  }

  #done(outcome: DeliveryOutcome, why?: string): undefined {
    this.#options.told(outcome, why);
  }

  /** Doubling, with up to a quarter more or less; never sooner than the other side asks. */
  #pauseAfter(tries: number, askedMs = 0): number {
    const { clock, firstPauseMs, longestPauseMs } = this.#options;
    const pause = Math.min(longestPauseMs, firstPauseMs * 2 ** (tries - 1)) * (0.75 + clock.random() / 2);
    return Math.min(longestPauseMs, Math.max(pause, askedMs));
  }
}
