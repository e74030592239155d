import type { DecisionDetail } from "../api/types.ts";
import { formatInstant } from "../figures/instant.ts";
import { formatCount, formatDuration } from "../figures/quantity.ts";
import { Money } from "../shell/money.tsx";
import { resultInk, StateBadge } from "../shell/state-badge.tsx";

/** The answer to "what came out?" in one band. */
export function OutcomeHead({ detail }: { detail: DecisionDetail }) {
  const { settled, begun } = detail;
  const known = settled ?? begun;
  const began = settled?.started_at_ms ?? detail.entries[0]?.at_ms;
  return (
    <section aria-label="Outcome" className="panel flex flex-wrap items-stretch gap-x-6 gap-y-3 px-4 py-3">
      <div className="grid content-center gap-1">
        <div className="flex items-center gap-2.5">
          <StateBadge state={settled?.state ?? "running"} strong />
          <span
            className={`text-xl leading-6 font-semibold ${settled?.code === undefined ? resultInk(settled?.result) : "mono text-base text-ink"}`}
          >
            {settled?.code ?? settled?.result ?? "no result yet"}
          </span>
          {settled?.refer_to !== undefined && <span className="text-xs text-ink-2">to {settled.refer_to}</span>}
        </div>
        <div className="text-xs text-ink-2">
          <span className="font-semibold text-ink">{known?.use_case}</span> for{" "}
          <span className="font-medium text-ink">{known?.principal.id}</span>
          {began !== undefined && <>, {formatInstant(began)}</>}
        </div>
      </div>
      {settled !== undefined && (
        <dl className="ml-auto flex flex-wrap gap-x-6 gap-y-2">
          {settled.score !== undefined && <Fact name="Score">{settled.score}</Fact>}
          <Fact name="Duration">{formatDuration(settled.duration_ms)}</Fact>
          {settled.ttft_ms !== undefined && <Fact name="First token">{formatDuration(settled.ttft_ms)}</Fact>}
          {settled.usage.input + settled.usage.output > 0 && (
            <Fact name={`Tokens in → out${settled.usage.estimated ? " (estimated)" : ""}`}>
              {formatCount(settled.usage.input + settled.usage.cached_input)} → {formatCount(settled.usage.output)}
            </Fact>
          )}
          <Fact name="Cost">
            <Money nanoUsd={settled.cost_nano_usd} />
          </Fact>
          <Fact name="HTTP">{settled.status}</Fact>
        </dl>
      )}
    </section>
  );
}

const Fact = ({ name, children }: { name: string; children: React.ReactNode }) => (
  <div className="grid content-center">
    <dt className="text-2xs text-ink-3">{name}</dt>
    <dd className="text-sm font-semibold">{children}</dd>
  </div>
);
