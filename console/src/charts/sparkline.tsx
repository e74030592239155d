import { scaleLinear } from "d3-scale";
import { area, line } from "d3-shape";
import type { Point } from "./scales.ts";

const [width, height] = [120, 28];

/** A metric's shape in a tile or cell. Decorative: the figure stands beside it. */
export function Sparkline({
  points,
  colour = "var(--accent)",
  className = "h-7 w-full",
}: {
  points: readonly Point[];
  colour?: string;
  className?: string;
}) {
  const values = points.map(({ value }) => value ?? 0);
  if (points.length < 2) return <svg viewBox={`0 0 ${width} ${height}`} className={className} aria-hidden="true" />;
  const x = scaleLinear([0, points.length - 1], [0, width]);
  const y = scaleLinear([0, Math.max(...values) || 1], [height - 1.5, 2]);
  const outline = line<Point>()
    .defined(({ value }) => value !== null)
    .x((_, i) => x(i))
    .y(({ value }) => y(value ?? 0));
  const filled = area<Point>()
    .defined(({ value }) => value !== null)
    .x((_, i) => x(i))
    .y0(height)
    .y1(({ value }) => y(value ?? 0));
  return (
    <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" className={className} aria-hidden="true">
      <path d={filled([...points]) ?? ""} fill={colour} opacity={0.13} />
      <path
        d={outline([...points]) ?? ""}
        fill="none"
        stroke={colour}
        strokeWidth={1.4}
        vectorEffect="non-scaling-stroke"
      />
    </svg>
  );
}
