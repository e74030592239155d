/** What a request brings, what accumulates on the way, and what comes out. */
import type { ChatEvent, ChatRequest, ChatResponse, DialectName } from "../kernel/chat.ts";
import type { Clock } from "../kernel/clock.ts";
import type {
  AttemptMeta,
  DataClass,
  DecisionKind,
  FeatureValue,
  GuardVerdict,
  Reason,
  RouteReason,
  SettledMeta,
  StageName,
} from "../kernel/decision.ts";
import type { Refusal } from "../kernel/errors.ts";
import type { DecisionId } from "../kernel/ids.ts";
import type { NanoUsd } from "../kernel/money.ts";
import type { Principal } from "../kernel/principal.ts";
import type { Rung, Snapshot, TenantPolicy, UseCase } from "../kernel/snapshot.ts";
import type { TaskKind, TaskRequest, TaskResponse } from "../kernel/task.ts";
import type { Usage } from "../kernel/usage.ts";
import type { Passage } from "../retrieval/port.ts";
import type { Signal } from "../kernel/signal.ts";

/** One request as a surface hands it over. The body is read only once the caller is known. */
export interface Call {
  decision: DecisionId;
  surface: string;
  credential: string | undefined;
  context: CallContext;
  /** Wall time at which the request line was read. */
  startedAtMs: number;
  /** The same instant on the monotonic clock. */
  started: number;
  /** Aborts when the client goes away. */
  signal: Signal;
  read(): Promise<Ask | Refusal> | Ask | Refusal;
}

/** What headers say on every surface. They select what policy allows; they never carry configuration. */
export interface CallContext {
  subject?: string;
  purpose?: string;
  consent?: string;
  session?: string;
  idempotencyKey?: string;
  traceparent?: string;
  /** From cache-control: `refresh` (no-cache) wants a fresh answer, `bypass` (no-store) also none kept. */
  cache?: "refresh" | "bypass";
  synthetic?: boolean;
  /** A translation that would lose something is refused. */
  strict?: boolean;
  /** What kind of work it is, as conditions of rungs may ask. */
  task?: string;
  /** How soon the answer is needed. */
  latency?: "interactive" | "relaxed";
  /** It may be put together with others and answered later. */
  batchable?: boolean;
  /** It asks for the closest placement that conditions know. */
  restricted?: boolean;
}

export type Ask = ChatAsk | ScoreAsk | TaskAsk;
export interface ChatAsk {
  kind: "chat";
  useCase: string;
  request: ChatRequest;
  dialect: DialectName;
  /** The client's bytes: forwarded where nothing has to change, digested for idempotency. */
  body: Uint8Array;
}
export interface ScoreAsk {
  kind: "score";
  useCase: string;
  input: unknown;
  body: Uint8Array;
}
export interface TaskAsk {
  kind: TaskKind;
  useCase: string;
  task: TaskRequest;
  /** The vendor format that these very bytes are in, by name, where there is one. */
  format?: string;
  body: Uint8Array;
}

/** One record of a stream: the vendor's bytes where they may pass untouched, and what they say. */
export interface Frame {
  raw?: Uint8Array;
  events: ChatEvent[];
}

/** What a rung brought. `stream` has not been consumed beyond its first content frame. */
export type Served =
  | { type: "chat"; response: ChatResponse; raw?: Uint8Array | string }
  | { type: "stream"; frames: AsyncIterable<Frame>; sameDialect: boolean }
  | { type: "score"; score: number; reasons: Reason[] }
  | { type: "task"; response: TaskResponse; raw?: Uint8Array | string }
  | { type: "refer"; to: string };

export interface ScoreAnswer {
  score?: number;
  result: string;
  refer_to?: string;
  reasons: Reason[];
  model?: string;
}

export type Outcome =
  | { type: "refused"; refusal: Refusal }
  /** `raw`: the vendor's own bytes (or their text), to pass on untouched. */
  | { type: "chat"; response: ChatResponse; raw?: Uint8Array | string }
  /** `passThrough`: frames carry the client's own dialect as bytes, and only those leave. */
  | { type: "stream"; frames: AsyncIterable<Frame>; passThrough: boolean; signal?: Signal }
  | { type: "score"; answer: ScoreAnswer }
  | { type: "task"; response: TaskResponse; raw?: Uint8Array | string };

export interface Answer {
  decision: DecisionId;
  outcome: Outcome;
  /** Absent on refusals before a decision began. */
  settled?: Pick<
    SettledMeta,
    | "use_case"
    | "state"
    | "model"
    | "attempts"
    | "cache"
    | "dropped"
    | "stages"
    | "score"
    | "result"
    | "thresholds"
    | "rule"
  >;
  limits?: LimitState;
  tokenLimits?: LimitState;
  /** True when an idempotency key got its earlier answer again. */
  replayed?: true;
}

/** The tightest request or token limit, for RateLimit headers. */
interface LimitState {
  policy: string;
  limit: number;
  remaining: number;
  resetMs: number;
}

/** A decision under way. Stages append to it; constraints in it only tighten. */
export interface Decision {
  readonly id: DecisionId;
  readonly call: Call;
  readonly ask: Ask;
  readonly snapshot: Snapshot;
  readonly principal: Principal;
  readonly tenant: TenantPolicy;
  readonly useCase: UseCase;
  readonly kind: DecisionKind;
  readonly clock: Clock;
  /** Aborts when the client goes or the deadline passes; the reason tells which. */
  readonly signal: Signal;
  /** Monotonic instant at which time is up. */
  readonly deadlineAt: number;
  readonly stages: Partial<Record<StageName, number>>;
  readonly guards: GuardVerdict[];
  readonly route: RouteReason[];
  /** Ended ones. */
  readonly attempts: AttemptMeta[];
  attemptsBegun: number;
  /** Whether the guards found nothing in the client's own bytes, so that those may be forwarded. */
  bytesClean: boolean;
  readonly dropped: Set<string>;
  /** Stops the decision for this reason: no further rung is taken and running calls are aborted. */
  abort(reason: Refusal): void;
  begun: boolean;
  settled: boolean;
  /** Keyed pseudonym of x-weir-subject. */
  subject?: string;
  purpose?: string;
  /** The reference, once the registry has confirmed it. */
  consent?: string;
  /** Keyed pseudonym of x-weir-session. */
  session?: string;
  idempotency?: { key: string; body: string };
  dataClass: DataClass;
  /** Regions that may see the data; empty means anywhere. */
  regions: readonly string[];
  /** The chat after screening and grounding: what models and the record see. */
  request?: ChatRequest;
  /** True when `request` or `task` no longer says what the client's bytes say, so that those may not be forwarded. */
  rewritten: boolean;
  /** The texts to work on, after screening. */
  task?: TaskRequest;
  features?: Record<string, FeatureValue>;
  protectedFeatures?: Record<string, FeatureValue>;
  rungs: { index: number; rung: Rung }[];
  passages: readonly Passage[];
  retrieval?: SettledMeta["retrieval"];
  cache: SettledMeta["cache"];
  rung?: number;
  model?: string;
  score?: number;
  confidence?: number;
  rule?: number;
  result?: string;
  referTo?: string;
  reasons: Reason[];
  usage: Usage;
  costNanoUsd: NanoUsd;
  ttftMs?: number;
  release(): void;
  limits?: LimitState;
  tokenLimits?: LimitState;
  /** How far the fullest budget is spent: at `degrade` the dearest rung is left out where another is eligible. */
  /** What was left out of a talk that had grown too long; estimated tokens. */
  trimmed?: SettledMeta["trimmed"];
  /** Its caller behaves unlike before: it waits behind all others. */
  throttled?: true;
  /** Input tokens, estimated. */
  inputTokens?: number;
  /** Tokens that the answer will have at most, as those before it had. */
  expectedOutput?: number;
  budgetLevel?: "ok" | "warn" | "degrade" | "blocked";
  /** Why the last attempt could not begin: no money for it, or no place at the target in time. */
  turnedAway?: Refusal;
}
