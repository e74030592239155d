/** The compiled, immutable configuration that a request runs under. `config/` makes it, every stage reads it. */
import type { DataClass, DecisionKind, RiskTier } from "./decision.ts";
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

export interface TenantPolicy {
  name: string;
  limits: Limits;
  /** Where its data may be processed; empty means anywhere. */
  residency: readonly string[];
  budget?: { nanoUsd: NanoUsd; per: "day" | "month"; atLimit: "block" | "warn" };
}

/** A vendor account: dialect, address, region, agreement. The secret is resolved at load and held here only. */
export interface VendorTarget {
  name: string;
  dialect: "openai-chat" | "anthropic-messages";
  baseUrl: string;
  key?: string;
  region: string;
  /** The highest data class that the data agreement covers. */
  dataClass: DataClass;
  timeouts: { connectMs: number; firstByteMs: number; idleMs: number };
}

export type Model =
  | {
      name: string;
      type: "vendor";
      vendor: string;
      model: string;
      price: Price;
      maxOutputTokens: number;
      contextTokens?: number;
    }
  | { name: string; type: "runtime"; runtime: "onnx"; file: ArtifactRef; card?: ArtifactRef }
  | { name: string; type: "runtime"; runtime: "rules"; file: ArtifactRef; card?: ArtifactRef }
  | { name: string; type: "runtime"; runtime: "extractive" };

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

export type Rung =
  | { type: "model"; model: string; slot?: string; when?: Condition; commit: "first-byte" | "complete" }
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
  limits: Limits;
  prompt?: string;
  contract?: FeatureContract;
  screen: readonly Guard[];
  check: readonly Guard[];
  ground?: { folder: string; collection: string; passages: number; generation: string; files: readonly ArtifactRef[] };
  ladder: readonly Rung[];
  decide: readonly DecisionRule[];
  cache?: { exactTtlMs: number };
  deadlineMs: number;
  retries: number;
  durability: "sealed" | "queued";
  record: "redacted" | "full" | "digest";
  /** SHA-256 of everything a release of this use case moves: prompt, thresholds, guards, contract, rungs, model digests, generation. */
  bundle: string;
  release: "direct" | "one-person" | "four-eyes";
}
