/** Sessions of signed-in operators: 12 hours at most, one hour without use. */
import { timingSafeEqual } from "node:crypto";
import type { Clock } from "../kernel/clock.ts";
import type { ControlStores, Operator, StoredSession } from "./port.ts";
import { actOf, type Pending } from "./operators.ts";
import { isToken, newToken, tokenHash } from "./secrets.ts";

export const sessionMs = 12 * 60 * 60_000;
const idleMs = 60 * 60_000;
/** Use is written down at most this often. */
const touchMs = 60_000;

export interface Session {
  operator: Operator;
  csrf: string;
  method: string;
  /** Names the session in the store; not the token. */
  hash: string;
}

interface NewSession extends Session {
  /** For the cookie; kept nowhere. */
  token: string;
}

export class Sessions {
  readonly #stores: ControlStores;
  readonly #clock: Clock;

  constructor({ stores, clock }: { stores: ControlStores; clock: Clock }) {
    this.#stores = stores;
    this.#clock = clock;
  }

  /** For an operator whom an identity provider has vouched for. */
  start(operator: Operator, method: string): Pending<NewSession> {
    const token = newToken(this.#clock);
    const now = this.#clock.now();
    const stored: StoredSession = {
      hash: tokenHash(token),
      operator_id: operator.id,
      csrf: newToken(this.#clock),
      created_at_ms: now,
      used_at_ms: now,
      method,
    };
    return {
      act: actOf("session.start", operator, { method }),
      commit: async () => {
        await this.#stores.sessions.purge(now - sessionMs, now - idleMs);
        await this.#stores.sessions.insert(stored);
        return { token, operator, csrf: stored.csrf, method, hash: stored.hash };
      },
    };
  }

  /**
   * `undefined` when unknown, ended, expired, or its operator is disabled. Roles are those of now. `look` does not count
   * as use: an open live view alone keeps nobody signed in.
   */
  async find(token: string, as: "use" | "look" = "use"): Promise<Session | undefined> {
    if (!isToken(token)) return undefined;
    const stored = await this.#stores.sessions.byHash(tokenHash(token));
    if (!stored) return undefined;
    const now = this.#clock.now();
    if (now >= stored.created_at_ms + sessionMs || now >= stored.used_at_ms + idleMs) {
      await this.#stores.sessions.remove(stored.hash);
      return undefined;
    }
    const operator = await this.#stores.operators.byId(stored.operator_id);
    if (!operator || operator.disabled_at_ms !== undefined) return undefined;
    if (as === "use" && now - stored.used_at_ms >= touchMs) await this.#stores.sessions.touch(stored.hash, now);
    return { operator, csrf: stored.csrf, method: stored.method, hash: stored.hash };
  }

  end(session: Session): Pending<void> {
    return {
      act: actOf("session.end", session.operator),
      commit: () => this.#stores.sessions.remove(session.hash),
    };
  }

  /** Ends every session of an operator; answers how many there were. */
  endAll(operator: Operator, by: Pending<void>["act"]["operator"]): Pending<number> {
    return {
      act: { act: "session.end_all", operator: by, on: `operator:${operator.name}` },
      commit: () => this.#stores.sessions.removeAllOf(operator.id),
    };
  }
}

/** In constant time. */
export function isCsrf(session: Session, sent: string | undefined): boolean {
  const expected = Buffer.from(session.csrf);
  const given = Buffer.from(sent ?? "");
  return expected.length === given.length && timingSafeEqual(expected, given);
}
