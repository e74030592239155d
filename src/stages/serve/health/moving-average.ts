/** Exponentially weighted by time: a sample's weight halves about every seven seconds (τ = 10 s), however many come. */
const tauMs = 10_000;

/** What is left of earlier samples' weight. Samples of one instant still count: as if 100 ms lay between them. */
export const weightLeft = (elapsedMs: number): number => Math.exp(-Math.max(100, elapsedMs) / tauMs);

export class MovingAverage {
  #value: number | undefined;

  get value(): number | undefined {
    return this.#value;
  }

  add(sample: number, left: number): void {
    this.#value = this.#value === undefined ? sample : this.#value * left + sample * (1 - left);
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
    return this.#value === 0 ? 0 : this.#value * Math.exp(-(nowMs - this.#at) / tauMs);
  }

  add(sample: number, nowMs: number): void {
    const decayed = this.at(nowMs);
    const left = weightLeft(nowMs - this.#at);
    this.#value = sample > decayed ? sample : this.#value * left + sample * (1 - left);
    this.#at = nowMs;
  }
}
