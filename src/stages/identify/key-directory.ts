import type { Clock } from "../../kernel/clock.ts";
import { type Refusal, refuse } from "../../kernel/errors.ts";
import type { Environment, Principal } from "../../kernel/principal.ts";
import { parseApiKey, sameHmac, secretHmac } from "./api-key.ts";
import type { ApiKeyRecord, KeyStore } from "./port.ts";

interface Entry {
  record: ApiKeyRecord;
  principal: Principal;
}

const mostVerified = 10_000;

/**
 * All keys in memory, refreshed when the store's version changes. The live overlay: a key revoked anywhere stops
 * working here within `refreshEveryMs`, also in the middle of a stream (serve asks `isLive` before each attempt).
 */
export class KeyDirectory {
  readonly #store: KeyStore;
  readonly #pepper: Uint8Array;
  readonly #environment: Environment;
  readonly #clock: Clock;
  #entries = new Map<string, Entry>();
  /** Credentials whose secret was checked since the last refresh: the HMAC is computed once, not for each request. */
  readonly #verified = new Map<string, Entry>();
  #version: number | undefined;
  #stopWatching: (() => void) | undefined;

  constructor(options: { store: KeyStore; pepper: Uint8Array; environment: Environment; clock: Clock }) {
    this.#store = options.store;
    this.#pepper = options.pepper;
    this.#environment = options.environment;
    this.#clock = options.clock;
    this.refresh();
  }

  /** Reads the store again when anything changed. */
  refresh(): void {
    const version = this.#store.version();
    if (version === this.#version) return;
    this.#entries = new Map(
      this.#store.all().map((record) => [record.id, { record, principal: principalOf(record) }] as const),
    );
    this.#version = version;
    this.#verified.clear();
  }

  /** Refreshes five times a second until stopped; a store that can't be read keeps the keys known so far and reports. */
  watch(report: (fault: unknown) => void, refreshEveryMs = 200): void {
    const tick = () => {
      try {
        this.refresh();
      } catch (fault) {
        report(fault);
      }
      this.#stopWatching = this.#clock.after(refreshEveryMs, tick);
    };
    tick();
  }

  stop(): void {
    this.#stopWatching?.();
  }

  identify(credential: string | undefined): Principal | Refusal {
    if (!credential) return refuse("unauthenticated");
    const known = this.#verified.get(credential);
    if (known) return this.#refusalOf(known.record) ?? known.principal;
    const parsed = parseApiKey(credential);
    if (!parsed) return refuse("invalid_key", "The API key is malformed or was not copied whole.");
    const entry = this.#entries.get(parsed.id);
    // The same words for an unknown id and a wrong secret: ids can't be probed.
    if (!entry || !sameHmac(entry.record.secret_hmac, secretHmac(this.#pepper, parsed.secret)))
      return refuse("invalid_key");
    if (entry.record.environment !== this.#environment)
      return refuse(
        "wrong_environment",
        `This key belongs to the environment "${entry.record.environment}"; this server runs "${this.#environment}".`,
      );
    if (this.#verified.size >= mostVerified) this.#verified.clear();
    this.#verified.set(credential, entry);
    return this.#refusalOf(entry.record) ?? entry.principal;
  }

  /** Whether a credential that was identified before still holds. */
  isLive(keyId: string): Refusal | undefined {
    const entry = this.#entries.get(keyId);
    return entry ? this.#refusalOf(entry.record) : refuse("revoked_key");
  }

  #refusalOf(record: ApiKeyRecord): Refusal | undefined {
    if (record.revoked_at_ms !== undefined) return refuse("revoked_key");
    if (record.expires_at_ms !== undefined && record.expires_at_ms <= this.#clock.now()) return refuse("expired_key");
    return undefined;
  }
}

function principalOf(record: ApiKeyRecord): Principal {
  return {
    type: record.principal.type,
    id: record.principal.id,
    credential: record.id,
    tenant: record.tenant,
    environment: record.environment,
    use_cases: record.use_cases,
    purposes: record.purposes,
    groups: record.groups,
    ...(record.requests_per_minute !== undefined && { requests_per_minute: record.requests_per_minute }),
    ...(record.tokens_per_minute !== undefined && { tokens_per_minute: record.tokens_per_minute }),
    ...(record.concurrency !== undefined && { concurrency: record.concurrency }),
    ...(record.budgets !== undefined && { budgets: record.budgets }),
    ...(record.priority !== undefined && { priority: record.priority }),
  };
}
