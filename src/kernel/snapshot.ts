/** The compiled, immutable configuration that a request runs under. `config/` makes it, every stage reads it. */
import type { DialectName } from "./chat.ts";
import type { DataClass, DecisionKind, RiskTier } from "./decision.ts";
import type { Energy } from "./energy.ts";
import type { NanoUsd } from "./money.ts";
import type { Price } from "./usage.ts";

/** A type-checked CEL condition. An evaluation error (e.g. null used as a number) counts as false and goes to `report`. */
export interface Condition {
  source: string;
  test(variables: Record<string, unknown>, report?: (problem: string) => void): boolean;
}

export interface Snapshot {
  number: number;
  /** SHA-256 (hex) over the canonical effective configuration and every file that it names. */
  hash: string;
  tenants: ReadonlyMap<string, TenantPolicy>;
  useCases: ReadonlyMap<string, UseCase>;
  vendors: ReadonlyMap<string, VendorTarget>;
  models: ReadonlyMap<string, Model>;
  /** Consents that the institution holds; where a consent service is plugged in, empty. */
  consents: readonly Consent[];
}

export interface Consent {
  reference: string;
  tenant: string;
  /** Absent: a form that any subject of the tenant signs; the reference names the form's version. */
  subject?: string;
  purposes: readonly string[];
  fromMs: number;
  /** Exclusive. */
  untilMs: number;
}

export interface Limits {
  requestsPerMinute?: number;
  tokensPerMinute?: number;
  concurrency?: number;
}

export const budgetWindows = ["hour", "day", "week", "month"] as const;
/** In UTC; weeks begin on Monday. */
export type BudgetWindow = (typeof budgetWindows)[number];

/** Money that may be spent in a window. */
export interface Budget {
  nanoUsd: NanoUsd;
  per: BudgetWindow;
  /** What happens when it is spent; default `block`. */
  atLimit?: "block" | "warn";
  /** What happens before, at this percentage of it; ascending. */
  steps?: readonly { at: number; do: "warn" | "degrade" }[];
}

/** Who goes first where a target is contended. */
export const priorityClasses = ["critical", "interactive", "standard", "batch"] as const;
export type PriorityClass = (typeof priorityClasses)[number];

/** What one principal or one key may use. */
export interface Allowance {
  limits: Limits;
  budgets: readonly Budget[];
}

export interface TenantPolicy {
  name: string;
  limits: Limits;
  /** Where its data may be processed; empty means anywhere. */
  residency: readonly string[];
  budgets?: readonly Budget[];
  /** For each principal that is not named in `principals`. */
  eachPrincipal?: Allowance;
  /** By the principal's id. */
  principals?: ReadonlyMap<string, Allowance & { priority?: PriorityClass }>;
  /** For each key, beside what the key itself says. */
  eachKey?: Allowance;
  /** Its share of a contended target, against 1 of the others. */
  weight?: number;
}

/** How a key is shown to a vendor. */
export type VendorAuth =
  | { type: "none" }
  | { type: "bearer" }
  /** The key alone in this header, e.g. x-api-key. */
  | { type: "header"; name: string }
  /** Keys are `ACCESS_KEY_ID:SECRET[:SESSION_TOKEN]`. */
  | { type: "aws-sigv4"; region: string; service: string }
  /** Keys are a service account's JSON, exchanged for access tokens. */
  | { type: "google-service-account" };

export interface VendorKey {
  /** Safe to record: vendor and position, never the secret. */
  id: string;
  secret: string;
}

export interface VendorTimeouts {
  connectMs: number;
  /** Until the answer's headers. */
  firstByteMs: number;
  /** Until the first content of a stream, from the request on. */
  firstTokenMs?: number;
  /** Between two chunks. */
  idleMs: number;
  /** For the whole attempt. */
  totalMs?: number;
  /** A stream that brings fewer bytes a second than this, over ten seconds, is given up. */
  minBytesPerSecond?: number;
}

/** What a vendor does otherwise than its dialect's inventor. */
export interface VendorQuirks {
  /** OpenAI's reasoning models refuse `max_tokens`, many compatible servers know nothing else. Default `max_tokens`. */
  maxTokensField?: "max_tokens" | "max_completion_tokens";
  /** False where `stream_options` is refused; usage of streams is then estimated unless it comes anyway. */
  streamUsage?: boolean;
  /** Request fields (top level, by the dialect's name) that the vendor refuses: left out and named. */
  refuses?: readonly string[];
  /** Whose models these are, where their names don't tell: Bedrock's application inference profiles. */
  modelFamily?: "claude" | "nova" | "nova-2" | "gpt-oss" | "mistral" | "command";
}

/** When a target counts as broken, and how it is brought back. */
export interface HealthPolicy {
  /** Failures in a row that open its breaker. */
  consecutiveFailures: number;
  /** Or this part of the last minute's calls, in (0, 1], once there were `minRequests`. */
  failureRate: number;
  minRequests: number;
  /** How long the breaker stays open before probes; doubled each time that they fail, up to a minute. */
  openMs: number;
  /** After it came back it gets its share of a pool little by little; 0: at once. */
  slowStartMs: number;
  /** Retries as a part of its calls, in [0, 1]. */
  retryShare: number;
}

/** A vendor account: dialect, address, region, agreement. The secret is resolved at load and held here only. */
export interface VendorTarget {
  name: string;
  dialect: DialectName;
  /** `{model}` in it stands for the model of the call. */
  baseUrl: string;
  /** Of several that speak one dialect. */
  platform?: "vertex";
  auth: VendorAuth;
  /** Tried in turn; empty where the vendor wants none. */
  keys: readonly VendorKey[];
  region: string;
  /** The highest data class that the data agreement covers. */
  dataClass: DataClass;
  timeouts: VendorTimeouts;
  /** Calls at once to each of its models. */
  capacity?: { min: number; initial: number; max: number };
  /** Sent with every call, beside credentials; never a secret. */
  headers?: Readonly<Record<string, string>>;
  /** Added to every address, e.g. `api-version=2024-10-21`. */
  query?: string;
  /** Values of a client's `anthropic-beta` that may reach it; others are filtered out. */
  betas?: readonly string[];
  quirks: VendorQuirks;
  health?: HealthPolicy;
}

/** What some models can't do. */
export const capabilities = ["tools", "vision", "audio", "files", "structured_output"] as const;
export type Capability = (typeof capabilities)[number];

export type Model =
  | ({
      name: string;
      type: "vendor";
      vendor: string;
      model: string;
      /** Of now and later: `priceAt` gives the one in force. */
      price: Price;
      maxOutputTokens: number;
      contextTokens?: number;
      lacks?: readonly Capability[];
      /** Where it differs from the vendor's others. */
      quirks?: VendorQuirks;
    } & Pick<ModelCosts, "energy">)
  | ({ name: string; type: "runtime" } & ModelCosts &
      ({ runtime: "onnx" | "rules"; file: ArtifactRef; card?: ArtifactRef } | { runtime: "extractive" | "detectors" }));

/** What running a model takes, where declared. */
interface ModelCosts {
  /** Absent: free. */
  price?: Price;
  energy?: Energy;
}

/** A file pinned by digest and readable for as long as any snapshot names it. */
export interface ArtifactRef {
  path: string;
  sha256: string;
  bytes(): Uint8Array;
}

export interface Guard {
  name: string;
  detect: readonly string[];
  action: "allow" | "redact" | "block";
  /** What happens when the guard itself fails; from the risk tier unless declared. */
  onFailure: "open" | "closed";
}

/** When a rung's answer is good enough not to climb on. What is absent is not asked. */
export interface Acceptance {
  /** It fits the JSON Schema that the request asks for, and its tool calls hold JSON that fits their tools. */
  schema?: true;
  /** Least confidence in [0, 1]: the geometric mean of its tokens' probabilities. Unknown where the vendor gives none. */
  confidence?: number;
  /** False: an answer that says nothing, is cut short, or says that it can't tell is not accepted. */
  abstains?: false;
}

export interface ModelRung {
  type: "model";
  model: string;
  slot?: string;
  when?: Condition;
  commit: "first-byte" | "complete";
  accept?: Acceptance;
}

export const poolStrategies = [
  "first",
  "weighted",
  "least-loaded",
  "cheapest",
  "fastest",
  "by-length",
  "sticky",
] as const;
export type PoolStrategy = (typeof poolStrategies)[number];

export interface PoolMember {
  model: string;
  slot?: string;
  weight: number;
  /** Taken for input of up to so many tokens (by-length). */
  upToTokens?: number;
  when?: Condition;
}

/** Several models that stand for one another: routing puts those that are open into an order. */
export interface PoolRung {
  type: "pool";
  members: readonly PoolMember[];
  strategy: PoolStrategy;
  when?: Condition;
  commit: "first-byte" | "complete";
  accept?: Acceptance;
}

/** What a ladder declares; what is served is always a `Rung`. */
export type LadderRung = Rung | PoolRung;

export type Rung =
  | ModelRung
  | { type: "template"; text: string; commit: "complete" }
  | { type: "refer"; to: string; commit: "complete" };

export interface DecisionRule {
  when?: Condition;
  /** `climb` takes the next rung, `refer` hands over to humans, `template` answers with its text. */
  then: { result: string; referTo?: string } | { climb: true } | { template: string };
}

export interface Feature {
  name: string;
  type: "number" | "integer" | "category";
  values?: readonly string[];
  min?: number;
  max?: number;
  nullable: boolean;
  unit?: string;
  immutable: boolean;
  dataClass: DataClass;
  description?: string;
}

export interface FeatureContract {
  name: string;
  version: number;
  /** What the score means, e.g. `P(good)`. */
  score: string;
  features: readonly Feature[];
  /** Kept for fairness audits under their own key; route, serve, judge, cache key and the ordinary record never see them. */
  protectedFeatures: readonly Feature[];
}

export interface UseCase {
  name: string;
  kind: DecisionKind;
  risk: RiskTier;
  dataClass: DataClass;
  owner?: string;
  tenants: readonly string[];
  purposes: readonly string[];
  basis?: string;
  consent: "none" | "required";
  /** Regions where it may be served; empty means anywhere that the tenant allows. */
  regions: readonly string[];
  condition?: Condition;
  /** Over all callers of a tenant, as are the budgets. */
  limits: Limits;
  budgets?: readonly Budget[];
  /** Default: standard, and critical for high risk. */
  priority?: PriorityClass;
  /** A translation that would lose something is refused. */
  strict?: boolean;
  /** The most that one attempt may cost at worst. */
  maxCost?: NanoUsd;
  /** Longer input is refused. */
  maxInputTokens?: number;
  /** Longer answers are not asked for. */
  maxOutputTokens?: number;
  prompt?: string;
  contract?: FeatureContract;
  /** Detectors whose findings are the answer (moderate). */
  detect?: readonly string[];
  screen: readonly Guard[];
  check: readonly Guard[];
  ground?: { folder: string; collection: string; passages: number; generation: string; files: readonly ArtifactRef[] };
  ladder: readonly LadderRung[];
  decide: readonly DecisionRule[];
  /** Estimated input tokens above which old turns are left out. */
  trimTo?: number;
  /** `tags` name what the answers depend on, so that they can be dropped together. */
  cache?: { exactTtlMs: number; tags: readonly string[] };
  deadlineMs: number;
  retries: number;
  durability: "sealed" | "queued";
  record: "redacted" | "full" | "digest";
  /** SHA-256 of everything a release of this use case moves: prompt, thresholds, guards, contract, rungs, model digests, generation. */
  bundle: string;
  release: "direct" | "one-person" | "four-eyes";
}
