/** One call of one target: its money held before, its usage booked and its entry appended after, whatever ended it. */
import type { AttemptMeta, AttemptStatus } from "../../kernel/decision.ts";
import { isRefusal } from "../../kernel/errors.ts";
import { type NanoUsd, nanoUsd } from "../../kernel/money.ts";
import { type Price, type Usage, addUsage, costOf, noUsage, priceAt, worstCaseOf } from "../../kernel/usage.ts";
import type { HealthPolicy } from "../../kernel/snapshot.ts";
import type { Decision } from "../../path/context.ts";
import { type MoneyBook, type MoneyHold, holdMoney } from "../reserve/index.ts";
import { outcomeOf } from "./health/index.ts";
import type { CallFigures, CallTicket, HealthReport } from "./health/port.ts";

export interface AttemptPlan {
  rung: number;
  slot?: string;
  model: string;
  target: string;
  region: string;
  price: Price;
  /** Most tokens that this call can consume. */
  worstCase: Usage;
  /** Id of the vendor's key. */
  key?: string;
  /** Present where the target lies elsewhere, so that its health has to be watched. */
  watched?: { stream: boolean; policy: HealthPolicy | undefined };
}

export interface AttemptPorts {
  money: MoneyBook;
  health: HealthReport;
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
  #ticket: CallTicket | undefined;
  #ttftMs: number | undefined;
  #open = true;

  private constructor(ports: AttemptPorts, d: Decision, plan: AttemptPlan, hold: MoneyHold, calls: boolean) {
    this.#ports = ports;
    this.#d = d;
    this.#plan = { ...plan, price: priceAt(plan.price, d.clock.now()) };
    this.#hold = hold;
    this.#n = ++d.attemptsBegun;
    this.#startedAtMs = d.clock.now();
    this.#started = d.clock.monotonic();
    this.#ticket = calls && plan.watched ? ports.health.begin(plan.target, plan.watched.policy) : undefined;
  }

  /** `undefined` when a budget can't bear the worst case; the attempt is then recorded as unaffordable. */
  static begin(ports: AttemptPorts, d: Decision, plan: AttemptPlan): Attempt | undefined {
    const worst = worstCaseOf(priceAt(plan.price, d.clock.now()), {
      inputTokens: plan.worstCase.input,
      maxOutputTokens: plan.worstCase.output,
      durationMs: d.useCase.deadlineMs,
    });
    const hold = holdMoney(ports.money, d, worst);
    if (!isRefusal(hold)) return new Attempt(ports, d, plan, hold, true);
    Attempt.skip(ports, d, plan, "unaffordable", hold.code === "cost_too_high" ? "max_cost" : "budget");
    d.unaffordable = hold;
    return undefined;
  }

  /** Records that the target was not called, and why. */
  static skip(ports: AttemptPorts, d: Decision, plan: AttemptPlan, status: AttemptStatus, reason: string): void {
    const nothing = { heldNanoUsd: nanoUsd(0), settle: () => {} };
    new Attempt(ports, d, plan, nothing, false).end(status, { reason });
  }

  elapsedMs(): number {
    return this.#d.clock.monotonic() - this.#started;
  }

  /** The first content has arrived. */
  firstContent(): void {
    if (this.#ticket?.probe) this.#ticket = this.#ports.health.answering(this.#ticket);
    this.#ttftMs ??= this.#d.clock.monotonic() - this.#started;
    this.#d.ttftMs ??= this.#d.clock.monotonic() - this.#d.call.started;
  }

  end(status: AttemptStatus, more: { reason?: string; usage?: Usage } = {}): void {
    if (!this.#open) return;
    this.#open = false;
    const usage = more.usage ?? noUsage;
    // A call price is due for calls that reached the target.
    const cost =
      usage === noUsage && status !== "ok"
        ? nanoUsd(0)
        : costOf(usage, this.#plan.price, { durationMs: this.elapsedMs() });
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
      ...(plan.key !== undefined && { key: plan.key }),
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
    if (this.#ticket) {
      const time = { tookMs: meta.duration_ms, deadlineMs: d.useCase.deadlineMs };
      this.#ports.health.end(this.#ticket, outcomeOf(meta, time), figuresOf(meta, plan.watched!.stream));
    }
    this.#ports.record(d, meta);
  }
}

function figuresOf({ usage, duration_ms, ttft_ms }: AttemptMeta, stream: boolean): CallFigures {
  const { output } = usage;
  const writing = stream ? duration_ms - (ttft_ms ?? 0) : duration_ms;
  return {
    ...(stream ? ttft_ms !== undefined && { ttftMs: ttft_ms } : { totalMs: duration_ms }),
    ...(output > 0 && { perTokenMs: writing / output, outputTokens: output }),
    inputTokens: usage.input,
    cachedTokens: usage.cached_input,
  };
}

/** Why a decision was aborted, as the attempt's record says it. */
export const abortReason = (d: Decision): string =>
  (d.signal.reason as { code?: string } | undefined)?.code ?? "aborted";

/** Milliseconds with microsecond resolution. */
const rounded = (ms: number): number => Math.round(ms * 1000) / 1000;
