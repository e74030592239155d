/** Accounts: who may operate this install, and how they come in. */
import type { Clock } from "../kernel/clock.ts";
import type { AdminMeta } from "../kernel/decision.ts";
import { type Refusal, refuse } from "../kernel/errors.ts";
import { newOperatorId } from "../kernel/ids.ts";
import type { ControlStores, Operator, Ticket } from "./port.ts";
import { isRole, type Role } from "./roles.ts";
import {
  hashPassword,
  isToken,
  maxPasswordLength,
  minPasswordLength,
  newToken,
  type ScryptCost,
  tokenHash,
} from "./secrets.ts";

export type Actor = AdminMeta["operator"];

/** An act that is journaled before it happens: record `act` durably, then `commit`. */
export interface Pending<T> {
  act: AdminMeta;
  commit(): Promise<T>;
}

export interface AccountOptions {
  stores: ControlStores;
  clock: Clock;
  cost: ScryptCost;
}

const invitationMs = 7 * 24 * 60 * 60_000;
const linkMs = 15 * 60_000;
const nameShape = /^[a-z0-9][a-z0-9._@-]{1,63}$/;

/** How a name is compared; `undefined` when it can be no operator's. */
export function normalName(text: string): string | undefined {
  const name = text.normalize("NFC").trim().toLowerCase();
  return nameShape.test(name) ? name : undefined;
}

export class Accounts {
  readonly #stores: ControlStores;
  readonly #clock: Clock;
  readonly #cost: ScryptCost;

  constructor({ stores, clock, cost }: AccountOptions) {
    this.#stores = stores;
    this.#clock = clock;
    this.#cost = cost;
  }

  list(): Promise<Operator[]> {
    return this.#stores.operators.all();
  }

  /** For a new operator, or to give an existing one new roles and a new password. Valid for seven days. */
  async invite(request: { name: string; roles: readonly string[] }, by: Actor): Promise<Pending<string> | Refusal> {
    const name = normalName(request.name);
    if (!name) return refuse("invalid_request", nameHelp, { param: "name" });
    const wanted = rolesOf(request.roles);
    if (!wanted) return refuse("invalid_request", rolesHelp, { param: "roles" });
    const token = newToken(this.#clock);
    const ticket: Ticket = {
      hash: tokenHash(token),
      kind: "invitation",
      name,
      roles: wanted,
      expires_at_ms: this.#clock.now() + invitationMs,
    };
    return {
      act: { act: "operator.invite", operator: by, on: `operator:${name}`, detail: { roles: wanted } },
      commit: async () => {
        await this.#stores.tickets.purge(this.#clock.now());
        await this.#stores.tickets.put(ticket);
        return token;
      },
    };
  }

  /** Spends the invitation at once; should recording then fail, the admin invites again. */
  async accept(request: { token: string; password: string }): Promise<Pending<Operator> | Refusal> {
    const weak = passwordProblem(request.password);
    if (weak) return refuse("invalid_request", weak, { param: "password" });
    const ticket = await this.#take("invitation", request.token);
    if (!ticket) return refuse("sign_in_failed", "This invitation is unknown, used or expired; ask for a new one.");
    const known = await this.#stores.operators.byName(ticket.name);
    const operator: Operator = {
      id: known?.id ?? newOperatorId(this.#clock),
      name: ticket.name,
      roles: ticket.roles ?? [],
      password_hash: await hashPassword(this.#clock, request.password, this.#cost),
      created_at_ms: known?.created_at_ms ?? this.#clock.now(),
    };
    return {
      act: actOf("operator.accept", operator, { roles: operator.roles }),
      commit: async () => {
        // Whoever knew the old password is out.
        await this.#stores.sessions.removeAllOf(operator.id);
        await this.#stores.operators.put(operator);
        return operator;
      },
    };
  }

  /** An operator without a password, for the example and for first links; keeps an existing one as it is. */
  async provision(
    request: { name: string; roles: readonly string[] },
    by: Actor,
  ): Promise<Pending<Operator> | Refusal> {
    const name = normalName(request.name);
    if (!name) return refuse("invalid_request", nameHelp, { param: "name" });
    const wanted = rolesOf(request.roles);
    if (!wanted) return refuse("invalid_request", rolesHelp, { param: "roles" });
    const operator: Operator = (await this.#stores.operators.byName(name)) ?? {
      id: newOperatorId(this.#clock),
      name,
      roles: wanted,
      created_at_ms: this.#clock.now(),
    };
    return {
      act: { act: "operator.provision", operator: by, on: `operator:${name}`, detail: { roles: operator.roles } },
      commit: async () => {
        await this.#stores.operators.put(operator);
        return operator;
      },
    };
  }

  /** A one-time sign-in token, valid for 15 minutes. */
  async createLink(operatorName: string, by: Actor): Promise<Pending<string> | Refusal> {
    const name = normalName(operatorName);
    const operator = name && (await this.#stores.operators.byName(name));
    if (!operator || operator.disabled_at_ms !== undefined)
      return refuse("not_found", "There is no such operator; invite them first.", { param: "name" });
    const token = newToken(this.#clock);
    const expires_at_ms = this.#clock.now() + linkMs;
    return {
      act: { act: "operator.link", operator: by, on: `operator:${operator.name}` },
      commit: async () => {
        await this.#stores.tickets.put({ hash: tokenHash(token), kind: "link", name: operator.name, expires_at_ms });
        return token;
      },
    };
  }

  /** No more sign-ins; every session ends at once. */
  async disable(operatorName: string, by: Actor): Promise<Pending<Operator> | Refusal> {
    const name = normalName(operatorName);
    const operator = name && (await this.#stores.operators.byName(name));
    if (!operator) return refuse("not_found", "There is no such operator.", { param: "name" });
    return {
      act: { act: "operator.disable", operator: by, on: `operator:${operator.name}` },
      commit: async () => {
        const disabled = { ...operator, disabled_at_ms: this.#clock.now() };
        await this.#stores.operators.put(disabled);
        await this.#stores.sessions.removeAllOf(operator.id);
        return disabled;
      },
    };
  }

  async #take(kind: Ticket["kind"], token: string): Promise<Ticket | undefined> {
    return takeTicket(this.#stores, this.#clock, kind, token);
  }
}

/** The ticket of this secret, if it was still good; it is spent in any case. */
export async function takeTicket(
  stores: Pick<ControlStores, "tickets">,
  clock: Clock,
  kind: Ticket["kind"],
  token: string,
): Promise<Ticket | undefined> {
  if (!isToken(token)) return undefined;
  const ticket = await stores.tickets.take(kind, tokenHash(token));
  return ticket && ticket.expires_at_ms > clock.now() ? ticket : undefined;
}

export const actOf = (act: string, operator: Operator, detail?: Record<string, unknown>): AdminMeta => ({
  act,
  operator: { id: operator.id, name: operator.name },
  on: `operator:${operator.name}`,
  ...(detail && { detail }),
});

function rolesOf(wanted: readonly string[]): Role[] | undefined {
  const known = [...new Set(wanted)].filter(isRole);
  return known.length > 0 && known.length === new Set(wanted).size ? known : undefined;
}

function passwordProblem(password: string): string | undefined {
  if (password.length < minPasswordLength) return `The password needs at least ${minPasswordLength} characters.`;
  if (password.length > maxPasswordLength) return `The password may have at most ${maxPasswordLength} characters.`;
  return undefined;
}

const nameHelp = "An operator's name is 2 to 64 of a-z, 0-9 and . _ @ -, beginning with a letter or digit.";
const rolesHelp = "Give at least one of viewer, operator, approver, reviewer, auditor, admin.";
