/**
 * Token buckets and concurrency counters by scope, in memory. A bucket holds at most one minute's worth and refills
 * continuously (GCRA in its bucket form), so a burst of the whole limit is allowed and nothing beyond it.
 */
import type { Clock } from "../../kernel/clock.ts";
import type { Scope } from "./scopes.ts";

interface Bucket {
  perMinute: number;
  level: number;
}

interface Counter {
  name: string;
  requests: Bucket | undefined;
  tokens: Bucket | undefined;
  running: number;
  /** Moving average of how long a place is held; 0 until the first was given back. */
  heldMs: number;
  atMs: number;
  /** Forgotten: whoever kept a reference looks it up again. */
  gone: boolean;
}

export type LimitedScope = Pick<Scope, "level" | "name" | "limits">;

export type Shortage = {
  kind: "requests" | "tokens" | "concurrency";
  scope: LimitedScope;
  limit: number;
  waitMs: number;
};

/** What is left of one limit. */
interface Allotment {
  policy: string;
  limit: number;
  remaining: number;
  /** Until it is whole again. */
  resetMs: number;
}

export interface Room {
  /** The request and the token bucket with the least left, in share of their limit. */
  readonly requests: Allotment | undefined;
  readonly tokens: Allotment | undefined;
  /** Gives concurrency back and corrects the token estimate to what was used. Once. */
  release(usedTokens: number): void;
}

/** What is left of a scope's limits; below zero is owed. */
interface LimitLevel {
  scope: string;
  requests?: { left: number; waitMs: number };
  tokens?: { left: number; waitMs: number };
  running: number;
}

const idleMs = 60_000;

export class LimitBook {
  readonly #clock: Clock;
  readonly #counters = new Map<string, Counter>();
  /** By list of scopes: those lists are built once for each key, so that names are not looked up each time. */
  readonly #lists = new WeakMap<readonly LimitedScope[], Counter[]>();
  #sweep: Iterator<Counter> = this.#counters.values();
  #running = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes one request, `tokens` tokens and one running slot in every scope, or nothing at all and says the longest wait. */
  take(scopes: readonly LimitedScope[], tokens: number): Room | Shortage {
    const now = this.#clock.monotonic();
    const counters = this.#countersOf(scopes, now);
    let longest: Shortage | undefined;
    for (let i = 0; i < scopes.length; i++) {
      const short = shortage(counters[i]!, scopes[i]!, tokens);
      if (short && (!longest || short.waitMs > longest.waitMs)) longest = short;
    }
    if (longest) return longest;
    for (let i = 0; i < counters.length; i++) {
      const counter = counters[i]!;
      if (counter.requests) counter.requests.level -= 1;
      if (counter.tokens) counter.tokens.level -= tokens;
      counter.running += 1;
    }
    this.#running += 1;
    return new Place(tightest("requests", scopes, counters), tightest("tokens", scopes, counters), (usedTokens) => {
      this.#running -= 1;
      giveBack(counters, tokens - usedTokens, this.#clock.monotonic() - now);
    });
  }

  /** How much is left of each scope's limits now, without counting anything; `waitMs` until one more is let in. */
  statesOf(scopes: readonly Pick<LimitedScope, "name" | "limits">[]): LimitLevel[] {
    const now = this.#clock.monotonic();
    return scopes.map(({ name, limits }) => {
      const counter = this.#counters.get(name);
      const passedMs = counter ? now - counter.atMs : 0;
      const requests = levelOf(counter?.requests, limits.requestsPerMinute, passedMs);
      const tokens = levelOf(counter?.tokens, limits.tokensPerMinute, passedMs);
      return {
        scope: name,
        ...(requests && { requests }),
        ...(tokens && { tokens }),
        running: counter?.running ?? 0,
      };
    });
  }

  /** Requests holding a place now; 0 when the server is idle, whatever happened before. */
  get running(): number {
    return this.#running;
  }

  /** Scopes in memory: those that were used in the last minutes, or owe something. */
  get size(): number {
    return this.#counters.size;
  }

  #countersOf(scopes: readonly LimitedScope[], now: number): readonly Counter[] {
    let counters = this.#lists.get(scopes);
    if (!counters || anyGone(counters)) {
      // Twice as many looks as can come anew, so that the sweep comes round: memory follows what is in use.
      for (let i = 0; i < 2 * scopes.length; i++) this.#forgetOne(now);
      counters = scopes.map(({ name }) => this.#counter(name, now));
      this.#lists.set(scopes, counters);
    }
    for (let i = 0; i < scopes.length; i++) refresh(counters[i]!, scopes[i]!, now);
    return counters;
  }

  #counter(name: string, now: number): Counter {
    const known = this.#counters.get(name);
    if (known) return known;
    const counter = { name, requests: undefined, tokens: undefined, running: 0, heldMs: 0, atMs: now, gone: false };
    this.#counters.set(name, counter);
    return counter;
  }

  /** Forgets the next scope in turn if it is idle and its buckets are full: it would begin again as it is. */
  #forgetOne(now: number): void {
    const next = this.#sweep.next();
    if (next.done) {
      this.#sweep = this.#counters.values();
      return;
    }
    const counter = next.value;
    if (counter.running > 0 || now - counter.atMs < idleMs || isOwing(counter, now)) return;
    counter.gone = true;
    this.#counters.delete(counter.name);
  }
}

function anyGone(counters: readonly Counter[]): boolean {
  for (let i = 0; i < counters.length; i++) if (counters[i]!.gone) return true;
  return false;
}

class Place implements Room {
  readonly requests: Allotment | undefined;
  readonly tokens: Allotment | undefined;
  #release: ((usedTokens: number) => void) | undefined;

  constructor(requests: Allotment | undefined, tokens: Allotment | undefined, release: (usedTokens: number) => void) {
    this.requests = requests;
    this.tokens = tokens;
    this.#release = release;
  }
  release(usedTokens: number): void {
    const release = this.#release;
    this.#release = undefined;
    release?.(usedTokens);
  }
}

function giveBack(counters: readonly Counter[], unusedTokens: number, heldMs: number): void {
  for (const counter of counters) {
    counter.running -= 1;
    counter.heldMs = counter.heldMs === 0 ? heldMs : counter.heldMs + (heldMs - counter.heldMs) / 8;
    const { tokens } = counter;
    if (tokens) tokens.level = Math.min(tokens.perMinute, tokens.level + unusedTokens);
  }
}

function refresh(counter: Counter, { limits }: LimitedScope, now: number): void {
  const passedMs = now - counter.atMs;
  counter.requests = refilled(counter.requests, limits.requestsPerMinute, passedMs);
  counter.tokens = refilled(counter.tokens, limits.tokensPerMinute, passedMs);
  counter.atMs = now;
}

function refilled(bucket: Bucket | undefined, perMinute: number | undefined, passedMs: number): Bucket | undefined {
  if (perMinute === undefined) return undefined;
  if (!bucket) return { perMinute, level: perMinute };
  bucket.perMinute = perMinute;
  bucket.level = Math.min(perMinute, bucket.level + (passedMs * perMinute) / 60_000);
  return bucket;
}

/** A bucket that nobody used lately is whole. */
function levelOf(bucket: Bucket | undefined, perMinute: number | undefined, passedMs: number) {
  if (perMinute === undefined) return undefined;
  const level = bucket ? Math.min(perMinute, bucket.level + (passedMs * perMinute) / 60_000) : perMinute;
  return { left: level, waitMs: waitMs({ perMinute, level }, 1) };
}

const isOwing = ({ requests, tokens, atMs }: Counter, now: number): boolean =>
  [requests, tokens].some(
    (bucket) => bucket && bucket.level + ((now - atMs) * bucket.perMinute) / 60_000 < bucket.perMinute,
  );

function shortage(counter: Counter, scope: LimitedScope, tokens: number): Shortage | undefined {
  const { requests, tokens: bucket } = counter;
  const { concurrency } = scope.limits;
  // A request larger than the whole bucket can never fit: it may pass when the bucket is full, and goes into debt.
  const need = bucket ? Math.min(tokens, bucket.perMinute) : 0;
  const requestWaitMs = requests ? waitMs(requests, 1) : 0;
  const tokenWaitMs = bucket ? waitMs(bucket, need) : 0;
  if (requestWaitMs > 0 && requestWaitMs >= tokenWaitMs)
    return { kind: "requests", scope, limit: requests!.perMinute, waitMs: requestWaitMs };
  if (tokenWaitMs > 0) return { kind: "tokens", scope, limit: bucket!.perMinute, waitMs: tokenWaitMs };
  if (concurrency !== undefined && counter.running >= concurrency)
    return { kind: "concurrency", scope, limit: concurrency, waitMs: placeWaitMs(counter, concurrency) };
  return undefined;
}

const waitMs = (bucket: Bucket, need: number): number =>
  bucket.level >= need ? 0 : Math.ceil(((need - bucket.level) * 60_000) / bucket.perMinute);

/** A place is given back every (time held ÷ places); a second where none has been yet. */
const placeWaitMs = ({ heldMs }: Counter, places: number): number =>
  heldMs === 0 ? 1000 : Math.min(60_000, Math.max(1, Math.ceil(heldMs / Math.max(1, places))));

function tightest(
  which: "requests" | "tokens",
  scopes: readonly LimitedScope[],
  counters: readonly Counter[],
): Allotment | undefined {
  let found = -1;
  let share = Infinity;
  for (let i = 0; i < counters.length; i++) {
    const bucket = counters[i]![which];
    if (!bucket || bucket.level / bucket.perMinute >= share) continue;
    share = bucket.level / bucket.perMinute;
    found = i;
  }
  if (found < 0) return undefined;
  const { perMinute, level } = counters[found]![which]!;
  return {
    policy: scopes[found]!.level,
    limit: perMinute,
    remaining: Math.max(0, Math.floor(level)),
    resetMs: Math.ceil(((perMinute - level) * 60_000) / perMinute),
  };
}
