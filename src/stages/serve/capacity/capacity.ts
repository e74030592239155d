import type { Clock } from "../../../kernel/clock.ts";
import type { PriorityClass } from "../../../kernel/snapshot.ts";
import type { LimitBounds } from "./adaptive-limit.ts";
import type { Shed } from "./shed.ts";
import { Target } from "./target.ts";
import type { Signal } from "../../../kernel/signal.ts";

/** A call that wants to start. */
export interface CapacityAsk {
  tenant: string;
  /** Of the tenant, against 1 of the others. */
  weight?: number;
  class: PriorityClass;
  /** 0 for a predictive model, as are the expected tokens. */
  inTokens: number;
  expectedOutTokens: number;
  /** Monotonic instant by which the answer must be complete. */
  deadlineAt: number;
  /** Monotonic instant by which the first token must have come, where somebody waits for it. */
  firstTokenBy?: number;
  signal?: Signal;
}

export interface PassEnd {
  /** `dropped`: the target said 429, 503 or 529, or ran into a timeout. `other` says nothing about its capacity. */
  outcome: "ok" | "dropped" | "other";
  /** As the vendor reported them, else what was expected. */
  inTokens?: number;
  outTokens?: number;
}

/** A place at a target. Whoever has it leaves it once, whatever happens. */
export interface Pass {
  /** How long the call waited for it. */
  readonly waitedMs: number;
  /** The first content of a stream has arrived. Once. */
  firstToken(): void;
  leave(end: PassEnd): void;
}

export interface CapacityOptions {
  clock: Clock;
  boundsOf?: (target: string) => Partial<LimitBounds> | undefined;
}

export interface TargetState {
  target: string;
  limit: number;
  running: number;
  waiting: Record<PriorityClass, number>;
}

const usualBounds: LimitBounds = { min: 4, initial: 64, max: 4096 };

/** The capacity of every target, in memory; a target begins when it is first asked for. */
export class Capacity {
  readonly #clock: Clock;
  readonly #boundsOf: (target: string) => Partial<LimitBounds> | undefined;
  readonly #targets = new Map<string, Target>();

  constructor({ clock, boundsOf = () => undefined }: CapacityOptions) {
    this.#clock = clock;
    this.#boundsOf = boundsOf;
  }

  /** A place at once where there is room, else when it is the call's turn; or why it will never start. */
  enter(target: string, ask: CapacityAsk): Pass | Shed | Promise<Pass | Shed> {
    return this.#target(target).enter(ask);
  }

  /** What the vendor said is left (`x-ratelimit-remaining-*`): no more than that is started until it is reset. */
  told(target: string, left: { requests?: number; tokens?: number; resetMs: number }): void {
    this.#target(target).told(left);
  }

  states(): TargetState[] {
    return [...this.#targets].map(([target, one]) => ({ target, ...one.state() }));
  }

  #target(name: string): Target {
    let target = this.#targets.get(name);
    if (!target) {
      target = new Target(this.#clock, { ...usualBounds, ...this.#boundsOf(name) });
      this.#targets.set(name, target);
    }
    return target;
  }
}
