/** One call of one target: its money held before, its usage booked and its entry appended after, whatever ended it. */
import type { AttemptMeta, AttemptStatus } from "../../kernel/decision.ts";
import { isRefusal } from "../../kernel/errors.ts";
import { type NanoUsd, nanoUsd } from "../../kernel/money.ts";
import { type Energy, energyOf } from "../../kernel/energy.ts";
import {
  type Price,
  type ServiceClass,
  type Usage,
  addUsage,
  costOf,
  inputTokens,
  noUsage,
  priceAt,
  unpriced,
  worstCaseOf,
} from "../../kernel/usage.ts";
import type { HealthPolicy } from "../../kernel/snapshot.ts";
import type { Decision } from "../../path/context.ts";
import { type MoneyBook, type MoneyHold, holdMoney } from "../reserve/index.ts";
import type { Pass, PassEnd } from "./capacity/index.ts";
import { outcomeOf } from "./health/index.ts";
import type { CallFigures, CallTicket, HealthReport } from "./health/port.ts";
import type { RequestBounds } from "./request-bounds.ts";

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
  /** What else bounds the cost, beside tokens. */
  bounds?: RequestBounds;
  energy?: Energy;
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
  readonly #calls: boolean;
  readonly #pass: Pass | undefined;
  #ticket: CallTicket | undefined;
  #ttftMs: number | undefined;
  #open = true;

  private constructor(
    ports: AttemptPorts,
    d: Decision,
    plan: AttemptPlan,
    hold: MoneyHold,
    calls: boolean,
    pass: Pass | undefined,
  ) {
    this.#ports = ports;
    this.#d = d;
    this.#plan = { ...plan, price: priceAt(plan.price, d.clock.now()) };
    this.#hold = hold;
    this.#calls = calls;
    this.#pass = pass;
    this.#n = ++d.attemptsBegun;
    this.#startedAtMs = d.clock.now();
    this.#started = d.clock.monotonic();
    this.#ticket = calls && plan.watched ? ports.health.begin(plan.target, plan.watched.policy) : undefined;
  }

  /** `undefined` when a budget can't bear the worst case; the attempt is then recorded as unaffordable. */
  static begin(ports: AttemptPorts, d: Decision, plan: AttemptPlan, pass?: Pass): Attempt | undefined {
    const worst = worstCaseOf(priceAt(plan.price, d.clock.now()), {
      ...plan.bounds,
      inputTokens: plan.worstCase.input,
      maxOutputTokens: plan.worstCase.output,
      durationMs: d.useCase.deadlineMs,
    });
    const hold = holdMoney(ports.money, d, worst);
    if (!isRefusal(hold)) return new Attempt(ports, d, plan, hold, true, pass);
    pass?.leave({ outcome: "other" });
    Attempt.skip(ports, d, plan, "unaffordable", hold.code === "cost_too_high" ? "max_cost" : "budget");
    d.turnedAway = hold;
    return undefined;
  }

  /** Records that the target was not called, and why. */
  static skip(ports: AttemptPorts, d: Decision, plan: AttemptPlan, status: AttemptStatus, reason: string): void {
    const nothing = { heldNanoUsd: nanoUsd(0), settle: () => {} };
    new Attempt(ports, d, plan, nothing, false, undefined).end(status, { reason });
  }

  elapsedMs(): number {
    return this.#d.clock.monotonic() - this.#started;
  }

  /** The first content has arrived. */
  firstContent(): void {
    if (this.#plan.watched?.stream) this.#pass?.firstToken();
    if (this.#ticket?.probe) this.#ticket = this.#ports.health.answering(this.#ticket);
    this.#ttftMs ??= this.#d.clock.monotonic() - this.#started;
    this.#d.ttftMs ??= this.#d.clock.monotonic() - this.#d.call.started;
  }

  end(status: AttemptStatus, more: { reason?: string; usage?: Usage } = {}): void {
    if (!this.#open) return;
    this.#open = false;
    const { d, plan } = { d: this.#d, plan: this.#plan };
    const usage = inClass(more.usage ?? noUsage, plan.bounds?.serviceClass);
    // A call price is due for calls that reached the target; time is due for every call that took some.
    const due = usage !== noUsage || status === "ok" || (this.#calls && plan.price.hour !== undefined);
    const durationMs = this.elapsedMs();
    const cost = due ? costOf(usage, plan.price, { durationMs }) : nanoUsd(0);
    this.#hold.settle(cost);
    this.#pass?.leave(placeEnd(status, more.reason, usage));
    const guessed = due ? unpriced(usage, plan.price) : [];
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
      ...(guessed.length > 0 && { unpriced: guessed }),
      cost_nano_usd: cost,
      held_nano_usd: this.#hold.heldNanoUsd,
      started_at_ms: this.#startedAtMs,
      duration_ms: rounded(durationMs),
      ...(plan.energy && due && { energy_mwh: energyOf(usage, plan.energy, durationMs) }),
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

/** The class that was asked for, where the vendor doesn't say in which it served. */
const inClass = (usage: Usage, asked: ServiceClass | undefined): Usage =>
  asked === undefined || usage === noUsage || usage.service_class !== undefined
    ? usage
    : { ...usage, service_class: asked };

const fullHouse = /^http_(?:429|503|529)\b/;

/** What the call's end says about the target's capacity. */
function placeEnd(status: AttemptStatus, reason: string | undefined, usage: Usage): PassEnd {
  const dropped = status === "timeout" || (reason !== undefined && fullHouse.test(reason));
  const outcome = status === "ok" ? "ok" : dropped ? "dropped" : "other";
  return usage.estimated || usage === noUsage
    ? { outcome }
    : { outcome, inTokens: inputTokens(usage), outTokens: usage.output };
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
