import type { Overview } from "../api/types.ts";
import { type Point, sumSeries } from "../charts/scales.ts";
import { Sparkline } from "../charts/sparkline.tsx";
import { formatCompact, formatCount, formatDuration, formatRate, formatShare } from "../figures/quantity.ts";
import { Money } from "../shell/money.tsx";
import { OutcomeBar } from "./outcome-bar.tsx";
import { seriesOf } from "./series.ts";

export function Tiles({ overview }: { overview: Overview }) {
  const { totals } = overview;
  const sum = (metric: "decisions" | "errors" | "cost_nano_usd"): Point[] =>
    sumSeries(seriesOf(overview, metric).map(({ points }) => points));
  return (
    <section
      aria-label="All use cases"
      className="panel grid grid-cols-2 gap-px overflow-hidden !bg-line *:bg-surface md:grid-cols-3 xl:grid-cols-6"
    >
      <Tile
        name="Rate"
        value={formatRate(totals.rate_per_s)}
        unit="/s"
        detail={`${formatCount(totals.decisions)} decisions`}
      >
        <Sparkline points={sum("decisions")} />
      </Tile>
      <Tile
        name="Latency p95"
        value={totals.decisions === 0 ? "–" : formatDuration(totals.p95_ms)}
        detail={`p50 ${formatDuration(totals.p50_ms)} · p99 ${formatDuration(totals.p99_ms)}`}
      >
        <Sparkline points={slowest(overview)} />
      </Tile>
      <Tile
        name="Errors"
        value={formatShare(totals.errors, totals.decisions)}
        detail={`${formatCompact(totals.errors)} of ${formatCompact(totals.decisions)}`}
      >
        <Sparkline points={sum("errors")} colour="var(--bad)" />
      </Tile>
      <Tile name="Cost" value={<Money nanoUsd={totals.cost_nano_usd} />} detail={<PerDecision totals={totals} />}>
        <Sparkline points={sum("cost_nano_usd")} />
      </Tile>
      <Tile
        name="Cache hits"
        value={formatShare(totals.cache_hits, totals.decisions)}
        detail={`${formatCompact(totals.cache_hits)} answered from cache`}
      >
        <ShareBar part={totals.cache_hits} whole={totals.decisions} />
      </Tile>
      <Tile
        name="Referred to people"
        value={formatShare(totals.referred, totals.decisions)}
        detail={`${formatCompact(totals.referred)} wait or waited`}
      >
        <OutcomeBar totals={totals} />
      </Tile>
    </section>
  );
}

interface TileProps {
  name: string;
  value: React.ReactNode;
  unit?: string;
  detail: React.ReactNode;
  children: React.ReactNode;
}

const Tile = ({ name, value, unit, detail, children }: TileProps) => (
  <div className="grid min-w-0 content-start gap-0.5 px-3 pt-2 pb-2.5">
    <div className="text-xs text-ink-2">{name}</div>
    <div className="truncate text-lg leading-6 font-semibold tracking-tight">
      {value}
      {unit !== undefined && <span className="ml-0.5 text-xs font-normal text-ink-3">{unit}</span>}
    </div>
    <div className="truncate text-2xs text-ink-3">{detail}</div>
    <div className="mt-1.5 flex h-7 items-end">{children}</div>
  </div>
);

/** The use case that is slowest at each instant: percentiles don't add up. */
function slowest(overview: Overview): Point[] {
  const highest = new Map<number, number | null>();
  for (const { points } of seriesOf(overview, "p95_ms"))
    for (const { at, value } of points) {
      const before = highest.get(at) ?? null;
      highest.set(at, value === null ? before : Math.max(before ?? 0, value));
    }
  return [...highest].map(([at, value]) => ({ at, value }));
}

const PerDecision = ({ totals }: { totals: Overview["totals"] }) =>
  totals.decisions === 0 ? (
    "–"
  ) : (
    <>
      ≈ <Money nanoUsd={Math.round(totals.cost_nano_usd / totals.decisions)} /> per decision
    </>
  );

const ShareBar = ({ part, whole }: { part: number; whole: number }) => (
  <span aria-hidden="true" className="block h-1.5 w-full overflow-hidden rounded-full bg-hover">
    <span className="block h-full bg-accent" style={{ width: `${whole === 0 ? 0 : (part / whole) * 100}%` }} />
  </span>
);
