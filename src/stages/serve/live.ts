import type { Clock } from "../../kernel/clock.ts";
import type { Refusal } from "../../kernel/errors.ts";
import type { Decision } from "../../path/context.ts";

const everyMs = 500;

/**
 * Asks the live overlay twice a second while a stream runs; what was revoked meanwhile ends it. Returns the stop. One timer
 * serves all streams: thousands may be open.
 */
export function watchLive(d: Decision, refusal: () => Refusal | undefined): () => void {
  let round = rounds.get(d.clock);
  if (!round) rounds.set(d.clock, (round = new Round(d.clock)));
  return round.add({ d, refusal });
}

const rounds = new WeakMap<Clock, Round>();

interface Watched {
  d: Decision;
  refusal(): Refusal | undefined;
}

class Round {
  readonly #clock: Clock;
  readonly #watched = new Set<Watched>();
  #stopTimer: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(one: Watched): () => void {
    this.#watched.add(one);
    this.#stopTimer ??= this.#clock.after(everyMs, () => this.#ask());
    return () => this.#remove(one);
  }

  #ask(): void {
    this.#stopTimer = undefined;
    for (const one of this.#watched) {
      const no = one.refusal();
      if (!no) continue;
      this.#watched.delete(one);
      one.d.abort(no);
    }
    if (this.#watched.size > 0) this.#stopTimer ??= this.#clock.after(everyMs, () => this.#ask());
  }

  #remove(one: Watched): void {
    this.#watched.delete(one);
    if (this.#watched.size > 0) return;
    this.#stopTimer?.();
    this.#stopTimer = undefined;
  }
}
