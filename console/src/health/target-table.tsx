import type { Target } from "../api/operations.ts";
import { formatCount, formatDuration, formatShare } from "../figures/quantity.ts";
import { Mark } from "../shell/mark.tsx";
import { ShareBar } from "../shell/tile.tsx";

const headings = ["Failures", "First token", "Per token", "Whole", "In flight"];

export const TargetTable = ({ targets }: { targets: Target[] }) => (
  <table className="data-table">
    <thead>
      <tr>
        <th scope="col">Target</th>
        <th scope="col">Breaker</th>
        {headings.map((heading) => (
          <th key={heading} scope="col" className="num">
            {heading}
          </th>
        ))}
        <th scope="col">Capacity</th>
        <th scope="col" className="num">
          Waiting
        </th>
        <th scope="col" className="num" title="Below 100 % while it is brought back slowly">
          Share
        </th>
        <th scope="col" className="num" title="Retries that may still be made, at most 10 at once">
          Retries left
        </th>
      </tr>
    </thead>
    <tbody>
      {targets.map((target) => (
        <TargetLine key={target.target} target={target} />
      ))}
    </tbody>
  </table>
);

function TargetLine({ target: { target, region, models, use_cases, state, capacity } }: { target: Target }) {
  return (
    <tr className="hover:bg-hover">
      <th scope="row" className="!text-xs !font-medium !text-ink">
        <span className="mono">{target}</span>
        <span className="block text-2xs font-normal text-ink-3">
          {models.join(", ")} · {region} · {use_cases.join(", ") || "in no ladder"}
        </span>
      </th>
      <td>
        <BreakerMark state={state} />
      </td>
      <td className="num">
        {state.requests === 0 ? <None /> : formatShare(state.failures, state.requests)}
        <span className="block text-2xs text-ink-3">
          {state.requests === 0 ? "no calls" : `${formatCount(state.failures)} of ${formatCount(state.requests)}`}
        </span>
      </td>
      <Time ms={state.ttft_ms} />
      <Time ms={state.per_token_ms} />
      <Time ms={state.total_ms} />
      <td className="num">{formatCount(state.in_flight)}</td>
      <td className="min-w-28">
        {capacity === undefined ? (
          <None />
        ) : (
          <>
            <span className="mb-1 block">
              {capacity.running} of {Math.floor(capacity.limit)}
            </span>
            <ShareBar part={capacity.running} whole={capacity.limit} />
          </>
        )}
      </td>
      <td className="num">{capacity === undefined ? <None /> : <Waiting waiting={capacity.waiting} />}</td>
      <td className="num">
        {state.share < 1 ? <span className="text-warn">{formatShare(state.share, 1)}</span> : "100%"}
      </td>
      <td className="num">{state.retries_left.toFixed(1)}</td>
    </tr>
  );
}

const None = () => <span className="text-ink-3">–</span>;

const Time = ({ ms }: { ms: number | undefined }) => (
  <td className="num">{ms === undefined ? <None /> : formatDuration(ms)}</td>
);

function Waiting({ waiting }: { waiting: NonNullable<Target["capacity"]>["waiting"] }) {
  const total = Object.values(waiting).reduce((sum, one) => sum + one, 0);
  const words = Object.entries(waiting)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${count} ${name}`)
    .join(", ");
  return (
    <>
      {formatCount(total)}
      {words !== "" && <span className="block text-2xs text-ink-3">{words}</span>}
    </>
  );
}

function BreakerMark({ state }: { state: Target["state"] }) {
  const { breaker, ejected, for_ms, consecutive_failures } = state;
  const left = for_ms === undefined ? "" : `for ${formatDuration(for_ms)}`;
  const failures = consecutive_failures > 0 ? `${consecutive_failures} failures in a row` : "";
  return (
    <>
      {breaker === "open" ? (
        <Mark tone="bad">open</Mark>
      ) : breaker === "half-open" ? (
        <Mark tone="warn">half-open</Mark>
      ) : ejected ? (
        <Mark tone="held">ejected</Mark>
      ) : (
        <Mark tone="ok">closed</Mark>
      )}
      <span className="block text-2xs whitespace-nowrap text-ink-3">{[left, failures].filter(Boolean).join(", ")}</span>
    </>
  );
}
