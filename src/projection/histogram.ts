/**
 * Latencies in log-spaced buckets, so that percentiles can be computed from sums. Bucket i > 0 holds values in
 * (r^(i-1), r^i] × 0.01 ms with r = 1.1; a bucket's geometric middle is off by at most √r − 1 = 4.9 %.
 */
const lowestMs = 0.01;
const ratio = 1.1;
const logRatio = Math.log(ratio);
/** About three hours; longer ones share the last bucket. */
const lastBucket = 218;

export function bucketOf(ms: number): number {
  if (!(ms > lowestMs)) return 0;
  return Math.min(lastBucket, Math.ceil(Math.log(ms / lowestMs) / logRatio - 1e-9));
}

/** The value that stands for a bucket, in milliseconds. */
const latencyOf = (bucket: number): number =>
  bucket === 0 ? lowestMs : lowestMs * Math.exp((bucket - 0.5) * logRatio);

/** Nearest-rank percentile; null for an empty histogram. */
export function percentileOf(buckets: ReadonlyMap<number, number>, share: number): number | null {
  let total = 0;
  for (const n of buckets.values()) total += n;
  if (total === 0) return null;
  const rank = Math.max(1, Math.ceil(share * total));
  let seen = 0;
  for (const bucket of [...buckets.keys()].sort((a, b) => a - b)) {
    seen += buckets.get(bucket)!;
    if (seen >= rank) return round(latencyOf(bucket));
  }
  return null;
}

/** Three significant digits: more would pretend to an exactness that buckets do not have. */
const round = (ms: number): number => Number(ms.toPrecision(3));
