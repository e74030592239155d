/** What was spent, on what, what was saved, and how far the budgets are. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import {
  budgetsQuery,
  costDimensions,
  type CostDimension,
  costRanges,
  type CostsAnswer,
  costsQuery,
} from "../api/operations.ts";
import { TimeChart } from "../charts/time-chart.tsx";
import { formatUsd, formatUsdTick } from "../figures/money.ts";
import type { CostSearch } from "../router.tsx";
import { Cross } from "../shell/icons.tsx";
import { Panel } from "../shell/panel.tsx";
import { AnswerScreen, Nothing } from "../shell/screen.tsx";
import { Switch } from "../shell/switch.tsx";
import { BudgetsPanel } from "./budgets-panel.tsx";
import { SpendTable } from "./spend-table.tsx";
import { SpendTiles } from "./spend-tiles.tsx";

const route = getRouteApi("/cost");
const dimensionWords: Record<CostDimension, string> = {
  use_case: "by use case",
  tenant: "by tenant",
  model: "by model",
};

export function CostScreen() {
  const search = route.useSearch();
  const { range = "24h", by = "use_case", tenant, use_case, model } = search;
  const query = useQuery(costsQuery({ range, by, tenant, use_case, model }));
  const budgets = useQuery(budgetsQuery);
  return (
    <AnswerScreen
      title="Cost"
      what="the cost"
      query={query}
      controls={
        <>
          <Filters search={search} />
          <Switch
            label="Grouping"
            choices={costDimensions}
            chosen={by}
            to="/cost"
            searchOf={(next) => ({ ...search, by: next })}
            words={dimensionWords}
          />
          <Switch
            label="Range"
            choices={costRanges}
            chosen={range}
            to="/cost"
            searchOf={(next) => ({ ...search, range: next })}
          />
        </>
      }
    >
      {(costs) => (
        <>
          <SpendTiles costs={costs} />
          <BudgetsPanel query={budgets} />
          {costs.groups.length === 0 ? (
            <Panel title="Spend" flush>
              <Nothing>No decision in this range.</Nothing>
            </Panel>
          ) : (
            <>
              <SpendTable costs={costs} search={search} />
              <SpendChart costs={costs} />
            </>
          )}
        </>
      )}
    </AnswerScreen>
  );
}

const Filters = ({ search }: { search: CostSearch }) =>
  (["tenant", "use_case", "model"] as const).map((name) =>
    search[name] === undefined ? null : (
      <Link key={name} to="/cost" search={{ ...search, [name]: undefined }} className="control !h-6">
        <span className="text-ink-3">{name.replace("_", " ")}</span> {search[name]}
        <Cross className="size-3" />
        <span className="sr-only">show all again</span>
      </Link>
    ),
  );

/** As many as can be told apart; the others together. */
const shown = 5;

function SpendChart({ costs }: { costs: CostsAnswer }) {
  const [at, onPoint] = useState<number>();
  const named = costs.groups.slice(0, shown);
  const rest = costs.groups.slice(shown);
  const series = named.map(({ name, series: points }) => ({
    name: name === "" ? "no model" : name,
    points: points.map(({ at_ms, cost_nano_usd }) => ({ at: at_ms, value: cost_nano_usd })),
  }));
  if (rest.length > 0)
    series.push({
      name: `${rest.length} others`,
      points: rest[0]!.series.map(({ at_ms }, index) => ({
        at: at_ms,
        value: rest.reduce((sum, group) => sum + group.series[index]!.cost_nano_usd, 0),
      })),
    });
  const hours = costs.step_ms / 3_600_000;
  return (
    <TimeChart
      title="Spend"
      note={hours >= 24 ? "per day, UTC" : `per ${hours} h`}
      shape="bar"
      series={series}
      fromMs={costs.from_ms}
      toMs={costs.to_ms}
      stepMs={costs.step_ms}
      format={formatUsd}
      formatTickValue={formatUsdTick}
      at={at}
      onPoint={onPoint}
    />
  );
}
