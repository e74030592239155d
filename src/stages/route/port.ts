/** What operators may decide over the ladder's head, and what others report to routing or read of it. */
import type { AttemptMeta, CascadeFigures } from "../../kernel/decision.ts";

/** Until `until_ms` a model, a vendor or a rung is preferred or left out. Policy always goes before it. */
export interface RouteOverride {
  id: string;
  /** Absent: every use case. */
  use_case?: string;
  /** `force`: the other models stay closed wherever this one is open. `exclude`: it stays closed. */
  act: "force" | "exclude";
  /** A rung counts from 1, as people do. */
  on: { model: string } | { vendor: string } | { rung: number };
  from_ms: number;
  until_ms: number;
  reason: string;
  operator: { id: string; name: string };
}

/** All methods throw when the store can't be read or written. */
export interface OverrideStore {
  overrides(): RouteOverride[];
  /** Drops those that have run out when this one begins. */
  insert(override: RouteOverride): void;
  /** False where there is none with this id. */
  remove(id: string): boolean;
  /** Changes with every change of what is stored, whoever made it. */
  version(): number;
}

/** What routing reads of overrides: those in force now. */
export interface OverrideView {
  of(useCase: string): readonly RouteOverride[];
}

/** What judging and serving report of cascades. */
export interface CascadeReport {
  judged(useCase: string, rung: number, model: string, accepted: boolean): void;
  attempted(useCase: string, attempt: AttemptMeta): void;
}

export interface CascadeView {
  /**
   * Whether the light rung is worth its price now. `c1` and `c2` (nano-USD) are used until costs were observed; `explore`
   * is the part of decisions that take it although it doesn't pay.
   */
  consider(question: CascadeQuestion): CascadeFigures;
}

export interface CascadeQuestion {
  useCase: string;
  light: { rung: number; model: string; cost: number };
  /** What is taken if the light rung's answer is not accepted. */
  next: { rung: number; model: string; cost: number };
  explore: number;
}
