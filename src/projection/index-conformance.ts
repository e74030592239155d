/** What every `DecisionIndex` must do, however it stores its rows. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { nanoUsd } from "../kernel/money.ts";
import { anyJournal, begunMeta, decisionId, entryOf, outcomeMeta, sampleStart, settledEntry } from "./entry-samples.ts";
import { matches, rowOrder } from "./filter.ts";
import { minuteOf } from "./fold.ts";
import type { DecisionFilter, DecisionIndex, DecisionRow, FoldedEntry, PageCursor } from "./port.ts";
import { maxArrivalsBehind } from "./port.ts";

export interface IndexUnderTest {
  index: DecisionIndex;
  apply(entries: readonly FoldedEntry[]): void;
  close(): Promise<void>;
}

async function everyPage(index: DecisionIndex, filter: DecisionFilter, limit: number, between = () => {}) {
  const rows: DecisionRow[] = [];
  let cursor: PageCursor | undefined;
  do {
    const page = await index.list(filter, cursor, limit);
    rows.push(...page.rows);
    cursor = page.next;
    between();
  } while (cursor);
  return rows;
}

async function contentsOf(index: DecisionIndex) {
  const rows = await everyPage(index, {}, 7);
  const overview = await index.overview("15m", sampleStart + 10 * 60_000);
  const outcomes = [];
  for (let n = 0; n <= 12; n++) outcomes.push(await index.outcomes(decisionId(n)));
  const costs = await index.costs({ range: "24h", by: "model" }, sampleStart);
  return { rows, overview, outcomes, costs, choices: await index.choices("credit", 5) };
}

const amended = (seq: number, label: string) => entryOf(seq, "amended", decisionId(1), outcomeMeta("o1", label));

export function describeDecisionIndex(name: string, make: () => IndexUnderTest): void {
  const using = async (act: (under: IndexUnderTest) => Promise<void>) => {
    const under = make();
    try {
      await act(under);
    } finally {
      await under.close();
    }
  };

  describe(`${name} as a DecisionIndex`, () => {
    it("holds the same rows whatever the order and repetition of entries", async () => {
      const law = fc.asyncProperty(anyJournal, fc.infiniteStream(fc.nat()), async (journal, order) => {
        const shuffled = [...journal, ...journal.slice(0, 10)]
          .map((entry) => ({ entry, at: order.next().value as number }))
          .sort((a, b) => a.at - b.at)
          .map(({ entry }) => entry);
        await using(async (once) =>
          using(async (again) => {
            once.apply(journal);
            for (let at = 0; at < shuffled.length; at += 4) again.apply(shuffled.slice(at, at + 4));
            expect(await contentsOf(again.index)).toEqual(await contentsOf(once.index));
          }),
        );
      });
      await fc.assert(law, { numRuns: 20 });
    });

    it("loses and doubles no row of a paged list while rows arrive", async () => {
      const law = fc.asyncProperty(
        anyJournal,
        anyJournal,
        fc.integer({ min: 1, max: 5 }),
        async (first, later, limit) => {
          await using(async ({ index, apply }) => {
            apply(first);
            const before = (await index.list({}, undefined, 500)).rows.map((r) => r.decision_id);
            const late = later.map((e) => ({ ...e, node: "c", decision: e.decision!.replace("dec_0", "dec_1") }));
            const seen = (await everyPage(index, {}, limit, () => apply(late.splice(0, 3)))).map((r) => r.decision_id);
            expect(new Set(seen).size).toBe(seen.length);
            expect(seen.filter((id) => before.includes(id))).toEqual(before);
          });
        },
      );
      await fc.assert(law, { numRuns: 20 });
    });

    const filters: DecisionFilter[] = [
      { useCase: "credit" },
      { state: "failed" },
      { code: "rate_limited", result: "decline" },
      { principal: "branch", sinceMs: sampleStart + 45_000, untilMs: sampleStart + 150_000 },
      { principal: "nobody" },
      { query: "s2" },
      { query: decisionId(7).slice(0, -1) },
      { query: "dec_%" },
      { query: "s" },
    ];
    it.each(filters)("filters %j as the definition says", async (filter) => {
      await using(async ({ index, apply }) => {
        const journal = fc.sample(anyJournal, { numRuns: 20, seed: 7 }).flatMap((entries, run) =>
          entries.map((e) => ({
            ...e,
            node: `n${run}${e.node}`,
            decision: e.decision!.replace("dec_00", `dec_${String(run).padStart(2, "0")}`),
          })),
        );
        apply(journal);
        const all = (await index.list({}, undefined, 500)).rows;
        expect(all.length).toBeGreaterThan(20);
        const expected = all.filter((row) => matches(row, filter)).sort(rowOrder);
        expect((await index.list(filter, undefined, 500)).rows).toEqual(expected);
      });
    });

    it("sums the overview from the rows", async () => {
      await using(async ({ index, apply }) => {
        const journal = fc.sample(anyJournal, { numRuns: 1, seed: 3 })[0]!;
        apply(journal);
        const { rows } = await index.list({}, undefined, 500);
        const overview = await index.overview("15m", sampleStart + 10 * 60_000);
        expect(overview.totals.decisions).toBe(rows.length);
        expect(overview.totals.errors).toBe(rows.reduce((sum, row) => sum + minuteOf(row).errors, 0));
        expect(overview.totals.cost_nano_usd).toBe(rows.reduce((sum, row) => sum + row.cost_nano_usd, 0));
        expect(overview.use_cases.flatMap((u) => u.series).reduce((sum, p) => sum + p.decisions, 0)).toBe(rows.length);
        expect(overview.use_cases.every((u) => u.series.length === 15)).toBe(true);
      });
    });

    it("sums costs by hour, group and filter from the rows, meters included", async () => {
      await using(async ({ index, apply }) => {
        const later = { started_at_ms: sampleStart + 2 * 3_600_000, model: "large" };
        apply([
          settledEntry(0, decisionId(1), {
            model: "large",
            cost_nano_usd: nanoUsd(500),
            usage: {
              input: 10,
              cached_input: 5,
              output: 7,
              reasoning: 3,
              cache_write: 1,
              cache_write_1h: 1,
              estimated: true,
            },
          }),
          settledEntry(1, decisionId(2), { ...later, cost_nano_usd: nanoUsd(40), state: "failed" }),
          settledEntry(2, decisionId(3), {
            use_case: "assistant",
            cache: { status: "hit", saved_nano_usd: nanoUsd(9) },
          }),
          settledEntry(3, decisionId(4), { model: "large", started_at_ms: sampleStart - 100 * 3_600_000 }),
        ]);
        const costs = await index.costs({ range: "24h", by: "model" }, sampleStart + 3 * 3_600_000);
        expect(costs.groups.map(({ name }) => name)).toEqual(["large", ""]);
        const [large] = costs.groups;
        expect(large!.spend).toMatchObject({ decisions: 2, answered: 1, cost_nano_usd: 540, estimated: 1 });
        expect(large!.spend).toMatchObject({ estimated_nano_usd: 500, input: 10, cached_input: 5, cache_write: 2 });
        expect(large!.spend).toMatchObject({ output: 7, reasoning: 3, saved_nano_usd: 0 });
        expect(large!.series.filter((point) => point.cost_nano_usd > 0)).toEqual([
          { at_ms: sampleStart, cost_nano_usd: 500 },
          { at_ms: sampleStart + 2 * 3_600_000, cost_nano_usd: 40 },
        ]);
        expect(costs.totals).toMatchObject({ decisions: 3, cost_nano_usd: 540, saved_nano_usd: 9, cache_hits: 1 });
        const asked = { range: "24h", by: "use_case", tenant: "retail", useCase: "assistant" } as const;
        const narrow = await index.costs(asked, sampleStart + 3 * 3_600_000);
        expect(narrow.groups.map(({ name, spend }) => [name, spend.decisions])).toEqual([["assistant", 1]]);
        expect((await index.costs({ ...asked, tenant: "other" }, sampleStart)).groups).toEqual([]);
      });
    });

    it("counts where the newest decisions of a use case went", async () => {
      await using(async ({ index, apply }) => {
        const at = (n: number) => sampleStart + n * 1000;
        apply([
          settledEntry(0, decisionId(1), { model: "small", rung: 0, started_at_ms: at(0) }),
          settledEntry(1, decisionId(2), { model: "small", rung: 0, started_at_ms: at(1), duration_ms: 20 }),
          settledEntry(2, decisionId(3), { model: "small", rung: 0, started_at_ms: at(2), duration_ms: 40 }),
          settledEntry(3, decisionId(4), { state: "refused", code: "rate_limited", started_at_ms: at(3) }),
          settledEntry(4, decisionId(5), { use_case: "assistant", started_at_ms: at(4) }),
        ]);
        const { decisions, from_ms, choices } = await index.choices("credit", 3);
        expect([decisions, from_ms]).toEqual([3, at(1)]);
        expect(choices).toEqual([
          { rung: 0, model: "small", decisions: 2, answered: 2, cache_hits: 0, cost_nano_usd: 0, mean_ms: 30 },
          { decisions: 1, answered: 0, cache_hits: 0, cost_nano_usd: 0, mean_ms: 12.5 },
        ]);
        expect(await index.choices("nothing", 3)).toEqual({ decisions: 0, choices: [] });
      });
    });

    it("counts refusals by code and caller since a time", async () => {
      await using(async ({ index, apply }) => {
        const refused = (seq: number, n: number, code: "rate_limited" | "token_limited", atMs: number) =>
          settledEntry(seq, decisionId(n), { state: "refused", code, started_at_ms: atMs });
        apply([
          refused(0, 1, "rate_limited", sampleStart),
          refused(1, 2, "rate_limited", sampleStart + 5),
          refused(2, 3, "token_limited", sampleStart + 6),
          refused(3, 4, "token_limited", sampleStart - 1),
          settledEntry(4, decisionId(5)),
        ]);
        const who = { tenant: "retail", use_case: "credit", principal_id: "branch" };
        expect(await index.refusals(sampleStart, 10)).toEqual([
          { code: "rate_limited", ...who, count: 2, last_ms: sampleStart + 5 },
          { code: "token_limited", ...who, count: 1, last_ms: sampleStart + 6 },
        ]);
        expect(await index.refusals(sampleStart, 1)).toHaveLength(1);
      });
    });

    it("answers a decision that still runs, and its entries in order", async () => {
      await using(async ({ index, apply }) => {
        apply([entryOf(4, "attempt", decisionId(1), { n: 1 }), entryOf(3, "begun", decisionId(1), begunMeta)]);
        const found = await index.get(decisionId(1));
        expect(found?.entries.map((e) => [e.seq, e.kind])).toEqual([
          [3, "begun"],
          [4, "attempt"],
        ]);
        expect(found?.tenant).toBe("retail");
        expect((await index.list({}, undefined, 10)).rows).toEqual([]);
        expect(await index.get(decisionId(2))).toBeUndefined();
      });
    });

    it("keeps the first of outcomes with one id", async () => {
      await using(async ({ index, apply }) => {
        apply([amended(9, "later"), amended(2, "first")]);
        expect((await index.outcomes(decisionId(1))).map((o) => o.label)).toEqual(["first"]);
      });
    });

    it("follows arrivals from a cursor, filtered, and calls listeners", async () => {
      await using(async ({ index, apply }) => {
        let called = 0;
        const stop = index.onArrival(() => called++);
        const start = (await index.since(undefined, {}, 10)).next;
        apply([settledEntry(0, decisionId(1)), settledEntry(1, decisionId(2), { state: "failed" })]);
        apply([settledEntry(2, decisionId(3), { state: "failed" })]);
        stop();
        apply([settledEntry(3, decisionId(4))]);
        expect(called).toBe(2);
        const one = await index.since(start, { state: "failed" }, 1);
        expect(one.rows.map((r) => r.row.decision_id)).toEqual([decisionId(2)]);
        const two = await index.since(one.next, { state: "failed" }, 1);
        expect(two.rows.map((r) => r.row.decision_id)).toEqual([decisionId(3)]);
        expect((await index.since(two.rows[0]!.cursor, { state: "failed" }, 5)).rows).toEqual([]);
      });
    });

    it("moves a reader that is too far behind, or of another generation, to the newest with a gap", async () => {
      await using(async ({ index, apply }) => {
        const start = (await index.since(undefined, {}, 10)).next;
        apply(Array.from({ length: maxArrivalsBehind + 1 }, (_, n) => settledEntry(n, decisionId(n + 1))));
        const behind = await index.since(start, {}, 10);
        expect(behind).toMatchObject({ rows: [], gap: maxArrivalsBehind + 1 });
        expect(await index.since(behind.next, {}, 10)).toEqual({ rows: [], next: behind.next });
        expect(await index.since("zzz.1", {}, 10)).toMatchObject({ rows: [], gap: 0, next: behind.next });
      });
    });
  });
}
