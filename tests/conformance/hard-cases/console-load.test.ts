/** A10: the console's questions over many rows are quick, and the request loop goes on while they are answered. */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DatabaseSync } from "node:sqlite";
import { VirtualClock, systemClock } from "../../../src/kernel/clock.ts";
import { nanoUsd } from "../../../src/kernel/money.ts";
import { decisionId, sampleStart, settledEntry } from "../../../src/projection/entry-samples.ts";
import type { DecisionIndex } from "../../../src/projection/index.ts";
import { SqliteIndex } from "../../../src/stores/sqlite/index.ts";
import { ProjectionStore } from "../../../src/stores/sqlite/projection-store.ts";

const rows = 100_000;
const batch = 4000;
/** A decision every six seconds: the rows are of a week. */
const stepMs = 6000;
const nowMs = sampleStart + rows * stepMs;
const folder = mkdtempSync(join(tmpdir(), "weir-many-rows-"));
let index: SqliteIndex;

beforeAll(async () => {
  const path = join(folder, "projection.sqlite");
  const journalDir = join(folder, "ledger");
  mkdirSync(journalDir);
  const store = new ProjectionStore({ path, clock: new VirtualClock(), log: () => {} });
  for (let from = 0; from < rows; from += batch)
    store.apply(
      Array.from({ length: batch }, (_, i) => {
        const n = from + i;
        const rare = n % 1000 === 0;
        const entry = settledEntry(n, decisionId(n), {
          use_case: n % 3 === 0 ? "credit" : "assistant",
          started_at_ms: sampleStart + n * stepMs,
          duration_ms: n % 700,
          cost_nano_usd: nanoUsd(n % 90),
          ...(rare && { state: "failed", status: 502, code: "ladder_exhausted" }),
          principal: { type: "service", id: rare ? "rare" : `p${n % 7}`, credential: "k1" },
        });
        return { entry: { ...entry, at_ms: sampleStart + n * stepMs }, position: { segment: 1, offset: n, seq: n } };
      }),
    );
  await store.close();
  index = await SqliteIndex.open({ path, journalDir, log: () => {}, pollMs: 3_600_000 });
}, 120_000);
afterAll(async () => {
  await index.close();
  rmSync(folder, { recursive: true, force: true });
});

const day = 24 * 3_600_000;
const questions: [string, (index: DecisionIndex) => Promise<unknown>, (answer: never) => boolean][] = [
  ["the newest page", (it) => it.list({}, undefined, 100), (page: { rows: unknown[] }) => page.rows.length === 100],
  [
    "a page deep down",
    (it) => it.list({}, { atMs: sampleStart + 1000 * stepMs, decisionId: decisionId(1000) }, 100),
    (page: { rows: unknown[] }) => page.rows.length === 100,
  ],
  [
    "all failures of one kind",
    (it) => it.list({ state: "failed", code: "ladder_exhausted" }, undefined, 100),
    (page: { rows: unknown[] }) => page.rows.length === 100,
  ],
  [
    "a principal who asks seldom",
    (it) => it.list({ principal: "rare" }, undefined, 100),
    (page: { rows: unknown[] }) => page.rows.length === 100,
  ],
  [
    "a use case in a day of the past",
    (it) => it.list({ useCase: "credit", sinceMs: sampleStart + day, untilMs: sampleStart + 2 * day }, undefined, 100),
    (page: { rows: unknown[] }) => page.rows.length === 100,
  ],
  [
    "a decision by the beginning of its id",
    (it) => it.list({ query: decisionId(23_456) }, undefined, 10),
    (page: { rows: unknown[] }) => page.rows.length === 1,
  ],
  [
    "nobody's rows",
    (it) => it.list({ principal: "nobody" }, undefined, 100),
    (page: { rows: unknown[] }) => page.rows.length === 0,
  ],
  [
    "the overview of a week",
    (it) => it.overview("7d", nowMs),
    (overview: { totals: { decisions: number } }) => overview.totals.decisions > 50_000,
  ],
];

describe(`A10: ${rows} decisions in the console's index`, () => {
  // On a busy machine one measurement says little: the best of three is what the question takes.
  it.each(questions)("%s: within a second, and this thread is never kept", async (_what, ask, isRight) => {
    let bestMs = Infinity;
    for (let round = 0; round < 3; round++) {
      const from = systemClock.monotonic();
      let done = false;
      const pending = ask(index).finally(() => (done = true));
      let turns = 0;
      for (; !done; turns++) await new Promise<void>((resolve) => setImmediate(resolve));
      const answer = await pending;
      bestMs = Math.min(bestMs, systemClock.monotonic() - from);
      expect(isRight(answer as never)).toBe(true);
      // Asking only posts a message; the loop turns while the worker reads.
      expect(turns).toBeGreaterThan(0);
    }
    expect(bestMs).toBeLessThan(1000);
  });

  // What is quick over these rows is quick over ten million only where rare values are found without reading the others.
  it.each(["use_case", "state", "subject", "principal_id", "code", "result"])(
    "a rare %s is found by an index of its own",
    (column) => {
      const database = new DatabaseSync(join(folder, "projection.sqlite"), { readOnly: true });
      const rare = column === "state" ? "state = 'failed' and state <> 'answered'" : `${column} = 'rare'`;
      const plan = database
        .prepare(
          `explain query plan select * from decisions where ${rare} order by at_ms desc, decision_id desc limit 101`,
        )
        .all();
      database.close();
      expect(plan.map(({ detail }) => detail)).toEqual([expect.stringContaining(`(${column}=?`)]);
    },
  );
});
