import type { Clock } from "../../../kernel/clock.ts";
import type { VendorKey, VendorTarget } from "../../../kernel/snapshot.ts";

/** A key that the vendor no longer takes is tried again after this; a newly applied configuration tries it at once. */
const deadForMs = 10 * 60_000;
/** Vendors that ask for an hour's silence are asked again sooner: limits are lifted, and clocks are wrong. */
const longestCoolingMs = 5 * 60_000;
const firstCoolingMs = 1_000;

interface KeyState {
  deadUntil: number;
  /** Vendors limit by model, so a key that cools for one target may serve another. */
  cooling: Map<string, { until: number; times: number }>;
}

export interface KeyHealth {
  id: string;
  state: "live" | "cooling" | "dead";
  /** How long it stays so. */
  forMs?: number;
}

/** `waitMs`: every live key cools; so long until the first is back. `none`: there is no live one. */
export type KeyChoice = { key: VendorKey | undefined } | { waitMs: number } | { none: true };

/**
 * Which of a vendor's keys is used for the next call. What was learnt of a key goes with the configuration that holds
 * it: a newly applied one starts afresh.
 */
export class VendorKeys {
  readonly #clock: Clock;
  readonly #onKeyDead: (vendor: string, keyId: string, status: number) => void;
  readonly #states = new WeakMap<VendorKey | VendorTarget, KeyState>();
  readonly #turns = new WeakMap<VendorTarget, number>();

  constructor(clock: Clock, onKeyDead: (vendor: string, keyId: string, status: number) => void = () => {}) {
    this.#clock = clock;
    this.#onKeyDead = onKeyDead;
  }

  /** Takes the next one in turn. */
  take(vendor: VendorTarget, target: string): KeyChoice {
    const turn = this.#turns.get(vendor) ?? 0;
    const choice = this.#look(vendor, target, turn);
    if ("at" in choice) this.#turns.set(vendor, choice.at + 1);
    return "at" in choice ? { key: vendor.keys[choice.at] } : choice;
  }

  /** What `take` would say, without taking a turn. */
  availability(vendor: VendorTarget, target: string): "live" | "no_live_key" | { coolingMs: number } {
    const choice = this.#look(vendor, target, 0);
    if ("none" in choice) return "no_live_key";
    return "waitMs" in choice ? { coolingMs: choice.waitMs } : "live";
  }

  /** 429: it rests for as long as the vendor says; where it says nothing and others can step in, longer each time. */
  limited(vendor: VendorTarget, key: VendorKey | undefined, target: string, retryAfterMs: number | undefined): void {
    if (retryAfterMs === undefined && vendor.keys.length < 2) return;
    const { cooling } = this.#state(key ?? vendor);
    const times = (cooling.get(target)?.times ?? 0) + 1;
    const asked = retryAfterMs ?? Math.min(30_000, firstCoolingMs * 2 ** (times - 1));
    const until = this.#clock.monotonic() + Math.min(longestCoolingMs, asked);
    cooling.set(target, { until, times: Math.min(times, 16) });
  }

  /** 401, 402, 403: the vendor takes it no longer. */
  refused(vendor: VendorTarget, key: VendorKey | undefined, status: number): void {
    if (!key) return;
    this.#state(key).deadUntil = this.#clock.monotonic() + deadForMs;
    this.#onKeyDead(vendor.name, key.id, status);
  }

  worked(vendor: VendorTarget, key: VendorKey | undefined, target: string): void {
    this.#state(key ?? vendor).cooling.delete(target);
  }

  /** For the console and metrics; never with the secret. */
  of(vendor: VendorTarget): KeyHealth[] {
    const now = this.#clock.monotonic();
    return vendor.keys.map((key): KeyHealth => {
      const state = this.#state(key);
      if (state.deadUntil > now) return { id: key.id, state: "dead", forMs: state.deadUntil - now };
      const until = Math.max(0, ...[...state.cooling.values()].map((rest) => rest.until));
      return until > now ? { id: key.id, state: "cooling", forMs: until - now } : { id: key.id, state: "live" };
    });
  }

  #look(vendor: VendorTarget, target: string, turn: number): { at: number } | { waitMs: number } | { none: true } {
    const now = this.#clock.monotonic();
    const keys: readonly (VendorKey | VendorTarget)[] = vendor.keys.length > 0 ? vendor.keys : [vendor];
    let soonest = Infinity;
    for (let i = 0; i < keys.length; i++) {
      const at = (turn + i) % keys.length;
      const state = this.#states.get(keys[at]!);
      if (state && state.deadUntil > now) continue;
      const until = state?.cooling.get(target)?.until ?? 0;
      if (until <= now) return { at };
      soonest = Math.min(soonest, until - now);
    }
    return soonest === Infinity ? { none: true } : { waitMs: soonest };
  }

  #state(key: VendorKey | VendorTarget): KeyState {
    let state = this.#states.get(key);
    if (!state) this.#states.set(key, (state = { deadUntil: 0, cooling: new Map() }));
    return state;
  }
}
