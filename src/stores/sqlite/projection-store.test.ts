import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { VirtualClock } from "../../kernel/clock.ts";
import { nanoUsd } from "../../kernel/money.ts";
import { decisionId, entryOf, sampleStart, settledEntry, settledMeta } from "../../projection/entry-samples.ts";
import { describeDecisionIndex } from "../../projection/index-conformance.ts";
import type { DecisionIndex, FoldedEntry } from "../../projection/index.ts";
import { readChoices, readCosts, readRefusals } from "./cost-queries.ts";
import {
  arrivalsSince,
  entriesOf,
  listDecisions,
  outcomesOf,
  readOverview,
  spendingSince,
} from "./projection-queries.ts";
import { type EntryPosition, type PositionedEntry, ProjectionStore } from "./projection-store.ts";
import { type EntrySource, ProjectionTail } from "./projection-tail.ts";

const clock = new VirtualClock();
const positioned = (entry: FoldedEntry): PositionedEntry => ({
  entry,
  position: { segment: 1, offset: 100, seq: entry.seq },
});

describeDecisionIndex("ProjectionStore", () => {
  const store = new ProjectionStore({ path: ":memory:", clock, log: () => {} });
  const listeners = new Set<() => void>();
  const index: DecisionIndex = {
    list: (filter, cursor, limit) => listDecisions(store, filter, cursor, limit),
    async get(decision_id) {
      const located = await entriesOf(store, decision_id);
      return (
        located[0] && { decision_id, tenant: located[0].tenant, entries: located.map((e) => ({ ...e, meta: {} })) }
      );
    },
    overview: (range, nowMs) => readOverview(store, range, nowMs),
    since: (cursor, filter, limit) => arrivalsSince(store, cursor, filter, limit),
    outcomes: (id) => outcomesOf(store, id),
    costs: (question, nowMs) => readCosts(store, question, nowMs),
    choices: (useCase, limit) => readChoices(store, useCase, limit),
    refusals: (sinceMs, limit) => readRefusals(store, sinceMs, limit),
    onArrival(act) {
      listeners.add(act);
      return () => listeners.delete(act);
    },
  };
  const apply = (entries: readonly FoldedEntry[]) => {
    if (store.apply(entries.map(positioned)) > 0) for (const act of listeners) act();
  };
  return { index, apply, close: () => store.close() };
});

it("says what was spent by key and hour, so that every budget can be restored", async () => {
  const store = new ProjectionStore({ path: ":memory:", clock, log: () => {} });
  const hour = 3_600_000;
  const spent = (i: number, atMs: number, cost: number, credential = "k1") =>
    entryOf(i, "settled", decisionId(i), {
      ...settledMeta({ started_at_ms: atMs, cost_nano_usd: nanoUsd(cost) }),
      principal: { type: "service", id: "branch", credential },
    });
  store.apply(
    [
      spent(1, sampleStart - 1, 1000),
      spent(2, sampleStart, 5),
      spent(3, sampleStart + hour - 1, 7),
      spent(4, sampleStart + hour, 11),
      spent(5, sampleStart, 13, "k2"),
      spent(6, sampleStart, 0),
    ].map(positioned),
  );
  const of = (credential: string, hour_ms: number, nano_usd: number) => ({
    tenant: "retail",
    use_case: "credit",
    principal_id: "branch",
    credential,
    hour_ms,
    nano_usd,
  });
  const rows = await spendingSince(store, sampleStart);
  expect(rows.toSorted((a, b) => a.nano_usd - b.nano_usd)).toEqual([
    of("k1", sampleStart + hour, 11),
    of("k1", sampleStart, 12),
    of("k2", sampleStart, 13),
  ]);
  store.close();
});

/** Journals in memory that can be replaced or fail. */
class FakeJournals implements EntrySource {
  entries = new Map<string, FoldedEntry[]>();
  failing = new Set<string>();
  async nodes() {
    return [...this.entries.keys()];
  }
  async at(node: string, position: EntryPosition) {
    const entry = this.entries.get(node)!.find((e) => e.seq === position.seq);
    return entry && { ...positioned(entry), leafHash: "00" };
  }
  async *read(node: string, after?: EntryPosition, upToSeq = Infinity) {
    if (this.failing.has(node)) throw new Error(`${node}: damaged at byte 9`);
    const fresh = this.entries.get(node)!.filter((e) => e.seq > (after?.seq ?? -1) && e.seq <= upToSeq);
    for (let at = 0; at < fresh.length; at += 300) yield fresh.slice(at, at + 300).map(positioned);
  }
}

const settled = (count: number, node = "a") =>
  Array.from({ length: count }, (_, n) => settledEntry(n, decisionId(n + (node === "a" ? 0 : 50_000)), {}, node));
const idsIn = async (store: ProjectionStore) =>
  (await listDecisions(store, {}, undefined, 500)).rows.map((r) => r.decision_id).sort();

describe("a projection file", () => {
  let folder: string;
  let path: string;
  let logged: string[];
  const log = (message: string) => void logged.push(message);
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "weir-projection-"));
    path = join(folder, "projection.sqlite");
    logged = [];
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const makeTail = (store: ProjectionStore, source: EntrySource, on = clock) =>
    new ProjectionTail({
      store,
      source,
      clock: on,
      log,
      onStart: () => {},
      onArrival: () => {},
      pollMs: 1_000,
      restMs: 50,
    });

  it("goes on from its positions when opened again", async () => {
    const source = new FakeJournals();
    source.entries.set("a", settled(2_500));
    const first = new ProjectionStore({ path, clock, log });
    await makeTail(first, source).drain();
    const { generation } = first;
    await first.close();

    const second = new ProjectionStore({ path, clock, log });
    expect(second.positions().get("a")).toMatchObject({ position: { seq: 2_499 }, atMs: sampleStart + 2_499 });
    expect(second.head).toBe(2_500);
    expect(second.generation).toBe(generation);
    await second.close();
    expect(logged).toEqual([]);
  });

  const damages: [string, (path: string) => void, RegExp][] = [
    ["garbage", (file) => writeFileSync(file, "not a database, whatever it is".repeat(50)), /damaged/],
    [
      "an older schema",
      (file) => {
        const db = new DatabaseSync(file);
        db.exec("create table decisions (id text); pragma user_version = 0");
        db.close();
      },
      /schema 0/,
    ],
    [
      "a newer schema",
      (file) => {
        const db = new DatabaseSync(file);
        db.exec("create table decisions (id text); pragma user_version = 99");
        db.close();
      },
      /schema 99/,
    ],
  ];
  it.each(damages)("is replaced and folded again when it is %s", async (_name, damage, message) => {
    damage(path);
    const store = new ProjectionStore({ path, clock, log });
    const source = new FakeJournals();
    source.entries.set("a", settled(3));
    await makeTail(store, source).drain();
    expect(await idsIn(store)).toEqual([0, 1, 2].map(decisionId));
    expect(logged).toHaveLength(1);
    expect(logged[0]).toMatch(message);
    await store.close();
  });

  it.each([0.01, 0.5, 0.9])(
    "is folded again when damage is found inside it, from %d of its length on",
    async (from) => {
      const source = new FakeJournals();
      source.entries.set("a", settled(2_000));
      const first = new ProjectionStore({ path, clock, log });
      await makeTail(first, source).drain();
      await first.close();
      const bytes = readFileSync(path);
      bytes.fill(0xab, Math.max(8_192, Math.floor(from * bytes.length)));
      writeFileSync(path, bytes);

      const store = new ProjectionStore({ path, clock, log });
      source.entries.set("a", settled(2_001));
      const own = new VirtualClock();
      const tail = makeTail(store, source, own);
      tail.wake();
      await own.advance(5_000);
      expect(store.head).toBe(2_001);
      expect((await readOverview(store, "1h", sampleStart)).totals.decisions).toBe(2_001);
      expect(logged.join()).toMatch(/damaged/);
      await tail.close();
      await store.close();
    },
  );

  it("is folded again when a journal is not the one it followed", async () => {
    const store = new ProjectionStore({ path, clock, log });
    const source = new FakeJournals();
    source.entries.set("a", settled(3)).set("b", settled(2, "b"));
    await makeTail(store, source).drain();
    source.entries.set("a", [settledEntry(0, decisionId(9))]);
    await makeTail(store, source).drain();
    expect(await idsIn(store)).toEqual([9, 50_000, 50_001].map(decisionId));
    expect(logged[0]).toMatch(/journal of a is not the one/);
    await store.close();
  });

  it("is opened and read while another process writes", async () => {
    const first = new ProjectionStore({ path, clock, log });
    first.apply(settled(2).map(positioned));
    const other = new DatabaseSync(path);
    other.exec("begin immediate");
    const second = new ProjectionStore({ path, clock, log, busyTimeoutMs: 0 });
    expect(await idsIn(second)).toEqual([0, 1].map(decisionId));
    other.exec("rollback");
    other.close();
    await first.close();
    await second.close();
  });

  it("waits out another process's lock, then says so and loses nothing", async () => {
    const store = new ProjectionStore({ path, clock, log, busyTimeoutMs: 0 });
    const other = new DatabaseSync(path);
    other.exec("begin immediate");
    const source = new FakeJournals();
    source.entries.set("a", settled(3));
    const own = new VirtualClock();
    const tail = makeTail(store, source, own);
    tail.wake();
    await own.advance(10_000);
    expect(logged).toHaveLength(1);
    expect(logged[0]).toMatch(/another process holds/);
    expect(await idsIn(store)).toEqual([]);
    other.exec("rollback");
    other.close();
    await own.advance(10_000);
    expect(await idsIn(store)).toEqual([0, 1, 2].map(decisionId));
    await tail.close();
    await store.close();
  });

  it("is not kept from other nodes by one that cannot be read", async () => {
    const store = new ProjectionStore({ path, clock, log });
    const source = new FakeJournals();
    source.entries.set("a", settled(1)).set("b", settled(1, "b"));
    source.failing.add("a");
    const own = new VirtualClock();
    const tail = makeTail(store, source, own);
    tail.wake();
    await own.advance(5_000);
    expect(await idsIn(store)).toEqual([decisionId(50_000)]);
    expect(logged).toHaveLength(1);
    source.failing.clear();
    await own.advance(2_000);
    expect(await idsIn(store)).toEqual([0, 50_000].map(decisionId));
    await tail.close();
    await store.close();
  });

  it("reads its own node no further than is durable, and the rest after the next wake", async () => {
    const store = new ProjectionStore({ path, clock, log });
    const source = new FakeJournals();
    source.entries.set("a", settled(5));
    const own = new VirtualClock();
    const tail = makeTail(store, source, own);
    tail.wake({ node: "a", seq: 1 });
    await own.advance(3_000);
    expect(store.head).toBe(2);
    tail.wake({ node: "a", seq: 3 });
    await own.advance(60);
    expect(store.head).toBe(4);
    await tail.close();
    expect(own.pendingTimers).toBe(0);
    await store.close();
  });

  it("may be folded by two processes at once", async () => {
    const one = new ProjectionStore({ path, clock, log });
    const two = new ProjectionStore({ path, clock, log });
    const entries = settled(6).map(positioned);
    one.apply(entries.slice(0, 3));
    two.apply(entries.slice(2, 5));
    one.apply(entries);
    expect([one.head, two.head]).toEqual([6, 6]);
    expect((await readOverview(two, "1h", sampleStart)).totals.decisions).toBe(6);
    await one.close();
    await two.close();
  });

  it("keeps nothing of a batch that fails", async () => {
    const store = new ProjectionStore({ path, clock, log });
    const bad = { ...positioned(settledEntry(1, decisionId(1))), position: { segment: 1, offset: 0, seq: 1.5 } };
    expect(() => store.apply([positioned(settledEntry(0, decisionId(0))), bad])).toThrow(
      /cannot store REAL value in INTEGER column/,
    );
    expect(await idsIn(store)).toEqual([]);
    expect(store.head).toBe(0);
    expect(store.apply([positioned(settledEntry(0, decisionId(0)))])).toBe(1);
    await store.close();
  });
});
