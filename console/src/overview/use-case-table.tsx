import { Link } from "@tanstack/react-router";
import type { Overview, UseCaseOverview } from "../api/types.ts";
import { Sparkline } from "../charts/sparkline.tsx";
import { seriesColour } from "../charts/series-look.ts";
import { formatCount, formatDuration, formatRate, formatShare } from "../figures/quantity.ts";
import { Money } from "../shell/money.tsx";
import { Panel } from "../shell/panel.tsx";
import { OutcomeBar, OutcomeWords } from "./outcome-bar.tsx";

const headings: [name: string, look?: string][] = [
  ["Rate"],
  ["Decisions"],
  ["p50", "max-lg:hidden"],
  ["p95"],
  ["p99", "max-lg:hidden"],
  ["Errors"],
  ["Cache hits"],
  ["Cost"],
];

export const UseCaseTable = ({ overview }: { overview: Overview }) => (
  <Panel title="By use case" flush>
    <table className="data-table">
      <thead>
        <tr>
          <th scope="col">Use case</th>
          <th scope="col" className="max-lg:hidden">
            Traffic
          </th>
          {headings.map(([heading, look = ""]) => (
            <th key={heading} scope="col" className={`num ${look}`}>
              {heading}
            </th>
          ))}
          <th scope="col" className="w-[26%]">
            How they ended
          </th>
        </tr>
      </thead>
      <tbody>
        {overview.use_cases.map((useCase, index) => (
          <UseCaseLine key={useCase.name} useCase={useCase} index={index} />
        ))}
      </tbody>
    </table>
  </Panel>
);

function UseCaseLine({ useCase: { name, kind, totals, series }, index }: { useCase: UseCaseOverview; index: number }) {
  const latency = (ms: number | null): string => formatDuration(totals.decisions === 0 ? null : ms);
  return (
    <tr className="*:align-middle hover:bg-hover">
      <th scope="row" className="whitespace-nowrap">
        <Link
          to="/decisions"
          search={{ use_case: name }}
          className="inline-flex items-center gap-1.5 text-xs font-semibold text-ink hover:text-accent hover:underline"
        >
          <span aria-hidden="true" className="size-2 rounded-xs" style={{ background: seriesColour(index) }} />
          {name}
        </Link>
        <span className="ml-2 text-2xs font-normal text-ink-3">{kind}</span>
      </th>
      <td className="min-w-24 py-1 max-lg:hidden">
        <Sparkline
          points={series.map(({ at_ms: at, decisions }) => ({ at, value: decisions }))}
          colour={seriesColour(index)}
          className="h-5 w-full"
        />
      </td>
      <td className="num font-medium">
        {formatRate(totals.rate_per_s)}
        <span className="text-ink-3">/s</span>
      </td>
      <td className="num">{formatCount(totals.decisions)}</td>
      <td className="num max-lg:hidden">{latency(totals.p50_ms)}</td>
      <td className="num">{latency(totals.p95_ms)}</td>
      <td className="num max-lg:hidden">{latency(totals.p99_ms)}</td>
      <td className="num">
        {formatCount(totals.errors)}{" "}
        <span className={totals.errors > 0 ? "text-bad" : "text-ink-3"}>
          {formatShare(totals.errors, totals.decisions)}
        </span>
      </td>
      <td className="num">{formatShare(totals.cache_hits, totals.decisions)}</td>
      <td className="num">
        <Money nanoUsd={totals.cost_nano_usd} />
      </td>
      <td>
        <div className="grid gap-1">
          <OutcomeBar totals={totals} />
          <OutcomeWords totals={totals} />
        </div>
      </td>
    </tr>
  );
}
