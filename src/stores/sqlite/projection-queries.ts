/** Reads of the projection; each answers one method of `DecisionIndex`. */
import { type ExpressionBuilder, sql } from "kysely";
import type { OutcomeMeta } from "../../kernel/decision.ts";
import {
  type Arrivals,
  buildOverview,
  type DecisionFilter,
  type IdempotentRow,
  maxArrivalsBehind,
  type Overview,
  type OverviewRange,
  type OverviewStep,
  type Page,
  type PageCursor,
  parseArrivalCursor,
  windowOf,
  type Spending,
} from "../../projection/index.ts";
import type { ProjectionTables } from "./projection-schema.ts";
import { inOrder, type LocatedEntry, unpackPlaces } from "./entry-places.ts";
import { decisionRowOf, type ProjectionStore } from "./projection-store.ts";

type Decisions = ExpressionBuilder<ProjectionTables, "decisions">;

export async function listDecisions(
  store: ProjectionStore,
  filter: DecisionFilter,
  cursor: PageCursor | undefined,
  limit: number,
): Promise<Page> {
  let query = store.query
    .selectFrom("decisions")
    .selectAll()
    .where((is) => is.and(conditionsOf(is, filter)))
    .orderBy("at_ms", "desc")
    .orderBy("decision_id", "desc")
    .limit(limit + 1);
  if (cursor) query = query.where(sql<boolean>`(at_ms, decision_id) < (${cursor.atMs}, ${cursor.decisionId})`);
  const found = await query.execute();
  const rows = found.slice(0, limit).map(decisionRowOf);
  const last = rows.at(-1);
  return last && found.length > limit ? { rows, next: { atMs: last.at_ms, decisionId: last.decision_id } } : { rows };
}

function conditionsOf(is: Decisions, filter: DecisionFilter) {
  const all = [];
  if (filter.useCase !== undefined) all.push(is("use_case", "=", filter.useCase));
  if (filter.state !== undefined) all.push(is("state", "=", filter.state));
  // Said in these words, the partial index may be used; nearly all rows are the other state, read in order of time.
  if (filter.state !== undefined && filter.state !== "answered") all.push(sql<boolean>`state <> 'answered'`);
  if (filter.code !== undefined) all.push(is("code", "=", filter.code));
  if (filter.result !== undefined) all.push(is("result", "=", filter.result));
  if (filter.principal !== undefined) all.push(is("principal_id", "=", filter.principal));
  if (filter.sinceMs !== undefined) all.push(is("at_ms", ">=", filter.sinceMs));
  if (filter.untilMs !== undefined) all.push(is("at_ms", "<", filter.untilMs));
  if (filter.query !== undefined) {
    // A range instead of LIKE: it uses the index and knows no wildcards.
    const prefix = is.and([is("decision_id", ">=", filter.query), is("decision_id", "<", `${filter.query}\u{10ffff}`)]);
    all.push(is.or([prefix, is("subject", "=", filter.query)]));
  }
  return all;
}

export async function entriesOf(store: ProjectionStore, decisionId: string): Promise<LocatedEntry[]> {
  const rows = await store.query.selectFrom("entries").selectAll().where("decision_id", "=", decisionId).execute();
  const decision = await store.query
    .selectFrom("decisions")
    .select(["node", "tenant", "places"])
    .where("decision_id", "=", decisionId)
    .executeTakeFirst();
  const apart = rows.map(({ node, seq, at_ms, kind, tenant, segment, segment_offset }) => ({
    node,
    seq,
    at_ms,
    kind,
    tenant,
    position: { segment, offset: segment_offset, seq },
  }));
  return inOrder([...apart, ...(decision ? unpackPlaces(decision.node, decision.tenant, decision.places) : [])]);
}

export async function outcomesOf(store: ProjectionStore, decisionId: string): Promise<OutcomeMeta[]> {
  const rows = await store.query
    .selectFrom("outcomes")
    .select("meta")
    .where("decision_id", "=", decisionId)
    .orderBy("node")
    .orderBy("seq")
    .execute();
  return rows.map((r) => JSON.parse(r.meta) as OutcomeMeta);
}

export async function arrivalsSince(
  store: ProjectionStore,
  cursor: string | undefined,
  filter: DecisionFilter,
  limit: number,
): Promise<Arrivals> {
  const { head, generation } = store;
  const newest = `${generation}.${head}`;
  if (cursor === undefined) return { rows: [], next: newest };
  const at = parseArrivalCursor(cursor);
  if (!at || at.generation !== generation || at.arrival > head) return { rows: [], next: newest, gap: 0 };
  if (head - at.arrival > maxArrivalsBehind) return { rows: [], next: newest, gap: head - at.arrival };
  const found = await store.query
    .selectFrom("decisions")
    .selectAll()
    .where("arrival", ">", at.arrival)
    .where("arrival", "<=", head)
    .where((is) => is.and(conditionsOf(is, filter)))
    .orderBy("arrival")
    .limit(limit)
    .execute();
  const rows = found.map((stored) => ({ row: decisionRowOf(stored), cursor: `${generation}.${stored.arrival}` }));
  const full = rows.length === limit && rows.length > 0;
  return { rows, next: full ? rows.at(-1)!.cursor : newest };
}

export async function readOverview(store: ProjectionStore, range: OverviewRange, nowMs: number): Promise<Overview> {
  const { fromMs, toMs, stepMs } = windowOf(range, nowMs);
  const at = sql<number>`minute_ms - minute_ms % ${sql.lit(stepMs)}`;
  const counts = await store.query
    .selectFrom("minutes")
    .where("minute_ms", ">=", fromMs)
    .where("minute_ms", "<", toMs)
    .select((is) => [
      "use_case",
      "kind",
      at.as("at_ms"),
      is.fn.sum<number>("decisions").as("decisions"),
      is.fn.sum<number>("answered").as("answered"),
      is.fn.sum<number>("referred").as("referred"),
      is.fn.sum<number>("refused").as("refused"),
      is.fn.sum<number>("failed").as("failed"),
      is.fn.sum<number>("interrupted").as("interrupted"),
      is.fn.sum<number>("errors").as("errors"),
      is.fn.sum<number>("cache_hits").as("cache_hits"),
      is.fn.sum<number>("cost_nano_usd").as("cost_nano_usd"),
    ])
    .groupBy(["use_case", "kind", at])
    // A settlement that gave way to an earlier one leaves a minute of zeros.
    .having((is) => is(is.fn.sum<number>("decisions"), ">", 0))
    .execute();
  const latencies = await store.query
    .selectFrom("latencies")
    .where("minute_ms", ">=", fromMs)
    .where("minute_ms", "<", toMs)
    .select((is) => ["use_case", "kind", "bucket", at.as("at_ms"), is.fn.sum<number>("n").as("n")])
    .groupBy(["use_case", "kind", at, "bucket"])
    .execute();
  const buckets = Map.groupBy(latencies, (l) => `${l.at_ms}/${l.kind}/${l.use_case}`);
  const steps: OverviewStep[] = counts.map((step) => ({
    ...step,
    buckets: new Map(buckets.get(`${step.at_ms}/${step.kind}/${step.use_case}`)?.map((l) => [l.bucket, l.n])),
  }));
  return buildOverview(range, nowMs, steps);
}

export async function spendingSince(store: ProjectionStore, sinceMs: number): Promise<Spending[]> {
  const hour = sql<number>`at_ms - at_ms % 3600000`;
  return await store.query
    .selectFrom("decisions")
    .select(["tenant", "use_case", "principal_id", "credential", hour.as("hour_ms")])
    .select((is) => is.fn.sum<number>("cost_nano_usd").as("nano_usd"))
    .where("at_ms", ">=", sinceMs)
    .where("cost_nano_usd", ">", 0)
    .groupBy(["tenant", "use_case", "principal_id", "credential", hour])
    .execute();
}

export async function idempotentSince(store: ProjectionStore, node: string, sinceMs: number): Promise<IdempotentRow[]> {
  const rows = await store.query
    .selectFrom("idempotency")
    .selectAll()
    .where("node", "=", node)
    .where("at_ms", ">", sinceMs)
    .orderBy("at_ms")
    .execute();
  return rows.map(({ key, body, decision_id, seq, interrupted, at_ms }) => ({
    key,
    body,
    decision_id,
    seq,
    interrupted: interrupted === 1,
    at_ms,
  }));
}

export async function outcomeDigest(
  store: ProjectionStore,
  tenant: string,
  outcomeId: string,
): Promise<string | undefined> {
  const found = await store.query
    .selectFrom("outcomes")
    .innerJoin("decisions", "decisions.decision_id", "outcomes.decision_id")
    .select("outcomes.meta")
    .where("outcomes.outcome_id", "=", outcomeId)
    .where("decisions.tenant", "=", tenant)
    .executeTakeFirst();
  return found && (JSON.parse(found.meta) as OutcomeMeta).digest;
}
