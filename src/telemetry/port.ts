/** What telemetry is configured by, and what it reads of the house. Settings are read at the start of the process. */
import type { RiskTier } from "../kernel/decision.ts";

export const logLevels = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof logLevels)[number];

export interface TelemetrySettings {
  log: { level: LogLevel; format: "auto" | "json" | "text" };
  /** `host` or `host:port` that may be reached without TLS, or at a private or loopback address. */
  allowHosts: readonly string[];
  maxSeriesPerMetric: number;
  traces?: TraceSettings;
}

export interface TraceSettings {
  /** The collector's full address, e.g. `https://otel.example.com/v1/traces`. */
  url: string;
  headers: Readonly<Record<string, string>>;
  serviceName: string;
  /** Part of the decisions without a parent that are traced, in [0, 1]; those that failed always are. */
  sample: number;
  everyMs: number;
}

export interface AlertSettings {
  everyMs: number;
  /** After so long an alert that still fires is sent again. */
  renotifyMs: number;
  /** So long a condition has to be gone before its alert is resolved. */
  resolveAfterMs: number;
  webhooks: readonly WebhookSettings[];
  silences: readonly Silence[];
  defaultObjective: Objective;
  /** By use case. */
  objectives: ReadonlyMap<string, Objective>;
  errors: ShareRule;
  fallbacks: ShareRule;
  climbs: ShareRule;
  cache: { dropTo: number; minRequests: number };
  anomaly: AnomalySettings;
}

export interface WebhookSettings {
  url: string;
  /** `whsec_` and base64. */
  secret: string;
  minSeverity: Severity;
}

export const severities = ["info", "warning", "critical"] as const;
export type Severity = (typeof severities)[number];

/** What fits is not sent; it is still counted, logged and listed. */
export interface Silence {
  /** A rule's name, or `*`. */
  rule: string;
  /** Labels that have to be equal, e.g. `{ use_case: "assistant" }`. */
  labels: Readonly<Record<string, string>>;
  /** Epoch milliseconds; absent: until it is taken away. */
  untilMs?: number;
}

/** Shares are in [0, 1]. */
export interface Objective {
  availability: number;
  latency?: { underMs: number; share: number };
  ttft?: { underMs: number; share: number };
  /** Fewer requests in a window say nothing. */
  minRequests: number;
}

/** Fires where a share of the last five minutes' decisions is above `above`. */
export interface ShareRule {
  enabled: boolean;
  above: number;
  minRequests: number;
}

export const anomalyActions = ["log", "alert", "throttle", "block"] as const;
export type AnomalyAction = (typeof anomalyActions)[number];

export interface AnomalySettings {
  enabled: boolean;
  /** Deviations from a principal's own baseline. */
  z: number;
  /** Minutes with calls before a baseline counts. */
  warmupMinutes: number;
  /** Calls in a minute below which nothing is called unusual. */
  minRequests: number;
  /** How long `throttle` and `block` last after the last unusual minute. */
  holdMs: number;
  actions: Readonly<Record<RiskTier, AnomalyAction>>;
}

/** What the house says of itself when metrics are printed and alerts evaluated. Money in nano-USD, times in milliseconds. */
export interface HouseState {
  running(): number;
  heldNanoUsd(): number;
  /** Spent in the current month. */
  spentNanoUsd(): Iterable<readonly [tenant: string, nanoUsd: number]>;
  cache(): { flights: number; entries: number; bytes: number };
  journal(): { writable: boolean; entries: number; queuedBytes: number };
  targets(): Iterable<TargetHealth>;
  capacity(): Iterable<TargetCapacity>;
  budgets(): Iterable<BudgetLine>;
  vendorKeys(): Iterable<{ vendor: string; id: string; state: "live" | "cooling" | "dead" }>;
}

interface TargetHealth {
  target: string;
  breaker: "closed" | "open" | "half-open";
  ejected: boolean;
  inFlight: number;
  retriesLeft: number;
}

interface TargetCapacity {
  target: string;
  limit: number;
  running: number;
  waiting: Readonly<Record<string, number>>;
}

export interface BudgetLine {
  scope: string;
  per: string;
  amount: number;
  spent: number;
  held: number;
  level: "ok" | "warn" | "degrade" | "blocked";
}
