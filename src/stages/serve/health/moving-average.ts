/** Exponentially weighted by time: a sample's weight halves about every seven seconds (τ = 10 s), however many come. */
const tauMs = 10_000;

export class MovingAverage {
  #value: number | undefined;
  #at = 0;

  get value(): number | undefined {
    return this.#value;
  }

  add(sample: number, nowMs: number): void {
    if (this.#value === undefined) this.#value = sample;
    else {
      // Samples of the same instant still count: at the least like one that came 100 ms later.
      const keep = Math.exp(-Math.max(100, nowMs - this.#at) / tauMs);
      this.#value = this.#value * keep + sample * (1 - keep);
    }
    this.#at = nowMs;
  }
}

/**
 * Peak EWMA (Finagle): a slower sample counts at once and whole, a faster one by and by, and a peak is forgotten as time
 * passes, so that a target that was slow once is tried again.
 */
export class PeakAverage {
  #value = 0;
  #at = 0;

  at(nowMs: number): number {
    return this.#value * Math.exp(-(nowMs - this.#at) / tauMs);
  }

  add(sample: number, nowMs: number): void {
    const decayed = this.at(nowMs);
    const keep = Math.exp(-Math.max(100, nowMs - this.#at) / tauMs);
    this.#value = sample > decayed ? sample : this.#value * keep + sample * (1 - keep);
    this.#at = nowMs;
  }
}
