/** Where the time of a decision went: stages one after the other, attempts below the stage that made them. */
import { stageOrder } from "./stage-order.ts";
import { formatDuration, formatShare } from "../figures/quantity.ts";
import { layOutStages, type WaterfallBar, within } from "./scales.ts";

interface SubBar extends WaterfallBar {
  failed: boolean;
  remark: string;
}

interface WaterfallProps {
  totalMs: number;
  stages: Record<string, number | undefined>;
  under: { stage: string; bars: SubBar[] };
}

export function Waterfall({ totalMs, stages, under }: WaterfallProps) {
  const bars = layOutStages(stageOrder, stages, totalMs);
  const axisMs = Math.max(totalMs, ...bars.map(({ startMs, durationMs }) => startMs + durationMs), 1e-6);
  return (
    <table className="w-full text-xs">
      <caption className="sr-only">Stages in order, with start, duration and share of the whole</caption>
      <thead className="sr-only">
        <tr>
          <th scope="col">Stage</th>
          <th scope="col">Position</th>
          <th scope="col">Duration</th>
          <th scope="col">Share</th>
        </tr>
      </thead>
      <tbody>
        {bars.flatMap((bar) => [
          <Line
            key={bar.name}
            bar={bar}
            axisMs={axisMs}
            totalMs={totalMs}
            look={
              bar.name === under.stage ? "bg-accent" : bar.name === "between stages" ? "bg-line-strong" : "bg-series-3"
            }
          />,
          ...(bar.name === under.stage
            ? under.bars.map((sub) => (
                <Line
                  key={sub.name}
                  bar={within(sub, bar)}
                  axisMs={axisMs}
                  totalMs={totalMs}
                  look={sub.failed ? "bg-bad" : "bg-accent opacity-55"}
                  remark={sub.remark}
                  nested
                />
              ))
            : []),
        ])}
      </tbody>
    </table>
  );
}

interface LineProps {
  bar: WaterfallBar;
  axisMs: number;
  totalMs: number;
  look: string;
  remark?: string;
  nested?: boolean;
}

function Line({ bar, axisMs, totalMs, look, remark = "", nested = false }: LineProps) {
  const left = Math.min(100, (bar.startMs / axisMs) * 100);
  const width = Math.min(100 - left, (bar.durationMs / axisMs) * 100);
  return (
    <tr className="hover:bg-hover">
      <th
        scope="row"
        className={`w-36 max-w-44 truncate py-0.5 pr-3 text-left font-normal ${nested ? "pl-4 text-ink-3" : "text-ink-2"}`}
      >
        {bar.name}
      </th>
      <td className="py-0.5">
        <div className="relative h-3.5 rounded-xs bg-raised">
          <span className="sr-only">starts at {formatDuration(bar.startMs)}</span>
          <div
            className={`absolute rounded-xs ${nested ? "top-1 h-1.5" : "top-0.5 h-2.5"} ${look}`}
            style={{ left: `min(${left}%, 100% - 2px)`, width: `max(${width}%, 2px)` }}
          />
          {remark !== "" && (
            <span
              className="mono absolute -top-px text-2xs text-bad"
              style={
                left + width > 70 ? { right: `calc(${100 - left}% + 6px)` } : { left: `calc(${left + width}% + 6px)` }
              }
            >
              {remark}
            </span>
          )}
        </div>
      </td>
      <td className="w-22 py-0.5 text-right font-medium whitespace-nowrap">{formatDuration(bar.durationMs)}</td>
      <td className="w-16 py-0.5 text-right text-ink-3">{nested ? "" : formatShare(bar.durationMs, totalMs)}</td>
    </tr>
  );
}
