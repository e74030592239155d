/** Settled decisions for the tests of this folder. */
import { aDecision } from "../../tests/fixtures/decision.ts";
import type { AttemptMeta, SettledMeta } from "../kernel/decision.ts";
import { nanoUsd } from "../kernel/money.ts";
import { settledMeta } from "../stages/settle/meta.ts";
import type { HouseState } from "./port.ts";
import type { Traced } from "./trace-ring.ts";

export const anAttempt = (over: Partial<AttemptMeta> = {}): AttemptMeta => ({
  n: 1,
  rung: 0,
  arm: "champion",
  probability: 1,
  model: "large",
  target: "acme/large",
  region: "eu",
  status: "ok",
  usage: { input: 100, cached_input: 0, output: 20, estimated: false },
  price: "2026-01",
  cost_nano_usd: nanoUsd(450_000),
  held_nano_usd: nanoUsd(900_000),
  started_at_ms: 1_767_225_600_000,
  duration_ms: 1200,
  ...over,
});

const base = aDecision({ with: { begun: true } });
const settled = settledMeta(base, { state: "answered" });

export const aMeta = (over: Partial<SettledMeta> = {}): SettledMeta => ({ ...settled, ...over });

export const aTraced = (over: Partial<SettledMeta> = {}, attempts: readonly AttemptMeta[] = []): Traced => ({
  decision: base.id,
  tenant: "retail",
  meta: aMeta(over),
  attempts,
});

export const aHouse = (over: Partial<HouseState> = {}): HouseState => ({
  running: () => 0,
  heldNanoUsd: () => 0,
  spentNanoUsd: () => [],
  cache: () => ({ flights: 0, entries: 0, bytes: 0 }),
  journal: () => ({ writable: true, entries: 0, queuedBytes: 0 }),
  targets: () => [],
  capacity: () => [],
  budgets: () => [],
  vendorKeys: () => [],
  ...over,
});
