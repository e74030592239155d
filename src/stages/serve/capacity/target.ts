/** One target: its limit, those that run and those that wait. */
import type { Clock } from "../../../kernel/clock.ts";
import { type PriorityClass, priorityClasses } from "../../../kernel/snapshot.ts";
import { AdaptiveLimit, type LimitBounds } from "./adaptive-limit.ts";
import type { CapacityAsk, Pass, PassEnd } from "./capacity.ts";
import { FairQueue, type Lane, type Waiting, charge } from "./fair-queue.ts";
import { LatencyModel } from "./latency-model.ts";
import type { Shed } from "./shed.ts";
import { VendorAllowance } from "./vendor-allowance.ts";

// The weights of Virtual Token Counters: an output token costs about as much as two that are read.
const inWeight = 1;
const outWeight = 2;
/** Calls that may wait in each class, in places of the target. */
const waitingPlaces = 4;
const fewestWaiting = 32;
const longestRetryMs = 60_000;
const lookEveryMs = 500;

const costOf = (inTokens: number, outTokens: number): number => inWeight * inTokens + outWeight * outTokens || 1;

interface Queued extends Waiting {
  ask: CapacityAsk;
  at: number;
  settle(result: Pass | Shed): void;
}

export class Target {
  readonly #clock: Clock;
  readonly #limit: AdaptiveLimit;
  readonly #queue = new FairQueue<Queued>();
  readonly #latency = new LatencyModel();
  readonly #allowance: VendorAllowance;
  #running = 0;
  #looking = false;

  constructor(clock: Clock, bounds: LimitBounds) {
    this.#clock = clock;
    this.#limit = new AdaptiveLimit(bounds);
    this.#allowance = new VendorAllowance(clock, () => this.#dispatch());
  }

  enter(ask: CapacityAsk): Pass | Shed | Promise<Pass | Shed> {
    const now = this.#clock.monotonic();
    if (this.#queue.size === 0 && this.#running < this.#limit.at(now) && this.#allowance.take(ask, now))
      return this.#start(ask, now, now, undefined);
    if (ask.signal?.aborted) return { shed: "gone", retryAfterMs: 0 };
    const waitMs = this.#waitMs(ask, now);
    const startBy = this.#startBy(ask);
    if (now + waitMs > startBy) return { shed: "too_late", retryAfterMs: Math.min(longestRetryMs, Math.ceil(waitMs)) };
    if (this.#queue.sizeOf(ask.class) >= this.#mostWaiting(now) && !this.#crowdOut(ask))
      return { shed: "full", retryAfterMs: Math.min(longestRetryMs, Math.max(1, Math.ceil(waitMs))) };
    return new Promise((resolve) => {
      this.#wait(ask, startBy, now, resolve);
      this.#dispatch();
    });
  }

  told(left: { requests?: number; tokens?: number; resetMs: number }): void {
    this.#allowance.told(left);
  }

  state(): { limit: number; running: number; waiting: Record<PriorityClass, number> } {
    const waiting = Object.fromEntries(priorityClasses.map((name) => [name, this.#queue.sizeOf(name)]));
    const limit = this.#limit.at(this.#clock.monotonic());
    return { limit, running: this.#running, waiting: waiting as Record<PriorityClass, number> };
  }

  #mostWaiting(now: number): number {
    return Math.max(fewestWaiting, waitingPlaces * this.#limit.at(now));
  }

  /** The last instant at which a start still makes sense. */
  #startBy(ask: CapacityAsk): number {
    const { marginMs } = this.#latency;
    const whole = ask.deadlineAt - this.#latency.serviceMs(ask.inTokens, ask.expectedOutTokens) - marginMs;
    if (ask.firstTokenBy === undefined) return whole;
    return Math.min(whole, ask.firstTokenBy - this.#latency.firstMs(ask.inTokens) - marginMs);
  }

  /** The work that goes before, and until the first place becomes free, over all places. */
  #waitMs(ask: CapacityAsk, now: number): number {
    const places = this.#limit.at(now);
    const turns = (this.#queue.workBefore(ask) + this.#latency.latencyMs) / places;
    return Math.max(turns, this.#allowance.waitMs(now));
  }

  #wait(ask: CapacityAsk, startBy: number, at: number, settle: (result: Pass | Shed) => void): void {
    const { signal } = ask;
    const gone = () => {
      if (this.#queue.remove(lane, one)) one.settle({ shed: "gone", retryAfterMs: 0 });
    };
    const one: Queued = {
      ask,
      at,
      tenant: ask.tenant,
      weight: ask.weight ?? 1,
      class: ask.class,
      cost: costOf(ask.inTokens, ask.expectedOutTokens),
      serviceMs: this.#latency.serviceMs(ask.inTokens, ask.expectedOutTokens) || 1,
      startBy,
      settle: (result) => {
        signal?.removeEventListener("abort", gone);
        settle(result);
      },
    };
    const lane = this.#queue.add(one);
    this.#lookAgain();
    signal?.addEventListener("abort", gone, { once: true });
  }

  /** While somebody waits, the limit may rise although no call begins or ends. */
  #lookAgain(): void {
    if (this.#looking) return;
    this.#looking = true;
    this.#clock.after(lookEveryMs, () => {
      this.#looking = false;
      this.#dispatch();
      if (this.#queue.size > 0) this.#lookAgain();
    });
  }

  /** Room for a newcomer of a tenant that has less waiting than another one. */
  #crowdOut(ask: CapacityAsk): boolean {
    const out = this.#queue.crowdingOut(ask);
    if (!out) return false;
    this.#queue.remove(out.lane, out.one);
    out.one.settle({ shed: "full", retryAfterMs: Math.min(longestRetryMs, Math.ceil(this.#latency.latencyMs) || 1) });
    return true;
  }

  #dispatch(): void {
    const now = this.#clock.monotonic();
    while (this.#queue.size > 0 && this.#running < this.#limit.at(now)) {
      const head = this.#queue.peek()!;
      if (now > head.one.startBy) {
        this.#queue.remove(head.lane, head.one);
        head.one.settle({ shed: "too_late", retryAfterMs: Math.ceil(this.#latency.latencyMs) || 1 });
        continue;
      }
      if (!this.#allowance.take(head.one.ask, now)) return;
      this.#queue.take(head);
      head.one.settle(this.#start(head.one.ask, now, head.one.at, head.lane));
    }
  }

  #start(ask: CapacityAsk, now: number, since: number, lane: Lane<Queued> | undefined): Pass {
    this.#running += 1;
    this.#limit.started(this.#running);
    return new Place(this, ask, now, now - since, lane);
  }

  /** For its passes. */
  firstTokenOf({ ask, startedAt }: Place): void {
    const now = this.#clock.monotonic();
    const ms = now - startedAt;
    const normal = this.#latency.first(ask.inTokens, ms);
    this.#limit.sample("first", normal, startedAt, this.#latency.restMs, now);
    if (this.#queue.size > 0) this.#dispatch();
  }

  /** For its passes. */
  leaveOf(place: Place, end: PassEnd): void {
    this.#running -= 1;
    const now = this.#clock.monotonic();
    const { ask } = place;
    const inTokens = end.inTokens ?? ask.inTokens;
    const outTokens = end.outTokens ?? ask.expectedOutTokens;
    if (end.outcome === "ok") this.#learn(place, inTokens, outTokens, now);
    else if (end.outcome === "dropped") this.#limit.dropped(now);
    if (place.lane) {
      const more = costOf(inTokens, outTokens) - costOf(ask.inTokens, ask.expectedOutTokens);
      charge(place.lane, more, ask.weight ?? 1);
    }
    if (this.#queue.size > 0) this.#dispatch();
  }

  #learn(place: Place, inTokens: number, outTokens: number, now: number): void {
    const ms = now - place.startedAt;
    this.#latency.took(ms);
    if (place.firstTokenAt === undefined) {
      const normal = this.#latency.whole(inTokens, outTokens, ms);
      this.#limit.sample("first", normal, place.startedAt, this.#latency.restMs, now);
    } else if (outTokens > 1) {
      const each = this.#latency.decode(outTokens, now - place.firstTokenAt);
      this.#limit.sample("decode", each, place.startedAt, this.#latency.restMs, now);
    }
  }

  get clock(): Clock {
    return this.#clock;
  }
}

class Place implements Pass {
  readonly ask: CapacityAsk;
  readonly startedAt: number;
  readonly waitedMs: number;
  readonly lane: Lane<Queued> | undefined;
  firstTokenAt: number | undefined;
  readonly #target: Target;
  #open = true;

  constructor(target: Target, ask: CapacityAsk, startedAt: number, waitedMs: number, lane: Lane<Queued> | undefined) {
    this.#target = target;
    this.ask = ask;
    this.startedAt = startedAt;
    this.waitedMs = waitedMs;
    this.lane = lane;
  }
  firstToken(): void {
    if (!this.#open || this.firstTokenAt !== undefined) return;
    this.firstTokenAt = this.#target.clock.monotonic();
    this.#target.firstTokenOf(this);
  }
  leave(end: PassEnd): void {
    if (!this.#open) return;
    this.#open = false;
    this.#target.leaveOf(this, end);
  }
}
