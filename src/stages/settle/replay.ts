/** The earlier answer under the same idempotency key, read back from the ledger, where it lies encrypted for 24 h. */
import type { SettledMeta } from "../../kernel/decision.ts";
import { refuse } from "../../kernel/errors.ts";
import type { DecisionId } from "../../kernel/ids.ts";
import { type KeyRing, type ReadOptions, openContent, readEntryBySeq } from "../../ledger/index.ts";
import type { Answer, Decision, Outcome } from "../../path/context.ts";

export interface ReplayPorts {
  ledger: Pick<ReadOptions, "dir" | "files" | "node">;
  keys: Pick<KeyRing, "find">;
}

export function createReplay(
  ports: ReplayPorts,
): (d: Decision, earlier: { decision: DecisionId; seq: number }) => Promise<Answer> {
  return async (_d, { decision, seq }) => {
    const stored = await readEntryBySeq(ports.ledger, seq);
    if (stored?.entry.decision !== decision)
      throw new Error(`the ledger has no settled entry of ${decision} at ${seq}`);
    const meta = stored.entry.meta as unknown as SettledMeta;
    const content = await openContent(stored, ports.keys);
    const kept = content && "value" in content ? (content.value as { kept_answer?: Outcome }).kept_answer : undefined;
    // Erasure ends a kept answer early.
    const outcome: Outcome = kept ?? { type: "refused", refusal: refuse("content_erased") };
    return {
      decision,
      outcome,
      settled: {
        use_case: meta.use_case,
        state: meta.state,
        attempts: meta.attempts,
        cache: meta.cache,
        stages: meta.stages,
        ...(meta.model !== undefined && { model: meta.model }),
      },
      replayed: true,
    };
  };
}
