/** Whether memory is flat: a line through the least of each minute, and the last third against the first. */
export interface Trend {
  mbPerMinute: number;
  /** Its standard error: what collections alone make of a flat line. */
  errorMb: number;
  firstThirdMb: number;
  lastThirdMb: number;
  minutes: number;
  flat: boolean;
  told: string;
}

const mostMbPerMinute = 0.5;
const mostRatio = 1.1;
/** The start is left out: code is compiled, pools and the young generation grow to their size. */
const warmShare = 1 / 3;
const mostWarmMinutes = 10;
/** V8 takes its time to find its size: fewer say nothing. */
const leastMinutes = 10;

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1]!;
}

/** Least squares; y per unit of x. */
export function slopeOf(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (pick: 0 | 1) => points.reduce((sum, point) => sum + point[pick], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  const spread = points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0);
  return spread === 0 ? 0 : points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0) / spread;
}

function errorOf(points: readonly (readonly [x: number, y: number])[], slope: number): number {
  const mean = (pick: 0 | 1) => points.reduce((sum, point) => sum + point[pick], 0) / points.length;
  const [x, y] = [mean(0), mean(1)];
  const spread = points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0);
  const rest = points.reduce((sum, point) => sum + (point[1] - y - slope * (point[0] - x)) ** 2, 0);
  return Math.sqrt(rest / (points.length - 2) / spread);
}

/** `undefined` where the run was too short to tell. What a collection has not yet freed swings: each minute's least counts. */
export function trendOf(samples: readonly (readonly [ms: number, mb: number])[]): Trend | undefined {
  const lastMinute = (samples.at(-1)?.[0] ?? 0) / 60_000;
  const from = Math.min(lastMinute * warmShare, mostWarmMinutes);
  const least = new Map<number, number>();
  for (const [ms, mb] of samples) {
    const minute = Math.floor(ms / 60_000);
    if (ms / 60_000 >= from) least.set(minute, Math.min(least.get(minute) ?? Infinity, mb));
  }
  const points = [...least];
  if (points.length < leastMinutes) return undefined;
  const third = Math.ceil(points.length / 3);
  const mbPerMinute = slopeOf(points);
  const firstThirdMb = median(points.slice(0, third).map(([, mb]) => mb));
  const lastThirdMb = median(points.slice(-third).map(([, mb]) => mb));
  const errorMb = errorOf(points, mbPerMinute);
  const flat = mbPerMinute - 2 * errorMb < mostMbPerMinute && lastThirdMb <= firstThirdMb * mostRatio;
  const told = `${mbPerMinute.toFixed(2)} ± ${(2 * errorMb).toFixed(2)} MB a minute (not surely ${mostMbPerMinute} or more), median of the first third ${firstThirdMb} MB, of the last ${lastThirdMb} MB (at most ×${mostRatio}), over ${points.length} minutes after warming up; most ${Math.max(...samples.map(([, mb]) => mb))} MB`;
  return { mbPerMinute, errorMb, firstThirdMb, lastThirdMb, minutes: points.length, flat, told };
}
