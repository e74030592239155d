/** The admin API's answers as the console reads them; record parts come from the kernel so that the two cannot drift. */
import type {
  AttemptMeta,
  BegunMeta,
  DataClass,
  DecisionKind,
  DecisionState,
  FeatureValue,
  RiskTier,
  SettledContent,
  SettledMeta,
} from "../../../src/kernel/decision.ts";

export type { AttemptMeta, DecisionState, FeatureValue, SettledContent, SettledMeta };
export type { GuardVerdict, Reason, RouteReason, StageName } from "../../../src/kernel/decision.ts";

export type Role = "viewer" | "operator" | "approver" | "reviewer" | "auditor" | "admin";

export interface Session {
  operator: { id: string; name: string; roles: Role[] };
  csrf: string;
  environment: string;
  install: string;
  version: string;
  /** True where the install runs the bank example with made-up people. */
  example: boolean;
}

export interface UseCaseSummary {
  name: string;
  kind: DecisionKind;
  risk: RiskTier;
  data_class: DataClass;
  owner?: string;
  ladder: string[];
  bundle: string;
  release: string;
}

export const overviewRanges = ["15m", "1h", "24h", "7d"] as const;
export type OverviewRange = (typeof overviewRanges)[number];

export interface Totals {
  decisions: number;
  answered: number;
  referred: number;
  refused: number;
  failed: number;
  interrupted: number;
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

export interface UseCaseOverview {
  name: string;
  kind: DecisionKind;
  totals: Totals;
  series: SeriesPoint[];
}

export interface Overview {
  range: OverviewRange;
  step_ms: number;
  from_ms: number;
  to_ms: number;
  totals: Totals;
  use_cases: UseCaseOverview[];
}

export interface DecisionRow {
  decision_id: string;
  at_ms: number;
  use_case: string;
  kind: DecisionKind;
  tenant: string;
  environment: string;
  principal_id: string;
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
  cache: string;
  guards_hit: number;
  duration_ms: number;
  ttft_ms?: number;
  cost_nano_usd: number;
  input_tokens: number;
  output_tokens: number;
  risk: RiskTier;
  data_class: DataClass;
  automation: string;
  synthetic?: boolean;
  stream: boolean;
}

export interface DecisionPage {
  decisions: DecisionRow[];
  next_cursor?: string;
}

interface RecordEntry {
  node: string;
  seq: number;
  at_ms: number;
  kind: string;
  leaf_hash: string;
}

interface Amendment {
  seq: number;
  node: string;
  at_ms: number;
  meta: Record<string, unknown>;
}

export interface DecisionDetail {
  decision_id: string;
  tenant: string;
  begun?: BegunMeta;
  attempts: AttemptMeta[];
  settled?: SettledMeta;
  amendments: Amendment[];
  entries: RecordEntry[];
  content_available: boolean;
  checkpoint?: { size: number; at_ms: number };
}

/** By feature name, as the contract in force says. */
export type FeatureFacts = Record<string, { data_class: string; unit?: string }>;
