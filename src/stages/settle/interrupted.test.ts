import { describe, expect, it } from "vitest";
import { aDecision, aDecisionId } from "../../../tests/fixtures/decision.ts";
import { FakeJournal } from "../../../tests/fixtures/fake-journal.ts";
import type { OpenEntry } from "../../ledger/port.ts";
import { freePrice } from "../../kernel/usage.ts";
import { type FirstTarget, settleInterrupted } from "./interrupted.ts";
import { begunMeta } from "./meta.ts";

const entry = (seq: number, kind: OpenEntry["kind"], at_ms: number, meta: object): OpenEntry => ({
  seq,
  kind,
  at_ms,
  meta: meta as Record<string, unknown>,
});
const attempt = (input: number, cost: number) => ({
  usage: { input, cached_input: 1, output: 2, estimated: false },
  cost_nano_usd: cost,
});

const noVendor = async () => undefined;
const first = async (): Promise<FirstTarget> => ({
  rung: 0,
  model: "large",
  target: "acme/large",
  region: "eu",
  price: { ...freePrice, version: "2026", input: 2_000_000_000n, output: 8_000_000_000n },
});

describe("settleInterrupted", () => {
  it.each<[string, object[], boolean]>([
    ["no call had ended", [], true],
    ["the last call had failed", [{ ...attempt(10, 7), status: "failed" }], true],
    ["the last call had answered", [{ ...attempt(10, 7), status: "ok" }], false],
  ])("where %s, a call under way is an attempt of its own", async (_when, attempts, cutOff) => {
    const journal = new FakeJournal();
    const begun = { ...begunMeta(aDecision()), input_tokens: 100 };
    const entries = [entry(0, "begun", 1000, begun), ...attempts.map((one, i) => entry(i + 1, "attempt", 1500, one))];
    journal.open = [{ decision: aDecisionId(1), tenant: "retail", entries }];
    await settleInterrupted(journal, first);
    const written = journal.entries.map(({ kind, meta }) => ({ ...meta, kind }));
    const settled = { kind: "settled", attempts: attempts.length + (cutOff ? 1 : 0) };
    if (!cutOff) return expect(written).toMatchObject([settled]);
    expect(written).toMatchObject([
      {
        kind: "attempt",
        n: attempts.length + 1,
        status: "interrupted",
        usage: { input: 100, output: 0, estimated: true },
        cost_nano_usd: 200_000,
        price: "2026",
      },
      { ...settled, cost_nano_usd: 200_000 + attempts.length * 7 },
    ]);
  });

  it("settles every open decision once, with what its attempts say, and waits for the disk", async () => {
    const journal = new FakeJournal();
    const begun = begunMeta(aDecision({ with: { idempotency: { key: "k", body: "b" } } }));
    journal.open = [
      {
        decision: aDecisionId(1),
        tenant: "retail",
        entries: [
          entry(0, "begun", 1000, begun),
          entry(1, "attempt", 1500, attempt(10, 7)),
          entry(2, "attempt", 1800, attempt(5, 3)),
        ],
      },
      { decision: aDecisionId(2), tenant: "private", entries: [entry(3, "begun", 2000, begun)] },
    ];
    expect(await settleInterrupted(journal, noVendor)).toBe(2);
    expect(journal.flushes).toBe(1);
    expect(journal.entries.map(({ kind, decision, tenant }) => [kind, decision, tenant])).toEqual([
      ["settled", aDecisionId(1), "retail"],
      ["settled", aDecisionId(2), "private"],
    ]);
    expect(journal.entries[0]!.meta).toMatchObject({
      ...begun,
      state: "interrupted",
      status: 500,
      started_at_ms: 1000,
      duration_ms: 800,
      attempts: 2,
      usage: { input: 15, cached_input: 2, output: 4, estimated: true },
      cost_nano_usd: 10,
    });
    expect(journal.entries[1]!.meta).toMatchObject({
      duration_ms: 0,
      attempts: 0,
      cost_nano_usd: 0,
      usage: { estimated: true },
    });
  });

  it("does nothing where nothing is open", async () => {
    const journal = new FakeJournal();
    expect(await settleInterrupted(journal, noVendor)).toBe(0);
    expect([journal.entries, journal.flushes]).toEqual([[], 0]);
  });
});
