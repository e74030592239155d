/**
 * Who goes next: classes by their share of a contended target, tenants of a class by the Virtual Token Counter (Sheng et
 * al., Fairness in Serving Large Language Models, arXiv 2401.00588), a tenant's own calls in order. Work-conserving: what
 * one doesn't use goes to the others. Counters are forgotten when nobody waits any more.
 */
import { type PriorityClass, priorityClasses } from "../../../kernel/snapshot.ts";

/** Shares of a target for which all classes compete. */
const shares: Record<PriorityClass, number> = { critical: 70, interactive: 20, standard: 8, batch: 2 };

/** Calls by which a tenant that comes back may be ahead: a few at once need not queue behind a flood. */
const burst = 3;

export interface Waiting {
  tenant: string;
  /** Of the tenant, against 1 of the others. */
  weight: number;
  class: PriorityClass;
  /** Tokens in, and twice the tokens out, as far as expected. */
  cost: number;
  /** How long it will hold its place, as far as expected. */
  serviceMs: number;
  /** Monotonic instant by which it has to start, or need not start any more. */
  startBy: number;
}

/** What one tenant has had while others waited, and what of it waits. */
export interface Lane<One extends Waiting> {
  readonly tenant: string;
  readonly line: Line<One>;
  counter: number;
  workMs: number;
  waiting: One[];
}

/** A call that waits, and where. */
interface Place<One extends Waiting> {
  one: One;
  lane: Lane<One>;
}

interface Line<One extends Waiting> {
  readonly share: number;
  counter: number;
  size: number;
  workMs: number;
  backlogged: number;
  readonly lanes: Map<string, Lane<One>>;
  /** Counter of the lane that was served last, before it was charged. */
  virtual: number;
}

const aLine = <One extends Waiting>(share: number): Line<One> => ({
  share,
  counter: 0,
  size: 0,
  workMs: 0,
  backlogged: 0,
  lanes: new Map(),
  virtual: 0,
});

export class FairQueue<One extends Waiting> {
  readonly #lines = priorityClasses.map((name) => aLine<One>(shares[name]));
  #size = 0;
  #virtual = 0;

  get size(): number {
    return this.#size;
  }

  sizeOf(of: PriorityClass): number {
    return this.#line(of).size;
  }

  /** Work of those who go before a newcomer, in milliseconds of one place, as if it had the whole target to itself. */
  workBefore({ tenant, class: of }: Pick<Waiting, "tenant" | "class">): number {
    const line = this.#line(of);
    const lane = line.lanes.get(tenant);
    // While its own calls are served, every other tenant gets as much.
    const others = line.backlogged + (lane && lane.waiting.length > 0 ? 0 : 1);
    const ahead = Math.min(line.workMs, (lane?.workMs ?? 0) * others);
    return (ahead * this.#sharesWaiting(line)) / line.share;
  }

  add(one: One): Lane<One> {
    const line = this.#line(one.class);
    if (this.#size === 0) this.#forget();
    // Nobody saves up for later: a class that comes back begins level with whichever was served last.
    if (line.size === 0) line.counter = Math.max(line.counter, this.#virtual);
    let lane = line.lanes.get(one.tenant);
    if (!lane) line.lanes.set(one.tenant, (lane = { tenant: one.tenant, line, counter: 0, workMs: 0, waiting: [] }));
    if (lane.waiting.length === 0) {
      lane.counter = Math.max(lane.counter, line.virtual - (burst * one.cost) / one.weight);
      line.backlogged += 1;
    }
    lane.waiting.push(one);
    this.#count(lane, one, 1);
    return lane;
  }

  /** Whose turn it is. */
  peek(): Place<One> | undefined {
    if (this.#size === 0) return undefined;
    const line = first(this.#lines.filter(({ size }) => size > 0))!;
    const lane = first(backlogged(line))!;
    return { one: lane.waiting[0]!, lane };
  }

  /** Takes out what `peek` gave, and charges it as expected; `charge` tells later what it really took. */
  take({ one, lane }: Place<One>): void {
    this.#virtual = lane.line.counter;
    lane.line.virtual = lane.counter;
    this.remove(lane, one);
    charge(lane, one.cost, one.weight);
  }

  /** False where it doesn't wait any more. */
  remove(lane: Lane<One>, one: One): boolean {
    const index = lane.waiting.indexOf(one);
    if (index < 0) return false;
    lane.waiting.splice(index, 1);
    if (lane.waiting.length === 0) lane.line.backlogged -= 1;
    this.#count(lane, one, -1);
    return true;
  }

  /** The newest call of the tenant with most work waiting in this class, if that has more than the newcomer's tenant. */
  crowdingOut({ tenant, class: of }: Pick<Waiting, "tenant" | "class">): Place<One> | undefined {
    const line = this.#line(of);
    let crowded: Lane<One> | undefined;
    for (const lane of line.lanes.values()) if (lane.workMs > (crowded?.workMs ?? 0)) crowded = lane;
    if (!crowded || crowded.tenant === tenant || crowded.waiting.length < 2) return undefined;
    if (crowded.workMs <= (line.lanes.get(tenant)?.workMs ?? 0)) return undefined;
    return { one: crowded.waiting.at(-1)!, lane: crowded };
  }

  #line(of: PriorityClass): Line<One> {
    return this.#lines[priorityClasses.indexOf(of)]!;
  }

  #sharesWaiting(own: Line<One>): number {
    let sum = own.share;
    for (const line of this.#lines) if (line !== own && line.size > 0) sum += line.share;
    return sum;
  }

  #count(lane: Lane<One>, one: One, by: 1 | -1): void {
    lane.workMs += by * one.serviceMs;
    lane.line.workMs += by * one.serviceMs;
    lane.line.size += by;
    this.#size += by;
  }

  #forget(): void {
    for (const line of this.#lines) {
      line.counter = line.virtual = line.workMs = 0;
      line.lanes.clear();
    }
    this.#virtual = 0;
  }
}

/** Tokens that a call took, or took more (or less) than expected. A lane that was forgotten takes no part any more. */
export function charge<One extends Waiting>(lane: Lane<One>, cost: number, weight: number): void {
  if (lane.line.lanes.get(lane.tenant) !== lane) return;
  lane.counter += cost / weight;
  lane.line.counter += cost / lane.line.share;
}

const backlogged = <One extends Waiting>(line: Line<One>): Lane<One>[] =>
  [...line.lanes.values()].filter(({ waiting }) => waiting.length > 0);

/** The one with the least counter; of equals the first. */
function first<Counted extends { counter: number }>(all: readonly Counted[]): Counted | undefined {
  let found: Counted | undefined;
  for (const one of all) if (!found || one.counter < found.counter) found = one;
  return found;
}
