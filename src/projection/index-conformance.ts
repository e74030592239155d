/** What every `DecisionIndex` must do, however it stores its rows. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
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
  return { rows, overview, outcomes };
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
