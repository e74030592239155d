import type { AttemptMeta, SettledMeta } from "../kernel/decision.ts";
import type { DecisionId } from "../kernel/ids.ts";

/** What a trace is made of: references to what was recorded, nothing of its own. */
export interface Traced {
  decision: DecisionId;
  tenant: string;
  meta: SettledMeta;
  attempts: readonly AttemptMeta[];
}

/** The newest decisions that wait to be exported; adding never waits and never grows. */
export class TraceRing {
  readonly #slots: (Traced | undefined)[];
  #from = 0;
  #count = 0;
  #lost = 0;

  constructor(capacity: number) {
    this.#slots = Array.from({ length: capacity });
  }

  add(traced: Traced): void {
    const { length } = this.#slots;
    this.#slots[(this.#from + this.#count) % length] = traced;
    if (this.#count < length) {
      this.#count += 1;
      return;
    }
    this.#from = (this.#from + 1) % length;
    this.#lost += 1;
  }

  /** Takes up to `most` of the oldest. */
  take(most: number): Traced[] {
    const taken: Traced[] = [];
    while (this.#count > 0 && taken.length < most) {
      taken.push(this.#slots[this.#from]!);
      this.#slots[this.#from] = undefined;
      this.#from = (this.#from + 1) % this.#slots.length;
      this.#count -= 1;
    }
    return taken;
  }

  get waiting(): number {
    return this.#count;
  }

  /** Overwritten before they were taken, since the start. */
  get lost(): number {
    return this.#lost;
  }
}
