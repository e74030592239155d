/** The dense table. One row is in the tab order; arrow keys move it, Enter opens it. */
import { Link } from "@tanstack/react-router";
import { memo, useRef } from "react";
import type { DecisionRow } from "../api/types.ts";
import { formatClockMs, formatInstant, zoneOf } from "../figures/instant.ts";
import { formatCount, formatDuration, formatScore } from "../figures/quantity.ts";
import { Money } from "../shell/money.tsx";
import { resultInk, StateBadge } from "../shell/state-badge.tsx";
import type { LiveRow } from "./live-list.ts";

interface DecisionTableProps {
  rows: readonly LiveRow[];
  chosen: string | undefined;
  choose: (id: string) => void;
  open: (id: string) => void;
}

interface Column {
  name: string;
  numeric?: true;
  /** Left out where the window is narrow. */
  wide?: "lg" | "xl";
}

const columns: Column[] = [
  { name: "State" },
  { name: "Use case" },
  { name: "Result" },
  { name: "Score", numeric: true },
  { name: "Model", wide: "lg" },
  { name: "Duration", numeric: true },
  { name: "Tokens in → out", numeric: true, wide: "xl" },
  { name: "Cost", numeric: true },
  { name: "Cache", wide: "xl" },
  { name: "Principal", wide: "lg" },
  { name: "Subject", wide: "xl" },
  { name: "Decision" },
];

const hide = { lg: "max-lg:hidden", xl: "max-xl:hidden" };
const columnClass = ({ numeric, wide }: Column): string =>
  `${numeric ? "num" : ""} ${wide === undefined ? "" : hide[wide]}`;

export function DecisionTable({ rows, chosen, choose, open }: DecisionTableProps) {
  const body = useRef<HTMLTableSectionElement>(null);
  const inOrder = rows.some(({ row }) => row.decision_id === chosen) ? chosen : rows[0]?.row.decision_id;
  const move = (event: React.KeyboardEvent): void => {
    const target = moveTarget(event.key, rows, inOrder);
    if (target === undefined) return;
    event.preventDefault();
    choose(target);
    const element = body.current?.querySelector<HTMLElement>(`[data-id="${CSS.escape(target)}"]`);
    element?.focus({ preventScroll: true });
    element?.scrollIntoView({ block: "nearest" });
  };
  return (
    <table
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-to-interactive-role -- ARIA grid: arrow keys move through rows
      role="grid"
      aria-label="Decisions, newest first"
      aria-rowcount={-1}
      className="data-table decision-table"
      onKeyDown={move}
    >
      <thead className="sticky top-0 z-10 bg-surface">
        <tr>
          <th scope="col">Time ({rows[0] === undefined ? "" : zoneOf(rows[0].row.at_ms)})</th>
          {columns.map((column) => (
            <th key={column.name} scope="col" className={columnClass(column)}>
              {column.name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody ref={body}>
        {rows.map(({ row, fresh }) => (
          <Row
            key={row.decision_id}
            row={row}
            fresh={fresh === true}
            inOrder={row.decision_id === inOrder}
            choose={choose}
            open={open}
          />
        ))}
      </tbody>
    </table>
  );
}

function moveTarget(key: string, rows: readonly LiveRow[], from: string | undefined): string | undefined {
  const at = rows.findIndex(({ row }) => row.decision_id === from);
  const steps: Record<string, number> = {
    ArrowDown: at + 1,
    j: at + 1,
    ArrowUp: at - 1,
    k: at - 1,
    Home: 0,
    End: rows.length - 1,
    PageDown: at + 20,
    PageUp: at - 20,
  };
  const to = steps[key];
  return to === undefined ? undefined : rows[Math.max(0, Math.min(rows.length - 1, to))]?.row.decision_id;
}

interface RowProps {
  row: DecisionRow;
  fresh: boolean;
  inOrder: boolean;
  choose: (id: string) => void;
  open: (id: string) => void;
}

const Row = memo(function Row({ row, fresh, inOrder, choose, open }: RowProps) {
  const id = row.decision_id;
  const cells: React.ReactNode[] = [
    <StateBadge key="state" state={row.state} />,
    row.use_case,
    <ResultCell key="result" row={row} />,
    row.score === undefined ? <None /> : <ScoreCell score={row.score} />,
    <ModelCell key="model" row={row} />,
    formatDuration(row.duration_ms),
    row.input_tokens + row.output_tokens === 0 ? (
      <None />
    ) : (
      `${formatCount(row.input_tokens)} → ${formatCount(row.output_tokens)}`
    ),
    row.cost_nano_usd === 0 ? <None zero="$0" /> : <Money nanoUsd={row.cost_nano_usd} />,
    row.cache === "off" ? (
      <None />
    ) : (
      <span className={row.cache === "hit" || row.cache === "follower" ? "font-medium text-accent" : "text-ink-3"}>
        {row.cache}
      </span>
    ),
    row.principal_id,
    row.subject === undefined ? <None /> : <span className="mono text-ink-2">{row.subject}</span>,
    <Link
      key="id"
      to="/decisions/$id"
      params={{ id }}
      tabIndex={-1}
      title={id}
      className="mono text-accent hover:underline"
    >
      …{id.slice(-8)}
    </Link>,
  ];
  return (
    <tr
      data-id={id}
      tabIndex={inOrder ? 0 : -1}
      className={`hover:bg-hover focus-visible:bg-accent-soft focus-visible:-outline-offset-2 ${fresh ? "arrived" : ""}`}
      onFocus={() => choose(id)}
      onClick={(event) => event.target instanceof HTMLAnchorElement || open(id)}
      onKeyDown={(event) => event.key === "Enter" && open(id)}
    >
      <td className="whitespace-nowrap">
        <time dateTime={new Date(row.at_ms).toISOString()} title={formatInstant(row.at_ms)}>
          {formatClockMs(row.at_ms)}
        </time>
      </td>
      {cells.map((cell, index) => (
        <td key={index} className={`whitespace-nowrap ${columnClass(columns[index]!)}`}>
          {cell}
        </td>
      ))}
    </tr>
  );
});

const None = ({ zero = "–" }: { zero?: string }) => <span className="text-ink-3">{zero}</span>;

function ResultCell({ row }: { row: DecisionRow }) {
  if (row.code !== undefined)
    return (
      <span className="mono text-ink-2" title={`HTTP ${row.status}`}>
        {row.code}
      </span>
    );
  if (row.result === undefined) return <None />;
  return <span className={`font-medium ${resultInk(row.result)}`}>{row.result}</span>;
}

const ScoreCell = ({ score }: { score: number }) => (
  <span className="inline-flex items-center gap-2">
    <span aria-hidden="true" className="relative inline-block h-1 w-12 rounded-full bg-line max-lg:hidden">
      <span
        className="absolute -top-0.5 h-2 w-0.5 rounded bg-ink"
        style={{ left: `${Math.max(0, Math.min(1, score)) * 100}%` }}
      />
    </span>
    {formatScore(score)}
  </span>
);

function ModelCell({ row }: { row: DecisionRow }) {
  if (row.model === undefined) return <None />;
  return (
    <>
      {row.model}
      {row.rung !== undefined && row.rung > 0 && (
        <span className="ml-1.5 text-2xs text-ink-3">rung {row.rung + 1}</span>
      )}
      {row.attempts > 1 && (
        <span className="ml-1.5 rounded bg-warn-soft px-1 text-2xs text-warn">{row.attempts} attempts</span>
      )}
    </>
  );
}
