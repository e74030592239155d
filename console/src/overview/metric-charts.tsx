import { useState } from "react";
import type { Overview } from "../api/types.ts";
import { TimeChart } from "../charts/time-chart.tsx";
import { formatUsd, formatUsdTick } from "../figures/money.ts";
import { formatCount, formatDuration, formatRate } from "../figures/quantity.ts";
import { seriesOf } from "./series.ts";

const perStep = (stepMs: number): string =>
  stepMs >= 3_600_000
    ? `per ${stepMs / 3_600_000} h`
    : stepMs >= 60_000
      ? `per ${stepMs / 60_000} min`
      : `per ${stepMs / 1000} s`;

export function MetricCharts({ overview }: { overview: Overview }) {
  const [at, onPoint] = useState<number>();
  const common = { fromMs: overview.from_ms, toMs: overview.to_ms, stepMs: overview.step_ms, at, onPoint };
  const each = perStep(overview.step_ms);
  return (
    <div className="grid gap-3 lg:grid-cols-2">
      <TimeChart
        {...common}
        title="Rate"
        note="decisions per second, stacked"
        shape="area"
        series={seriesOf(overview, "decisions", 1000 / overview.step_ms)}
        format={rate}
        formatTickValue={(value) => `${Number(value.toPrecision(4))}/s`}
      />
      <TimeChart
        {...common}
        title="Latency p95"
        note="log scale"
        shape="line"
        scale="log"
        series={seriesOf(overview, "p95_ms")}
        format={formatDuration}
        formatTickValue={formatLogTick}
      />
      <TimeChart
        {...common}
        title="Errors"
        note={each}
        shape="bar"
        series={seriesOf(overview, "errors")}
        format={formatCount}
        whole
      />
      <TimeChart
        {...common}
        title="Cost"
        note={each}
        shape="area"
        series={seriesOf(overview, "cost_nano_usd")}
        format={formatUsd}
        formatTickValue={formatUsdTick}
      />
    </div>
  );
}

const rate = (value: number): string => `${formatRate(value)}/s`;
const formatLogTick = (ms: number): string =>
  ms >= 1000 ? `${ms / 1000} s` : ms >= 1 ? `${ms} ms` : `${Math.round(ms * 1000)} µs`;
