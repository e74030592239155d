/**
 * Ways to prove who one is. Each is an `IdentityProvider`; the session that follows is the same for all of them, so that
 * OIDC is one more provider and nothing else.
 */
import type { Clock } from "../kernel/clock.ts";
import { isRefusal, type Refusal, refuse } from "../kernel/errors.ts";
import { GuessingBackOff } from "./guessing.ts";
import { normalName, takeTicket } from "./operators.ts";
import type { ControlStores, Operator } from "./port.ts";
import { checkPassword, type ScryptCost } from "./secrets.ts";

export interface IdentityProvider<Proof> {
  /** Recorded with the session and its journal entry, e.g. `password`. */
  readonly method: string;
  /** Refuses with `sign_in_failed` (never saying which part was wrong) or `rate_limited`. */
  identify(proof: Proof): Promise<Operator | Refusal>;
}

export interface PasswordProof {
  name: string;
  password: string;
  /** The client's network address; guesses are slowed down by it. */
  address: string;
}

interface ProviderOptions {
  stores: ControlStores;
  clock: Clock;
}

/** At most two derivations (32 MiB each) at a time; the rest wait, and beyond this many are turned away. */
const parallelChecks = 2;
const maxWaiting = 32;

export function passwordProvider({
  stores,
  clock,
  cost,
}: ProviderOptions & { cost: ScryptCost }): IdentityProvider<PasswordProof> {
  const backOff = new GuessingBackOff(clock);
  const gate = new Gate(parallelChecks, maxWaiting);
  return {
    method: "password",
    async identify({ name: text, password, address }) {
      const name = normalName(text) ?? "";
      const retryAfterMs = backOff.waitMs(name, address);
      if (retryAfterMs > 0)
        return refuse("rate_limited", "Too many failed sign-ins; wait and try again.", { retryAfterMs });
      backOff.begin(name, address);
      const operator = await stores.operators.byName(name);
      const usable = operator?.disabled_at_ms === undefined ? operator : undefined;
      const right = await gate.run(() => checkPassword(password, usable?.password_hash, cost));
      if (isRefusal(right)) return right;
      if (!right || !usable) return refuse("sign_in_failed");
      backOff.succeed(name, address);
      return usable;
    },
  };
}

/** One-time links: the token is spent whether or not the rest succeeds. */
export function linkProvider({ stores, clock }: ProviderOptions): IdentityProvider<{ token: string }> {
  return {
    method: "link",
    async identify({ token }) {
      const ticket = await takeTicket(stores, clock, "link", token);
      const operator = ticket && (await stores.operators.byName(ticket.name));
      if (!operator || operator.disabled_at_ms !== undefined)
        return refuse("sign_in_failed", "This link is unknown, used or expired; ask for a new one.");
      return operator;
    },
  };
}

class Gate {
  readonly #places: number;
  readonly #maxWaiting: number;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(places: number, waiting: number) {
    this.#places = places;
    this.#maxWaiting = waiting;
  }
  async run<T>(act: () => Promise<T>): Promise<T | Refusal> {
    if (this.#running >= this.#places) {
      if (this.#waiting.length >= this.#maxWaiting)
        return refuse("rate_limited", "Too many sign-ins at once; try again.", { retryAfterMs: 1_000 });
      // The place is handed over, so nobody overtakes.
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#running++;
    try {
      return await act();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running--;
    }
  }
}
