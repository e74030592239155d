/** How vendors fare: each target as routing sees it, keys by id, models of this process, and what operators overrode. */
import { useQuery } from "@tanstack/react-query";
import { type Target, type Targets, targetsQuery } from "../api/operations.ts";
import { formatCount } from "../figures/quantity.ts";
import { OverridesPanel } from "../overrides/overrides-panel.tsx";
import { Mark } from "../shell/mark.tsx";
import { Panel } from "../shell/panel.tsx";
import { AnswerScreen, Nothing } from "../shell/screen.tsx";
import { Tile, Tiles } from "../shell/tile.tsx";
import { TargetTable } from "./target-table.tsx";
import { VendorTable } from "./vendor-table.tsx";

export function HealthScreen() {
  const query = useQuery(targetsQuery);
  return (
    <AnswerScreen title="Health" what="the targets" query={query}>
      {(answer) => (
        <>
          <Summary answer={answer} />
          <Panel title="Targets" aside="failures of the last minute, times as moving averages" flush>
            {answer.targets.length === 0 ? (
              <Nothing>The configuration names no model at a vendor: everything is served in this process.</Nothing>
            ) : (
              <TargetTable targets={answer.targets} />
            )}
          </Panel>
          <OverridesPanel />
          <div className="grid gap-3 xl:grid-cols-2">
            <Panel title="Vendors and their keys" aside="ids only" flush>
              {answer.vendors.length === 0 ? (
                <Nothing>No vendor is configured.</Nothing>
              ) : (
                <VendorTable vendors={answer.vendors} />
              )}
            </Panel>
            <Panel title="Models in this process" flush>
              <InProcess models={answer.in_process} />
            </Panel>
          </div>
        </>
      )}
    </AnswerScreen>
  );
}

function Summary({ answer }: { answer: Targets }) {
  const sum = (of: (target: Target) => number): number =>
    answer.targets.reduce((total, target) => total + of(target), 0);
  const closed = answer.targets.filter(({ state }) => !state.open).length;
  const keys = answer.vendors.flatMap(({ keys: own }) => own);
  const broken = answer.in_process.filter(({ fault }) => fault !== undefined).length;
  const waiting = sum(({ capacity }) =>
    capacity === undefined ? 0 : Object.values(capacity.waiting).reduce((all, one) => all + one, 0),
  );
  return (
    <Tiles label="Summary">
      <Tile
        name="Targets open"
        value={`${answer.targets.length - closed} of ${answer.targets.length}`}
        detail={closed === 0 ? "none turns calls away" : `${closed} turn calls away`}
      />
      <Tile name="In flight" value={formatCount(sum(({ state }) => state.in_flight))} detail="calls to vendors" />
      <Tile name="Waiting" value={formatCount(waiting)} detail="for a place at a target" />
      <Tile
        name="Failures"
        value={formatCount(sum(({ state }) => state.failures))}
        detail={`of ${formatCount(sum(({ state }) => state.requests))} calls in the last minute`}
      />
      <Tile
        name="Vendors' keys live"
        value={`${keys.filter(({ state }) => state === "live").length} of ${keys.length}`}
        detail={`${keys.filter(({ state }) => state === "cooling").length} cooling, ${keys.filter(({ state }) => state === "dead").length} dead`}
      />
      <Tile
        name="Models here loaded"
        value={`${answer.in_process.length - broken} of ${answer.in_process.length}`}
        detail={broken === 0 ? "in this process" : `${broken} did not load`}
      />
    </Tiles>
  );
}

const InProcess = ({ models }: { models: Targets["in_process"] }) =>
  models.length === 0 ? (
    <Nothing>No model runs in this process.</Nothing>
  ) : (
    <table className="data-table">
      <thead>
        <tr>
          <th scope="col">Model</th>
          <th scope="col">Runtime</th>
          <th scope="col">Use cases</th>
          <th scope="col">State</th>
        </tr>
      </thead>
      <tbody>
        {models.map(({ model, runtime, use_cases, fault }) => (
          <tr key={model}>
            <th scope="row" className="!font-medium !text-ink !text-xs">
              {model}
            </th>
            <td className="mono">{runtime}</td>
            <td className="text-ink-2">{use_cases.join(", ") || "–"}</td>
            <td>
              {fault === undefined ? <Mark tone="ok">loaded</Mark> : <Mark tone="bad">not loaded</Mark>}
              {fault !== undefined && <span className="block max-w-80 text-2xs text-ink-2">{fault}</span>}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
