/** An overview's series as the charts take them. */
import type { NamedSeries, Point } from "../charts/scales.ts";
import type { Overview, SeriesPoint } from "../api/types.ts";

export type SeriesMetric = "decisions" | "errors" | "p95_ms" | "cost_nano_usd";

const pointsOf = (series: readonly SeriesPoint[], metric: SeriesMetric, scale = 1): Point[] =>
  series.map((point) => {
    // Percentiles of nothing are reported as 0: they are gaps.
    const value = metric === "p95_ms" && point.decisions === 0 ? null : point[metric];
    return { at: point.at_ms, value: value === null ? null : value * scale };
  });

export const seriesOf = (overview: Overview, metric: SeriesMetric, scale = 1): NamedSeries[] =>
  overview.use_cases.map(({ name, series }) => ({ name, points: pointsOf(series, metric, scale) }));
