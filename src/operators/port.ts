/**
 * What the stores keep about operators. Secrets are kept as hashes only: a copy of the store signs nobody in. Times are
 * milliseconds since the Unix epoch. All methods reject when the store cannot be read or written.
 */
import type { OperatorId } from "../kernel/ids.ts";
import type { Role } from "./roles.ts";

export interface Operator {
  id: OperatorId;
  /** Unique, lower case. */
  name: string;
  roles: Role[];
  /** `scrypt$…`; absent while only links or passkeys sign this operator in. */
  password_hash?: string;
  created_at_ms: number;
  /** Set: signs in no more, and its sessions are dead. */
  disabled_at_ms?: number;
}

export interface OperatorStore {
  all(): Promise<Operator[]>;
  byId(id: string): Promise<Operator | undefined>;
  byName(name: string): Promise<Operator | undefined>;
  /** Inserts, or replaces the one with this id. Rejects when another operator has the name. */
  put(operator: Operator): Promise<void>;
}

/** Something that works once: an invitation, a sign-in link, a WebAuthn challenge of either ceremony. */
export interface Ticket {
  /** SHA-256 of the secret, hex. */
  hash: string;
  kind: "invitation" | "link" | "registration" | "authentication";
  /** The name of the operator concerned. */
  name: string;
  /** For an invitation. */
  roles?: Role[];
  expires_at_ms: number;
}

export interface TicketStore {
  put(ticket: Ticket): Promise<void>;
  /** Removes it and answers it, atomically: of two callers one gets it. Also answers expired ones. */
  take(kind: Ticket["kind"], hash: string): Promise<Ticket | undefined>;
  /** Removes what expired before `nowMs`. */
  purge(nowMs: number): Promise<void>;
}

export interface StoredSession {
  /** SHA-256 of the token, hex. */
  hash: string;
  operator_id: OperatorId;
  csrf: string;
  created_at_ms: number;
  used_at_ms: number;
  /** How the operator proved who they are. */
  method: string;
}

export interface SessionStore {
  insert(session: StoredSession): Promise<void>;
  byHash(hash: string): Promise<StoredSession | undefined>;
  touch(hash: string, usedAtMs: number): Promise<void>;
  remove(hash: string): Promise<void>;
  /** Answers how many there were. */
  removeAllOf(operatorId: string): Promise<number>;
  /** Removes those created, or last used, before these times. */
  purge(createdBeforeMs: number, usedBeforeMs: number): Promise<void>;
}

export interface Passkey {
  /** Credential id, base64url. */
  id: string;
  operator_id: OperatorId;
  /** COSE key, base64url. */
  public_key: string;
  /** Signature counter; 0 for authenticators that do not count. */
  counter: number;
  transports: string[];
  created_at_ms: number;
}

export interface PasskeyStore {
  /** Rejects when the credential is known already. */
  insert(passkey: Passkey): Promise<void>;
  byId(id: string): Promise<Passkey | undefined>;
  of(operatorId: string): Promise<Passkey[]>;
  setCounter(id: string, counter: number): Promise<void>;
}

export interface ControlStores {
  operators: OperatorStore;
  tickets: TicketStore;
  sessions: SessionStore;
  passkeys: PasskeyStore;
}
