/**
 * A metric over time by series: lines, stacked areas or stacked bars on one time axis, with a crosshair and the same
 * figures as a table. Several charts share one crosshair through `at` and `onPoint`.
 */
import { scaleLinear, scaleLog, scaleTime } from "d3-scale";
import { area, curveMonotoneX, line } from "d3-shape";
import { useId, useState } from "react";
import { formatClock, formatInstant, formatTick, zoneOf } from "../figures/instant.ts";
import { Table } from "../shell/icons.tsx";
import {
  decadesAround,
  lonePoints,
  decadeTicks,
  type NamedSeries,
  nearestIndex,
  type StackLayer,
  stackSeries,
  stackTop,
} from "./scales.ts";
import { seriesColour, seriesDash } from "./series-look.ts";
import { useWidth } from "./use-width.ts";

export interface TimeChartProps {
  title: string;
  /** Unit or remark beside the title, e.g. "log scale". */
  note?: string;
  series: NamedSeries[];
  shape: "line" | "area" | "bar";
  scale?: "linear" | "log";
  fromMs: number;
  toMs: number;
  stepMs: number;
  /** Counts: no tick between whole numbers. */
  whole?: boolean;
  format: (value: number) => string;
  formatTickValue?: (value: number) => string;
  at: number | undefined;
  onPoint: (at: number | undefined) => void;
}

const height = 184;
const margin = { top: 10, right: 20, bottom: 22, left: 64 };

export function TimeChart(props: TimeChartProps) {
  const { title, note, series, shape } = props;
  const [asTable, setAsTable] = useState(false);
  const id = useId();
  return (
    <section aria-labelledby={id} className="panel min-w-0">
      <header className="flex min-h-9 items-center gap-3 border-b border-line px-3">
        <h2 id={id} className="text-xs font-semibold whitespace-nowrap">
          {title} {note !== undefined && <span className="font-normal text-ink-3">{note}</span>}
        </h2>
        <Legend names={series.map(({ name }) => name)} shape={shape} />
        <button
          type="button"
          aria-pressed={asTable}
          aria-label={`${title} as a table`}
          title="Show as a table"
          className="grid size-6 shrink-0 place-items-center rounded text-ink-3 hover:bg-hover aria-pressed:bg-hover aria-pressed:text-ink"
          onClick={() => setAsTable(!asTable)}
        >
          <Table className="size-3.5" />
        </button>
      </header>
      {asTable ? <FigureTable {...props} /> : <Plot {...props} />}
    </section>
  );
}

const Legend = ({ names, shape }: { names: string[]; shape: TimeChartProps["shape"] }) => (
  <ul className="ml-auto flex min-w-0 flex-wrap justify-end gap-x-3 text-2xs text-ink-2">
    {names.map((name, index) => (
      <li key={name} className="flex items-center gap-1.5">
        <svg width="16" height="8" aria-hidden="true">
          {shape === "line" ? (
            <path d="M0 4h16" stroke={seriesColour(index)} strokeWidth={2} strokeDasharray={seriesDash(index)} />
          ) : (
            <rect x="3" width="10" height="8" rx="1.5" fill={seriesColour(index)} />
          )}
        </svg>
        {name}
      </li>
    ))}
  </ul>
);

function Plot(props: TimeChartProps) {
  const { title, series, shape, scale = "linear", fromMs, toMs, stepMs, format, at, onPoint } = props;
  const [ref, width] = useWidth<HTMLDivElement>(560);
  const layers = shape === "line" ? undefined : stackSeries(series);
  const spanMs = toMs - fromMs;
  // A bar stands astride its instant.
  const half = shape === "bar" ? ((width - margin.left - margin.right) * stepMs) / spanMs / 2 : 0;
  const x = scaleTime([fromMs, Math.max(toMs - stepMs, fromMs + 1)], [margin.left + half, width - margin.right - half]);
  const { y, ticks } = verticalScale(series, layers, scale, props.whole === true);
  const shown = series[0]?.points ?? [];
  const index = at === undefined ? -1 : nearestIndex(shown, at);
  const moved = (event: React.PointerEvent<SVGSVGElement>): void => {
    const box = event.currentTarget.getBoundingClientRect();
    const nearest = shown[nearestIndex(shown, x.invert(event.clientX - box.left).getTime())];
    onPoint(nearest?.at);
  };
  return (
    <div ref={ref} className="relative">
      <svg
        width={width}
        height={height}
        role="img"
        aria-label={describe(props)}
        className="block"
        onPointerMove={moved}
        onPointerLeave={() => onPoint(undefined)}
      >
        {ticks.map((tick) => (
          <g key={tick}>
            <path
              d={`M${margin.left} ${Math.round(y(tick)) + 0.5}H${width - margin.right}`}
              stroke="var(--line)"
              strokeDasharray={tick === ticks[0] ? undefined : "2 3"}
            />
            <text x={margin.left - 8} y={y(tick)} dy="0.32em" textAnchor="end" fontSize={10.5} fill="var(--ink-3)">
              {(props.formatTickValue ?? format)(tick)}
            </text>
          </g>
        ))}
        {x.ticks(Math.max(2, Math.floor(width / 110))).map((tick) => (
          <text key={tick.getTime()} x={x(tick)} y={height - 7} textAnchor="middle" fontSize={10.5} fill="var(--ink-3)">
            {formatTick(tick.getTime(), spanMs)}
          </text>
        ))}
        {layers === undefined ? (
          <Lines series={series} x={x} y={y} />
        ) : shape === "area" ? (
          <Areas layers={layers} x={x} y={y} />
        ) : (
          <Bars layers={layers} x={x} y={y} barWidth={Math.max(1.5, 2 * half - 1.5)} />
        )}
        {index >= 0 && <Crosshair series={series} layers={layers} index={index} x={x(shown[index]!.at)} y={y} />}
      </svg>
      {index >= 0 && (
        <Readout title={title} series={series} index={index} format={format} left={x(shown[index]!.at)} width={width} />
      )}
    </div>
  );
}

type Horizontal = (at: number) => number;
type Vertical = (value: number) => number;

function verticalScale(
  series: readonly NamedSeries[],
  layers: StackLayer[] | undefined,
  scale: "linear" | "log",
  whole: boolean,
): { y: Vertical; ticks: number[] } {
  const range = [height - margin.bottom, margin.top];
  const values = series.flatMap(({ points }) => points.map(({ value }) => value ?? 0));
  if (scale === "log") {
    const domain = decadesAround(values);
    const log = scaleLog(domain, range);
    return { y: (value) => log(Math.max(value, domain[0])), ticks: decadeTicks(domain) };
  }
  const top = layers === undefined ? Math.max(0, ...values) : stackTop(layers);
  // Nothing but zeros: one line at zero says it; a made-up scale would not.
  if (top === 0) return { y: scaleLinear([0, 1], range), ticks: [0] };
  const linear = scaleLinear([0, top], range).nice(4);
  return { y: linear, ticks: linear.ticks(4).filter((tick) => !whole || Number.isInteger(tick)) };
}

const Lines = ({ series, x, y }: { series: NamedSeries[]; x: Horizontal; y: Vertical }) =>
  series.map(({ name, points }, index) => {
    const path = line<(typeof points)[number]>()
      .defined(({ value }) => value !== null)
      .x(({ at }) => x(at))
      .y(({ value }) => y(value ?? 0));
    return (
      <g key={name}>
        <path
          d={path(points) ?? ""}
          fill="none"
          stroke={seriesColour(index)}
          strokeWidth={1.75}
          strokeDasharray={seriesDash(index)}
          strokeLinejoin="round"
        />
        {lonePoints(points).map(({ at, value }) => (
          <circle key={at} cx={x(at)} cy={y(value)} r={2.5} fill={seriesColour(index)} />
        ))}
      </g>
    );
  });

const Areas = ({ layers, x, y }: { layers: StackLayer[]; x: Horizontal; y: Vertical }) =>
  layers.map(({ name, points }, index) => {
    const shape = area<(typeof points)[number]>()
      .x(({ at }) => x(at))
      .y0(({ low }) => y(low))
      .y1(({ high }) => y(high))
      .curve(curveMonotoneX);
    return (
      <g key={name}>
        <path d={shape(points) ?? ""} fill={seriesColour(index)} opacity={0.32} />
        <path d={shape.lineY1()(points) ?? ""} fill="none" stroke={seriesColour(index)} strokeWidth={1.5} />
      </g>
    );
  });

const Bars = ({ layers, x, y, barWidth }: { layers: StackLayer[]; x: Horizontal; y: Vertical; barWidth: number }) =>
  layers.map(({ name, points }, index) => (
    <g key={name} fill={seriesColour(index)}>
      {points.map(
        ({ at, low, high }) =>
          high > low && (
            <rect
              key={at}
              x={x(at) - barWidth / 2}
              y={y(high)}
              width={barWidth}
              height={Math.max(1, y(low) - y(high))}
              rx={Math.min(1.5, barWidth / 3)}
            />
          ),
      )}
    </g>
  ));

const Crosshair = ({
  series,
  layers,
  index,
  x,
  y,
}: {
  series: NamedSeries[];
  layers: StackLayer[] | undefined;
  index: number;
  x: number;
  y: Vertical;
}) => (
  <g pointerEvents="none">
    <path d={`M${Math.round(x) + 0.5} ${margin.top}V${height - margin.bottom}`} stroke="var(--ink-3)" />
    {series.map(({ name, points }, position) => {
      const value = layers === undefined ? points[index]?.value : layers[position]?.points[index]?.high;
      return (
        value !== null &&
        value !== undefined && (
          <circle
            key={name}
            cx={x}
            cy={y(value)}
            r={3}
            fill="var(--surface)"
            stroke={seriesColour(position)}
            strokeWidth={2}
          />
        )
      );
    })}
  </g>
);

function Readout({
  series,
  index,
  format,
  left,
  width,
}: {
  title: string;
  series: NamedSeries[];
  index: number;
  /** Counts: no tick between whole numbers. */
  whole?: boolean;
  format: (value: number) => string;
  left: number;
  width: number;
}) {
  const at = series[0]!.points[index]!.at;
  const side = left > width / 2 ? { right: width - left + 10 } : { left: left + 10 };
  return (
    <div
      className="pointer-events-none absolute top-2 z-10 rounded border border-line-strong bg-raised px-2 py-1.5 text-2xs shadow-[var(--shadow)]"
      style={side}
    >
      <div className="mb-0.5 text-ink-3">
        {formatClock(at)} {zoneOf(at)}
      </div>
      {series.map(({ name, points }, position) => {
        const value = points[index]?.value;
        return (
          <div key={name} className="flex items-center gap-1.5 whitespace-nowrap">
            <span className="size-2 rounded-xs" style={{ background: seriesColour(position) }} />
            <span className="text-ink-2">{name}</span>
            <span className="ml-auto pl-3 font-medium">
              {value === null || value === undefined ? "–" : format(value)}
            </span>
          </div>
        );
      })}
    </div>
  );
}

function describe({ title, series, format, fromMs, toMs }: TimeChartProps): string {
  const parts = series.map(({ name, points }) => {
    const values = points.flatMap(({ value }) => (value === null ? [] : [value]));
    const last = values.at(-1);
    return last === undefined
      ? `${name}: no data`
      : `${name}: lowest ${format(Math.min(...values))}, highest ${format(Math.max(...values))}, latest ${format(last)}`;
  });
  return `${title} from ${formatInstant(fromMs)} to ${formatInstant(toMs)}. ${parts.join("; ")}. The button above shows the figures as a table.`;
}

const FigureTable = ({ title, series, format }: TimeChartProps) => (
  // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reachable by keyboard
  <section className="overflow-y-auto" style={{ height }} tabIndex={0} aria-label={`${title}: figures`}>
    <table className="data-table">
      <thead className="sticky top-0 bg-surface">
        <tr>
          <th scope="col">From</th>
          {series.map(({ name }) => (
            <th key={name} scope="col" className="num">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {(series[0]?.points ?? []).toReversed().map(({ at }, fromEnd, all) => (
          <tr key={at}>
            <td className="whitespace-nowrap">{formatInstant(at)}</td>
            {series.map(({ name, points }) => {
              const value = points[all.length - 1 - fromEnd]?.value;
              return (
                <td key={name} className="num">
                  {value === null || value === undefined ? "–" : format(value)}
                </td>
              );
            })}
          </tr>
        ))}
      </tbody>
    </table>
  </section>
);
