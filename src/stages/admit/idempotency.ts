/**
 * Idempotency keys of the last 24 h, in memory, a fold of the journal: (tenant, principal, use case, key) → what became
 * of it. Keys and bodies are kept as HMACs only; the earlier answer is read back from the ledger, where it is encrypted.
 */
import type { Clock } from "../../kernel/clock.ts";
import { type Refusal, refuse } from "../../kernel/errors.ts";
import type { DecisionId } from "../../kernel/ids.ts";

const keptMs = 24 * 3600_000;

interface Known {
  decision: DecisionId;
  body: string;
  state: "in-flight" | "done" | "interrupted";
  /** Of the settled entry, once there is one. */
  seq?: number;
  atMs: number;
}

/** Where the earlier answer lies in the ledger. */
export interface Earlier {
  decision: DecisionId;
  seq: number;
}

export class IdempotencyTable {
  readonly #clock: Clock;
  readonly #known = new Map<string, Known>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `undefined`: new, and now in flight under this decision. */
  claim(key: string, body: string, decision: DecisionId): Refusal | Earlier | undefined {
    this.#forgetOld();
    const known = this.#known.get(key);
    if (!known) {
      this.#known.set(key, { decision, body, state: "in-flight", atMs: this.#clock.now() });
      return undefined;
    }
    if (known.body !== body) return refuse("idempotency_mismatch");
    if (known.state === "in-flight")
      return refuse("idempotency_in_flight", `Decision ${known.decision} is still running.`, { retryAfterMs: 1000 });
    if (known.state === "interrupted")
      return refuse("idempotency_interrupted", `Decision ${known.decision} was interrupted; it is not repeated.`);
    return { decision: known.decision, seq: known.seq! };
  }

  settled(key: string, decision: DecisionId, state: "done" | "interrupted", seq: number): void {
    const known = this.#known.get(key);
    if (known?.decision === decision) Object.assign(known, { state, seq });
  }

  /** A refusal before any side effect leaves the key free for another try. */
  free(key: string, decision: DecisionId): void {
    if (this.#known.get(key)?.decision === decision) this.#known.delete(key);
  }

  /** Rebuilds an entry at start from the journal. */
  restore(key: string, known: Known): void {
    if (known.atMs > this.#clock.now() - keptMs) this.#known.set(key, known);
  }

  get size(): number {
    return this.#known.size;
  }

  // Insertion order is age order, so expired entries stand at the front.
  #forgetOld(): void {
    const oldest = this.#clock.now() - keptMs;
    for (const [key, known] of this.#known) {
      if (known.atMs > oldest) break;
      this.#known.delete(key);
    }
  }
}
