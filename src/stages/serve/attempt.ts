/** One call of one target: its money held before, its usage booked and its entry appended after, whatever ended it. */
import type { AttemptMeta, AttemptStatus } from "../../kernel/decision.ts";
import { type NanoUsd, nanoUsd } from "../../kernel/money.ts";
import { type Price, type Usage, addUsage, costOf, noUsage } from "../../kernel/usage.ts";
import type { Decision } from "../../path/context.ts";
import type { MoneyBook, MoneyHold } from "../reserve/index.ts";

export interface AttemptPlan {
  rung: number;
  slot?: string;
  model: string;
  target: string;
  region: string;
  price: Price;
  /** Most tokens that this call can consume. */
  worstCase: Usage;
}

export interface AttemptPorts {
  money: MoneyBook;
  /** A fault that the ladder survives, for the log. */
  report(d: Decision, fault: unknown): void;
  /** Appends the `attempt` entry. */
  record(d: Decision, attempt: AttemptMeta): void;
}

export class Attempt {
  readonly #ports: AttemptPorts;
  readonly #d: Decision;
  readonly #plan: AttemptPlan;
  readonly #hold: MoneyHold;
  readonly #n: number;
  readonly #startedAtMs: number;
  readonly #started: number;
  #ttftMs: number | undefined;
  #open = true;

  private constructor(ports: AttemptPorts, d: Decision, plan: AttemptPlan, hold: MoneyHold) {
    this.#ports = ports;
    this.#d = d;
    this.#plan = plan;
    this.#hold = hold;
    this.#n = ++d.attemptsBegun;
    this.#startedAtMs = d.clock.now();
    this.#started = d.clock.monotonic();
  }

  /** `undefined` when the tenant's budget can't bear the worst case; the attempt is then recorded as unaffordable. */
  static begin(ports: AttemptPorts, d: Decision, plan: AttemptPlan): Attempt | undefined {
    const worst = costOf(plan.worstCase, plan.price);
    const hold = ports.money.hold(d.tenant, worst);
    if (hold) return new Attempt(ports, d, plan, hold);
    const nothing = { heldNanoUsd: nanoUsd(0), settle: () => {} };
    new Attempt(ports, d, plan, nothing).end("unaffordable", { reason: "budget" });
    return undefined;
  }

  /** The first content has arrived. */
  firstContent(): void {
    this.#ttftMs ??= this.#d.clock.monotonic() - this.#started;
    this.#d.ttftMs ??= this.#d.clock.monotonic() - this.#d.call.started;
  }

  end(status: AttemptStatus, more: { reason?: string; usage?: Usage } = {}): void {
    if (!this.#open) return;
    this.#open = false;
    const usage = more.usage ?? noUsage;
    // A call price is due for calls that reached the target.
    const cost = usage === noUsage && status !== "ok" ? nanoUsd(0) : costOf(usage, this.#plan.price);
    this.#hold.settle(cost);
    const { d, plan } = { d: this.#d, plan: this.#plan };
    const meta: AttemptMeta = {
      n: this.#n,
      rung: plan.rung,
      ...(plan.slot !== undefined && { slot: plan.slot }),
      arm: "champion",
      probability: 1,
      model: plan.model,
      target: plan.target,
      region: plan.region,
      status,
      ...(more.reason !== undefined && { reason: more.reason }),
      usage,
      price: plan.price.version,
      cost_nano_usd: cost,
      held_nano_usd: this.#hold.heldNanoUsd,
      started_at_ms: this.#startedAtMs,
      duration_ms: rounded(d.clock.monotonic() - this.#started),
      ...(this.#ttftMs !== undefined && { ttft_ms: rounded(this.#ttftMs) }),
    };
    d.attempts.push(meta);
    d.usage = addUsage(d.usage, usage);
    d.costNanoUsd = nanoUsd(d.costNanoUsd + cost) as NanoUsd;
    this.#ports.record(d, meta);
  }
}

/** Why a decision was aborted, as the attempt's record says it. */
export const abortReason = (d: Decision): string =>
  (d.signal.reason as { code?: string } | undefined)?.code ?? "aborted";

/** Milliseconds with microsecond resolution. */
const rounded = (ms: number): number => Math.round(ms * 1000) / 1000;
