/**
 * Minting, rotating and revoking API keys. Each comes as a pending act: its caller journals it, then commits, except that
 * a revocation is committed first, because a leaked key must stop even when the journal's disk is full.
 */
import type { Clock } from "../../kernel/clock.ts";
import type { AdminMeta } from "../../kernel/decision.ts";
import { type Refusal, refuse } from "../../kernel/errors.ts";
import type { Environment, Principal } from "../../kernel/principal.ts";
import { makeApiKey, secretHmac } from "./api-key.ts";
import type { ApiKeyRecord, KeyStore } from "./port.ts";

export interface KeyAdminOptions {
  keys: KeyStore;
  clock: Clock;
  pepper: Uint8Array;
  environment: Environment;
}

export interface MintRequest {
  label: string;
  tenant: string;
  principal: Pick<Principal, "type" | "id">;
  use_cases: readonly string[];
  purposes?: readonly string[] | undefined;
  groups?: readonly string[] | undefined;
  expires_in_days?: number | undefined;
  /** Limits, budgets and class of this key alone; the tenant's and the use case's hold all the same. */
  bounds?: KeyBounds | undefined;
}

export type KeyBounds = Pick<
  ApiKeyRecord,
  "requests_per_minute" | "tokens_per_minute" | "concurrency" | "budgets" | "priority"
>;

/** `key` is the only place where the whole key ever is. */
export interface MintedKey {
  key: string;
  record: ApiKeyRecord;
}

export interface PendingKeyAct<T> {
  act: Omit<AdminMeta, "operator">;
  commit(): T;
}

const dayMs = 24 * 60 * 60_000;

export class KeyAdmin {
  readonly #options: KeyAdminOptions;

  constructor(options: KeyAdminOptions) {
    this.#options = options;
  }

  list(): ApiKeyRecord[] {
    return this.#options.keys.all();
  }

  mint(request: MintRequest): PendingKeyAct<MintedKey> {
    const now = this.#options.clock.now();
    const minted = this.#make({
      label: request.label,
      tenant: request.tenant,
      principal: request.principal,
      use_cases: [...request.use_cases],
      purposes: [...(request.purposes ?? [])],
      groups: [...(request.groups ?? [])],
      ...request.bounds,
      ...(request.expires_in_days !== undefined && { expires_at_ms: now + request.expires_in_days * dayMs }),
    });
    const { label, tenant, use_cases, expires_at_ms } = minted.record;
    return {
      act: {
        act: "key.mint",
        on: `key:${minted.record.id}`,
        detail: { label, tenant, use_cases, ...request.bounds, ...(expires_at_ms !== undefined && { expires_at_ms }) },
      },
      commit: () => {
        this.#options.keys.insert(minted.record);
        return minted;
      },
    };
  }

  /** A new key with the same rights; the old one works for `overlapMs` longer, never longer than it would have. */
  rotate(id: string, overlapMs: number): PendingKeyAct<MintedKey> | Refusal {
    const old = this.#working(id);
    if ("refused" in old) return old;
    const { clock, keys } = this.#options;
    const { id: _id, secret_hmac: _hmac, environment, created_at_ms, expires_at_ms, ...rights } = old;
    // A key with a term gets a full new one.
    const term = expires_at_ms === undefined ? undefined : expires_at_ms - created_at_ms;
    // A key stays in its environment, whichever process rotates it.
    const minted = this.#make(
      { ...rights, rotated_from: id, ...(term !== undefined && { expires_at_ms: clock.now() + term }) },
      environment,
    );
    const oldExpiresAtMs = Math.min(clock.now() + overlapMs, expires_at_ms ?? Infinity);
    return {
      act: { act: "key.rotate", on: `key:${id}`, detail: { to: minted.record.id, old_expires_at_ms: oldExpiresAtMs } },
      commit: () => {
        keys.insert(minted.record);
        keys.update(id, { expires_at_ms: oldExpiresAtMs });
        return minted;
      },
    };
  }

  /** For good; revoking it again keeps the first time. */
  revoke(id: string, reason: string): PendingKeyAct<ApiKeyRecord> | Refusal {
    const old = this.#find(id);
    if (!old) return unknown();
    const revoked = { ...old, revoked_at_ms: old.revoked_at_ms ?? this.#options.clock.now() };
    return {
      act: { act: "key.revoke", on: `key:${id}`, detail: { reason } },
      commit: () => {
        if (old.revoked_at_ms === undefined) this.#options.keys.update(id, { revoked_at_ms: revoked.revoked_at_ms });
        return revoked;
      },
    };
  }

  #make(
    rights: Omit<ApiKeyRecord, "id" | "secret_hmac" | "environment" | "created_at_ms">,
    environment = this.#options.environment,
  ): MintedKey {
    const { clock, pepper } = this.#options;
    const made = makeApiKey(clock, environment);
    const record: ApiKeyRecord = {
      ...rights,
      id: made.id,
      secret_hmac: secretHmac(pepper, made.secret),
      environment,
      created_at_ms: clock.now(),
    };
    return { key: made.text, record };
  }

  #find(id: string): ApiKeyRecord | undefined {
    return this.#options.keys.all().find((key) => key.id === id);
  }

  #working(id: string): ApiKeyRecord | Refusal {
    const key = this.#find(id);
    if (!key) return unknown();
    if (key.revoked_at_ms !== undefined) return refuse("invalid_request", "This key is revoked; mint a new one.");
    if (key.expires_at_ms !== undefined && key.expires_at_ms <= this.#options.clock.now())
      return refuse("invalid_request", "This key has expired; mint a new one.");
    return key;
  }
}

const unknown = (): Refusal => refuse("not_found", "There is no key with this id.", { param: "id" });
