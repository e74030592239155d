const bucketMs = 30_000;
const longestMs = 6 * 3600_000;
// One more than the longest window: the current one is not full yet.
const buckets = longestMs / bucketMs + 1;

/** Counts by column over the last six hours, in buckets of half a minute and a fixed amount of memory. */
export class SlidingCounts<Column extends string> {
  readonly #columns: Readonly<Record<Column, number>>;
  readonly #width: number;
  readonly #counts: Uint32Array;
  #newest = -1;

  constructor(columns: readonly Column[]) {
    this.#columns = Object.fromEntries(columns.map((column, at) => [column, at])) as Record<Column, number>;
    this.#width = columns.length;
    this.#counts = new Uint32Array(buckets * columns.length);
  }

  /** `now` is monotonic and in milliseconds, as everywhere here. */
  add(now: number, column: Column): void {
    const bucket = this.#turn(now);
    this.#counts[(bucket % buckets) * this.#width + this.#columns[column]]! += 1;
  }

  /** Of the last `windowMs`, leaving out the newest `exceptMs`; both are rounded to whole buckets. */
  sum(now: number, column: Column, windowMs: number, exceptMs = 0): number {
    const newest = this.#turn(now);
    const from = Math.max(0, newest - Math.round(windowMs / bucketMs) + 1);
    let sum = 0;
    for (let bucket = from; bucket <= newest - Math.round(exceptMs / bucketMs); bucket++)
      sum += this.#counts[(bucket % buckets) * this.#width + this.#columns[column]]!;
    return sum;
  }

  /** The current bucket, with all those emptied that lie between it and the last one used. */
  #turn(now: number): number {
    const bucket = Math.floor(now / bucketMs);
    if (bucket <= this.#newest) return this.#newest;
    const first = Math.max(this.#newest + 1, bucket - buckets + 1);
    for (let stale = first; stale <= bucket; stale++) {
      const at = (stale % buckets) * this.#width;
      this.#counts.fill(0, at, at + this.#width);
    }
    this.#newest = bucket;
    return bucket;
  }
}
