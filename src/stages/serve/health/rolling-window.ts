/** Calls and failures of the last minute in twelve buckets of five seconds, whatever the rate. */
const bucketMs = 5_000;
const buckets = 12;

export class RollingWindow {
  readonly #calls = new Uint32Array(buckets);
  readonly #failures = new Uint32Array(buckets);
  /** Number of the newest bucket since the clock's origin. */
  #newest = 0;

  add(nowMs: number, failed: boolean): void {
    this.#turn(nowMs);
    const at = this.#newest % buckets;
    this.#calls[at]! += 1;
    if (failed) this.#failures[at]! += 1;
  }

  totals(nowMs: number): { requests: number; failures: number } {
    this.#turn(nowMs);
    let requests = 0;
    let failures = 0;
    for (let at = 0; at < buckets; at++) {
      requests += this.#calls[at]!;
      failures += this.#failures[at]!;
    }
    return { requests, failures };
  }

  clear(): void {
    this.#calls.fill(0);
    this.#failures.fill(0);
  }

  #turn(nowMs: number): void {
    const now = Math.floor(nowMs / bucketMs);
    if (now - this.#newest >= buckets) this.clear();
    else
      for (let n = this.#newest + 1; n <= now; n++) {
        this.#calls[n % buckets] = 0;
        this.#failures[n % buckets] = 0;
      }
    this.#newest = Math.max(this.#newest, now);
  }
}
