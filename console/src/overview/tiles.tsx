import type { Overview } from "../api/types.ts";
import { type Point, sumSeries } from "../charts/scales.ts";
import { Sparkline } from "../charts/sparkline.tsx";
import { formatCompact, formatCount, formatDuration, formatRate, formatShare } from "../figures/quantity.ts";
import { Money } from "../shell/money.tsx";
import { ShareBar, Tile, Tiles as TileRow } from "../shell/tile.tsx";
import { OutcomeBar } from "./outcome-bar.tsx";
import { seriesOf } from "./series.ts";

export function Tiles({ overview }: { overview: Overview }) {
  const { totals } = overview;
  const sum = (metric: "decisions" | "errors" | "cost_nano_usd"): Point[] =>
    sumSeries(seriesOf(overview, metric).map(({ points }) => points));
  return (
    <TileRow label="All use cases">
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
    </TileRow>
  );
}

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
