/**
 * The decision and its record. Record types are the wire format of the journal, the projection, proof bundles and the
 * admin API, hence snake_case. What is in `meta` types may be searched; what is in `content` types is encrypted.
 */
import type { ErrorCode } from "./errors.ts";
import type { Citation } from "./chat.ts";
import type { DecisionId } from "./ids.ts";
import type { NanoUsd } from "./money.ts";
import type { Environment, Principal } from "./principal.ts";
import { taskKinds } from "./task.ts";
import type { Usage } from "./usage.ts";

export const decisionKinds = ["chat", "score", ...taskKinds] as const;
export type DecisionKind = (typeof decisionKinds)[number];
export const riskTiers = ["minimal", "limited", "high"] as const;
export type RiskTier = (typeof riskTiers)[number];
/** In rising order: constraints only ever move to the right. */
export const dataClasses = ["public", "internal", "personal", "sensitive"] as const;
export type DataClass = (typeof dataClasses)[number];
export const stageNames = [
  "identify",
  "admit",
  "reserve",
  "screen",
  "route",
  "recall",
  "ground",
  "serve",
  "check",
  "judge",
  "settle",
] as const;
export type StageName = (typeof stageNames)[number];

/** How a decision ended. `answered` includes scores; `referred` is pending at a human. */
export const decisionStates = ["answered", "referred", "refused", "failed", "interrupted"] as const;
export type DecisionState = (typeof decisionStates)[number];

export interface BegunMeta {
  use_case: string;
  kind: DecisionKind;
  environment: Environment;
  surface: string;
  principal: Pick<Principal, "type" | "id" | "credential">;
  purpose?: string;
  /** Lawful basis that the use case declares for the purpose. */
  basis?: string;
  consent?: string;
  subject?: string;
  session?: string;
  risk: RiskTier;
  data_class: DataClass;
  snapshot: { number: number; hash: string };
  bundle: string;
  stream: boolean;
  /** Input tokens as estimated before any model was asked: what a call that a crash cut off has used at least. */
  input_tokens?: number;
  synthetic?: true;
  /** HMAC of (tenant, principal, use case, key): never the key itself. */
  idempotency?: { key: string; body: string };
  trace?: string;
}

export type AttemptStatus = "ok" | "failed" | "aborted" | "timeout" | "rejected" | "unaffordable" | "interrupted";

export interface AttemptMeta {
  n: number;
  rung: number;
  slot?: string;
  arm: string;
  /** Probability with which the release assigned this arm. */
  probability: number;
  model: string;
  target: string;
  region: string;
  /** Which of the vendor's keys was used: vendor and number, never the secret. */
  key?: string;
  status: AttemptStatus;
  /** Stable reason of a failure, e.g. `http_429`, `connect_refused`, `idle_timeout`. */
  reason?: string;
  usage: Usage;
  price: string;
  /** Meters without a rate of their own, charged as the next dearer one. */
  unpriced?: string[];
  /** Estimated milliwatt-hours, where the model or its host declares what it takes. */
  energy_mwh?: number;
  cost_nano_usd: NanoUsd;
  held_nano_usd: NanoUsd;
  started_at_ms: number;
  duration_ms: number;
  ttft_ms?: number;
}

export interface GuardVerdict {
  guard: string;
  on: "input" | "output" | "passages";
  verdict: "allow" | "deny" | "modify" | "error";
  /** What was enforced; differs from the verdict e.g. where a failed guard of a `minimal` use case is let through. */
  action: "allow" | "redact" | "block" | "next-rung";
  /** Findings by detector kind; counts only. */
  findings: Record<string, number>;
  reason?: string;
}

export interface RouteReason {
  rung: number;
  target: string;
  eligible: boolean;
  /** `eligible`, `region_not_allowed`, `condition_false`, `model_not_loaded`, `breaker_open`, `no_live_key`, `cascade_off`, …: see `stages/route`. */
  reason: string;
  detail?: string;
  /** Of a pool's member: by what it was compared, and where that put it. */
  pool?: {
    strategy: string;
    /** 1 is tried first; absent where it is not eligible. */
    place?: number;
    /** Compared figures by name, units in the name. */
    figures?: Record<string, number>;
  };
  /** Of a rung whose answers have to be accepted: whether taking it first pays. */
  cascade?: CascadeFigures;
  /** Id of the operator's override that decided. */
  override?: string;
}

/** Taking the light rung first pays while its answers are accepted more often than c1/c2 of the time. */
export interface CascadeFigures {
  state: "on" | "off" | "exploring";
  judged: number;
  /** Estimate of P(accepted) and its 95 % upper credible bound. */
  accepted: number;
  accepted_at_most: number;
  c1_nano_usd: number;
  c2_nano_usd: number;
  /** c1/c2; absent where the next rung costs nothing. */
  break_even?: number;
}

export interface Reason {
  basis: "rule" | "policy" | "model";
  name: string;
  text?: string;
}

export interface SettledMeta extends BegunMeta {
  state: DecisionState;
  /** True on a settle without `begun`: refused before the first side effect. */
  refused_before_begin?: true;
  code?: ErrorCode;
  status: number;
  started_at_ms: number;
  duration_ms: number;
  ttft_ms?: number;
  /** Milliseconds spent by stage. */
  stages: Partial<Record<StageName, number>>;
  route: RouteReason[];
  attempts: number;
  model?: string;
  rung?: number;
  cache: {
    /** `bypass`: the client forbade it; `miss` also where it asked for a fresh answer. */
    status: "off" | "miss" | "hit" | "follower" | "bypass";
    from?: DecisionId;
    /** What the answer had cost when it was made. */
    saved_nano_usd?: NanoUsd;
  };
  retrieval?: { collection: string; generation: string; passages: { source: string; score: number }[] };
  guards: GuardVerdict[];
  score?: number;
  confidence?: number;
  thresholds?: { when: string; result: string }[];
  /** Index into `thresholds` of the rule that decided. */
  rule?: number;
  result?: string;
  reasons: Reason[];
  automation: "auto" | "assisted" | "human";
  usage: Usage;
  cost_nano_usd: NanoUsd;
  dropped?: string[];
  /** What was left out of a talk that had grown too long; estimated tokens. */
  trimmed?: { tokens_before: number; tokens_after: number; turns_dropped: number };
  /** What of a stream had left when it ended; `bytes` counts the vendor's where they passed, else the words' length. */
  delivered?: { frames: number; bytes: number; complete: boolean };
  /** HMAC-SHA256 of request body and answer under the install's key, where `record` keeps no content. */
  digests?: { request: string; answer?: string };
  record: "redacted" | "full" | "digest";
  release?: { slot: string; bundle: string };
  refer_to?: string;
}

/** What is encrypted beside a settled entry, as `record` allows. */
export interface SettledContent {
  features?: Record<string, FeatureValue>;
  /** Kept for 24 h so that a repeated idempotency key gets the same answer, whatever `record` says. */
  kept_answer?: unknown;
  messages?: unknown;
  /** What was to be embedded, ranked or judged. */
  task?: unknown;
  answer?: unknown;
  citations?: Citation[];
}

export type FeatureValue = number | string | boolean | null;

export interface OutcomeMeta {
  amends: "outcome";
  use_case: string;
  outcome_id: string;
  label: string;
  value?: number;
  observed_at_ms: number;
  /** HMAC-SHA256 (hex) under the install's key of everything that was sent: tells a repetition from a contradiction. */
  digest: string;
  principal: Pick<Principal, "type" | "id" | "credential">;
}

export interface AdminMeta {
  act: string;
  operator: { id: string; name: string };
  /** What it was done to, e.g. `key:kid_…`, `decision:dec_…`, `snapshot:12`. */
  on?: string;
  detail?: Record<string, unknown>;
}
