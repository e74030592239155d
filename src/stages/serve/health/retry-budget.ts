/**
 * Retries of one target as a share of its calls, so that they can't amplify an outage (Google SRE, "Handling Overload";
 * Finagle's RetryBudget): every call pays in a share, every retry takes one. A small burst lets rare calls be retried.
 */
const burst = 10;
// What quiet targets earn without calls: one retry in ten seconds.
const perMs = 1 / 10_000;

export class RetryBudget {
  #tokens = burst;
  #at = 0;

  left(nowMs: number): number {
    return Math.min(burst, this.#tokens + Math.max(0, nowMs - this.#at) * perMs);
  }

  called(nowMs: number, share: number): void {
    this.#tokens = Math.min(burst, this.left(nowMs) + share);
    this.#at = nowMs;
  }

  /** False where the budget is spent. */
  take(nowMs: number): boolean {
    const left = this.left(nowMs);
    if (left < 1) return false;
    this.#tokens = left - 1;
    this.#at = nowMs;
    return true;
  }
}
