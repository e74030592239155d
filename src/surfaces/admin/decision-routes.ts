/** Decisions: lists, live view, detail, content and proof. */
import { z } from "zod";
import type { AttemptMeta, BegunMeta, SettledMeta } from "../../kernel/decision.ts";
import { isRefusal, type Refusal, refuse } from "../../kernel/errors.ts";
import { isDecisionId } from "../../kernel/ids.ts";
import { allows, type Session } from "../../operators/index.ts";
import {
  type DecisionFilter,
  encodePageCursor,
  type IndexedDecision,
  parseArrivalCursor,
  parsePageCursor,
} from "../../projection/index.ts";
import { refuseRole } from "./gate.ts";
import { liveDecisions } from "./live.ts";
import { actBy } from "./perform.ts";
import type { AdminDeps, LedgerInfo } from "./port.ts";
import { settledContent } from "./record-schemas.ts";
import { type Route, route, streamRoute } from "./route.ts";
import * as schemas from "./schemas.ts";

const maxLiveViews = 100;

export function decisionRoutes(deps: AdminDeps): Route[] {
  return [
    overviewRoute(deps),
    listRoute(deps),
    liveRoute(deps),
    detailRoute(deps),
    contentRoute(deps),
    proofRoute(deps),
  ];
}

const overviewRoute = (deps: AdminDeps) =>
  route({
    method: "get",
    path: "/overview",
    name: "getOverview",
    summary: "Rates, latencies, errors and cost by use case.",
    access: "metadata.read",
    query: schemas.overviewQuery,
    answer: schemas.overview,
    handle: ({ query }) => deps.index.overview(query.range, deps.clock.now()),
  });

const listRoute = (deps: AdminDeps) =>
  route({
    method: "get",
    path: "/decisions",
    name: "listDecisions",
    summary: "Settled decisions, newest first.",
    access: "metadata.read",
    query: schemas.listQuery,
    answer: schemas.decisionPage,
    async handle({ query: { cursor: text, limit, ...filter } }) {
      const cursor = text === undefined ? undefined : parsePageCursor(text);
      if (text !== undefined && !cursor) return badCursor("cursor");
      const { rows, next } = await deps.index.list(filterOf(filter), cursor, limit);
      return { decisions: rows, ...(next && { next_cursor: encodePageCursor(next) }) };
    },
  });

function liveRoute(deps: AdminDeps): Route {
  let open = 0;
  return streamRoute({
    method: "get",
    path: "/decisions/stream",
    name: "streamDecisions",
    summary: "Decisions as they settle: events `decision` (a DecisionRow) and `gap` (rows were skipped).",
    access: "live.read",
    errors: ["rate_limited", "draining"],
    query: schemas.filterQuery,
    async handle({ http, token, query }) {
      const cursor = http.req.header("last-event-id");
      if (cursor !== undefined && !parseArrivalCursor(cursor)) return badCursor("last-event-id");
      const { index, clock, stopping } = deps;
      if (stopping?.aborted) return refuse("draining");
      if (open >= maxLiveViews)
        return refuse("rate_limited", `There are ${maxLiveViews} live views already.`, { retryAfterMs: 5_000 });
      open++;
      const stillAllowed = async () => {
        const session = await deps.sessions.find(token, "look");
        return session !== undefined && allows(session.operator.roles, "live.read");
      };
      const onEnd = () => void open--;
      const events = liveDecisions({ index, clock, filter: filterOf(query), cursor, stillAllowed, onEnd, stopping });
      return new Response(events, { headers: { "content-type": "text/event-stream", "x-accel-buffering": "no" } });
    },
  });
}

const detailRoute = (deps: AdminDeps) =>
  route({
    method: "get",
    path: "/decisions/:id",
    name: "getDecision",
    summary: "Everything known of one decision but its content.",
    access: "metadata.read",
    errors: ["unknown_decision"],
    answer: schemas.decisionDetail,
    async handle({ id }) {
      const decision = await findDecision(deps, id);
      return isRefusal(decision) ? decision : detailOf(deps, decision);
    },
  });

const contentRoute = (deps: AdminDeps) =>
  route({
    method: "post",
    path: "/decisions/:id/content",
    name: "openContent",
    summary: "Opens a decision's content; the act and its reason are journaled first.",
    access: "content.open",
    errors: ["unknown_decision", "content_erased", "content_not_recorded"],
    body: schemas.reasonBody,
    answer: z.object({ content: settledContent, features: schemas.featureFacts.optional() }),
    async handle({ id, session, body }) {
      const decision = await findDecision(deps, id);
      if (isRefusal(decision)) return decision;
      await recordOpening(deps, session, id, body.reason);
      const content = await deps.content.open(decision);
      if (content === "erased") return refuse("content_erased");
      if (content === "not_recorded") return refuse("content_not_recorded");
      // Kept for repeated idempotency keys only; where nothing else was kept, nothing was recorded.
      const { kept_answer: _, ...recorded } = content;
      if (Object.keys(recorded).length === 0) return refuse("content_not_recorded");
      const features = recorded.features && featureFacts(deps, decision);
      return { content: recorded, ...(features && { features }) };
    },
  });

/** What the contract that is in force says of each feature; a contract that has changed since may say less. */
function featureFacts(deps: AdminDeps, decision: IndexedDecision): z.infer<typeof schemas.featureFacts> | undefined {
  const meta = decision.entries.find((entry) => entry.kind === "settled")?.meta as Partial<SettledMeta> | undefined;
  const contract = deps.snapshot().snapshot.useCases.get(meta?.use_case ?? "")?.contract;
  return (
    contract &&
    Object.fromEntries(
      contract.features.map(({ name, dataClass, unit }) => [
        name,
        { data_class: dataClass, ...(unit !== undefined && { unit }) },
      ]),
    )
  );
}

const proofRoute = (deps: AdminDeps) =>
  route({
    method: "get",
    path: "/decisions/:id/proof",
    name: "getProof",
    summary: "A bundle that `weir verify` checks offline; with content=true it discloses this decision's content.",
    access: "proofs.read",
    errors: ["unknown_decision", "not_found", "record_unavailable"],
    query: schemas.proofQuery,
    answer: schemas.proof,
    async handle({ id, session, query }) {
      const withContent = query.content === "true";
      const forbidden = withContent ? refuseRole(session, "content.open") : undefined;
      if (forbidden) return forbidden;
      if (withContent && query.reason === undefined)
        return refuse("invalid_request", "Opening content needs a reason.", { param: "reason" });
      const decision = await findDecision(deps, id);
      if (isRefusal(decision)) return decision;
      if (withContent) await recordOpening(deps, session, id, query.reason!);
      const bundle = await deps.proof(decision, withContent);
      return bundle
        ? (bundle as Record<string, unknown>)
        : refuse("not_found", "No checkpoint covers this decision yet; try again in a second.");
    },
  });

const recordOpening = (deps: AdminDeps, session: Session, id: string, reason: string): Promise<void> =>
  deps.record(actBy(session, { act: "content.open", on: `decision:${id}`, detail: { reason } }));

async function findDecision(deps: AdminDeps, id: string): Promise<IndexedDecision | Refusal> {
  const decision = isDecisionId(id) ? await deps.index.get(id) : undefined;
  return (
    decision ?? refuse("unknown_decision", "There is no such decision, or it is not indexed yet.", { param: "id" })
  );
}

type Detail = z.input<typeof schemas.decisionDetail>;

async function detailOf(deps: AdminDeps, decision: IndexedDecision): Promise<Detail> {
  const { decision_id, tenant, entries } = decision;
  const metasOf = (kind: IndexedDecision["entries"][number]["kind"]) =>
    entries.filter((e) => e.kind === kind).map((e) => e.meta);
  const begun = metasOf("begun")[0] as BegunMeta | undefined;
  const settled = metasOf("settled")[0] as SettledMeta | undefined;
  const checkpoint = checkpointOver(entries, await deps.ledger());
  return {
    decision_id,
    tenant,
    ...(begun && { begun }),
    attempts: metasOf("attempt") as AttemptMeta[],
    ...(settled && { settled }),
    amendments: entries
      .filter((e) => e.kind === "amended")
      .map(({ seq, node, at_ms, meta }) => ({ seq, node, at_ms, meta })),
    entries: entries.map(({ node, seq, at_ms, kind, leaf_hash = "" }) => ({ node, seq, at_ms, kind, leaf_hash })),
    content_available: await deps.content.available(decision),
    ...(checkpoint && { checkpoint }),
  };
}

/** The checkpoint that covers every entry of the decision, where all lie on nodes that have one. */
function checkpointOver(entries: IndexedDecision["entries"], { nodes }: LedgerInfo) {
  const last = entries.at(-1);
  const covered = entries.every(({ node, seq }) => {
    const size = nodes.find((n) => n.node === node)?.checkpoint?.size ?? 0;
    return seq < size;
  });
  return covered ? nodes.find((n) => n.node === last?.node)?.checkpoint : undefined;
}

function filterOf(query: z.output<typeof schemas.filterQuery>): DecisionFilter {
  const { use_case, q, since_ms, until_ms, ...same } = query;
  return { ...same, useCase: use_case, query: q, sinceMs: since_ms, untilMs: until_ms };
}

const badCursor = (param: string): Refusal =>
  refuse("invalid_request", "The cursor is not one that this API gave out; begin again without it.", { param });
