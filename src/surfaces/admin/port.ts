/** What the admin surface needs from the rest of the house; `assemble.ts` brings it together. */
import type { Clock } from "../../kernel/clock.ts";
import type { AdminMeta, SettledContent } from "../../kernel/decision.ts";
import type { Environment } from "../../kernel/principal.ts";
import type { Snapshot } from "../../kernel/snapshot.ts";
import type { Accounts, IdentityProvider, PasswordProof, Passkeys, Sessions } from "../../operators/index.ts";
import type { DecisionIndex, IndexedDecision } from "../../projection/index.ts";
import type { KeyAdmin } from "../../stages/identify/index.ts";

export interface AdminDeps {
  clock: Clock;
  /** Operators' faults and ours, without personal data. */
  log: (message: string) => void;
  about: { environment: Environment; install: string; version: string; example: boolean };
  /** Aborted when the server begins to stop: open live views end then, or they would hold it up. */
  stopping?: AbortSignal;
  /** Where the console is reached, e.g. `https://weir.bank.example`; the first makes links and cookie flags. */
  origins: readonly [string, ...string[]];
  index: DecisionIndex;
  /** Writes the `admin` entry; resolves when it is durable, rejects with `record_unavailable`. */
  record(act: AdminMeta): Promise<void>;
  accounts: Accounts;
  sessions: Sessions;
  passwords: IdentityProvider<PasswordProof>;
  links: IdentityProvider<{ token: string }>;
  passkeys: Passkeys;
  keys: KeyAdmin;
  snapshot(): { snapshot: Snapshot; appliedAtMs: number; appliedBy: string };
  ledger(): Promise<LedgerInfo>;
  content: ContentOpener;
  /** A proof bundle for one decision; `undefined` while no checkpoint covers its last entry. */
  proof(decision: IndexedDecision, withContent: boolean): Promise<object | undefined>;
}

export interface LedgerInfo {
  nodes: { node: string; entries: number; writable: boolean; checkpoint?: { size: number; at_ms: number } }[];
  /** Verifier key of the log's checkpoints. */
  public_key: string;
}

export interface ContentOpener {
  /** Whether `open` would answer content. */
  available(decision: IndexedDecision): Promise<boolean>;
  /** Decrypts. The surface has checked the role and journaled the act before it calls this. */
  open(decision: IndexedDecision): Promise<SettledContent | "erased" | "not_recorded">;
}
