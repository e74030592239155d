/** What the admin surface needs from the rest of the house; `assemble.ts` brings it together. */
import type { Clock } from "../../kernel/clock.ts";
import type { ChatRequest } from "../../kernel/chat.ts";
import type { AdminMeta, CascadeFigures, SettledContent } from "../../kernel/decision.ts";
import type { Refusal } from "../../kernel/errors.ts";
import type { Environment } from "../../kernel/principal.ts";
import type {
  Budget,
  Limits,
  Model,
  PriorityClass,
  Snapshot,
  TenantPolicy,
  UseCase,
  VendorTarget,
} from "../../kernel/snapshot.ts";
import type { Accounts, IdentityProvider, Passkey, PasswordProof, Passkeys, Sessions } from "../../operators/index.ts";
import type { Decision } from "../../path/context.ts";
import type { DecisionIndex, IndexedDecision } from "../../projection/index.ts";
import type { KeyAdmin } from "../../stages/identify/index.ts";
import type { OverrideAdmin } from "../../stages/route/index.ts";
import type { TargetState } from "../../stages/serve/health/port.ts";

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
  operations: Operations;
  overrides: Pick<OverrideAdmin, "list" | "override" | "clear">;
  passkeyList: PasskeyList;
}

interface PasskeyList {
  of(operatorId: string): Promise<Passkey[]>;
  byId(id: string): Promise<Passkey | undefined>;
  remove(id: string): Promise<void>;
}

/** What runs now. */
export interface Operations {
  targetState(target: string, vendor: VendorTarget): TargetState;
  keysOf(vendor: VendorTarget): readonly { id: string; state: "live" | "cooling" | "dead"; forMs?: number }[];
  /** Why a model of this process is not loaded. */
  loadFault(model: Extract<Model, { type: "runtime" }>): string | undefined;
  capacity(): readonly TargetRoom[];
  cascadesOf(useCase: string): readonly ({ rung: number; model: string } & CascadeFigures)[];
  /** As a decision would be routed now; counts for nothing and changes nothing. */
  route(d: Decision): Refusal | undefined;
  countTokens(useCase: UseCase, request: ChatRequest): number;
  budgetLevel(tenant: TenantPolicy, useCase: UseCase): NonNullable<Decision["budgetLevel"]>;
  /** Every scope with a limit or a budget. */
  scopes(): readonly ScopeFacts[];
  budgetsOf(scopes: readonly ScopeFacts[]): readonly BudgetFacts[];
  running(): number;
  heldNanoUsd(): number;
  /** Absent where the limits don't tell how full they are; the answers say so. */
  limitLevels?(scopes: readonly ScopeFacts[]): readonly LimitLevel[];
  cache: CachePort;
  alerts(): readonly AlertFacts[];
  /** An override was made or cleared. */
  overridesChanged(): void;
}

export interface TargetRoom {
  target: string;
  limit: number;
  running: number;
  waiting: Record<PriorityClass, number>;
}

export interface ScopeFacts {
  level: "tenant" | "use" | "principal" | "key";
  name: string;
  limits: Limits;
  budgets: readonly Budget[];
}

interface BudgetFacts {
  scope: string;
  per: Budget["per"];
  amount: number;
  spent: number;
  held: number;
  level: "ok" | "warn" | "degrade" | "blocked";
  endsAtMs: number;
}

/** How full the buckets of a scope are; `waitMs` until one more request, or one more token, is let in. */
export interface LimitLevel {
  scope: string;
  requests?: { left: number; waitMs: number };
  tokens?: { left: number; waitMs: number };
  running: number;
}

interface CachePort {
  figures(): { entries: number; bytes: number; hits: number; misses: number; savedNanoUsd: number };
  /** How many answers were dropped. */
  invalidate(filter: { tenant?: string; useCase?: string; tag?: string }): number;
}

export interface AlertFacts {
  fingerprint: string;
  rule: string;
  severity: "info" | "warning" | "critical";
  state: "firing" | "resolved";
  silenced: boolean;
  labels: Readonly<Record<string, string>>;
  summary: string;
  value?: number;
  threshold?: number;
  sinceMs: number;
  resolvedMs?: number;
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
