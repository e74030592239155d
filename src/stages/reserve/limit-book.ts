/**
 * Token buckets and concurrency counters by scope, in memory. A bucket holds at most one minute's worth and refills
 * continuously (GCRA in its bucket form), so a burst of the whole limit is allowed and nothing beyond it.
 */
import type { Clock } from "../../kernel/clock.ts";
import type { Limits } from "../../kernel/snapshot.ts";

interface Bucket {
  perMinute: number;
  level: number;
  atMs: number;
}

interface Scope {
  requests?: Bucket;
  tokens?: Bucket;
  running: number;
}

export interface ScopedLimits {
  /** E.g. `tenant:retail`, `use:retail/credit`, `key:k7f3…`. */
  scope: string;
  limits: Limits;
}

export type Shortage = { kind: "requests" | "tokens" | "concurrency"; scope: string; limit: number; waitMs: number };

export interface Room {
  /** The request bucket with the least left, in share of its limit. */
  tightest?: { policy: string; limit: number; remaining: number; resetMs: number };
  /** Gives concurrency back and corrects the token estimate to what was used. Once. */
  release(usedTokens: number): void;
}

export class LimitBook {
  readonly #clock: Clock;
  readonly #scopes = new Map<string, Scope>();
  #running = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Takes one request, `tokens` tokens and one running slot in every scope, or nothing at all. */
  take(scoped: readonly ScopedLimits[], tokens: number): Room | Shortage {
    const now = this.#clock.monotonic();
    const taken = scoped.map(({ scope, limits }) => this.#scope(scope, limits, now));
    for (const [i, scope] of taken.entries()) {
      const short = shortage(scope, scoped[i]!, tokens);
      if (short) return short;
    }
    for (const scope of taken) {
      if (scope.requests) scope.requests.level -= 1;
      if (scope.tokens) scope.tokens.level -= tokens;
      scope.running += 1;
    }
    this.#running += 1;
    let open = true;
    const tightest = tightestOf(taken, scoped);
    return {
      ...(tightest && { tightest }),
      release: (usedTokens) => {
        if (!open) return;
        open = false;
        this.#running -= 1;
        for (const scope of taken) {
          scope.running -= 1;
          if (scope.tokens)
            scope.tokens.level = Math.min(scope.tokens.perMinute, scope.tokens.level + tokens - usedTokens);
        }
      },
    };
  }

  /** Requests holding a place now; 0 when the server is idle, whatever happened before. */
  get running(): number {
    return this.#running;
  }

  #scope(name: string, limits: Limits, now: number): Scope {
    let scope = this.#scopes.get(name);
    if (!scope) this.#scopes.set(name, (scope = { running: 0 }));
    refresh(scope, "requests", limits.requestsPerMinute, now);
    refresh(scope, "tokens", limits.tokensPerMinute, now);
    return scope;
  }
}

function refresh(scope: Scope, which: "requests" | "tokens", perMinute: number | undefined, now: number): void {
  if (perMinute === undefined) {
    delete scope[which];
    return;
  }
  const bucket = scope[which];
  if (!bucket) {
    scope[which] = { perMinute, level: perMinute, atMs: now };
    return;
  }
  bucket.level = Math.min(perMinute, bucket.level + ((now - bucket.atMs) * perMinute) / 60_000);
  bucket.atMs = now;
  bucket.perMinute = perMinute;
}

function shortage(scope: Scope, { scope: name, limits }: ScopedLimits, tokens: number): Shortage | undefined {
  const { requests, tokens: bucket } = scope;
  if (requests && requests.level < 1) return short("requests", name, requests, 1);
  // A request larger than the whole bucket can never fit: it may pass when the bucket is full, and goes into debt.
  if (bucket && bucket.level < Math.min(tokens, bucket.perMinute))
    return short("tokens", name, bucket, Math.min(tokens, bucket.perMinute));
  if (limits.concurrency !== undefined && scope.running >= limits.concurrency)
    return { kind: "concurrency", scope: name, limit: limits.concurrency, waitMs: 1000 };
  return undefined;
}

const short = (kind: Shortage["kind"], scope: string, bucket: Bucket, need: number): Shortage => ({
  kind,
  scope,
  limit: bucket.perMinute,
  waitMs: Math.ceil(((need - bucket.level) * 60_000) / bucket.perMinute),
});

function tightestOf(scopes: Scope[], scoped: readonly ScopedLimits[]): Room["tightest"] {
  let found: Room["tightest"];
  let share = Infinity;
  for (const [i, { requests }] of scopes.entries()) {
    if (!requests || requests.level / requests.perMinute >= share) continue;
    share = requests.level / requests.perMinute;
    found = {
      policy: scoped[i]!.scope.split(":")[0]!,
      limit: requests.perMinute,
      remaining: Math.max(0, Math.floor(requests.level)),
      resetMs: Math.ceil(((requests.perMinute - requests.level) * 60_000) / requests.perMinute),
    };
  }
  return found;
}
