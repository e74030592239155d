/** After a crash: every decision that was begun and never settled is settled as `interrupted`, its usage flagged. */
import type { AttemptMeta, BegunMeta, SettledMeta } from "../../kernel/decision.ts";
import { errorKinds } from "../../kernel/errors.ts";
import { nanoUsd } from "../../kernel/money.ts";
import type { Journal } from "../../ledger/port.ts";

/** Resolves when all of them are on disk; returns how many there were. */
export async function settleInterrupted(journal: Journal): Promise<number> {
  const open = journal.openDecisions();
  for (const { decision, tenant, entries } of open) {
    const begun = entries[0]!;
    const attempts = entries
      .filter((entry) => entry.kind === "attempt")
      .map((entry) => entry.meta as unknown as AttemptMeta);
    const last = entries.at(-1)!;
    const meta: SettledMeta = {
      ...(begun.meta as unknown as BegunMeta),
      state: "interrupted",
      code: "internal",
      status: errorKinds.internal.status,
      started_at_ms: begun.at_ms,
      // Until the last sign of life; what ran after it is not known.
      duration_ms: last.at_ms - begun.at_ms,
      stages: {},
      route: [],
      attempts: attempts.length,
      cache: { status: "off" },
      guards: [],
      reasons: [],
      automation: "auto",
      usage: {
        input: sum(attempts.map((attempt) => attempt.usage.input)),
        cached_input: sum(attempts.map((attempt) => attempt.usage.cached_input)),
        output: sum(attempts.map((attempt) => attempt.usage.output)),
        // An attempt under way left no entry: what it used is at least not exactly known.
        estimated: true,
      },
      cost_nano_usd: nanoUsd(sum(attempts.map((attempt) => attempt.cost_nano_usd))),
      record: "digest",
    };
    journal.append({ kind: "settled", tenant, decision, meta });
  }
  if (open.length > 0) await journal.flush();
  return open.length;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
