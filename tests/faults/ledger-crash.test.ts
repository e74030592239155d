import { describe, expect, it } from "vitest";
import { openContent, verifyStore } from "../../src/ledger/index.ts";
import { MemoryFiles, type FilePort } from "../../src/stores/files/index.ts";
import type { Survival } from "../../src/stores/files/memory-files.ts";
import { type Acknowledged, all, dir, open, play, signer, sinkFolder, turns } from "./ledger-fixture.ts";

const options = { segmentBytes: 2500 };

/** Plays until the power goes or everything is written; never waits for what will not come. */
async function run(files: MemoryFiles, acked: Acknowledged): Promise<void> {
  const done = { yet: false };
  const scenario = async () => {
    const ledger = await open(files, options);
    await play(ledger, acked);
    await ledger.journal.close();
    await ledger.keys.close();
  };
  const finished = scenario().then(() => (done.yet = true));
  while (!done.yet && !files.isOff) await turns(1);
  if (!files.isOff) await finished;
  await turns();
}

async function settleOpen(files: FilePort): Promise<void> {
  const { journal, keys } = await open(files, options);
  for (const { decision, tenant, entries } of journal.openDecisions()) {
    expect(entries[0]!.kind).toBe("begun");
    journal.append({ kind: "settled", tenant, decision, meta: { result: "interrupted" } });
  }
  await journal.close();
  await keys.close();
}

const survivals: [string, Survival][] = [
  ["nothing unsynced survives", {}],
  ["a torn prefix of 7 bytes", { tornBytes: 7 }],
  ["a torn prefix of 300 bytes", { tornBytes: 300 }],
  ["everything unsynced survives", { tornBytes: 1e9 }],
  ["zeros where the data was to be", { tornBytes: 20, zeros: true }],
];

describe("a power cut at every changing call", async () => {
  const whole = new MemoryFiles();
  await run(whole, { seqs: [] });
  const total = whole.calls.length;

  it("has something to cut", () => {
    expect(total).toBeGreaterThan(40);
    expect(new Set(whole.calls)).toEqual(new Set(["open", "write", "datasync", "replace", "remove"]));
  });

  it.each(survivals)("%s: what was acknowledged is there, without gaps, verifiable", async (_, survival) => {
    for (let cut = 1; cut <= total; cut++) {
      const files = new MemoryFiles();
      files.cutAt(cut);
      const acked: Acknowledged = { seqs: [] };
      await run(files, acked);
      const after = files.crash(survival);
      await settleOpen(after);
      const entries = await all(after);
      const seqs = entries.map(({ entry }) => entry.seq);
      expect(seqs, `cut at call ${cut}`).toEqual(seqs.map((_, i) => i));
      expect(Math.max(-1, ...acked.seqs), `cut at call ${cut}`).toBeLessThan(seqs.length);
      const { ok, findings } = await verifyStore({ dir, files: after, sinks: [sinkFolder], publicKey: keyText });
      expect(ok, `cut at call ${cut}: ${JSON.stringify(findings)}`).toBe(true);
    }
  });

  it("keeps content readable after any cut", async () => {
    for (let cut = 5; cut <= total; cut += 3) {
      const files = new MemoryFiles();
      files.cutAt(cut);
      await run(files, { seqs: [] });
      const after = files.crash({ tornBytes: 1e9 });
      const { journal, keys } = await open(after, options);
      const sealed = (await all(after)).filter(({ entry }) => entry.content);
      const opened = await Promise.all(sealed.map((stored) => openContent(stored, keys)));
      expect(opened, `cut at call ${cut}`).toEqual(
        sealed.map(() => ({ value: { income: expect.any(Number), name: expect.any(String) } })),
      );
      await journal.close();
    }
  });

  it("kill -9 at every call, then a power cut once the next process has sealed what it found: nothing sealed is lost", async () => {
    for (let cut = 1; cut <= total; cut++) {
      const files = new MemoryFiles();
      files.cutAt(cut);
      const acked: Acknowledged = { seqs: [] };
      await run(files, acked);
      const next = files.kill();
      const { journal } = await open(next, options);
      const content = {
        key: { tenant: "cards", subject: "subject-0" },
        value: "under a key that may so far be cached only",
      };
      journal.append({ kind: "admin", tenant: "cards", meta: {}, content });
      await journal.checkpoint();
      const after = next.crash();
      await settleOpen(after);
      const { ok, entries, findings } = await verifyStore({ dir, files: after, sinks: [sinkFolder] });
      expect(ok, `killed at call ${cut}: ${JSON.stringify(findings)}`).toBe(true);
      expect(entries).toBeGreaterThan(Math.max(-1, ...acked.seqs));
    }
  });

  it("survives a second cut during the recovery from the first", async () => {
    for (let cut = 10; cut <= total; cut += 7) {
      const files = new MemoryFiles();
      files.cutAt(cut);
      const acked: Acknowledged = { seqs: [] };
      await run(files, acked);
      for (let second = 1; second <= 6; second++) {
        const again = files.crash({ tornBytes: 100 });
        again.cutAt(second);
        await run(again, { seqs: [] });
        const after = again.crash({ tornBytes: 11 });
        await settleOpen(after);
        const { ok, entries, findings } = await verifyStore({ dir, files: after, sinks: [sinkFolder] });
        expect(ok, `cuts at ${cut}, ${second}: ${JSON.stringify(findings)}`).toBe(true);
        expect(entries).toBeGreaterThan(Math.max(-1, ...acked.seqs));
      }
    }
  });
});

const keyText = Buffer.from(signer.publicKey).toString("base64");
