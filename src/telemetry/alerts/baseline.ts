/**
 * What is usual, as exponentially weighted averages. A sample far out moves the baseline only as far as three of its
 * deviations would: whoever misbehaves for long does not become the norm at once.
 */
const weight = 0.05;
const clampAt = 3;
/** Mean absolute deviation → standard deviation, for a normal distribution. */
const toSigma = 1.2533;

/** Of amounts, on a logarithmic scale: twice as much is as far from usual as half. */
export class AmountBaseline {
  readonly #leastSigma: number;
  #mean: number | undefined;
  #deviation = 0;

  /** `leastSigma` is in natural logarithms: 0.25 takes differences of a quarter as ordinary. */
  constructor(leastSigma = 0.25) {
    this.#leastSigma = leastSigma;
  }

  z(amount: number): number {
    return this.#mean === undefined ? 0 : (Math.log1p(amount) - this.#mean) / this.#sigma;
  }

  add(amount: number): void {
    const value = Math.log1p(amount);
    if (this.#mean === undefined) {
      this.#mean = value;
      return;
    }
    const reach = clampAt * this.#sigma;
    const off = Math.min(reach, Math.max(-reach, value - this.#mean));
    this.#mean += weight * off;
    this.#deviation += weight * (Math.abs(off) - this.#deviation);
  }

  get #sigma(): number {
    return Math.max(this.#leastSigma, toSigma * this.#deviation);
  }
}

/** Of a share: how far `part` of `all` is from it, as a binomial sample would be. */
export class ShareBaseline {
  #share: number | undefined;

  z(part: number, all: number): number {
    if (this.#share === undefined || all === 0) return 0;
    return (part / all - this.#share) / this.#sigma(all);
  }

  add(part: number, all: number): void {
    if (all === 0) return;
    const share = part / all;
    if (this.#share === undefined) {
      this.#share = share;
      return;
    }
    const reach = clampAt * this.#sigma(all);
    this.#share += weight * Math.min(reach, Math.max(-reach, share - this.#share));
  }

  /** Never below that of one in a hundred: who never failed may fail once. */
  #sigma(all: number): number {
    const share = Math.min(0.99, Math.max(0.01, this.#share ?? 0));
    return Math.sqrt((share * (1 - share)) / all);
  }
}

/** Of a composition: how far a sample's parts lie from the usual ones, against what chance would make of as many. */
export class MixBaseline {
  #usual: number[] | undefined;

  z(counts: readonly number[]): number {
    const all = total(counts);
    if (this.#usual === undefined || all === 0) return 0;
    let distance = 0;
    let expected = 0;
    for (const [i, usual] of this.#usual.entries()) {
      const share = Math.min(0.98, Math.max(0.02, usual));
      distance += Math.abs(counts[i]! / all - usual);
      expected += Math.sqrt((share * (1 - share)) / all);
    }
    return distance / expected;
  }

  add(counts: readonly number[]): void {
    const all = total(counts);
    if (all === 0) return;
    const shares = counts.map((count) => count / all);
    this.#usual = this.#usual?.map((usual, i) => usual + weight * (shares[i]! - usual)) ?? shares;
  }
}

const total = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count, 0);
