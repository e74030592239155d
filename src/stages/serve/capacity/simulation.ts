/** For tests: callers, a target's capacity and a vendor with slots on virtual time; every run with the same seed is the same. */
import { VirtualClock } from "../../../kernel/clock.ts";
import type { PriorityClass } from "../../../kernel/snapshot.ts";
import type { LimitBounds } from "./adaptive-limit.ts";
import { Capacity } from "./capacity.ts";

interface Event {
  at: number;
  order: number;
  act: () => void;
}

/** Virtual time by events in a heap: tens of thousands of them take a second, not a minute. */
export class EventClock extends VirtualClock {
  readonly #startMs: number;
  #at = 0;
  #order = 0;
  readonly #heap: Event[] = [];

  constructor(seed: number) {
    super(undefined, seed);
    this.#startMs = super.now();
  }
  override now(): number {
    return this.#startMs + Math.floor(this.#at);
  }
  override monotonic(): number {
    return this.#at;
  }
  override after(delayMs: number, act: () => void): () => void {
    const event = { at: this.#at + Math.max(0, delayMs), order: this.#order++, act };
    this.#push(event);
    return () => {
      event.act = () => {};
    };
  }
  /** Runs what is due, with the promise reactions in between. */
  async runUntil(ms: number): Promise<void> {
    while (this.#heap.length > 0 && this.#heap[0]!.at <= ms) {
      const { at, act } = this.#pop();
      this.#at = at;
      act();
      for (let i = 0; i < 3; i++) await undefined;
    }
    this.#at = ms;
  }
  #push(event: Event): void {
    let i = this.#heap.push(event) - 1;
    while (i > 0 && before(event, this.#heap[(i - 1) >> 1]!)) {
      this.#heap[i] = this.#heap[(i - 1) >> 1]!;
      i = (i - 1) >> 1;
    }
    this.#heap[i] = event;
  }
  #pop(): Event {
    const top = this.#heap[0]!;
    const last = this.#heap.pop()!;
    const { length } = this.#heap;
    if (length === 0) return top;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= length) break;
      if (child + 1 < length && before(this.#heap[child + 1]!, this.#heap[child]!)) child += 1;
      if (!before(this.#heap[child]!, last)) break;
      this.#heap[i] = this.#heap[child]!;
      i = child;
    }
    this.#heap[i] = last;
    return top;
  }
}

const before = (a: Event, b: Event): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

/** A vendor that serves as many calls at once as it has slots and queues the others, or refuses beyond `mostQueued`. */
class SlotVendor {
  readonly #clock: VirtualClock;
  readonly #queue: (() => void)[] = [];
  #busy = 0;
  slots: number;
  readonly mostQueued: number;
  /** Milliseconds: before anything, per token in, per token out. */
  readonly speed = { first: 200, perIn: 0.2, perOut: 20 };
  /** Standard deviation of the logarithm of a first token's time: 0.5 is a heavy tail. */
  tail = 0.15;

  constructor(clock: VirtualClock, slots: number, mostQueued = Infinity) {
    this.#clock = clock;
    this.slots = slots;
    this.mostQueued = mostQueued;
  }

  /** False where it says 429. */
  call(inTokens: number, outTokens: number, on: { first(): void; done(): void }): boolean {
    if (this.#busy >= this.slots && this.#queue.length >= this.mostQueued) return false;
    const serve = () => {
      this.#busy += 1;
      this.#clock.after((this.speed.first + this.speed.perIn * inTokens) * this.#odds(this.tail), () => {
        on.first();
        this.#clock.after(this.speed.perOut * outTokens * this.#odds(0.1), () => {
          this.#busy -= 1;
          on.done();
          this.#serveNext();
        });
      });
    };
    this.#queue.push(serve);
    this.#serveNext();
    return true;
  }

  /** A slot's mean time for such a call. */
  serviceMs(inTokens: number, outTokens: number): number {
    return this.speed.first + this.speed.perIn * inTokens + this.speed.perOut * outTokens;
  }

  #serveNext(): void {
    while (this.#busy < this.slots && this.#queue.length > 0) this.#queue.shift()!();
  }
  /** Log-normal around 1 (Box and Muller). */
  #odds(tail: number): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.#clock.random()));
    return Math.exp(tail * radius * Math.cos(2 * Math.PI * this.#clock.random()));
  }
}

export interface Load {
  tenant: string;
  weight?: number;
  class: PriorityClass;
  /** Mean; arrivals are a Poisson process. */
  perSecond: number;
  inTokens: number;
  outTokens: number;
  /** Promise of a first token, and of the whole. */
  firstWithinMs: number;
  wholeWithinMs: number;
  /** The answer comes whole, as a predictive model's or without streaming. */
  whole?: true;
}

interface Done {
  load: Load;
  arrivedAt: number;
  firstAt: number;
  doneAt: number;
}

export interface Run {
  clock: EventClock;
  capacity: Capacity;
  vendor: SlotVendor;
  done: Done[];
  shed: { load: Load; at: number; why: string }[];
  refused: number;
}

export function aRun(seed: number, slots: number, bounds: Partial<LimitBounds> = {}, mostQueued?: number): Run {
  const clock = new EventClock(seed);
  const capacity = new Capacity({ clock, boundsOf: () => bounds });
  return { clock, capacity, vendor: new SlotVendor(clock, slots, mostQueued), done: [], shed: [], refused: 0 };
}

/** Lets these callers come until `untilMs`. */
export function offer(run: Run, loads: readonly Load[], untilMs: number): void {
  for (const load of loads) {
    const next = () => {
      if (run.clock.monotonic() >= untilMs) return;
      void oneCall(run, load);
      run.clock.after(gapMs(run, load), next);
    };
    run.clock.after(gapMs(run, load), next);
  }
}

const gapMs = (run: Run, load: Load): number => (-Math.log(1 - run.clock.random()) * 1000) / load.perSecond;

async function oneCall(run: Run, load: Load): Promise<void> {
  const { clock, capacity, vendor } = run;
  const arrivedAt = clock.monotonic();
  const { inTokens, outTokens } = load;
  const entered = capacity.enter("target", {
    tenant: load.tenant,
    weight: load.weight ?? 1,
    class: load.class,
    inTokens,
    expectedOutTokens: outTokens,
    deadlineAt: arrivedAt + load.wholeWithinMs,
    firstTokenBy: arrivedAt + load.firstWithinMs,
  });
  const pass = "then" in entered ? await entered : entered;
  if ("shed" in pass) {
    run.shed.push({ load, at: clock.monotonic(), why: pass.shed });
    return;
  }
  let firstAt = 0;
  const taken = vendor.call(inTokens, outTokens, {
    first: () => {
      firstAt = clock.monotonic();
      if (!load.whole) pass.firstToken();
    },
    done: () => {
      pass.leave({ outcome: "ok", outTokens });
      run.done.push({ load, arrivedAt, firstAt, doneAt: clock.monotonic() });
    },
  });
  if (taken) return;
  run.refused += 1;
  pass.leave({ outcome: "dropped" });
}

/** Calls a second that kept both promises, of those that arrived in this time. */
export function goodput(run: Run, fromMs: number, toMs: number): number {
  const good = run.done.filter(
    ({ load, arrivedAt, firstAt, doneAt }) =>
      doneAt >= fromMs &&
      doneAt < toMs &&
      firstAt - arrivedAt <= load.firstWithinMs &&
      doneAt - arrivedAt <= load.wholeWithinMs,
  );
  return (good.length * 1000) / (toMs - fromMs);
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
}
