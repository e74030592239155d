/**
 * Time and randomness come from here and nowhere else, so that limiters, breakers, deadlines and release statistics
 * run on a virtual clock in tests. `tests/architecture.test.ts` refuses Date.now, timers and Math.random elsewhere.
 */
import { randomFillSync } from "node:crypto";
import type { Signal } from "./signal.ts";

export interface Clock {
  /** Wall time in milliseconds since the Unix epoch (integer). */
  now(): number;
  /** Monotonic time in milliseconds, fractional, for durations only. */
  monotonic(): number;
  /** Runs `act` once after `delayMs`; the returned function cancels it. Never keeps the process alive. */
  after(delayMs: number, act: () => void): () => void;
  /** Resolves after `delayMs`; rejects with the signal's reason when it aborts first. */
  sleep(delayMs: number, signal?: Signal): Promise<void>;
  /** `length` cryptographically strong bytes (a twin may be seeded). */
  randomBytes(length: number): Uint8Array;
  /** Uniform in [0, 1), for jitter and sampling, never for secrets. */
  random(): number;
}

function sleepOn(clock: Pick<Clock, "after">, delayMs: number, signal?: Signal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      cancel();
      reject(signal!.reason);
    };
    const cancel = clock.after(delayMs, () => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    });
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

// Random bytes are drawn 4 KiB at a time: one system call serves some hundred ids.
const pool = new Uint8Array(4096);
let poolUsed = pool.length;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, act) {
    const timer = setTimeout(act, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
  sleep: (delayMs, signal) => sleepOn(systemClock, delayMs, signal),
  randomBytes(length) {
    if (length > pool.length) return randomFillSync(new Uint8Array(length));
    if (poolUsed + length > pool.length) {
      randomFillSync(pool);
      poolUsed = 0;
    }
    poolUsed += length;
    return pool.slice(poolUsed - length, poolUsed);
  },
  random: () => Math.random(),
};

/** For commands that have nothing else to wait for: unlike `after`, it keeps the process alive. Ends early on abort. */
export const pause = (ms: number, signal?: Signal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });

/** The simple twin: time moves only by `advance`, randomness is a seeded xorshift. */
export class VirtualClock implements Clock {
  #now: number;
  #start: number;
  #timers: { at: number; order: number; act: () => void }[] = [];
  #order = 0;
  #seed: number;

  constructor(startMs = 1_767_225_600_000, seed = 1) {
    this.#now = startMs;
    this.#start = startMs;
    this.#seed = seed >>> 0 || 1;
  }
  now(): number {
    return Math.floor(this.#now);
  }
  monotonic(): number {
    return this.#now - this.#start;
  }
  after(delayMs: number, act: () => void): () => void {
    const timer = { at: this.#now + Math.max(0, delayMs), order: this.#order++, act };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((t) => t !== timer);
    };
  }
  sleep(delayMs: number, signal?: Signal): Promise<void> {
    return sleepOn(this, delayMs, signal);
  }
  randomBytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => Math.floor(this.random() * 256));
  }
  random(): number {
    this.#seed ^= this.#seed << 13;
    this.#seed ^= this.#seed >>> 17;
    this.#seed ^= this.#seed << 5;
    return (this.#seed >>> 0) / 2 ** 32;
  }
  /** Moves time forward, running due timers in order and letting promise reactions run between them. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    for (;;) {
      await settle();
      const due = this.#timers.filter((t) => t.at <= until).sort((a, b) => a.at - b.at || a.order - b.order)[0];
      if (!due) break;
      this.#now = Math.max(this.#now, due.at);
      this.#timers = this.#timers.filter((t) => t !== due);
      due.act();
    }
    this.#now = until;
    await settle();
  }
  get pendingTimers(): number {
    return this.#timers.length;
  }
}

/** Lets queued promise reactions and immediates run. */
async function settle(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}
