/** Each budget's window as a bar: spent, held on top of it, and where its steps are. */
import type { UseQueryResult } from "@tanstack/react-query";
import type { Budgets } from "../api/operations.ts";
import { formatInstant } from "../figures/instant.ts";
import { formatShare } from "../figures/quantity.ts";
import { Mark, type Tone } from "../shell/mark.tsx";
import { Money } from "../shell/money.tsx";
import { Failed } from "../shell/notice.tsx";
import { Panel } from "../shell/panel.tsx";
import { Nothing } from "../shell/screen.tsx";

type BudgetLine = Budgets["budgets"][number];

const looks: Record<BudgetLine["state"], { tone: Tone; fill: string }> = {
  ok: { tone: "ok", fill: "bg-accent" },
  warn: { tone: "warn", fill: "bg-warn" },
  degrade: { tone: "warn", fill: "bg-warn" },
  blocked: { tone: "bad", fill: "bg-bad" },
};

export const BudgetsPanel = ({ query }: { query: UseQueryResult<Budgets> }) => (
  <Panel
    title="Budgets"
    flush
    aside={
      query.data !== undefined && (
        <span>
          <Money nanoUsd={query.data.held_nano_usd} /> held for running attempts
        </span>
      )
    }
  >
    {query.data === undefined ? (
      query.isError ? (
        <Failed error={query.error} retry={() => void query.refetch()} />
      ) : (
        <Nothing>Loading the budgets…</Nothing>
      )
    ) : query.data.budgets.length === 0 ? (
      <Nothing>No budget is declared: nothing limits what is spent.</Nothing>
    ) : (
      <table className="data-table">
        <thead>
          <tr>
            <th scope="col">Scope</th>
            <th scope="col">Level</th>
            <th scope="col" className="w-[40%]">
              Spent and held
            </th>
            <th scope="col" className="num">
              Budget
            </th>
            <th scope="col">Then</th>
            <th scope="col">Window ends</th>
          </tr>
        </thead>
        <tbody>
          {query.data.budgets.map((line) => (
            <BudgetRow key={`${line.scope}/${line.per}/${line.amount_nano_usd}`} line={line} />
          ))}
        </tbody>
      </table>
    )}
  </Panel>
);

const BudgetRow = ({ line }: { line: BudgetLine }) => (
  <tr>
    <th scope="row" className="!text-xs !font-medium !text-ink">
      <span className="mono">{line.scope}</span>
    </th>
    <td>
      <Mark tone={looks[line.state].tone}>{line.state}</Mark>
    </td>
    <td className="min-w-48">
      <span className="mb-1 flex flex-wrap items-baseline gap-x-2">
        <Money nanoUsd={line.spent_nano_usd} />
        <span className="text-2xs text-ink-3">{formatShare(line.spent_nano_usd, line.amount_nano_usd)}</span>
        {line.held_nano_usd > 0 && (
          <span className="text-2xs text-ink-3">
            + <Money nanoUsd={line.held_nano_usd} /> held
          </span>
        )}
      </span>
      <BudgetBar line={line} />
    </td>
    <td className="num">
      <Money nanoUsd={line.amount_nano_usd} />
      <span className="block text-2xs text-ink-3">per {line.per}</span>
    </td>
    <td className="whitespace-nowrap">
      {[...line.steps.map((step) => `${step.do} at ${step.at}%`), `${line.at_limit} at 100%`].map((step) => (
        <span key={step} className="block text-2xs text-ink-2">
          {step}
        </span>
      ))}
    </td>
    <td className="text-2xs whitespace-nowrap text-ink-2">
      {formatInstant(line.ends_at_ms).replace(/:\d\d\.\d+/, "")}
    </td>
  </tr>
);

function BudgetBar({ line }: { line: BudgetLine }) {
  const { amount_nano_usd: amount, spent_nano_usd: spent, held_nano_usd: held, state, steps } = line;
  const percent = (part: number): string => `${Math.min(100, (part / Math.max(1, amount)) * 100)}%`;
  return (
    <span aria-hidden="true" className="relative block h-2 overflow-hidden rounded-full bg-hover">
      <span className="absolute inset-y-0 left-0 bg-line-strong" style={{ width: percent(spent + held) }} />
      <span className={`absolute inset-y-0 left-0 ${looks[state].fill}`} style={{ width: percent(spent) }} />
      {steps.map(({ at }) => (
        <span key={at} className="absolute inset-y-0 w-px bg-ink-3" style={{ left: `${at}%` }} />
      ))}
    </span>
  );
}
