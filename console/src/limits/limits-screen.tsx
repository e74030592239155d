/** Limits as declared and as they stand, who waits at which target, and who was refused lately. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { type LimitsAnswer, limitRanges, limitsQuery } from "../api/operations.ts";
import { formatClock } from "../figures/instant.ts";
import { formatCount } from "../figures/quantity.ts";
import { Mark } from "../shell/mark.tsx";
import { Panel } from "../shell/panel.tsx";
import { AnswerScreen, Nothing } from "../shell/screen.tsx";
import { Switch } from "../shell/switch.tsx";
import { ShareBar } from "../shell/tile.tsx";
import { ScopeTable } from "./scope-table.tsx";

const route = getRouteApi("/limits");
const classes = ["critical", "interactive", "standard", "batch"] as const;

export function LimitsScreen() {
  const range = route.useSearch().range ?? "1h";
  const query = useQuery(limitsQuery(range));
  return (
    <AnswerScreen
      title="Limits"
      what="the limits"
      query={query}
      controls={
        <Switch
          label="Refusals of the last"
          choices={limitRanges}
          chosen={range}
          to="/limits"
          searchOf={(next) => ({ range: next })}
        />
      }
    >
      {(answer) => (
        <>
          <Panel
            title="Limits"
            flush
            aside={
              answer.levels_known
                ? `${formatCount(answer.running)} decisions running`
                : "as declared: this server doesn't tell how full they are"
            }
          >
            {answer.scopes.length === 0 ? (
              <Nothing>No tenant, use case, principal or key has a limit: every request is let in.</Nothing>
            ) : (
              <ScopeTable answer={answer} />
            )}
          </Panel>
          <div className="grid gap-3 xl:grid-cols-2">
            <Panel title="Refused" aside={`in the last ${range}`} flush>
              {answer.refusals.length === 0 ? (
                <Nothing>Nobody was refused in the last {range}.</Nothing>
              ) : (
                <Refusals refusals={answer.refusals} />
              )}
            </Panel>
            <Panel title="Queues" aside="calls that wait for a place, by class" flush>
              {answer.targets.length === 0 ? (
                <Nothing>No target has been called since the start.</Nothing>
              ) : (
                <Queues targets={answer.targets} />
              )}
            </Panel>
          </div>
        </>
      )}
    </AnswerScreen>
  );
}

const Refusals = ({ refusals }: { refusals: LimitsAnswer["refusals"] }) => (
  <table className="data-table">
    <thead>
      <tr>
        <th scope="col">Code</th>
        <th scope="col">Tenant</th>
        <th scope="col">Use case</th>
        <th scope="col">Principal</th>
        <th scope="col" className="num">
          Times
        </th>
        <th scope="col" className="num">
          Last
        </th>
      </tr>
    </thead>
    <tbody>
      {refusals.map(({ code, tenant, use_case, principal_id, count, last_ms }) => (
        <tr key={`${code}/${tenant}/${use_case}/${principal_id}`}>
          <td aria-label={code}>
            <Link
              to="/decisions"
              search={{ code, use_case, principal: principal_id }}
              className="hover:underline"
              title="Show these decisions"
            >
              <Mark tone="held">{code === "" ? "refused" : code}</Mark>
            </Link>
          </td>
          <td>{tenant}</td>
          <td>{use_case}</td>
          <td>{principal_id}</td>
          <td className="num">{formatCount(count)}</td>
          <td className="num">{formatClock(last_ms)}</td>
        </tr>
      ))}
    </tbody>
  </table>
);

const Queues = ({ targets }: { targets: LimitsAnswer["targets"] }) => (
  <table className="data-table">
    <thead>
      <tr>
        <th scope="col">Target</th>
        <th scope="col">Running</th>
        {classes.map((name) => (
          <th key={name} scope="col" className="num">
            {name}
          </th>
        ))}
      </tr>
    </thead>
    <tbody>
      {targets.map(({ target, limit, running, waiting }) => (
        <tr key={target}>
          <th scope="row" className="!text-xs !font-medium !text-ink">
            <span className="mono">{target}</span>
          </th>
          <td className="min-w-28">
            <span className="mb-1 block">
              {formatCount(running)} of {formatCount(Math.floor(limit))}
            </span>
            <ShareBar part={running} whole={limit} />
          </td>
          {classes.map((name) => (
            <td key={name} className="num">
              {waiting[name] === 0 ? <span className="text-ink-3">0</span> : formatCount(waiting[name])}
            </td>
          ))}
        </tr>
      ))}
    </tbody>
  </table>
);
