import { hash } from "node:crypto";
import type { ChatResponse } from "../../kernel/chat.ts";
import type { Clock } from "../../kernel/clock.ts";
import type { DecisionId } from "../../kernel/ids.ts";
import type { Decision } from "../../path/context.ts";

interface Stored {
  response: ChatResponse;
  model: string;
  from: DecisionId;
  until: number;
  bytes: number;
}

interface Flight {
  leader: DecisionId;
  landed: Promise<Stored | undefined>;
  land(stored: Stored | undefined): void;
}

/** Least recently used entries go first when `maxBytes` of answers are held. */
export class ExactCache {
  readonly #clock: Clock;
  readonly #maxBytes: number;
  readonly #stored = new Map<string, Stored>();
  readonly #flights = new Map<string, Flight>();
  readonly #leading = new Map<DecisionId, string>();
  #bytes = 0;

  constructor(options: { clock: Clock; maxBytes?: number }) {
    this.#clock = options.clock;
    this.#maxBytes = options.maxBytes ?? 64 * 1024 * 1024;
  }

  /** A remembered answer, a leader's answer to come, or nothing: then this decision leads until `land` or `abandon`. */
  find(d: Decision): Promise<ChatResponse | undefined> | undefined {
    if (!d.useCase.cache || !d.request) return undefined;
    const key = keyOf(d);
    const stored = this.#stored.get(key);
    if (stored && stored.until > this.#clock.monotonic()) {
      this.#stored.delete(key);
      this.#stored.set(key, stored);
      return Promise.resolve(take(d, stored, "hit"));
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
    if (!isKeepable(response)) return this.abandon(d);
    const bytes = Buffer.byteLength(JSON.stringify(response)) + key.length;
    const until = this.#clock.monotonic() + d.useCase.cache.exactTtlMs;
    const stored: Stored = { response, model: d.model ?? response.model, from: d.id, until, bytes };
    // What alone is larger than the cache would drive everything out and then go itself.
    if (bytes <= this.#maxBytes) this.#keep(key, stored);
    this.#end(d.id, key, stored);
  }

  /** The leader has no answer that may be shared: followers go on by themselves. */
  abandon(d: Decision): void {
    const key = this.#leading.get(d.id);
    if (key !== undefined) this.#end(d.id, key, undefined);
  }

  get leading(): number {
    return this.#leading.size;
  }

  #lead(d: Decision, key: string): void {
    const { promise, resolve } = Promise.withResolvers<Stored | undefined>();
    this.#flights.set(key, { leader: d.id, landed: promise, land: resolve });
    this.#leading.set(d.id, key);
    d.cache = { status: "miss" };
  }

  async #follow(d: Decision, key: string, flight: Flight): Promise<ChatResponse | undefined> {
    if (d.signal.aborted) return undefined;
    const gone = Promise.withResolvers<undefined>();
    const onAbort = () => gone.resolve(undefined);
    d.signal.addEventListener("abort", onAbort, { once: true });
    const stored = await Promise.race([flight.landed, gone.promise]);
    d.signal.removeEventListener("abort", onAbort);
    if (stored) return take(d, stored, "follower");
    if (!d.signal.aborted && !this.#flights.has(key)) this.#lead(d, key);
    else d.cache = { status: "miss" };
    return undefined;
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

function take(d: Decision, stored: Stored, status: "hit" | "follower"): ChatResponse {
  d.cache = { status, from: stored.from };
  d.model = stored.model;
  return stored.response;
}

const isKeepable = (response: ChatResponse): boolean =>
  response.finish === "stop" && response.parts.every((part) => part.type !== "tool_call");

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
    d.rungs.map((step) => step.index),
    d.ask.kind === "chat" && asked.unmodelled.length > 0 ? Buffer.from(d.ask.body).toString("utf8") : "",
    asked,
  ];
  return hash("sha256", JSON.stringify(parts), "base64");
}
