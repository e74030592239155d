/** Pure geometry of the charts: domains, ticks, stacking. No DOM here, so that Node can test and render it. */
export interface Point {
  at: number;
  value: number | null;
}

export interface NamedSeries {
  name: string;
  points: Point[];
}

/** Log axis of positive values: whole decades around them, at least one. */
export function decadesAround(values: readonly number[]): [number, number] {
  const positive = values.filter((value) => value > 0);
  if (positive.length === 0) return [1, 10];
  const low = 10 ** Math.floor(Math.log10(Math.min(...positive)) + 1e-9);
  const high = 10 ** Math.ceil(Math.log10(Math.max(...positive)) - 1e-9);
  return high > low ? [low, high] : [low, low * 10];
}

export function decadeTicks([low, high]: readonly [number, number]): number[] {
  const ticks: number[] = [];
  for (let tick = low; tick <= high * (1 + 1e-9); tick *= 10) ticks.push(Number(tick.toPrecision(12)));
  return ticks;
}

export interface StackLayer {
  name: string;
  points: { at: number; low: number; high: number; value: number }[];
}

/** Layers on top of each other by position; series share their instants, gaps count as 0. */
export function stackSeries(series: readonly NamedSeries[]): StackLayer[] {
  const base = new Map<number, number>();
  return series.map(({ name, points }) => ({
    name,
    points: points.map(({ at, value }) => {
      const low = base.get(at) ?? 0;
      const high = low + (value ?? 0);
      base.set(at, high);
      return { at, low, high, value: value ?? 0 };
    }),
  }));
}

export const stackTop = (layers: readonly StackLayer[]): number =>
  layers.reduce((top, layer) => layer.points.reduce((high, point) => Math.max(high, point.high), top), 0);

/** Points without a neighbour that has a value: a line can't show them, a dot can. */
export const lonePoints = (points: readonly Point[]): { at: number; value: number }[] =>
  points.flatMap(({ at, value }, i) =>
    value !== null && (points[i - 1]?.value ?? null) === null && (points[i + 1]?.value ?? null) === null
      ? [{ at, value }]
      : [],
  );

/** Index of the point nearest to an instant; points are sorted by time. -1 when there are none. */
export function nearestIndex(points: readonly { at: number }[], at: number): number {
  let [low, high] = [0, points.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (points[middle]!.at < at) low = middle + 1;
    else high = middle;
  }
  if (low > 0 && at - points[low - 1]!.at < points[low]!.at - at) return low - 1;
  return points.length === 0 ? -1 : low;
}

/** Sums series of several use cases per instant; a point without any value stays null. */
export function sumSeries(series: readonly Point[][]): Point[] {
  const sums = new Map<number, number | null>();
  for (const points of series)
    for (const { at, value } of points) {
      const before = sums.get(at) ?? null;
      sums.set(at, value === null ? before : (before ?? 0) + value);
    }
  return [...sums].map(([at, value]) => ({ at, value })).sort((a, b) => a.at - b.at);
}

export interface WaterfallBar {
  name: string;
  startMs: number;
  durationMs: number;
}

/** Stages run one after the other, so each starts where the one before ended; time that no stage claims comes last. */
export function layOutStages(
  order: readonly string[],
  stages: Record<string, number | undefined>,
  totalMs: number,
): WaterfallBar[] {
  const bars: WaterfallBar[] = [];
  let at = 0;
  for (const name of order) {
    const durationMs = stages[name];
    if (durationMs === undefined) continue;
    bars.push({ name, startMs: at, durationMs });
    at += durationMs;
  }
  const rest = totalMs - at;
  if (rest > Math.max(0.05, totalMs * 0.005)) bars.push({ name: "between stages", startMs: at, durationMs: rest });
  return bars;
}

/** Attempts start at whole milliseconds, stages are timed finer: a bar that fits into its stage is moved into it. */
export function within(bar: WaterfallBar, stage: WaterfallBar): WaterfallBar {
  if (bar.durationMs > stage.durationMs) return bar;
  const latest = stage.startMs + stage.durationMs - bar.durationMs;
  return { ...bar, startMs: Math.max(stage.startMs, Math.min(latest, bar.startMs)) };
}
