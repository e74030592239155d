import { hash } from "node:crypto";
import type { ChatResponse } from "../../kernel/chat.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { DecisionId } from "../../kernel/ids.ts";
import { type NanoUsd, nanoUsd, zeroUsd } from "../../kernel/money.ts";
import type { Decision } from "../../path/context.ts";

interface Stored {
  response: ChatResponse;
  model: string;
  from: DecisionId;
  tenant: string;
  useCase: string;
  tags: readonly string[];
  cost: NanoUsd;
  /** What the rules made of the answer: it holds for those who get it again. */
  judged: Pick<Decision, "result" | "confidence" | "rule" | "reasons">;
  until: number;
  bytes: number;
}

/** Which answers to drop; all of those named must fit. Nothing named: everything. */
export interface CacheFilter {
  tenant?: string;
  useCase?: string;
  tag?: string;
}

export interface CacheFigures {
  entries: number;
  bytes: number;
  hits: number;
  misses: number;
  savedNanoUsd: NanoUsd;
}

interface Flight {
  /** How often answers had been dropped when it began. */
  asOf: number;
  landed: Promise<Stored | undefined>;
  land(stored: Stored | undefined): void;
}

const longestFollowMs = 10_000;

/** Least recently used entries go first when `maxBytes` of answers are held. */
export class ExactCache {
  readonly #clock: Clock;
  readonly #maxBytes: number;
  readonly #stored = new Map<string, Stored>();
  readonly #flights = new Map<string, Flight>();
  readonly #leading = new Map<DecisionId, string>();
  #bytes = 0;
  #hits = 0;
  #misses = 0;
  #savedNanoUsd = zeroUsd;
  /** Moves with every invalidation: an answer that was under way when its tag was dropped is not kept. */
  #invalidations = 0;

  constructor(options: { clock: Clock; maxBytes?: number }) {
    this.#clock = options.clock;
    this.#maxBytes = options.maxBytes ?? 64 * 1024 * 1024;
  }

  /** A remembered answer, a leader's answer to come, or nothing: then this decision leads until `land` or `abandon`. */
  find(d: Decision): Promise<ChatResponse | undefined> | undefined {
    if (!d.useCase.cache || !d.request) return undefined;
    const { cache: asked } = d.call.context;
    if (asked === "bypass") {
      d.cache = { status: "bypass" };
      return undefined;
    }
    const key = keyOf(d);
    if (asked === "refresh") {
      if (this.#flights.has(key)) d.cache = { status: "miss" };
      else this.#lead(d, key);
      return undefined;
    }
    const stored = this.#stored.get(key);
    if (stored && stored.until > this.#clock.monotonic()) {
      this.#stored.delete(key);
      this.#stored.set(key, stored);
      return Promise.resolve(this.#take(d, stored, "hit"));
    }
    if (stored) this.#forget(key, stored);
    const flight = this.#flights.get(key);
    if (flight) return this.#follow(d, key, flight);
    this.#lead(d, key);
    return undefined;
  }

  /** The leader's answer: kept where it fits, and handed to the followers. */
  land(d: Decision, response: ChatResponse): void {
    const key = this.#leading.get(d.id);
    if (key === undefined || !d.useCase.cache) return;
    if (!isKeepable(response) || d.referTo !== undefined) return this.abandon(d);
    const bytes = Buffer.byteLength(JSON.stringify(response)) + key.length;
    const until = this.#clock.monotonic() + d.useCase.cache.exactTtlMs;
    const { result, confidence, rule, reasons } = d;
    const stored: Stored = {
      response,
      model: d.model ?? response.model,
      from: d.id,
      tenant: d.tenant.name,
      useCase: d.useCase.name,
      tags: d.useCase.cache.tags,
      cost: d.costNanoUsd,
      judged: {
        ...(result !== undefined && { result }),
        ...(confidence !== undefined && { confidence }),
        ...(rule !== undefined && { rule }),
        reasons,
      },
      until,
      bytes,
    };
    const stale = this.#flights.get(key)?.asOf !== this.#invalidations;
    // What alone is larger than the cache would drive everything out and then go itself.
    if (bytes <= this.#maxBytes && !stale) this.#keep(key, stored);
    this.#end(d.id, key, stored);
  }

  /** The leader has no answer that may be shared: followers go on by themselves. */
  abandon(d: Decision): void {
    const key = this.#leading.get(d.id);
    if (key !== undefined) this.#end(d.id, key, undefined);
  }

  /** Drops the answers that fit; those under way are not kept either. Returns how many there were. */
  invalidate(filter: CacheFilter): number {
    this.#invalidations += 1;
    let dropped = 0;
    for (const [key, stored] of this.#stored) {
      const { tenant, useCase, tag } = filter;
      if (tenant !== undefined && stored.tenant !== tenant) continue;
      if (useCase !== undefined && stored.useCase !== useCase) continue;
      if (tag !== undefined && !stored.tags.includes(tag)) continue;
      this.#forget(key, stored);
      dropped += 1;
    }
    return dropped;
  }

  figures(): CacheFigures {
    return {
      entries: this.#stored.size,
      bytes: this.#bytes,
      hits: this.#hits,
      misses: this.#misses,
      savedNanoUsd: this.#savedNanoUsd,
    };
  }

  get leading(): number {
    return this.#leading.size;
  }

  #lead(d: Decision, key: string): void {
    const { promise, resolve } = Promise.withResolvers<Stored | undefined>();
    this.#flights.set(key, { landed: promise, land: resolve, asOf: this.#invalidations });
    this.#leading.set(d.id, key);
    this.#misses += 1;
    d.cache = { status: "miss" };
  }

  async #follow(d: Decision, key: string, flight: Flight): Promise<ChatResponse | undefined> {
    if (d.signal.aborted) return undefined;
    const gone = Promise.withResolvers<undefined>();
    const onAbort = () => gone.resolve(undefined);
    d.signal.addEventListener("abort", onAbort, { once: true });
    // A leader whose own client reads slowly must not hold up the others for ever.
    const stopWaiting = this.#clock.after(longestFollowMs, onAbort);
    const stored = await Promise.race([flight.landed, gone.promise]);
    stopWaiting();
    d.signal.removeEventListener("abort", onAbort);
    if (stored) return this.#take(d, stored, "follower");
    if (!d.signal.aborted && !this.#flights.has(key)) this.#lead(d, key);
    else d.cache = { status: "miss" };
    return undefined;
  }

  #take(d: Decision, stored: Stored, status: "hit" | "follower"): ChatResponse {
    d.cache = { status, from: stored.from, saved_nano_usd: stored.cost };
    d.model = stored.model;
    Object.assign(d, stored.judged);
    this.#hits += 1;
    this.#savedNanoUsd = nanoUsd(this.#savedNanoUsd + stored.cost);
    return stored.response;
  }

  #end(leader: DecisionId, key: string, stored: Stored | undefined): void {
    this.#leading.delete(leader);
    this.#flights.get(key)?.land(stored);
    this.#flights.delete(key);
  }

  #keep(key: string, stored: Stored): void {
    this.#stored.set(key, stored);
    this.#bytes += stored.bytes;
    for (const [oldest, entry] of this.#stored) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#forget(oldest, entry);
    }
  }

  #forget(key: string, stored: Stored): void {
    this.#stored.delete(key);
    this.#bytes -= stored.bytes;
  }
}

const isKeepable = (response: ChatResponse): boolean =>
  response.finish === "stop" && response.parts.every((part) => part.type !== "tool_call");

/** Which ways are open, whatever the order in which a pool tries its models. */
const rungsOf = (d: Decision): string[] =>
  [
    ...new Set(d.rungs.map(({ index, rung }) => (rung.type === "model" ? `${index}/${rung.model}` : `${index}`))),
  ].toSorted();

/** Everything that may change the answer or who may see it; how the answer is delivered may not. */
function keyOf(d: Decision): string {
  const { stream: _stream, wants_usage: _usage, user: _user, ...asked } = d.request!;
  const parts = [
    d.tenant.name,
    d.principal.environment,
    [...d.principal.groups].sort(),
    d.useCase.name,
    d.dataClass,
    d.regions,
    d.useCase.bundle,
    d.useCase.ground?.generation ?? "",
    rungsOf(d),
    d.ask.kind === "chat" && asked.unmodelled.length > 0 ? Buffer.from(d.ask.body).toString("utf8") : "",
    asked,
  ];
  return hash("sha256", JSON.stringify(parts), "base64");
}
