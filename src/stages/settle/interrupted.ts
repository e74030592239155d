/** After a crash: every decision that was begun and never settled is settled as `interrupted`, its usage flagged. */
import type { AttemptMeta, BegunMeta, SettledMeta } from "../../kernel/decision.ts";
import { errorKinds } from "../../kernel/errors.ts";
import { nanoUsd } from "../../kernel/money.ts";
import { type Price, costOf, priceAt } from "../../kernel/usage.ts";
import type { Journal } from "../../ledger/port.ts";

/** The vendor's model that a decision asks first, and what it costs. */
export interface FirstTarget {
  rung: number;
  model: string;
  target: string;
  region: string;
  price: Price;
}

/**
 * Resolves when all of them are on disk; returns how many there were. `firstTarget` answers from the snapshot that the
 * decision ran under; undefined where it asks no vendor, or where that can't be known any more.
 */
export async function settleInterrupted(
  journal: Journal,
  firstTarget: (begun: BegunMeta) => Promise<FirstTarget | undefined>,
): Promise<number> {
  const open = journal.openDecisions();
  for (const { decision, tenant, entries } of open) {
    const begun = entries[0]!;
    const attempts = entries
      .filter((entry) => entry.kind === "attempt")
      .map((entry) => entry.meta as unknown as AttemptMeta);
    const last = entries.at(-1)!;
    // After a good answer no call was under way; else one may have been, and the vendor may bill it.
    const cutOff =
      attempts.at(-1)?.status === "ok" ? undefined : await cutOffCall(begun, attempts, last.at_ms, firstTarget);
    if (cutOff) {
      journal.append({ kind: "attempt", tenant, decision, meta: cutOff });
      attempts.push(cutOff);
    }
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

/** Which rung was being tried is not known: the first one stands for it, with the input that any of them would have read. */
async function cutOffCall(
  begun: { meta: Record<string, unknown> },
  attempts: readonly AttemptMeta[],
  atMs: number,
  firstTarget: (begun: BegunMeta) => Promise<FirstTarget | undefined>,
): Promise<AttemptMeta | undefined> {
  const meta = begun.meta as unknown as BegunMeta;
  const first = meta.input_tokens === undefined ? undefined : await firstTarget(meta);
  if (!first) return undefined;
  const usage = { input: meta.input_tokens!, cached_input: 0, output: 0, estimated: true };
  const price = priceAt(first.price, atMs);
  return {
    n: attempts.length + 1,
    rung: first.rung,
    arm: "champion",
    probability: 1,
    model: first.model,
    target: first.target,
    region: first.region,
    status: "interrupted",
    reason: "crash",
    usage,
    price: price.version,
    cost_nano_usd: costOf(usage, price),
    held_nano_usd: nanoUsd(0),
    started_at_ms: atMs,
    duration_ms: 0,
  };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
