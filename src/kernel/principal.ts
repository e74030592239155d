/** Who calls: always with tenant and environment. */
import type { NanoUsd } from "./money.ts";
import type { BudgetWindow, PriorityClass } from "./snapshot.ts";

export const environments = ["dev", "test", "prod"] as const;
export type Environment = (typeof environments)[number];

export interface Principal {
  type: "service" | "user" | "agent";
  /** Stable id, safe to record: never a secret. */
  id: string;
  /** The credential that proved it, e.g. the API key's public id. */
  credential: string;
  tenant: string;
  environment: Environment;
  /** Use cases it may call; `*` means all of the tenant's. */
  use_cases: readonly string[];
  /** Purposes that it may state; empty means any that the use case allows. */
  purposes: readonly string[];
  /** Rights that retrieval and conditions may ask for. */
  groups: readonly string[];
  requests_per_minute?: number;
  tokens_per_minute?: number;
  concurrency?: number;
  /** Money that the key may spend; it is refused beyond. */
  budgets?: readonly { nano_usd: NanoUsd; per: BudgetWindow }[];
  /** Lowers the use case's class, never raises it. */
  priority?: PriorityClass;
}
