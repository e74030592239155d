/** What this process stored in the last minutes, for as long as the projection may not know it yet. */
import type { Clock } from "../../kernel/clock.ts";

interface Recent {
  digest: string;
  atMs: number;
  /** A repetition is acknowledged no earlier than the first. */
  durable: Promise<void>;
}

const keptMs = 10 * 60_000;
const maxKept = 100_000;

export class RecentOutcomes {
  readonly #clock: Clock;
  readonly #kept = new Map<string, Recent>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  find(tenant: string, outcomeId: string): Recent | undefined {
    return this.#kept.get(keyOf(tenant, outcomeId));
  }

  remember(tenant: string, outcomeId: string, digest: string, durable: Promise<void>): void {
    const key = keyOf(tenant, outcomeId);
    const recent: Recent = { digest, atMs: this.#clock.now(), durable };
    this.#forgetOld();
    this.#kept.set(key, recent);
    // What never reached the disk was not stored, and may be sent again.
    durable.catch(() => {
      if (this.#kept.get(key) === recent) this.#kept.delete(key);
    });
  }

  // Insertion order is age order, so what may go stands at the front.
  #forgetOld(): void {
    const oldest = this.#clock.now() - keptMs;
    for (const [key, { atMs }] of this.#kept) {
      if (atMs > oldest && this.#kept.size < maxKept) break;
      this.#kept.delete(key);
    }
  }
}

const keyOf = (tenant: string, outcomeId: string): string => `${tenant}\u0000${outcomeId}`;
