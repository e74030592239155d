/** How the install is doing: totals, each use case, and each metric over time. Read anew every five seconds. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { overviewQuery } from "../api/queries.ts";
import { overviewRanges, type OverviewRange } from "../api/types.ts";
import { formatClock, zoneOf } from "../figures/instant.ts";
import { FirstTraffic } from "../shell/first-traffic.tsx";
import { Failed, Loading } from "../shell/notice.tsx";
import { ScreenHead } from "../shell/screen-head.tsx";
import { MetricCharts } from "./metric-charts.tsx";
import { Tiles } from "./tiles.tsx";
import { UseCaseTable } from "./use-case-table.tsx";

const route = getRouteApi("/");
const defaultRange: OverviewRange = "1h";

export function OverviewScreen() {
  const range = route.useSearch().range ?? defaultRange;
  const query = useQuery(overviewQuery(range));
  const overview = query.data;
  return (
    <div className="h-full overflow-y-auto">
      <ScreenHead
        title="Overview"
        windowTitle="Overview"
        aside={
          query.dataUpdatedAt > 0 && (
            <span>
              as of {formatClock(query.dataUpdatedAt)} {zoneOf(query.dataUpdatedAt)}, every 5 s
            </span>
          )
        }
      >
        <RangeSwitch range={range} />
      </ScreenHead>
      {overview === undefined ? (
        query.isError ? (
          <Failed error={query.error} retry={() => void query.refetch()} />
        ) : (
          <Loading what="the overview" />
        )
      ) : overview.totals.decisions === 0 &&
        overview.use_cases.every(({ series }) => series.every(({ decisions }) => decisions === 0)) ? (
        <FirstTraffic title={`No decisions in the last ${rangeWords[range]}.`} />
      ) : (
        <div className="grid gap-3 px-4 pb-4">
          {query.isError && <Failed error={query.error} retry={() => void query.refetch()} />}
          <Tiles overview={overview} />
          <UseCaseTable overview={overview} />
          <MetricCharts overview={overview} />
        </div>
      )}
    </div>
  );
}

const rangeWords: Record<OverviewRange, string> = {
  "15m": "15 minutes",
  "1h": "hour",
  "24h": "24 hours",
  "7d": "7 days",
};

const RangeSwitch = ({ range }: { range: OverviewRange }) => (
  <nav aria-label="Range" className="flex rounded-[5px] border border-line-strong bg-surface p-px">
    {overviewRanges.map((name) => (
      <Link
        key={name}
        to="/"
        search={{ range: name }}
        title={`Last ${rangeWords[name]}`}
        aria-current={name === range ? "page" : undefined}
        className={`rounded-[3px] px-2.5 py-1 text-xs ${name === range ? "bg-accent-fill font-semibold text-accent-ink" : "text-ink-2 hover:bg-hover hover:text-ink"}`}
      >
        {name}
      </Link>
    ))}
  </nav>
);
