/** Journal entries for tests: whole, valid metadata with the few fields varied that a test is about. */
import fc from "fast-check";
import { type BegunMeta, decisionStates, type OutcomeMeta, type SettledMeta } from "../kernel/decision.ts";
import { nanoUsd } from "../kernel/money.ts";
import { noUsage } from "../kernel/usage.ts";
import type { FoldedEntry } from "./port.ts";

export const sampleStart = 1_767_225_600_000;

export const decisionId = (n: number): string => `dec_${String(n).padStart(26, "0")}`;

export const begunMeta: BegunMeta = {
  use_case: "credit",
  kind: "score",
  environment: "dev",
  surface: "decisions",
  principal: { type: "service", id: "branch", credential: "k1" },
  risk: "high",
  data_class: "personal",
  snapshot: { number: 1, hash: "00" },
  bundle: "b",
  stream: false,
};

export const settledMeta = (change: Partial<SettledMeta> = {}): SettledMeta => ({
  ...begunMeta,
  state: "answered",
  status: 200,
  started_at_ms: sampleStart,
  duration_ms: 12.5,
  stages: {},
  route: [],
  attempts: 1,
  cache: { status: "off" },
  guards: [],
  reasons: [],
  automation: "auto",
  usage: noUsage,
  cost_nano_usd: nanoUsd(0),
  record: "full",
  ...change,
});

export const entryOf = (
  seq: number,
  kind: FoldedEntry["kind"],
  decision: string | undefined,
  meta: unknown,
  node = "a",
): FoldedEntry => ({ node, seq, at_ms: sampleStart + seq, kind, tenant: "retail", decision, meta });

export const settledEntry = (seq: number, decision: string, change: Partial<SettledMeta> = {}, node = "a") =>
  entryOf(seq, "settled", decision, settledMeta(change), node);

export const outcomeMeta = (outcomeId: string, label = "repaid"): OutcomeMeta => ({
  amends: "outcome",
  use_case: "credit",
  outcome_id: outcomeId,
  label,
  observed_at_ms: sampleStart,
  digest: "00",
  principal: begunMeta.principal,
});

const anySettled = fc.record({
  state: fc.constantFrom(...decisionStates),
  use_case: fc.constantFrom("credit", "assistant"),
  // Equal times on purpose: pages must not rest on time alone.
  started_at_ms: fc.integer({ min: 0, max: 20 }).map((n) => sampleStart + n * 15_000),
  duration_ms: fc.double({ min: 0, max: 50_000, noNaN: true }),
  cost_nano_usd: fc.nat(1_000_000).map(nanoUsd),
  subject: fc.constantFrom("s1", "s2"),
  result: fc.constantFrom("approve", "decline"),
  code: fc.constantFrom("ladder_exhausted", "rate_limited", "input_blocked"),
  model: fc.constantFrom("small", "large"),
  rung: fc.nat(1),
  usage: fc.record({
    input: fc.nat(500),
    cached_input: fc.nat(50),
    output: fc.nat(90),
    cache_write_1h: fc.nat(9),
    estimated: fc.boolean(),
  }),
  cache: fc.constantFrom(
    { status: "miss" as const },
    { status: "hit" as const, saved_nano_usd: nanoUsd(700) },
    { status: "follower" as const, saved_nano_usd: nanoUsd(70) },
  ),
});

/** A journal of two nodes with some decisions settled twice, as no journal should have them. */
export const anyJournal: fc.Arbitrary<FoldedEntry[]> = fc
  .array(
    fc.record({
      decision: fc.nat(12),
      kind: fc.constantFrom("begun", "settled", "settled", "amended"),
      settled: anySettled,
      node: fc.constantFrom("a", "b"),
    }),
    { maxLength: 30 },
  )
  .map((drafts) => {
    const next = { a: 0, b: 0 };
    return drafts.map(({ decision, kind, settled, node }) => {
      const id = decisionId(decision);
      const seq = next[node as "a" | "b"]++;
      if (kind === "settled") return settledEntry(seq, id, settled, node);
      return entryOf(
        seq,
        kind as "begun" | "amended",
        id,
        kind === "begun" ? begunMeta : outcomeMeta(`o${seq % 3}`, `${node}${seq}`),
        node,
      );
    });
  });
