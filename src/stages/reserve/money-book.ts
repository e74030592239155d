/**
 * Budgets per tenant and window: what is spent plus what is held never exceeds the limit of a `block` budget.
 * A hold is taken at an attempt's worst-case price and settled at its exact cost.
 */
import type { Clock } from "../../kernel/clock.ts";
import { type NanoUsd, nanoUsd } from "../../kernel/money.ts";
import type { TenantPolicy } from "../../kernel/snapshot.ts";

interface Account {
  window: string;
  spent: number;
  held: number;
  warned: boolean;
}

export interface MoneyHold {
  readonly heldNanoUsd: NanoUsd;
  /** Books the exact cost and frees the hold. Once. */
  settle(cost: NanoUsd): void;
}

export class MoneyBook {
  readonly #clock: Clock;
  readonly #onOverrun: (tenant: TenantPolicy) => void;
  readonly #accounts = new Map<string, Account>();

  /** `onOverrun` hears once in each window of a `warn` budget that it is passed. */
  constructor(clock: Clock, onOverrun: (tenant: TenantPolicy) => void = () => {}) {
    this.#clock = clock;
    this.#onOverrun = onOverrun;
  }

  /** `undefined` when the worst case does not fit into the tenant's budget. */
  hold(tenant: TenantPolicy, worstCase: NanoUsd): MoneyHold | undefined {
    const account = this.#account(tenant.name, tenant.budget?.per ?? "month");
    const { budget } = tenant;
    if (budget && account.spent + account.held + worstCase > budget.nanoUsd) {
      if (budget.atLimit === "block") return undefined;
      if (!account.warned) this.#onOverrun(tenant);
      account.warned = true;
    }
    account.held += worstCase;
    let open = true;
    return {
      heldNanoUsd: worstCase,
      settle: (cost) => {
        if (!open) return;
        open = false;
        account.held -= worstCase;
        account.spent += cost;
      },
    };
  }

  /** Restores what the journal says was spent in the current window. */
  restore(tenant: TenantPolicy, spent: NanoUsd): void {
    this.#account(tenant.name, tenant.budget?.per ?? "month").spent += spent;
  }

  /** First instant of the tenant's current budget window, epoch milliseconds. */
  windowStartMs(per: "day" | "month"): number {
    const now = new Date(this.#clock.now());
    return Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), per === "day" ? now.getUTCDate() : 1);
  }

  totals(tenant: string): { spent: NanoUsd; held: NanoUsd } {
    const account = this.#accounts.get(tenant);
    return { spent: nanoUsd(account?.spent ?? 0), held: nanoUsd(account?.held ?? 0) };
  }

  get held(): NanoUsd {
    let sum = 0;
    for (const account of this.#accounts.values()) sum += account.held;
    return nanoUsd(sum);
  }

  #account(tenant: string, per: "day" | "month"): Account {
    const window = `${per}:${this.windowStartMs(per)}`;
    let account = this.#accounts.get(tenant);
    if (!account) this.#accounts.set(tenant, (account = { window, spent: 0, held: 0, warned: false }));
    // Holds outlive the window in which they were taken; spending starts anew.
    if (account.window !== window) Object.assign(account, { window, spent: 0, warned: false });
    return account;
  }
}
