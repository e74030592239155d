/**
 * Whose calls are unlike their own past: in rate, size, refusals, cost and the kinds of errors, minute by minute.
 * Only minutes with calls count, so that a batch job is not unusual every night. Two unusual minutes in a row are told.
 */
import { type RiskTier, type SettledMeta, riskTiers } from "../../kernel/decision.ts";
import { inputTokens } from "../../kernel/usage.ts";
import { type AnomalyAction, type AnomalySettings, anomalyActions } from "../port.ts";
import type { Firing } from "./alert-book.ts";
import { AmountBaseline, MixBaseline, ShareBaseline } from "./baseline.ts";
import { faultOf, faults } from "./decision-windows.ts";

export interface AnomalyState {
  action: AnomalyAction;
  /** What was unusual, e.g. `rate`, `cost`. */
  why: readonly string[];
  /** Monotonic instant until which the action holds. */
  until: number;
}

interface Caller {
  tenant: string;
  id: string;
  /** Of the running minute. */
  calls: number;
  input: number;
  costNanoUsd: number;
  refused: number;
  byFault: number[];
  risk: RiskTier;
  /** Of all minutes with calls before. */
  minutes: number;
  rate: AmountBaseline;
  size: AmountBaseline;
  cost: AmountBaseline;
  refusals: ShareBaseline;
  mix: MixBaseline;
  unusualMinutes: number;
  state?: AnomalyState;
}

const mostCallers = 10_000;
const minutesInARow = 2;
// Fewer errors have no mix.
const leastErrors = 10;

export class Anomalies {
  readonly #settings: AnomalySettings;
  readonly #callers = new Map<string, Caller>();

  constructor(settings: AnomalySettings) {
    this.#settings = settings;
  }

  add(tenant: string, meta: SettledMeta): void {
    const caller = this.#of(tenant, meta.principal.id);
    caller.calls += 1;
    caller.input += inputTokens(meta.usage);
    caller.costNanoUsd += meta.cost_nano_usd;
    const fault = faultOf(meta);
    if (fault) caller.byFault[faults.indexOf(fault)]! += 1;
    if (meta.state === "refused") caller.refused += 1;
    if (riskTiers.indexOf(meta.risk) > riskTiers.indexOf(caller.risk)) caller.risk = meta.risk;
  }

  /** Ends a minute: judges it against what was usual, then learns from it. */
  turn(now: number): void {
    for (const caller of this.#callers.values()) {
      if (caller.state && caller.state.until <= now) delete caller.state;
      if (caller.calls === 0) continue;
      const why = this.#unusual(caller);
      caller.unusualMinutes = why.length > 0 ? caller.unusualMinutes + 1 : 0;
      if (caller.unusualMinutes >= minutesInARow)
        caller.state = { action: this.#settings.actions[caller.risk], why, until: now + this.#settings.holdMs };
      learn(caller);
    }
  }

  /** What is to be done about a principal's next call; undefined where nothing is. */
  actionOf(now: number, tenant: string, principal: string): AnomalyState | undefined {
    const state = this.#callers.get(keyOf(tenant, principal))?.state;
    return state && state.until > now ? state : undefined;
  }

  /** Of those whom an action holds; what is only to be logged is told as information. */
  firings(now: number): Firing[] {
    const found: Firing[] = [];
    for (const { tenant, id, state } of this.#callers.values()) {
      if (!state || state.until <= now) continue;
      found.push({
        rule: "unusual_calls",
        severity: severityOf(state.action),
        labels: { tenant, principal: id },
        summary: `Calls of ${id} (${tenant}) are unlike before in ${state.why.join(", ")}; action: ${state.action}.`,
      });
    }
    return found;
  }

  get size(): number {
    return this.#callers.size;
  }

  #unusual(caller: Caller): string[] {
    const { enabled, z, minRequests, warmupMinutes } = this.#settings;
    if (!enabled || caller.calls < minRequests || caller.minutes < warmupMinutes) return [];
    const errors = caller.byFault.reduce((sum, count) => sum + count, 0);
    const scores = {
      rate: caller.rate.z(caller.calls),
      size: caller.size.z(caller.input / caller.calls),
      cost: caller.cost.z(caller.costNanoUsd / 1000),
      refusals: caller.refusals.z(caller.refused, caller.calls),
      "kinds of errors": errors < leastErrors ? 0 : caller.mix.z(caller.byFault),
    };
    return Object.entries(scores)
      .filter(([, score]) => score >= z)
      .map(([name]) => name);
  }

  #of(tenant: string, id: string): Caller {
    const key = keyOf(tenant, id);
    let caller = this.#callers.get(key);
    if (caller) return caller;
    if (this.#callers.size >= mostCallers) this.#forgetOne();
    caller = {
      tenant,
      id,
      calls: 0,
      input: 0,
      costNanoUsd: 0,
      refused: 0,
      byFault: faults.map(() => 0),
      risk: "minimal",
      minutes: 0,
      rate: new AmountBaseline(),
      size: new AmountBaseline(),
      cost: new AmountBaseline(),
      refusals: new ShareBaseline(),
      mix: new MixBaseline(),
      unusualMinutes: 0,
    };
    this.#callers.set(key, caller);
    return caller;
  }

  /** The one known longest of which nothing is held; else the one known longest. */
  #forgetOne(): void {
    let first: string | undefined;
    for (const [key, { state, calls }] of this.#callers) {
      first ??= key;
      if (state || calls > 0) continue;
      this.#callers.delete(key);
      return;
    }
    if (first !== undefined) this.#callers.delete(first);
  }
}

const keyOf = (tenant: string, principal: string): string => `${tenant}/${principal}`;

const severityOf = (action: AnomalyAction) =>
  action === "log" ? "info" : anomalyActions.indexOf(action) >= 2 ? "critical" : "warning";

function learn(caller: Caller): void {
  caller.rate.add(caller.calls);
  caller.size.add(caller.input / caller.calls);
  caller.cost.add(caller.costNanoUsd / 1000);
  caller.refusals.add(caller.refused, caller.calls);
  caller.mix.add(caller.byFault);
  caller.minutes += 1;
  caller.calls = caller.input = caller.costNanoUsd = caller.refused = 0;
  caller.byFault.fill(0);
  caller.risk = "minimal";
}
