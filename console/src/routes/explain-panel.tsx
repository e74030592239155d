/** One decision's way down the ladder, told from its record. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate } from "@tanstack/react-router";
import { decisionQuery, fetchDecisions } from "../api/queries.ts";
import type { AttemptMeta, DecisionDetail, DecisionRow, RouteReason } from "../api/types.ts";
import { formatClock } from "../figures/instant.ts";
import { formatDuration } from "../figures/quantity.ts";
import { Ban, Check, Cross, Dash } from "../shell/icons.tsx";
import { Money } from "../shell/money.tsx";
import { Failed } from "../shell/notice.tsx";
import { Panel } from "../shell/panel.tsx";
import { Nothing } from "../shell/screen.tsx";
import { poolWords } from "./what-if-panel.tsx";

const route = getRouteApi("/routes");

export function ExplainPanel({ useCase }: { useCase: string }) {
  const recent = useQuery({
    queryKey: ["decisions", "newest", useCase],
    queryFn: ({ signal }) => fetchDecisions({ use_case: useCase }, undefined, signal),
  });
  const rows = recent.data?.decisions.slice(0, 20);
  return (
    <Panel title="Explain a decision" aside="from its record">
      {rows === undefined ? (
        recent.isError ? (
          <Failed error={recent.error} retry={() => void recent.refetch()} />
        ) : (
          <Nothing>Loading the newest decisions…</Nothing>
        )
      ) : rows.length === 0 ? (
        <p className="text-xs text-ink-2">No decision of this use case yet.</p>
      ) : (
        <Chosen rows={rows} useCase={useCase} />
      )}
    </Panel>
  );
}

function Chosen({ rows, useCase }: { rows: DecisionRow[]; useCase: string }) {
  const navigate = useNavigate();
  // The newest that got as far as a rung tells the most.
  const telling = rows.find(({ rung }) => rung !== undefined) ?? rows[0]!;
  const id = route.useSearch().decision ?? telling.decision_id;
  const query = useQuery(decisionQuery(id));
  return (
    <div className="grid gap-3">
      <label className="grid gap-1 text-xs">
        <span className="text-ink-2">Decision</span>
        <select
          className="field mono text-xs"
          value={id}
          onChange={(event) =>
            void navigate({ to: "/routes", search: { use_case: useCase, decision: event.target.value } })
          }
        >
          {rows.every(({ decision_id }) => decision_id !== id) && <option value={id}>{id}</option>}
          {rows.map((row) => (
            <option key={row.decision_id} value={row.decision_id}>
              {formatClock(row.at_ms)} …{row.decision_id.slice(-8)} {row.state} {row.model ?? row.code ?? ""}
            </option>
          ))}
        </select>
      </label>
      {query.data === undefined ? (
        query.isError ? (
          <Failed error={query.error} retry={() => void query.refetch()} />
        ) : (
          <Nothing>Loading the decision…</Nothing>
        )
      ) : (
        <WayDown detail={query.data} />
      )}
    </div>
  );
}

function WayDown({ detail }: { detail: DecisionDetail }) {
  const { settled, attempts } = detail;
  if (settled === undefined) return <p className="text-xs text-ink-2">It is still running.</p>;
  return (
    <>
      {settled.route.length === 0 ? (
        <p className="text-xs text-ink-2">
          It was {settled.state} before a route was looked for{settled.code !== undefined && `: ${settled.code}`}.
        </p>
      ) : (
        <ol className="grid gap-2">
          {settled.route.map((line, index) => (
            <Step
              key={index}
              line={line}
              attempts={attemptsOn(line, attempts)}
              cached={settled.cache.from !== undefined}
            />
          ))}
        </ol>
      )}
      <p className="border-t border-line pt-2 text-xs">
        <span className="font-medium">{settled.state}</span>
        {settled.model !== undefined && ` by ${settled.model}`}
        {settled.rung !== undefined && ` on rung ${settled.rung + 1}`}
        {settled.cache.from !== undefined && ", from the cache"} for <Money nanoUsd={settled.cost_nano_usd} /> in{" "}
        {formatDuration(settled.duration_ms)}.{" "}
        <Link to="/decisions/$id" params={{ id: detail.decision_id }} className="text-accent underline">
          The whole record
        </Link>
      </p>
    </>
  );
}

/** A pool's members share a rung: they are told apart by model. */
const attemptsOn = ({ rung, target }: RouteReason, attempts: AttemptMeta[]): AttemptMeta[] =>
  attempts.filter(
    (attempt) =>
      attempt.rung === rung &&
      ([attempt.model, attempt.target].includes(target) || target.endsWith(`→ ${attempt.model}`)),
  );

function Step({ line, attempts, cached }: { line: RouteReason; attempts: AttemptMeta[]; cached: boolean }) {
  const { rung, target, eligible, reason, detail, pool, cascade } = line;
  const Icon = !eligible
    ? Ban
    : attempts.length === 0
      ? Dash
      : attempts.some(({ status }) => status === "ok")
        ? Check
        : Cross;
  const ink = !eligible ? "text-hold" : attempts.length === 0 ? "text-ink-3" : Icon === Check ? "text-ok" : "text-bad";
  return (
    <li className="grid grid-cols-[1.25rem_minmax(0,1fr)] text-xs">
      <Icon className={`mt-0.5 size-3.5 ${ink}`} />
      <div>
        <span className="text-ink-3">rung {rung + 1}</span> <span className="font-medium">{target}</span>{" "}
        {eligible ? "was open" : "was closed: "}
        {!eligible && <span className="mono">{reason}</span>}
        {detail !== undefined && <span className="block text-2xs text-ink-2">{detail}</span>}
        {pool !== undefined && <span className="block text-2xs text-ink-3">{poolWords(pool)}</span>}
        {cascade !== undefined && (
          <span className="block text-2xs text-ink-3">
            cascade {cascade.state}: p(accept) {cascade.accepted}
            {cascade.break_even !== undefined && `, break-even ${cascade.break_even}`}
          </span>
        )}
        {eligible && attempts.length === 0 && (
          <span className="block text-2xs text-ink-3">
            {cached
              ? "not asked: the answer was remembered"
              : "not tried: an earlier way was enough, or needs no attempt"}
          </span>
        )}
        {attempts.map((attempt) => (
          <span key={attempt.n} className="block text-2xs text-ink-2">
            attempt {attempt.n} at <span className="mono">{attempt.target}</span>: {attempt.status}
            {attempt.reason !== undefined && ` (${attempt.reason})`}, {formatDuration(attempt.duration_ms)},{" "}
            <Money nanoUsd={attempt.cost_nano_usd} />
          </span>
        ))}
      </div>
    </li>
  );
}
