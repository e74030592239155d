import { afterAll, describe, expect, it } from "vitest";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock, VirtualClock } from "../kernel/clock.ts";
import type { DecisionId } from "../kernel/ids.ts";
import { type FilePort, MemoryFiles, nodeFiles } from "../stores/files/index.ts";
import type { JournalOptions } from "./journal.ts";
import {
  fileSink,
  findDecision,
  type KekPort,
  openContent,
  openFileKek,
  openFileSigner,
  openJournal,
  openKeyRing,
  type Position,
  readEntries,
  readEntryBySeq,
  signerOf,
  type StoredEntry,
  verifyStore,
} from "./index.ts";

const dir = "ledger";
const node = "server";
const kek: KekPort = {
  id: "plain",
  wrap: async (secret) => secret.slice(),
  unwrap: async (wrapped) => wrapped.slice(),
};
const signer = signerOf("bank", new Uint8Array(32).fill(1));

async function prepare(options: Partial<JournalOptions> = {}) {
  const files = new MemoryFiles();
  const clock = new VirtualClock();
  const keys = await openKeyRing({ files, clock, dir, node, kek });
  const journal = await openJournal({ dir, node, files, clock, keys, signer, checkpoints: [], ...options });
  return { files, clock, keys, journal };
}
async function read(
  files: FilePort,
  options: { from?: Position; upTo?: { seq: number } } = {},
): Promise<StoredEntry[]> {
  const found: StoredEntry[] = [];
  for await (const stored of readEntries({ dir, files, node, ...options })) found.push(stored);
  return found;
}
const decision = (name: string): DecisionId => `dec_${name}` as DecisionId;
const count = (files: MemoryFiles, call: string): number => files.calls.filter((each) => each === call).length;

describe("group commit", () => {
  it("takes the entries of one turn, and those that came during a datasync, with one write and one datasync each", async () => {
    const { files, journal } = await prepare();
    await journal.append({ kind: "admin", tenant: "t", meta: {} }).durable();
    const before = { writes: count(files, "write"), syncs: count(files, "datasync") };
    for (let i = 0; i < 10; i++) journal.append({ kind: "admin", tenant: "t", meta: { i } });
    await Promise.resolve();
    for (let i = 0; i < 5000; i++) journal.append({ kind: "admin", tenant: "t", meta: { i } });
    await journal.flush();
    // 10, then at most 4,096, then the rest.
    expect({ writes: count(files, "write"), syncs: count(files, "datasync") }).toEqual({
      writes: before.writes + 3,
      syncs: before.syncs + 3,
    });
    expect(journal.health()).toMatchObject({ entries: 5011, queuedBytes: 0, writable: true });
  });

  it("acknowledges nothing before its datasync, and reports each commit", async () => {
    const committed: number[] = [];
    const { files, journal } = await prepare({ onCommitted: ({ seq }) => committed.push(seq) });
    files.fail({ at: 2, call: "datasync" });
    let acknowledged = false;
    void journal
      .append({ kind: "admin", tenant: "t", meta: {} })
      .durable()
      .then(() => (acknowledged = true));
    for (let i = 0; i < 20; i++) await Promise.resolve();
    await new Promise<void>((resolve) => setImmediate(resolve));
    expect({ acknowledged, committed }).toEqual({ acknowledged: false, committed: [] });
  });

  it("adds one datasync for a batch with new keys, and none for known ones", async () => {
    const { files, journal } = await prepare();
    const append = () =>
      journal.append({ kind: "admin", tenant: "t", meta: {}, content: { key: { tenant: "t" }, value: 1 } }).durable();
    await append();
    const before = count(files, "datasync");
    await append();
    expect(count(files, "datasync")).toBe(before + 1);
  });

  it("keeps entries whose content can't be sealed yet, in order", async () => {
    const { files, keys, clock } = await prepare();
    let broken = true;
    const ring = {
      keyFor: (...at: Parameters<typeof keys.keyFor>) => {
        if (broken) throw new Error("no key today");
        return keys.keyFor(...at);
      },
    };
    const failing = Object.assign(Object.create(keys) as typeof keys, ring, { persist: () => keys.persist() });
    const journal = await openJournal({ dir, node: "other", files, clock, keys: failing, signer, checkpoints: [] });
    const content = { key: { tenant: "t" }, value: 1 };
    for (let i = 0; i < 3; i++) journal.append({ kind: "admin", tenant: "t", meta: { i }, content });
    await clock.advance(1000);
    expect(journal.health()).toMatchObject({ writable: false, entries: 0, lastError: "no key today" });
    broken = false;
    await clock.advance(10_000);
    expect(journal.health()).toMatchObject({ writable: true, entries: 3, queuedBytes: 0 });
  });

  it("keeps the bytes of entries apart, however large and many wait for the commit under way", async () => {
    const { files, journal } = await prepare();
    const texts = ["", "é".repeat(10), "x".repeat(200_000), "日本".repeat(90_000), "\u{1f600}".repeat(3)];
    const sent: { i: number; text: string }[] = [];
    for (let i = 0; i < 60; i++) {
      const meta = { i, text: texts[i % texts.length]! };
      sent.push(meta);
      journal.append({
        kind: "admin",
        tenant: "t",
        meta,
        ...(i % 4 === 0 && { content: { key: { tenant: "t" }, value: i } }),
      });
      // Some meet a commit under way, some an idle journal.
      for (let turn = 0; turn < i % 7; turn++) await Promise.resolve();
      if (i % 20 === 19) await journal.flush();
    }
    await journal.close();
    expect((await read(files)).map(({ entry }) => entry.meta)).toEqual(sent);
    expect((await verifyStore({ dir, files })).ok).toBe(true);
  });

  it("answers full and writable as health does", async () => {
    const { files, journal, clock } = await prepare({ maxQueuedBytes: 100 });
    expect([journal.full, journal.writable]).toEqual([false, true]);
    files.fail({ at: 1, call: "write", times: Infinity });
    journal.append({ kind: "admin", tenant: "t", meta: { text: "x".repeat(200) } });
    await clock.advance(10);
    expect([journal.full, journal.writable]).toEqual([true, false]);
    expect(journal.health()).toMatchObject({ full: true, writable: false });
  });

  it("serialises once, while append runs, and refuses what is no JSON", async () => {
    const { files, journal } = await prepare();
    const meta = { result: "approve" };
    const value = { name: "Ada" };
    journal.append({ kind: "admin", tenant: "t", meta, content: { key: { tenant: "t" }, value } });
    meta.result = "decline";
    await journal.flush();
    expect((await read(files))[0]!.entry.meta).toEqual({ result: "approve" });
    for (const bad of [[], undefined] as unknown as object[])
      expect(() => journal.append({ kind: "admin", tenant: "t", meta: bad })).toThrow("must be a JSON object");
    expect(() =>
      journal.append({ kind: "admin", tenant: "t", meta: {}, content: { key: { tenant: "t" }, value: undefined } }),
    ).toThrow("JSON");
    expect(journal.append({ kind: "admin", tenant: "t", meta: {} }).seq).toBe(1);
  });
});

describe("content", () => {
  it("is sealed per key, read back exactly, and its text is nowhere on disk", async () => {
    const { files, journal, keys } = await prepare();
    const owners = [{ tenant: "t", subject: "s1" }, { tenant: "t", subject: "s2" }, { tenant: "t" }, { tenant: "u" }];
    const values = Array.from({ length: 12 }, (_, i) => ({ secret: `PERSONAL-${i} €`, list: [i, null] }));
    values.forEach((value, i) =>
      journal.append({ kind: "admin", tenant: "t", meta: { i }, content: { key: owners[i % 4]!, value } }),
    );
    await journal.flush();
    const stored = await read(files);
    for (const [i, each] of stored.entries()) expect(await openContent(each, keys)).toEqual({ value: values[i] });
    const batches = stored.map(({ entry }) => entry.content!.batch);
    expect(new Set(batches).size).toBe(4);
    expect(new Set(stored.map(({ entry }) => `${entry.content!.key} ${entry.content!.batch}`)).size).toBe(4);
    const open = [];
    for (const path of files.paths()) if (Buffer.from((await files.read(path))!).includes("PERSONAL")) open.push(path);
    expect(open).toEqual([]);
  });

  it("takes a new key for a tenant each UTC day", async () => {
    const { files, journal, clock } = await prepare();
    for (let day = 0; day < 2; day++) {
      await journal
        .append({ kind: "admin", tenant: "t", meta: {}, content: { key: { tenant: "t" }, value: day } })
        .durable();
      await clock.advance(86_400_000);
    }
    expect(new Set((await read(files)).map(({ entry }) => entry.content!.key)).size).toBe(2);
  });
});

describe("reading", () => {
  it("goes on from any position, across segments, and no further than asked", async () => {
    const { files, journal } = await prepare({ segmentBytes: 700 });
    for (let i = 0; i < 30; i++) {
      journal.append({ kind: "admin", tenant: "t", meta: { i } });
      if (i % 3 === 2) await journal.flush();
    }
    await journal.flush();
    const all = await read(files);
    expect(all.map(({ entry }) => entry.seq)).toEqual(Array.from({ length: 30 }, (_, i) => i));
    expect(all.at(-1)!.position.segment).toBeGreaterThan(3);
    for (const { position } of all) {
      const rest = await read(files, { from: JSON.parse(JSON.stringify(position)) });
      expect(rest.map(({ entry }) => entry.seq)).toEqual(all.slice(position.seq + 1).map(({ entry }) => entry.seq));
    }
    expect((await read(files, { upTo: { seq: 10 } })).at(-1)!.entry.seq).toBe(10);
    expect((await read(files, { from: all[10]!.position, upTo: { seq: 10 } })).length).toBe(0);
    for (const seq of [0, 13, 29])
      expect((await readEntryBySeq({ dir, files, node }, seq))!.entry.meta).toEqual({ i: seq });
    expect(await readEntryBySeq({ dir, files, node }, 30)).toBeUndefined();
  });

  it("follows a journal that grows, from where it stood", async () => {
    const { files, journal } = await prepare({ segmentBytes: 400 });
    let from: Position | undefined;
    const seen: number[] = [];
    for (let i = 0; i < 12; i++) {
      await journal.append({ kind: "admin", tenant: "t", meta: { i } }).durable();
      for (const { entry, position } of await read(files, from && { from })) {
        seen.push(entry.seq);
        from = position;
      }
    }
    expect(seen).toEqual(Array.from({ length: 12 }, (_, i) => i));
  });

  it("stops before a torn tail and reads nothing of a node that is not there", async () => {
    const { files, journal } = await prepare();
    for (let i = 0; i < 3; i++) await journal.append({ kind: "admin", tenant: "t", meta: { i } }).durable();
    const path = files.paths().find((each) => each.endsWith(".wj"))!;
    const bytes = (await files.read(path))!;
    for (let cut = 1; cut < 100; cut += 7) {
      const torn = files.copy();
      torn.put(path, bytes.slice(0, -cut));
      expect((await read(torn)).map(({ entry }) => entry.seq)).toEqual([0, 1]);
    }
    expect(await read(new MemoryFiles())).toEqual([]);
  });

  it("sees entries once that were read before their segment was given up", async () => {
    const { files, journal, clock } = await prepare();
    await journal.append({ kind: "admin", tenant: "t", meta: {} }).durable();
    files.fail({ at: 1, call: "datasync" });
    const appended = journal.append({ kind: "admin", tenant: "t", meta: { again: true } });
    await clock.advance(50);
    const early = await read(files);
    expect(early.map(({ entry }) => entry.seq)).toEqual([0, 1]);
    await clock.advance(500);
    await appended.durable();
    await journal.append({ kind: "admin", tenant: "t", meta: {} }).durable();
    expect((await read(files)).map(({ position }) => [position.seq, position.segment])).toEqual([
      [0, 1],
      [1, 2],
      [2, 2],
    ]);
    expect((await read(files, { from: early[1]!.position })).map(({ entry }) => entry.seq)).toEqual([2]);
  });

  it("finds a decision by scan, by position and by sequence, and nobody else's entries", async () => {
    const { files, journal } = await prepare();
    for (let i = 0; i < 9; i++)
      journal.append({ kind: i < 3 ? "begun" : "attempt", tenant: "t", decision: decision(`${i % 3}`), meta: { i } });
    await journal.flush();
    const byScan = await findDecision({ dir, files, node, decision: decision("1") });
    expect(byScan.map(({ entry }) => entry.seq)).toEqual([1, 4, 7]);
    const positions = byScan.map(({ position }) => position);
    expect(await findDecision({ dir, files, node, decision: decision("1"), positions })).toEqual(byScan);
    expect(await findDecision({ dir, files, node, decision: decision("1"), seqs: [7, 1, 4, 0] })).toEqual(byScan);
  });
});

describe("sealing", () => {
  it("makes a checkpoint within a second of an entry, and at once after 1,000", async () => {
    const { clock, journal } = await prepare();
    await journal.append({ kind: "admin", tenant: "t", meta: {} }).durable();
    expect(journal.health().checkpoint).toBeUndefined();
    await clock.advance(1000);
    expect(journal.health().checkpoint).toEqual({ size: 1, atMs: clock.now() });
    for (let i = 0; i < 1500; i++) journal.append({ kind: "admin", tenant: "t", meta: {} });
    await journal.flush();
    await clock.advance(0);
    expect(journal.health().checkpoint!.size).toBeGreaterThanOrEqual(1001);
    await clock.advance(5000);
    const sealed = journal.health().checkpoint!;
    expect(sealed.size).toBe(1501);
    await clock.advance(60_000);
    expect(journal.health().checkpoint).toEqual(sealed);
  });

  it("refuses to go on under another signing key", async () => {
    const { files, clock, keys, journal } = await prepare();
    await journal.close();
    const other = signerOf("bank", new Uint8Array(32).fill(2));
    const opened = openJournal({ dir, node, files, clock, keys, signer: other, checkpoints: [] });
    await expect(opened).rejects.toMatchObject({ code: "ledger_signer_changed" });
  });
});

describe("on the real disk", () => {
  const root = mkdtempSync(join(tmpdir(), "weir-ledger-"));
  afterAll(() => rmSync(root, { recursive: true }));

  it("writes, reopens, reads, verifies", async () => {
    const files = nodeFiles;
    const clock = systemClock;
    const options = { dir: `${root}/ledger`, node, files, clock };
    const session = async (text: string) => {
      const keys = await openKeyRing({ ...options, kek: await openFileKek({ files, clock, path: `${root}/kek` }) });
      const fileSigner = await openFileSigner({ files, clock, path: `${root}/signing-key` });
      const checkpoints = [fileSink({ files, folder: `${root}/elsewhere` })];
      const journal = await openJournal({ ...options, keys, signer: fileSigner, checkpoints });
      for (let i = 0; i < 300; i++)
        journal.append({
          kind: "admin",
          tenant: "t",
          meta: { i },
          content: { key: { tenant: "t" }, value: `${text} ${i}` },
        });
      await journal.close();
      return keys;
    };
    await session("first");
    const keys = await session("second");
    const found: unknown[] = [];
    for await (const stored of readEntries(options)) found.push(await openContent(stored, keys));
    expect(found[0]).toEqual({ value: "first 0" });
    expect(found[599]).toEqual({ value: "second 299" });
    const result = await verifyStore({ ...options, sinks: [`${root}/elsewhere`] });
    expect(result).toMatchObject({ ok: true, entries: 600, nodes: [{ sealed: 600 }] });
    expect(result.findings.map(({ code }) => code)).toEqual(["key_not_trusted"]);
    await keys.close();
  });
});
