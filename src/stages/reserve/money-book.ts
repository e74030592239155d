/**
 * Budgets of tenants, use cases, principals and keys. What is spent plus what is held never exceeds a blocking budget:
 * a hold is taken at an attempt's worst-case price and settled at its exact cost, both in the window in which it was
 * taken. A stream that runs past midnight is yesterday's money; today's budget never knew of it.
 */
import type { Clock } from "../../kernel/clock.ts";
import { type NanoUsd, nanoUsd } from "../../kernel/money.ts";
import type { Budget, BudgetWindow } from "../../kernel/snapshot.ts";
import { hourMs, windowStartMs } from "./budget-window.ts";
import { Account, Calendar } from "./money-account.ts";
import { type Scope, type Scopes, scopeName } from "./scopes.ts";

/** How far the fullest of several budgets is; `blocked` is spent, and only what costs nothing is served. */
export type BudgetLevel = "ok" | "warn" | "degrade" | "blocked";
const levels: readonly BudgetLevel[] = ["ok", "warn", "degrade", "blocked"];

export interface MoneyHold {
  readonly heldNanoUsd: NanoUsd;
  /** Books the exact cost and frees the hold. Once. */
  settle(cost: NanoUsd): void;
}

/** The budget that can't bear a hold. */
export interface Shortfall {
  scope: Scope;
  budget: Budget;
  /** Absent where the amount is more than the whole budget, so that waiting doesn't help. */
  waitMs?: number;
}

/** A step that a budget has reached, told once in each window. */
export interface BudgetNotice {
  /** `tenant:retail`, … */
  scope: string;
  per: BudgetWindow;
  /** Percentage of the budget; 100 where it is spent. */
  at: number;
  amount: NanoUsd;
  spent: NanoUsd;
  do: "warn" | "degrade" | "block";
}

export interface BudgetState {
  scope: string;
  per: BudgetWindow;
  amount: NanoUsd;
  spent: NanoUsd;
  held: NanoUsd;
  level: BudgetLevel;
  /** Wall time at which the window ends. */
  endsAtMs: number;
}

/** A live owner settles long before: serve gives up at its deadline. */
const usualLeaseMs = 10 * 60_000;
const expireEveryMs = 1000;

export class MoneyBook {
  readonly #clock: Clock;
  readonly #onNotice: (notice: BudgetNotice) => void;
  readonly #calendar = new Calendar();
  readonly #accounts = new Map<string, Account>();
  readonly #lists = new WeakMap<readonly Scope[], Account[]>();
  readonly #open = new Set<Hold>();
  #sweep: Iterator<Account> = this.#accounts.values();
  #held = 0;
  #expired = 0;
  #expireAt = 0;

  /** `onNotice` hears once in each window of a budget that a step of it, or its end, is reached. */
  constructor(clock: Clock, onNotice: (notice: BudgetNotice) => void = () => {}) {
    this.#clock = clock;
    this.#onNotice = onNotice;
    this.#calendar.turn(clock.now());
  }

  /**
   * Holds `worstCase` in every scope, or nothing at all. After `leaseMs` the hold of an owner that vanished is freed;
   * one that settles later nevertheless is booked, for the money is spent.
   */
  hold(scopes: Scopes, worstCase: NanoUsd, leaseMs = usualLeaseMs): MoneyHold | Shortfall {
    this.#calendar.turn(this.#clock.now());
    if (this.#clock.monotonic() >= this.#expireAt) this.#expire();
    const short = this.#shortfall(scopes, worstCase);
    if (short) return short;
    const { hour } = this.#calendar;
    for (const account of this.#accountsOf(scopes.all)) account.add(hour, 0, worstCase);
    this.#held += worstCase;
    const hold = new Hold(worstCase, hour, this.#clock.monotonic() + leaseMs, scopes, this.#settle);
    this.#open.add(hold);
    return hold;
  }

  /** How far the fullest budget is spent. What is held doesn't count: worst cases of running calls would cry wolf. */
  levelOf(scopes: Scopes): BudgetLevel {
    if (scopes.budgeted.length === 0) return "ok";
    this.#calendar.turn(this.#clock.now());
    const accounts = this.#accountsOf(scopes.budgeted);
    let highest = 0;
    for (let i = 0; i < accounts.length; i++)
      for (const budget of scopes.budgeted[i]!.budgets)
        highest = Math.max(highest, levels.indexOf(levelIn(budget, accounts[i]!.in(budget.per).spent)));
    return levels[highest]!;
  }

  /** Restores what the journal says was spent on attempts that began at `atMs`; the hour counts, not the minute. */
  restore(scope: string, atMs: number, spent: NanoUsd): void {
    this.#calendar.turn(this.#clock.now());
    this.#account(scope).add(Math.floor(atMs / hourMs), spent, 0);
  }

  /** First instants of the current windows, oldest first, epoch milliseconds: what `restore` has to be told from. */
  windowStartsMs(): readonly number[] {
    const now = this.#clock.now();
    const starts = (["month", "week", "day", "hour"] as const).map((per) => windowStartMs(per, now));
    return [...new Set(starts)].sort((a, b) => a - b);
  }

  /** Every budget of these scopes as it stands now. */
  statesOf(scopes: readonly Scope[]): BudgetState[] {
    this.#calendar.turn(this.#clock.now());
    return scopes.flatMap(({ name, budgets }) =>
      budgets.map((budget): BudgetState => {
        const { spent, held } = this.#accounts.get(name)?.in(budget.per) ?? { spent: 0, held: 0 };
        return {
          scope: name,
          per: budget.per,
          amount: budget.nanoUsd,
          spent: nanoUsd(spent),
          held: nanoUsd(held),
          level: levelIn(budget, spent),
          endsAtMs: this.#calendar.endMs(budget.per),
        };
      }),
    );
  }

  /** What a tenant has spent and holds in the current window. */
  totals(tenant: string, per: BudgetWindow = "month"): { spent: NanoUsd; held: NanoUsd } {
    this.#calendar.turn(this.#clock.now());
    const { spent, held } = this.#accounts.get(scopeName.tenant(tenant))?.in(per) ?? { spent: 0, held: 0 };
    return { spent: nanoUsd(spent), held: nanoUsd(held) };
  }

  get held(): NanoUsd {
    return nanoUsd(this.#held);
  }

  /** Holds whose lease ran out, since the start: each is a fault of whoever held it. */
  get expired(): number {
    return this.#expired;
  }

  /** Scopes in memory: those that spent in a current window, or hold. */
  get size(): number {
    return this.#accounts.size;
  }

  #shortfall(scopes: Scopes, worstCase: number): Shortfall | undefined {
    // What costs nothing is served however much is spent.
    if (scopes.budgeted.length === 0 || worstCase === 0) return undefined;
    const accounts = this.#accountsOf(scopes.budgeted);
    let longest: Shortfall | undefined;
    for (let i = 0; i < accounts.length; i++)
      for (const budget of scopes.budgeted[i]!.budgets) {
        if (budget.atLimit === "warn") continue;
        const { spent, held } = accounts[i]!.in(budget.per);
        if (spent + held + worstCase <= budget.nanoUsd) continue;
        const short = this.#shortfallOf(scopes.budgeted[i]!, budget, spent, worstCase);
        if (!longest || (short.waitMs ?? Infinity) > (longest.waitMs ?? Infinity)) longest = short;
      }
    return longest;
  }

  #shortfallOf(scope: Scope, budget: Budget, spent: number, worstCase: number): Shortfall {
    if (worstCase > budget.nanoUsd) return { scope, budget };
    const leftMs = this.#calendar.endMs(budget.per) - this.#clock.now();
    // Where only running calls stand in the way, one of them may soon give back what it doesn't need.
    return { scope, budget, waitMs: spent + worstCase > budget.nanoUsd ? leftMs : Math.min(1000, leftMs) };
  }

  readonly #settle = (hold: Hold, cost: number): void => {
    this.#calendar.turn(this.#clock.now());
    const held = this.#open.delete(hold) ? hold.heldNanoUsd : 0;
    this.#held -= held;
    for (const account of this.#accountsOf(hold.scopes.all)) account.add(hold.hour, cost, -held);
    if (cost > 0) this.#tell(hold.scopes.budgeted);
  };

  #expire(): void {
    const now = this.#clock.monotonic();
    this.#expireAt = now + expireEveryMs;
    for (const hold of this.#open) {
      if (hold.leaseEndsAt > now) continue;
      this.#expired += 1;
      this.#settle(hold, 0);
    }
  }

  #tell(scopes: readonly Scope[]): void {
    const accounts = this.#accountsOf(scopes);
    for (let i = 0; i < scopes.length; i++)
      for (const budget of scopes[i]!.budgets) {
        const { spent } = accounts[i]!.in(budget.per);
        if (reached(budget, budget.steps?.[0]?.at ?? 100, spent)) this.#tellSteps(accounts[i]!, budget, spent);
      }
  }

  #tellSteps(account: Account, budget: Budget, spent: number): void {
    const { per, nanoUsd: amount } = budget;
    const start = windowStartMs(per, this.#calendar.nowMs);
    for (const step of [...(budget.steps ?? []), { at: 100, do: budget.atLimit ?? "block" }])
      if (reached(budget, step.at, spent) && account.tell(`${per} ${step.at} ${amount}`, start))
        this.#onNotice({ scope: account.name, per, at: step.at, amount, spent: nanoUsd(spent), do: step.do });
  }

  #accountsOf(scopes: readonly Scope[]): readonly Account[] {
    let accounts = this.#lists.get(scopes);
    if (!accounts || anyGone(accounts)) {
      // Twice as many looks as could come anew, and before: a new account is as empty as a forgotten one.
      for (let i = 0; i < 2 * scopes.length; i++) this.#forgetOne();
      accounts = scopes.map(({ name }) => this.#account(name));
      this.#lists.set(scopes, accounts);
    }
    return accounts;
  }

  #account(name: string): Account {
    const known = this.#accounts.get(name);
    if (known) return known;
    const account = new Account(name, this.#calendar);
    this.#accounts.set(name, account);
    return account;
  }

  /** Forgets the next account in turn if no current window knows of it. */
  #forgetOne(): void {
    const next = this.#sweep.next();
    if (next.done) {
      this.#sweep = this.#accounts.values();
      return;
    }
    if (!next.value.empty) return;
    next.value.gone = true;
    this.#accounts.delete(next.value.name);
  }
}

function anyGone(accounts: readonly Account[]): boolean {
  for (let i = 0; i < accounts.length; i++) if (accounts[i]!.gone) return true;
  return false;
}

class Hold implements MoneyHold {
  readonly heldNanoUsd: NanoUsd;
  /** Since the epoch: the hour in which it was taken. */
  readonly hour: number;
  /** Monotonic. */
  readonly leaseEndsAt: number;
  readonly scopes: Scopes;
  #settle: ((hold: Hold, cost: NanoUsd) => void) | undefined;

  constructor(
    held: NanoUsd,
    hour: number,
    leaseEndsAt: number,
    scopes: Scopes,
    settle: (hold: Hold, cost: NanoUsd) => void,
  ) {
    this.heldNanoUsd = held;
    this.hour = hour;
    this.leaseEndsAt = leaseEndsAt;
    this.scopes = scopes;
    this.#settle = settle;
  }
  settle(cost: NanoUsd): void {
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.(this, cost);
  }
}

const reached = ({ nanoUsd: amount }: Budget, percent: number, spent: number): boolean =>
  spent * 100 >= amount * percent;

function levelIn(budget: Budget, spent: number): BudgetLevel {
  if (spent >= budget.nanoUsd) return budget.atLimit === "warn" ? aboveWarning(budget) : "blocked";
  let level: BudgetLevel = "ok";
  for (const step of budget.steps ?? [])
    if (reached(budget, step.at, spent)) level = level === "degrade" ? level : step.do;
  return level;
}

const aboveWarning = ({ steps = [] }: Budget): BudgetLevel =>
  steps.some((step) => step.do === "degrade") ? "degrade" : "warn";
