import type { LimitsAnswer } from "../api/operations.ts";
import { formatCount, formatDuration } from "../figures/quantity.ts";
import { ShareBar } from "../shell/tile.tsx";

type Scope = LimitsAnswer["scopes"][number];
const levelWords: Record<Scope["level"], string> = {
  tenant: "whole tenant",
  use: "use case",
  principal: "principal",
  key: "key",
};

export const ScopeTable = ({ answer }: { answer: LimitsAnswer }) => (
  <table className="data-table">
    <thead>
      <tr>
        <th scope="col">Scope</th>
        <th scope="col">Level</th>
        <th scope="col">Requests a minute</th>
        <th scope="col">Tokens a minute</th>
        <th scope="col">At once</th>
      </tr>
    </thead>
    <tbody>
      {answer.scopes.map((scope) => (
        <tr key={scope.scope} className="hover:bg-hover">
          <th scope="row" className="!text-xs !font-medium !text-ink">
            <span className="mono">{scope.scope}</span>
          </th>
          <td className="text-ink-2">{levelWords[scope.level]}</td>
          <BucketCell limit={scope.requests_per_minute} now={scope.now?.requests} known={answer.levels_known} />
          <BucketCell limit={scope.tokens_per_minute} now={scope.now?.tokens} known={answer.levels_known} />
          <RunningCell scope={scope} known={answer.levels_known} />
        </tr>
      ))}
    </tbody>
  </table>
);

interface BucketProps {
  limit: number | undefined;
  now: { left: number; wait_ms: number } | undefined;
  known: boolean;
}

function BucketCell({ limit, now, known }: BucketProps) {
  if (limit === undefined) return <td className="text-ink-3">no limit</td>;
  if (!known) return <td>{formatCount(limit)}</td>;
  const left = Math.max(0, now?.left ?? limit);
  const waits = now !== undefined && now.wait_ms > 0;
  return (
    <td className="min-w-36">
      <span className="mb-1 flex flex-wrap items-baseline gap-x-2">
        <span>
          {formatCount(Math.floor(left))} left of {formatCount(limit)}
        </span>
        {waits && <span className="text-2xs text-warn">next in {formatDuration(now.wait_ms)}</span>}
      </span>
      <ShareBar part={limit - left} whole={limit} className={waits ? "bg-warn" : "bg-accent"} />
    </td>
  );
}

function RunningCell({ scope: { concurrency, now }, known }: { scope: Scope; known: boolean }) {
  if (concurrency === undefined) return <td className="text-ink-3">no limit</td>;
  if (!known) return <td>{formatCount(concurrency)}</td>;
  const running = now?.running ?? 0;
  return (
    <td className="min-w-28">
      <span className="mb-1 block">
        {formatCount(running)} of {formatCount(concurrency)}
      </span>
      <ShareBar part={running} whole={concurrency} className={running >= concurrency ? "bg-warn" : "bg-accent"} />
    </td>
  );
}
