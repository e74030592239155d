import type { Environment, Principal } from "../../kernel/principal.ts";

/** A minted API key. The secret itself is never stored: only its HMAC under the install's pepper. */
export interface ApiKeyRecord {
  /** Public part, e.g. `k7f3q2m9` (12 characters of base 32). */
  id: string;
  /** HMAC-SHA256(pepper, secret), hex. */
  secret_hmac: string;
  label: string;
  tenant: string;
  environment: Environment;
  principal: Pick<Principal, "type" | "id">;
  use_cases: string[];
  purposes: string[];
  groups: string[];
  requests_per_minute?: number;
  tokens_per_minute?: number;
  concurrency?: number;
  budgets?: NonNullable<Principal["budgets"]>;
  priority?: NonNullable<Principal["priority"]>;
  created_at_ms: number;
  expires_at_ms?: number;
  revoked_at_ms?: number;
  /** The key that this one replaces; the old one keeps working until its own `expires_at_ms` (rotation overlap). */
  rotated_from?: string;
}

/** Small, read whole into memory; never on the request path. */
export interface KeyStore {
  all(): ApiKeyRecord[];
  insert(record: ApiKeyRecord): void;
  update(id: string, change: Pick<ApiKeyRecord, "expires_at_ms"> | Pick<ApiKeyRecord, "revoked_at_ms">): void;
  /** Differs from the value before whenever any process changed any key; cheap enough to ask five times a second. */
  version(): number;
}
