/** The worker against a real journal on disk: threads and files, no fakes. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { systemClock } from "../../kernel/clock.ts";
import type { DecisionId } from "../../kernel/ids.ts";
import { openFileKek, openFileSigner, openJournal, openKeyRing } from "../../ledger/index.ts";
import { begunMeta, decisionId, outcomeMeta, settledMeta } from "../../projection/entry-samples.ts";
import { nodeFiles } from "../files/index.ts";
import { SqliteIndex } from "./decision-index.ts";

describe("SqliteIndex", () => {
  let folder: string;
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "weir-index-"))));
  afterEach(() => rmSync(folder, { recursive: true }));

  async function openLedger(onCommitted: (upTo: { seq: number }) => void) {
    const files = nodeFiles;
    const clock = systemClock;
    const dir = join(folder, "ledger");
    const kek = await openFileKek({ files, clock, path: join(folder, "kek") });
    const signer = await openFileSigner({ files, clock, path: join(folder, "signer") });
    const keys = await openKeyRing({ files, clock, dir, node: "a", kek });
    const journal = await openJournal({ dir, node: "a", files, clock, keys, signer, checkpoints: [], onCommitted });
    return { journal, keys, dir };
  }
  const openIndex = (dir: string, logged: string[]) =>
    SqliteIndex.open({
      path: join(folder, "projection.sqlite"),
      journalDir: dir,
      log: (message) => logged.push(message),
      restMs: 1,
      durable: { node: "a", seq: -1 },
    });

  it("shows what the journal committed, answers from it, rebuilds and closes cleanly", async () => {
    const logged: string[] = [];
    let index: SqliteIndex | undefined;
    const { journal, keys, dir } = await openLedger(({ seq }) => index?.wake({ node: "a", seq }));
    index = await openIndex(dir, logged);
    const arrived = new Promise<void>((resolve) => index!.onArrival(resolve));

    const decision = decisionId(1) as DecisionId;
    const draft = { tenant: "retail", decision };
    journal.append({ ...draft, kind: "begun", meta: begunMeta });
    journal.append({ ...draft, kind: "amended", meta: outcomeMeta("o1") });
    const content = { key: { tenant: "retail" }, value: { features: { income: 3 } } };
    journal.append({ ...draft, kind: "settled", meta: settledMeta({ result: "approve" }), content });
    await arrived;

    const page = await index.list({ result: "approve" }, undefined, 10);
    expect(page.rows.map((r) => r.decision_id)).toEqual([decision]);
    const found = await index.get(decision);
    expect(found?.entries.map((e) => e.kind)).toEqual(["begun", "amended", "settled"]);
    expect(found?.entries[0]?.meta).toEqual(begunMeta);
    expect(found?.entries.every((e) => /^[0-9a-f]{64}$/.test(e.leaf_hash!))).toBe(true);
    expect(JSON.stringify(found)).not.toContain("income");
    expect((await index.outcomes(decision)).map((o) => o.outcome_id)).toEqual(["o1"]);

    const before = (await index.since(undefined, {}, 1)).next;
    await index.rebuild();
    expect(await index.since(before, {}, 1)).toMatchObject({ gap: 0 });
    expect((await index.list({}, undefined, 10)).rows).toEqual(page.rows);

    await index.close();
    await index.close();
    await expect(index.list({}, undefined, 1)).rejects.toMatchObject({ code: "internal" });
    await journal.close();
    await keys.close();
    expect(logged).toEqual([]);
  });

  it("refuses to open where no file can be", async () => {
    const logged: string[] = [];
    const opening = SqliteIndex.open({
      path: join(folder, "no", "such", "folder", "p.sqlite"),
      journalDir: folder,
      log: (message) => logged.push(message),
    });
    await expect(opening).rejects.toMatchObject({ code: "internal" });
    expect(logged.join()).toMatch(/unable to open/);
  });
});
