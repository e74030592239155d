import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../src/kernel/clock.ts";
import type { DecisionId } from "../../src/kernel/ids.ts";
import { openContent, verifyStore } from "../../src/ledger/index.ts";
import { finishFrame, frameTypes, parseFrame } from "../../src/ledger/frames.ts";
import { readHeader } from "../../src/ledger/segment.ts";
import { MemoryFiles } from "../../src/stores/files/index.ts";
import type { FileCall } from "../../src/stores/files/memory-files.ts";
import { type Acknowledged, all, dir, type Ledger, node, open, play, sinkFolder, turns } from "./ledger-fixture.ts";

const decision = (name: string): DecisionId => `dec_${name}` as DecisionId;

async function written(rounds = 6): Promise<MemoryFiles> {
  const files = new MemoryFiles();
  const ledger = await open(files, { segmentBytes: 2500 });
  await play(ledger, { seqs: [] }, rounds);
  await ledger.journal.close();
  await ledger.keys.close();
  return files.crash();
}
const segments = (files: MemoryFiles): string[] => files.paths().filter((path) => path.endsWith(".wj"));

/** Plays while moving time on, so that back-offs end. */
async function playThrough(ledger: Ledger, acked: Acknowledged): Promise<void> {
  const done = { yet: false };
  const played = play(ledger, acked).then(() => (done.yet = true));
  while (!done.yet) await ledger.clock.advance(300);
  await played;
}

describe("the n-th call of a kind fails", () => {
  const kinds: [FileCall, string, number][] = [
    ["write", "ENOSPC", 1],
    ["write", "ENOSPC", 4],
    ["datasync", "EIO", 1],
    ["datasync", "EIO", 3],
    ["truncate", "EIO", 1],
    ["open", "EMFILE", 1],
    ["replace", "ENOSPC", 2],
    ["remove", "EIO", 1],
  ];
  it.each(kinds)("%s with %s, %i in a row: nothing is lost or doubled", async (call, code, times) => {
    for (let at = 1; at <= 14; at++) {
      const files = new MemoryFiles();
      const ledger = await open(files, { segmentBytes: 4000 });
      files.fail({ at, call, code, times });
      // A write that fails brings the truncate into play.
      if (call === "truncate") files.fail({ at: 2, call: "write", code: "ENOSPC", times: 3 });
      const acked: Acknowledged = { seqs: [] };
      await playThrough(ledger, acked);
      files.heal();
      await ledger.journal.close();
      const found = await all(files);
      expect(found.map(({ entry }) => entry.seq)).toEqual(Array.from({ length: 36 }, (_, i) => i));
      expect(acked.seqs.toSorted((a, b) => a - b)).toEqual(found.map(({ entry }) => entry.seq));
      for (const stored of found.filter(({ entry }) => entry.content))
        expect(await openContent(stored, ledger.keys)).toHaveProperty("value.name");
      const { ok, findings } = await verifyStore({ dir, files: files.crash(), sinks: [sinkFolder] });
      expect(ok, `${call} ${at}: ${JSON.stringify(findings)}`).toBe(true);
    }
  });

  it("after a failed datasync, what is acknowledged survives a power cut: the old file's cache is never trusted", async () => {
    for (let at = 1; at <= 8; at++) {
      const files = new MemoryFiles();
      const ledger = await open(files);
      files.fail({ at, call: "datasync" });
      const acked: Acknowledged = { seqs: [] };
      await playThrough(ledger, acked);
      const after = files.crash();
      const again = await open(after);
      expect((await all(after)).length).toBeGreaterThan(Math.max(...acked.seqs));
      await again.journal.close();
      const { findings } = await verifyStore({ dir, files: after });
      expect(findings.filter(({ severity }) => severity === "error")).toEqual([]);
    }
  });
});

describe("a disk that stays full", () => {
  const meta = { text: "x".repeat(200) };

  it("reports itself, fills the queue, refuses new decisions, takes the end of begun ones, and writes all in order later", async () => {
    const files = new MemoryFiles();
    const { journal, clock } = await open(files, { maxQueuedBytes: 2000 });
    await journal.append({ kind: "begun", tenant: "t", decision: decision("early"), meta }).durable();
    files.fail({ at: 1, call: "write", times: Infinity, code: "ENOSPC" });
    let taken = 0;
    while (!journal.health().full)
      journal.append({ kind: "begun", tenant: "t", decision: decision(`${taken++}`), meta });
    await turns();
    expect(journal.health()).toMatchObject({ writable: false, full: true, entries: 1 });
    expect(journal.health().lastError).toContain("ENOSPC");
    const refused = () => journal.append({ kind: "begun", tenant: "t", decision: decision("late"), meta });
    expect(refused).toThrow(expect.objectContaining({ code: "record_unavailable" }));
    journal.append({ kind: "settled", tenant: "t", decision: decision("early"), meta });
    const last = journal.append({ kind: "settled", tenant: "t", decision: decision("0"), meta });
    await clock.advance(60_000);
    expect(journal.health().entries).toBe(1);
    files.heal();
    await clock.advance(10_000);
    await last.durable();
    expect(journal.health()).toMatchObject({ writable: true, full: false, queuedBytes: 0, entries: taken + 3 });
    expect((await all(files)).map(({ entry }) => entry.tenant_seq)).toEqual(
      Array.from({ length: taken + 3 }, (_, i) => i),
    );
    await journal.close();
  });

  it("tells those who ask to fail fast at once, and writes their entry later all the same", async () => {
    const files = new MemoryFiles();
    const { journal, clock } = await open(files);
    files.fail({ at: 1, call: "write", times: 5, code: "ENOSPC" });
    const appended = journal.append({ kind: "admin", tenant: "t", meta });
    const patient = appended.durable();
    await expect(appended.durable({ failFast: true })).rejects.toMatchObject({ code: "record_unavailable" });
    const next = journal.append({ kind: "admin", tenant: "t", meta });
    await expect(next.durable({ failFast: true })).rejects.toThrow("ENOSPC");
    await clock.advance(60_000);
    await patient;
    await next.durable({ failFast: true });
    await journal.append({ kind: "admin", tenant: "t", meta }).durable({ failFast: true });
    expect((await all(files)).map(({ entry }) => entry.seq)).toEqual([0, 1, 2]);
  });

  it("rejects what was never written when it is closed, and says how much", async () => {
    const files = new MemoryFiles();
    const { journal } = await open(files);
    files.fail({ at: 1, call: "write", times: Infinity, code: "ENOSPC" });
    const lost = journal.append({ kind: "admin", tenant: "t", meta }).durable();
    const outcome = lost.catch((error: unknown) => error);
    await turns();
    await expect(journal.close()).rejects.toThrow("1 entries unwritten");
    expect(await outcome).toMatchObject({ code: "record_unavailable" });
    expect(() => journal.append({ kind: "admin", tenant: "t", meta })).toThrow("closed");
    files.heal();
    const again = await open(files);
    expect(again.journal.health()).toMatchObject({ writable: true, entries: 0 });
  });

  it("a sink that fails is named in health and gets the checkpoint later", async () => {
    const files = new MemoryFiles();
    let down = true;
    const notes: string[] = [];
    const sink = {
      name: "witness",
      publish: async ({ note }: { note: string }) => {
        if (down) throw new Error("connection refused");
        notes.push(note);
      },
    };
    const { journal, clock } = await open(files, { checkpoints: [sink] });
    await journal.append({ kind: "admin", tenant: "t", meta }).durable();
    await clock.advance(1500);
    expect(journal.health()).toMatchObject({
      writable: true,
      checkpoint: { size: 1 },
      sinks: [{ name: "witness", size: 0, error: "connection refused" }],
    });
    down = false;
    await clock.advance(1500);
    expect(notes).toHaveLength(1);
    expect(journal.health()).toMatchObject({ sinks: [{ name: "witness", size: 1 }] });
    expect(journal.health().lastError).toBeUndefined();
    await journal.close();
  });
});

it("starts when a sink can't be reached, and says so", async () => {
  const sink = {
    name: "witness",
    publish: async () => {},
    latest: () => Promise.reject(new Error("connection refused")),
  };
  const { journal } = await open(new MemoryFiles(), { checkpoints: [sink] });
  expect(journal.health().sinks).toEqual([{ name: "witness", size: 0, error: "connection refused" }]);
  await journal.append({ kind: "admin", tenant: "t", meta: {} }).durable();
  await journal.checkpoint();
  expect(journal.health().sinks).toEqual([{ name: "witness", size: 1 }]);
});

describe("a start on files that no crash leaves", () => {
  it.each([
    [
      "a flipped bit before a whole frame",
      1400,
      "ledger_corrupt",
      /00000\d{3}\.wj is damaged at byte \d+.*weir verify/,
    ],
    ["a flipped bit in the last segment's header", 40, "ledger_corrupt", /does not start with its header/],
  ])("%s is refused, named, and left as it is", async (_, from, code, message) => {
    const files = new MemoryFiles();
    const ledger = await open(files);
    await play(ledger, { seqs: [] });
    await ledger.journal.close();
    const broken = files.crash();
    const path = segments(broken).at(-1)!;
    const bytes = (await broken.read(path))!;
    bytes[from]! ^= 1;
    broken.put(path, bytes);
    await expect(open(broken)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    expect(await broken.read(path)).toEqual(bytes);
  });

  it("a journal that ends before its checkpoint is refused without cutting anything", async () => {
    const files = await written();
    const path = segments(files).at(-1)!;
    const bytes = (await files.read(path))!;
    files.put(path, bytes.slice(0, -10));
    await expect(open(files)).rejects.toMatchObject({ code: "ledger_behind_checkpoint" });
    expect((await files.read(path))!.length).toBe(bytes.length - 10);
  });

  it("segments that another history was written into are refused, by the local checkpoint and by the sink's", async () => {
    const files = await written();
    const forged = new MemoryFiles();
    const { journal } = await open(forged, { segmentBytes: 2500, checkpoints: [] });
    for (let i = 0; i < 40; i++) await journal.append({ kind: "admin", tenant: "retail", meta: { i } }).durable();
    await journal.close();
    for (const kept of [`${dir}/${node}/checkpoint`, sinkFolder]) {
      const mixed = forged.copy();
      for (const path of files.paths()) if (path.startsWith(kept)) mixed.put(path, (await files.read(path))!);
      await expect(open(mixed)).rejects.toMatchObject({ code: "ledger_rewritten" });
    }
  });

  it("bytes that a failed datasync left in a given-up segment count for nothing after kill -9", async () => {
    const files = new MemoryFiles();
    const { journal, clock } = await open(files);
    await journal.append({ kind: "admin", tenant: "t", meta: { i: 0 } }).durable();
    files.fail({ at: 1, call: "datasync" });
    const retried = journal.append({ kind: "admin", tenant: "t", meta: { i: 1 } });
    await clock.advance(200);
    await retried.durable();
    await journal.append({ kind: "admin", tenant: "t", meta: { i: 2 } }).durable();
    const after = files.kill();
    expect(segments(after)).toHaveLength(2);
    const again = await open(after);
    expect(again.journal.health()).toMatchObject({ entries: 3 });
    expect((await all(after)).map(({ entry }) => entry.meta)).toEqual([{ i: 0 }, { i: 1 }, { i: 2 }]);
    await again.journal.close();
    expect((await verifyStore({ dir, files: after })).ok).toBe(true);
  });

  it("an earlier, not yet sealed segment that was changed, checksum and all, is refused", async () => {
    const files = new MemoryFiles();
    const { journal } = await open(files, { segmentBytes: 300 });
    for (let i = 0; i < 9; i++) await journal.append({ kind: "admin", tenant: "t", meta: { act: "grant" } }).durable();
    const after = files.crash();
    const path = segments(after)[1]!;
    const bytes = Buffer.from((await after.read(path))!);
    const start = readHeader(bytes)!.end;
    const { end } = parseFrame(bytes, start) as { end: number };
    bytes.write("steal", bytes.indexOf("grant", start));
    finishFrame(bytes.subarray(start, end), frameTypes.batch);
    after.put(path, bytes);
    await expect(open(after)).rejects.toMatchObject({
      code: "ledger_corrupt",
      message: expect.stringContaining("is not what"),
    });
  });

  it("an old copy of the whole data directory is refused because the sink knows more", async () => {
    const files = new MemoryFiles();
    const first = await open(files);
    await play(first, { seqs: [] }, 2);
    await first.journal.close();
    const old = files.copy();
    const later = await open(files);
    await play(later, { seqs: [] }, 2);
    await later.journal.close();
    for (const path of files.paths()) if (path.startsWith(sinkFolder)) old.put(path, (await files.read(path))!);
    await expect(open(old)).rejects.toMatchObject({ code: "ledger_behind_checkpoint" });
  });

  it("two processes never share a node, and a released node can be opened again", async () => {
    const files = new MemoryFiles();
    const { journal } = await open(files);
    await expect(open(files)).rejects.toMatchObject({ code: "ledger_locked" });
    await open(files, { node: "cli" }).then((cli) => cli.journal.close());
    await journal.close();
    await open(files).then((again) => again.journal.close());
    expect(node).toBe("server");
  });

  it("carries open decisions, with their attempts, across segments and restarts", async () => {
    const files = new MemoryFiles();
    const { journal } = await open(files, { segmentBytes: 500 });
    journal.append({ kind: "begun", tenant: "t", decision: decision("hangs"), meta: { use_case: "credit" } });
    await journal
      .append({ kind: "attempt", tenant: "t", decision: decision("hangs"), meta: { target: "a" } })
      .durable();
    for (let i = 0; i < 20; i++) {
      journal.append({ kind: "begun", tenant: "u", decision: decision(`${i}`), meta: {} });
      await journal.append({ kind: "settled", tenant: "u", decision: decision(`${i}`), meta: {} }).durable();
    }
    const after = files.crash();
    expect(segments(after).length).toBeGreaterThan(3);
    const again = await open(after, {}, new VirtualClock(1_800_000_000_000));
    expect(again.journal.openDecisions()).toEqual([
      {
        decision: decision("hangs"),
        tenant: "t",
        entries: [
          { seq: 0, at_ms: expect.any(Number), kind: "begun", meta: { use_case: "credit" } },
          { seq: 1, at_ms: expect.any(Number), kind: "attempt", meta: { target: "a" } },
        ],
      },
    ]);
    await again.journal.append({ kind: "settled", tenant: "t", decision: decision("hangs"), meta: {} }).durable();
    expect(again.journal.openDecisions()).toEqual([]);
    await again.journal.close();
    expect((await verifyStore({ dir, files: after })).ok).toBe(true);
  });
});
