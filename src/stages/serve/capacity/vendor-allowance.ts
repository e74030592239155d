/** What a vendor said is left of its own limits: an upper bound on what is started until they are reset. */
import type { Clock } from "../../../kernel/clock.ts";

export class VendorAllowance {
  readonly #clock: Clock;
  readonly #onReset: () => void;
  #requests = Infinity;
  #tokens = Infinity;
  /** Monotonic; what is left counts until then. */
  #resetAt = -Infinity;
  #waiting = false;

  constructor(clock: Clock, onReset: () => void) {
    this.#clock = clock;
    this.#onReset = onReset;
  }

  told({
    requests = Infinity,
    tokens = Infinity,
    resetMs,
  }: {
    requests?: number;
    tokens?: number;
    resetMs: number;
  }): void {
    this.#requests = requests;
    this.#tokens = tokens;
    this.#resetAt = this.#clock.monotonic() + resetMs;
  }

  /** False where the vendor would refuse; it is then told when to ask again. */
  take({ inTokens, expectedOutTokens }: { inTokens: number; expectedOutTokens: number }, now: number): boolean {
    if (now >= this.#resetAt) return true;
    const tokens = inTokens + expectedOutTokens;
    if (this.#requests < 1 || this.#tokens < tokens) {
      this.#wake();
      return false;
    }
    this.#requests -= 1;
    this.#tokens -= tokens;
    return true;
  }

  waitMs(now: number): number {
    return this.#requests < 1 || this.#tokens < 1 ? Math.max(0, this.#resetAt - now) : 0;
  }

  #wake(): void {
    if (this.#waiting) return;
    this.#waiting = true;
    this.#clock.after(Math.max(1, this.#resetAt - this.#clock.monotonic()), () => {
      this.#waiting = false;
      this.#onReset();
    });
  }
}
