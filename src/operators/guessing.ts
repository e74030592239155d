/**
 * Makes guessing slow: after some failures every further one doubles the wait, up to 15 minutes. Counted for a name from
 * an address, and for an address over all names; a success clears only the first. Bounded in memory: the longest unused
 * counts are dropped.
 */
import type { Clock } from "../kernel/clock.ts";

const freeFailures = { pair: 5, address: 20 };
const firstWaitMs = 1_000;
const longestWaitMs = 15 * 60_000;
/** Failures older than this no longer count. */
const forgetMs = 60 * 60_000;
const maxCounts = 10_000;

interface Count {
  failures: number;
  lastAtMs: number;
  free: number;
}

export class GuessingBackOff {
  readonly #clock: Clock;
  /** In order of last use. */
  readonly #counts = new Map<string, Count>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Milliseconds to wait before this may be tried; 0 when now. */
  waitMs(name: string, address: string): number {
    return Math.max(this.#waitOf(pairKey(name, address)), this.#waitOf(addressKey(address)));
  }

  /** Counts a try before it is known to fail, so that parallel tries do not slip through. */
  begin(name: string, address: string): void {
    this.#count(pairKey(name, address), freeFailures.pair);
    this.#count(addressKey(address), freeFailures.address);
  }

  succeed(name: string, address: string): void {
    this.#counts.delete(pairKey(name, address));
    const whole = this.#counts.get(addressKey(address));
    if (whole) whole.failures--;
  }

  #waitOf(key: string): number {
    const count = this.#counts.get(key);
    if (!count || count.failures < count.free) return 0;
    const wait = Math.min(longestWaitMs, firstWaitMs * 2 ** (count.failures - count.free));
    return Math.max(0, count.lastAtMs + wait - this.#clock.now());
  }

  #count(key: string, free: number): void {
    const now = this.#clock.now();
    const before = this.#counts.get(key);
    const failures = before && now - before.lastAtMs < forgetMs ? before.failures + 1 : 1;
    this.#counts.delete(key);
    this.#counts.set(key, { failures, lastAtMs: now, free });
    if (this.#counts.size > maxCounts) this.#counts.delete(this.#counts.keys().next().value!);
  }
}

const pairKey = (name: string, address: string): string => `${address} ${name}`;
const addressKey = (address: string): string => address;
