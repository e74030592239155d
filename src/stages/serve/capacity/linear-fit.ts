/**
 * How a latency grows with up to two features, from exponentially weighted moments over about 200 samples. Features that
 * hardly vary explain nothing: without the ridge their slope would follow whatever else changes.
 */
const newest = 1 / 200;
const ridge = 0.1;

export class LinearFit {
  readonly #means: number[];
  #mean = 0;
  /** Covariances of the features with each other, and with the value. */
  readonly #between: number[][];
  readonly #with: number[];
  #slopes: number[];
  #samples = 0;

  constructor(features: 1 | 2) {
    const zeros = () => Array.from({ length: features }, () => 0);
    this.#means = zeros();
    this.#with = zeros();
    this.#slopes = zeros();
    this.#between = zeros().map(zeros);
  }

  get samples(): number {
    return this.#samples;
  }

  update(features: readonly number[], value: number): void {
    this.#samples += 1;
    const share = Math.max(newest, 1 / this.#samples);
    const off = features.map((x, i) => x - this.#means[i]!);
    const offValue = value - this.#mean;
    for (let i = 0; i < off.length; i++) {
      this.#means[i]! += share * off[i]!;
      this.#with[i] = (1 - share) * (this.#with[i]! + share * off[i]! * offValue);
      for (let j = 0; j < off.length; j++)
        this.#between[i]![j] = (1 - share) * (this.#between[i]![j]! + share * off[i]! * off[j]!);
    }
    this.#mean += share * offValue;
    this.#slopes = this.#solve();
  }

  /** What the features add; never less than nothing. */
  partOf(features: readonly number[]): number {
    let sum = 0;
    for (let i = 0; i < features.length; i++) sum += Math.max(0, this.#slopes[i]!) * features[i]!;
    return sum;
  }

  predict(features: readonly number[]): number {
    return Math.max(0, this.#mean - this.partOf(this.#means)) + this.partOf(features);
  }

  #solve(): number[] {
    const [[a, b = 0] = [], [, d = 0] = []] = this.#between;
    const [x, y] = this.#means.map((mean) => (ridge * mean) ** 2);
    const first = a! + x! || 1;
    if (y === undefined) return [this.#with[0]! / first];
    const second = d + y || 1;
    const determinant = first * second - b * b || 1;
    const [p, q] = this.#with as [number, number];
    return [(p * second - q * b) / determinant, (q * first - p * b) / determinant];
  }
}
