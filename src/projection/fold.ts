/** Pure: one journal entry → the rows that it stands for. */
import type { OutcomeMeta, SettledMeta } from "../kernel/decision.ts";
import { decisionStates } from "../kernel/decision.ts";
import { type ErrorCode, errorKinds } from "../kernel/errors.ts";
import { bucketOf } from "./histogram.ts";
import type { DecisionRow, FoldedEntry } from "./port.ts";
import { type Meters, metersOf } from "./spend.ts";

/** A decision's row with the entry it came from. */
export interface SettledRow {
  node: string;
  seq: number;
  row: DecisionRow;
  meters?: Meters;
}

export interface FoldResult {
  entry: FoldedEntry;
  settled?: SettledRow;
  outcome?: OutcomeMeta;
  /** The key is taken until 24 h after `at_ms`. */
  idempotency?: { key: string; body: string; interrupted: boolean };
  /** Why a row could not be made; the entry itself is kept all the same. */
  problem?: string;
}

/** Summable: the rollups are the sum of this over all decision rows, whatever the order in which they came. */
export interface MinuteDelta {
  minute_ms: number;
  use_case: string;
  kind: DecisionRow["kind"];
  decisions: number;
  answered: number;
  referred: number;
  refused: number;
  failed: number;
  interrupted: number;
  errors: number;
  cache_hits: number;
  cost_nano_usd: number;
  /** Latency bucket of this decision. */
  bucket: number;
}

export function foldEntry(entry: FoldedEntry): FoldResult {
  const { node, seq, kind, tenant, meta } = entry;
  const result: FoldResult = { entry };
  if (kind === "settled") {
    const problem = problemOf(entry);
    if (problem) result.problem = problem;
    else {
      const meters = metersOf(meta as SettledMeta);
      const row = rowOf(entry.decision!, tenant, meta as SettledMeta);
      result.settled = { node, seq, row, ...(meters && { meters }) };
    }
  }
  const { idempotency, code, state, refused_before_begin } = (meta ?? {}) as Partial<SettledMeta>;
  if (kind === "settled" && idempotency && !refused_before_begin)
    result.idempotency = { ...idempotency, interrupted: state === "interrupted" || code === "client_gone" };
  if (kind === "amended" && isOutcome(meta)) result.outcome = meta;
  return result;
}

function rowOf(decisionId: string, tenant: string, meta: SettledMeta): DecisionRow {
  const row: DecisionRow = {
    decision_id: decisionId,
    at_ms: meta.started_at_ms,
    use_case: meta.use_case,
    kind: meta.kind,
    tenant,
    environment: meta.environment,
    principal_id: meta.principal.id,
    credential: meta.principal.credential,
    state: meta.state,
    status: meta.status,
    attempts: meta.attempts,
    cache: meta.cache.status,
    guards_hit: meta.guards.filter((g) => g.verdict !== "allow").length,
    duration_ms: meta.duration_ms,
    cost_nano_usd: meta.cost_nano_usd,
    input_tokens: meta.usage.input + meta.usage.cached_input,
    output_tokens: meta.usage.output,
    risk: meta.risk,
    data_class: meta.data_class,
    automation: meta.automation,
    synthetic: meta.synthetic === true,
    stream: meta.stream,
  };
  if (meta.subject !== undefined) row.subject = meta.subject;
  if (meta.code !== undefined) row.code = meta.code;
  if (meta.result !== undefined) row.result = meta.result;
  if (meta.score !== undefined) row.score = meta.score;
  if (meta.model !== undefined) row.model = meta.model;
  if (meta.rung !== undefined) row.rung = meta.rung;
  if (meta.ttft_ms !== undefined) row.ttft_ms = meta.ttft_ms;
  return row;
}

/** A decision is settled once; should a journal hold it twice, the first by (node, sequence) stands. */
export function supersedes(candidate: Pick<SettledRow, "node" | "seq">, standing: Pick<SettledRow, "node" | "seq">) {
  return candidate.node === standing.node ? candidate.seq < standing.seq : candidate.node < standing.node;
}

export function minuteOf(row: DecisionRow): MinuteDelta {
  const delta: MinuteDelta = {
    minute_ms: row.at_ms - (row.at_ms % 60_000),
    use_case: row.use_case,
    kind: row.kind,
    decisions: 1,
    answered: 0,
    referred: 0,
    refused: 0,
    failed: 0,
    interrupted: 0,
    errors: isError(row) ? 1 : 0,
    cache_hits: row.cache === "hit" || row.cache === "follower" ? 1 : 0,
    cost_nano_usd: row.cost_nano_usd,
    bucket: bucketOf(row.duration_ms),
  };
  delta[row.state] = 1;
  return delta;
}

function isError(row: DecisionRow): boolean {
  const kind = row.code === undefined ? undefined : errorKinds[row.code as ErrorCode];
  if (kind) return kind.fault === "upstream" || kind.fault === "weir";
  return row.state === "failed" || row.state === "interrupted";
}

/** The journal proves that an entry is what was written, not that this version knows its shape. */
function problemOf(entry: FoldedEntry): string | undefined {
  if (entry.decision === undefined) return "a settled entry names no decision";
  const meta = entry.meta as Partial<SettledMeta> | null;
  if (typeof meta !== "object" || meta === null) return "its meta is not an object";
  if (typeof meta.use_case !== "string" || typeof meta.principal?.id !== "string")
    return "use case or principal missing";
  if (!decisionStates.includes(meta.state!)) return "its state is unknown";
  const numbers = [meta.started_at_ms, meta.duration_ms, meta.status, meta.attempts, meta.cost_nano_usd];
  if (!numbers.every((n) => typeof n === "number" && Number.isFinite(n))) return "a number is missing";
  if (!meta.usage || !meta.cache || !Array.isArray(meta.guards)) return "usage, cache or guards missing";
  return undefined;
}

function isOutcome(meta: unknown): meta is OutcomeMeta {
  const outcome = meta as Partial<OutcomeMeta> | null;
  return typeof outcome === "object" && outcome?.amends === "outcome" && typeof outcome.outcome_id === "string";
}
