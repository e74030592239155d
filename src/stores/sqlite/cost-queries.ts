/** Reads of the projection for cost, routing and limits; each answers one method of `DecisionIndex`. */
import { sql } from "kysely";
import {
  buildCosts,
  type Choices,
  type CostQuestion,
  type Costs,
  type CostStep,
  costWindowOf,
  type RefusalCount,
  spendNames,
} from "../../projection/index.ts";
import type { ProjectionStore } from "./projection-store.ts";

export async function readCosts(store: ProjectionStore, question: CostQuestion, nowMs: number): Promise<Costs> {
  const { fromMs, toMs, stepMs } = costWindowOf(question.range, nowMs);
  const { by, tenant, useCase, model } = question;
  const at = sql<number>`hour_ms - hour_ms % ${sql.lit(stepMs)}`;
  let query = store.query
    .selectFrom("hours")
    .where("hour_ms", ">=", fromMs)
    .where("hour_ms", "<", toMs)
    .select((is) => [
      is.ref(by).as("name"),
      at.as("at_ms"),
      ...spendNames.map((name) => is.fn.sum<number>(name).as(name)),
    ])
    .groupBy([by, at])
    // A settlement that gave way to an earlier one leaves an hour of zeros.
    .having((is) => is(is.fn.sum<number>("decisions"), ">", 0));
  if (tenant !== undefined) query = query.where("tenant", "=", tenant);
  if (useCase !== undefined) query = query.where("use_case", "=", useCase);
  if (model !== undefined) query = query.where("model", "=", model);
  return buildCosts(question, nowMs, (await query.execute()) as CostStep[]);
}

interface ChoiceLine {
  rung: number | null;
  model: string | null;
  decisions: number;
  answered: number;
  cache_hits: number;
  cost_nano_usd: number;
  mean_ms: number;
  from_ms: number;
}

export async function readChoices(store: ProjectionStore, useCase: string, limit: number): Promise<Choices> {
  const { rows } = await sql<ChoiceLine>`
    select rung, model, count(*) as decisions, sum(state = 'answered') as answered,
      sum(cache in ('hit', 'follower')) as cache_hits, sum(cost_nano_usd) as cost_nano_usd,
      avg(duration_ms) as mean_ms, min(at_ms) as from_ms
    from (
      select rung, model, state, cache, cost_nano_usd, duration_ms, at_ms from decisions
      where use_case = ${useCase} order by at_ms desc, decision_id desc limit ${limit}
    )
    group by rung, model order by decisions desc, coalesce(rung, -1), coalesce(model, '')`.execute(store.query);
  const from = Math.min(...rows.map(({ from_ms }) => from_ms));
  return {
    decisions: rows.reduce((sum, row) => sum + row.decisions, 0),
    ...(rows.length > 0 && { from_ms: from }),
    choices: rows.map(({ rung, model, from_ms: _from, ...counts }) => ({
      ...(rung !== null && { rung }),
      ...(model !== null && { model }),
      ...counts,
    })),
  };
}

export async function readRefusals(store: ProjectionStore, sinceMs: number, limit: number): Promise<RefusalCount[]> {
  // In these words the partial index over time may be used.
  const { rows } = await sql<RefusalCount>`
    select coalesce(code, '') as code, tenant, use_case, principal_id, count(*) as count, max(at_ms) as last_ms
    from decisions where state <> 'answered' and state = 'refused' and at_ms >= ${sinceMs}
    group by code, tenant, use_case, principal_id
    order by count desc, last_ms desc, code limit ${limit}`.execute(store.query);
  return rows;
}
