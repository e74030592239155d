/** The words of the ledger. Fields that are stored are snake_case; metadata is JSON that the ledger never interprets. */
import type { DecisionId } from "../kernel/ids.ts";

export type EntryKind = "begun" | "attempt" | "settled" | "amended" | "admin";
export const entryKinds: readonly EntryKind[] = ["begun", "attempt", "settled", "amended", "admin"];

/** Which key seals content: the subject's (a keyed pseudonym) where one is known, else the tenant's key of that UTC day. */
export interface ContentKey {
  tenant: string;
  subject?: string;
}

export interface EntryDraft {
  kind: EntryKind;
  tenant: string;
  decision?: DecisionId;
  /** JSON, serialised once while `append` runs: later changes of the object have no effect. */
  meta: object;
  /** JSON, sealed under `key`; the entry itself carries only a reference. */
  content?: { key: ContentKey; value: unknown };
}

export interface Appended {
  seq: number;
  /**
   * Resolves when this entry is on disk; rejects with `record_unavailable` when the journal closed without it. With
   * `failFast` also as soon as the disk refuses a write: the entry stays queued and is written later all the same.
   */
  durable(options?: { failFast?: boolean }): Promise<void>;
}

/** Where an entry's content lies and what it must be, without revealing it. Digests are lower-case hex. */
export interface ContentRef {
  /** SHA-256 of the sealed frame that holds it. */
  batch: string;
  /** Of the salt within the opened frame, in bytes; 16 bytes of salt, then `length` bytes of JSON. */
  offset: number;
  length: number;
  /** HMAC-SHA256(salt, JSON bytes). */
  mac: string;
  /** Id of the content key. */
  key: string;
}

export interface Entry {
  node: string;
  /** From 0; also the leaf's index in the node's tree. */
  seq: number;
  at_ms: number;
  kind: EntryKind;
  tenant: string;
  /** From 0 for each tenant on this node: a missing entry leaves a gap. */
  tenant_seq: number;
  decision?: DecisionId;
  meta: Record<string, unknown>;
  content?: ContentRef;
}

/** Where an entry lies. JSON-serialisable; `seq` is the entry's own, offset that of the batch frame in its segment. */
export interface Position {
  segment: number;
  offset: number;
  seq: number;
}

/** An entry with what is needed to open or prove it. The bytes are views: copy them to keep them. */
export interface StoredEntry {
  entry: Entry;
  position: Position;
  /** The exact metadata that the leaf commits to. */
  bytes: Uint8Array;
  /** The sealed frame that `entry.content` points into. */
  sealed?: Uint8Array;
}

export interface OpenEntry {
  seq: number;
  at_ms: number;
  kind: EntryKind;
  meta: Record<string, unknown>;
}

/** A decision that was begun and never settled when the journal was opened: someone has to settle it. */
export interface OpenDecision {
  decision: DecisionId;
  tenant: string;
  /** `begun` first, then its attempts. */
  entries: OpenEntry[];
}

export interface JournalHealth {
  writable: boolean;
  queuedBytes: number;
  /** The queue holds more than it may: only entries of decisions that have already begun are taken. */
  full: boolean;
  lastError?: string;
  /** Durable entries. */
  entries: number;
  checkpoint?: { size: number; atMs: number };
  sinks: { name: string; size: number; error?: string }[];
}

export interface Journal {
  readonly node: string;
  /**
   * Takes the entry in order and returns at once. Throws `record_unavailable` when closed, or when full and the entry
   * belongs to no begun decision; `ledger_invalid` when it can't be JSON.
   */
  append(draft: EntryDraft): Appended;
  /** `health().full` and `health().writable`, for whoever asks on each request. */
  readonly full: boolean;
  readonly writable: boolean;
  health(): JournalHealth;
  /** Begun, durable, not settled: right after opening, those that a crash interrupted. */
  openDecisions(): OpenDecision[];
  /** Resolves when everything appended so far is on disk. */
  flush(): Promise<void>;
  /** Publishes a checkpoint of everything durable now; rejects when the store or a sink refuses it. */
  checkpoint(): Promise<void>;
  /** Writes what is queued, seals it with a last checkpoint and gives the node up. */
  close(): Promise<void>;
}

/** Wraps the ring's root secret; a file for the example, a KMS or Vault elsewhere. */
export interface KekPort {
  /** Names the key-encryption key, not a secret. */
  readonly id: string;
  wrap(secret: Uint8Array): Promise<Uint8Array>;
  /** Rejects when the bytes were wrapped by another key or changed. */
  unwrap(wrapped: Uint8Array): Promise<Uint8Array>;
}

export interface HeldKey {
  id: string;
  /** 32 bytes. */
  secret: Uint8Array;
}

export interface KeyRing {
  /** The key for new content, made when absent; content sealed with it may be written only after `persist`. */
  keyFor(key: ContentKey, atMs: number): HeldKey;
  /** Makes new keys durable; no I/O when there are none, but for the first call, which needs the node's lock. */
  persist(): Promise<void>;
  /** "erased" after `destroy`; undefined when no such key is known. */
  find(keyId: string): Promise<Uint8Array | "erased" | undefined>;
  /** The live keys of a subject (one per node that wrote about it). */
  keysOf(key: Required<ContentKey>): Promise<string[]>;
  /** Erases a key and with it all content under it; a tombstone remains. Rejects when another running node owns it. */
  destroy(keyId: string): Promise<void>;
  /** 26 characters of base 32, the same for the same subject of the same tenant, meaningless without the ring. */
  pseudonym(tenant: string, subjectRef: string): string;
  close(): Promise<void>;
}

export interface Signer {
  /** Names the installation; part of the log's origin `weir/<install>/<node>`. */
  readonly install: string;
  /** Raw Ed25519 public key, 32 bytes. */
  readonly publicKey: Uint8Array;
  sign(message: Uint8Array): Uint8Array;
}

/** A place outside the data directory that keeps every checkpoint it is given. */
export interface CheckpointSink {
  readonly name: string;
  /** Resolves when the note is kept for good. */
  publish(checkpoint: { origin: string; size: number; note: string }): Promise<void>;
  /** The last note it holds of this log, where it can tell: a journal that is behind it does not start. */
  latest?(origin: string): Promise<string | undefined>;
}
