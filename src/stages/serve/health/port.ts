/** What others may ask of targets' health, and what they report to it. */
import type { HealthPolicy, VendorTarget } from "../../../kernel/snapshot.ts";

/** `overloaded`: it turned the call away for being busy. `neutral`: how it ended says nothing about the target. */
export type CallOutcome = "ok" | "failed" | "overloaded" | "neutral";

/** Milliseconds; what a call did not show is absent. */
export interface CallFigures {
  /** Of a stream: until its first content. */
  ttftMs?: number;
  /** Of a whole answer: a stream's reader may be slow. */
  totalMs?: number;
  perTokenMs?: number;
  inputTokens?: number;
  cachedTokens?: number;
  outputTokens?: number;
}

export type BreakerState = "closed" | "open" | "half-open";

/** A target as it looks now. Durations in milliseconds, moving averages; absent before the first sample. */
export interface TargetState {
  target: string;
  breaker: BreakerState;
  /** Monotonic instant at which an open breaker lets the first probe through, or an ejection ends. */
  untilMs?: number;
  ejected: boolean;
  /** False where a call would be turned away: open, its probes are out, or ejected. */
  open: boolean;
  inFlight: number;
  /** Over the last minute. */
  requests: number;
  failures: number;
  consecutiveFailures: number;
  ttftMs?: number;
  totalMs?: number;
  perTokenMs?: number;
  outputTokens?: number;
  /** Part of the input that the vendor read from its cache, in [0, 1]. */
  cachedShare?: number;
  /** Peak-sensitive latency times calls in flight: what the next call would wait, roughly. */
  load: number;
  /** Below 1 while it is brought back slowly. */
  share: number;
  retriesLeft: number;
}

export interface HealthChange {
  target: string;
  from: BreakerState | "ejected" | "in-pool";
  to: BreakerState | "ejected" | "in-pool";
  reason: string;
}

/** What routing reads. */
export interface HealthView {
  /** False where the breaker would turn a call away. */
  admits(target: string, policy: HealthPolicy | undefined): boolean;
  stateOf(target: string, policy: HealthPolicy | undefined): TargetState;
  /** Looks at targets that serve the same purpose and takes clear outliers out for a while. */
  compare(targets: readonly string[]): void;
}

/** What routing reads of a vendor's keys. */
export interface KeyView {
  availability(vendor: VendorTarget, target: string): "live" | "no_live_key" | { coolingMs: number };
}

/** What attempts report; `begin` and `end` come in pairs. */
export interface HealthReport {
  /** False where the breaker turns the call away: it must then not be made. */
  admits(target: string, policy: HealthPolicy | undefined): boolean;
  /** Answers how this call is to be named at its end. */
  begin(target: string, policy: HealthPolicy | undefined): CallTicket;
  /** Content arrives: a probe has done its duty, however long its stream still is. The ticket to go on with. */
  answering(ticket: CallTicket): CallTicket;
  end(ticket: CallTicket, outcome: CallOutcome, figures: CallFigures): void;
  /** Takes one retry from this target's budget; false where there is none. */
  mayRetry(target: string): boolean;
}

export interface CallTicket {
  readonly target: string;
  readonly probe: boolean;
}
