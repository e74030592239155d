/**
 * What consoles and commands ask about decisions. Everything here is metadata that the journal already holds: the index
 * may be deleted at any time and is folded again. Reads lag the journal by one batch and never block the request loop.
 * All methods reject with `WeirError("internal")` when the index cannot be read for now.
 */
import type { DataClass, DecisionKind, DecisionState, OutcomeMeta, RiskTier, SettledMeta } from "../kernel/decision.ts";

export const entryKinds = ["begun", "attempt", "settled", "amended", "admin"] as const;
export type EntryKind = (typeof entryKinds)[number];
/** The kinds whose metadata the fold looks at. */
export const foldedKinds: ReadonlySet<EntryKind> = new Set<EntryKind>(["settled", "amended"]);

/** A journal entry as far as the fold reads it; the ledger's own entries fit. */
export interface FoldedEntry {
  node: string;
  seq: number;
  at_ms: number;
  kind: EntryKind;
  tenant: string;
  decision?: string | undefined;
  /** May be left out for kinds that are not in `foldedKinds`. */
  meta?: unknown;
}

/** One settled decision in a list: the wire format of the admin API. */
/** One hour's cost of one key in one use case. */
export interface Spending {
  hour_ms: number;
  tenant: string;
  use_case: string;
  principal_id: string;
  credential: string;
  nano_usd: number;
}

export interface DecisionRow {
  decision_id: string;
  /** When it started. */
  at_ms: number;
  use_case: string;
  kind: DecisionKind;
  tenant: string;
  environment: string;
  principal_id: string;
  /** Public id of the key. */
  credential: string;
  subject?: string;
  state: DecisionState;
  status: number;
  code?: string;
  result?: string;
  score?: number;
  model?: string;
  rung?: number;
  attempts: number;
  cache: SettledMeta["cache"]["status"];
  /** Guard verdicts other than `allow`. */
  guards_hit: number;
  duration_ms: number;
  ttft_ms?: number;
  cost_nano_usd: number;
  /** Cached input included. */
  input_tokens: number;
  output_tokens: number;
  risk: RiskTier;
  data_class: DataClass;
  automation: SettledMeta["automation"];
  synthetic: boolean;
  stream: boolean;
}

export interface DecisionFilter {
  useCase?: string | undefined;
  state?: DecisionState | undefined;
  code?: string | undefined;
  result?: string | undefined;
  principal?: string | undefined;
  /** Prefix of a decision id, or a whole subject pseudonym. */
  query?: string | undefined;
  sinceMs?: number | undefined;
  /** Exclusive. */
  untilMs?: number | undefined;
}

/** The last row of a page: the next page holds what sorts after it (older, then smaller id). */
export interface PageCursor {
  atMs: number;
  decisionId: string;
}

export interface Page {
  rows: DecisionRow[];
  next?: PageCursor;
}

interface IndexedEntry {
  node: string;
  seq: number;
  at_ms: number;
  kind: EntryKind;
  meta: unknown;
  /** RFC 6962 leaf hash (hex), where the index reads the ledger itself. */
  leaf_hash?: string;
  /** Where `readEntries` finds this entry again; opaque here. */
  position: unknown;
}

export interface IndexedDecision {
  decision_id: string;
  tenant: string;
  /** In order of node, then sequence. */
  entries: IndexedEntry[];
}

export const overviewRanges = ["15m", "1h", "24h", "7d"] as const;
export type OverviewRange = (typeof overviewRanges)[number];

/** Percentiles come from histograms and are off by at most 5.5 %; they are null where there are no decisions. */
export interface Totals {
  decisions: number;
  answered: number;
  referred: number;
  refused: number;
  failed: number;
  interrupted: number;
  /** Decisions that ended badly through a vendor or Weir itself, not through caller or policy. */
  errors: number;
  cache_hits: number;
  cost_nano_usd: number;
  p50_ms: number | null;
  p95_ms: number | null;
  p99_ms: number | null;
  rate_per_s: number;
}

export interface SeriesPoint {
  at_ms: number;
  decisions: number;
  errors: number;
  p95_ms: number | null;
  cost_nano_usd: number;
}

export interface Overview {
  range: OverviewRange;
  step_ms: number;
  from_ms: number;
  to_ms: number;
  totals: Totals;
  use_cases: { name: string; kind: DecisionKind; totals: Totals; series: SeriesPoint[] }[];
}

export const costRanges = ["24h", "7d", "30d", "90d"] as const;
export type CostRange = (typeof costRanges)[number];
export const costDimensions = ["use_case", "tenant", "model"] as const;
type CostDimension = (typeof costDimensions)[number];

export interface CostQuestion {
  range: CostRange;
  by: CostDimension;
  tenant?: string | undefined;
  useCase?: string | undefined;
  model?: string | undefined;
}

/** Sums over decisions. Tokens are exclusive of each other, but for `reasoning`, which is a part of `output`. */
export interface Spend {
  decisions: number;
  answered: number;
  cache_hits: number;
  /** Decisions whose usage Weir counted because the vendor didn't report it, and their cost. */
  estimated: number;
  estimated_nano_usd: number;
  cost_nano_usd: number;
  /** What answers from the cache had cost when they were made. */
  saved_nano_usd: number;
  input: number;
  cached_input: number;
  cache_write: number;
  output: number;
  reasoning: number;
  audio_input: number;
  audio_output: number;
  image_output: number;
}

export interface CostGroup {
  /** Of the tenant, use case or model; empty where no model was called. */
  name: string;
  spend: Spend;
  series: { at_ms: number; cost_nano_usd: number }[];
}

export interface Costs {
  range: CostRange;
  by: CostDimension;
  from_ms: number;
  to_ms: number;
  step_ms: number;
  totals: Spend;
  /** The dearest first. */
  groups: CostGroup[];
}

/** Where the newest decisions of a use case went. */
export interface Choices {
  decisions: number;
  /** Start of the oldest that was counted. */
  from_ms?: number;
  /** The most frequent first; `rung` and `model` are absent where none was taken. */
  choices: {
    rung?: number;
    model?: string;
    decisions: number;
    answered: number;
    cache_hits: number;
    cost_nano_usd: number;
    mean_ms: number;
  }[];
}

export interface RefusalCount {
  code: string;
  tenant: string;
  use_case: string;
  principal_id: string;
  count: number;
  last_ms: number;
}

export interface Arrivals {
  /** In order of arrival; at most `limit`. */
  rows: { row: DecisionRow; cursor: string }[];
  /** Where to go on, also when nothing matched. */
  next: string;
  /** Arrivals that were skipped because the reader was too far behind or the index was rebuilt in between. */
  gap?: number;
}

/** An arrival cursor is `<generation>.<arrival>`; a rebuilt index has another generation. */
export interface DecisionIndex {
  /** Newest first. `limit` is at most 500. */
  list(filter: DecisionFilter, cursor: PageCursor | undefined, limit: number): Promise<Page>;
  /** Everything known of one decision, also while it runs. */
  get(decisionId: string): Promise<IndexedDecision | undefined>;
  /** From minute rollups; `nowMs` is the end of the range. */
  overview(range: OverviewRange, nowMs: number): Promise<Overview>;
  /** Settled decisions after `cursor`; without one it starts at the newest and answers no rows. */
  since(cursor: string | undefined, filter: DecisionFilter, limit: number): Promise<Arrivals>;
  outcomes(decisionId: string): Promise<OutcomeMeta[]>;
  /** From hour rollups; `nowMs` is the end of the range. */
  costs(question: CostQuestion, nowMs: number): Promise<Costs>;
  /** Over the newest `limit` decisions of the use case. */
  choices(useCase: string, limit: number): Promise<Choices>;
  /** Decisions refused since then, the most frequent first; at most `limit` lines. */
  refusals(sinceMs: number, limit: number): Promise<RefusalCount[]>;
  /** Calls `act` after new rows arrived (never with them); the returned function ends it. */
  onArrival(act: () => void): () => void;
}

/** A reader further behind than this is moved to the newest arrivals and told so. */
export const maxArrivalsBehind = 2_000;

/** A settled decision under an idempotency key; the key and the body's digest are HMACs. */
export interface IdempotentRow {
  key: string;
  body: string;
  decision_id: string;
  seq: number;
  interrupted: boolean;
  at_ms: number;
}

/** What a starting server needs of the past, and what it may not decide twice. */
export interface RunningState {
  /** Resolves when everything that is durable now has been folded. */
  caughtUp(): Promise<void>;
  /** Nano-USD booked for a tenant's decisions that started at or after `sinceMs`. */
  /** What decisions that began since then have cost, by whom and by hour: budgets are restored from it. */
  spendingSince(sinceMs: number): Promise<Spending[]>;
  /** Oldest first. */
  idempotentSince(node: string, sinceMs: number): Promise<IdempotentRow[]>;
  /** `OutcomeMeta.digest` of the outcome under this id in this tenant. */
  outcomeDigest(tenant: string, outcomeId: string): Promise<string | undefined>;
}
