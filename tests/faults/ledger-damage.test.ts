import { describe, expect, it } from "vitest";
import { newDecisionId } from "../../src/kernel/ids.ts";
import { type Finding, verifyStore } from "../../src/ledger/index.ts";
import { finishFrame, frameTypes, parseFrame } from "../../src/ledger/frames.ts";
import { readHeader } from "../../src/ledger/segment.ts";
import { MemoryFiles } from "../../src/stores/files/index.ts";
import { all, dir, open, otherSigner, play, signer, sinkFolder } from "./ledger-fixture.ts";

const publicKey = Buffer.from(signer.publicKey).toString("base64");
const checkpointFile = `${dir}/server/checkpoint`;

async function store(rounds = 4, options: Parameters<typeof open>[1] = {}): Promise<MemoryFiles> {
  const files = new MemoryFiles();
  const ledger = await open(files, { segmentBytes: 3000, ...options });
  await play(ledger, { seqs: [] }, rounds);
  await ledger.journal.close();
  await ledger.keys.close();
  return files.crash();
}
const savedIn = async (files: MemoryFiles): Promise<string> =>
  new TextDecoder().decode(await files.read(checkpointFile));
const errorsOf = (findings: Finding[]): string[] => [
  ...new Set(findings.filter(({ severity }) => severity === "error").map(({ code }) => code)),
];

describe("verify on a small store", async () => {
  const whole = await store();

  it("finds nothing in a whole one, and counts it", async () => {
    const result = await verifyStore({
      dir,
      files: whole,
      publicKey,
      saved: await savedIn(whole),
      sinks: [sinkFolder],
    });
    expect(result.findings).toEqual([]);
    expect(result).toMatchObject({
      ok: true,
      entries: 24,
      nodes: [{ node: "server", entries: 24, sealed: 24, unsealed: 0 }],
    });
  });

  it("names the file of any flipped bit, in every byte of every file (sampled in the bits)", async () => {
    let flips = 0;
    const unnamed: string[] = [];
    for (const path of whole.paths().filter((each) => each.startsWith(dir))) {
      const bytes = (await whole.read(path))!;
      // Every byte of small files; of segments a step that meets every kind of field.
      const step = bytes.length > 1500 ? 3 : 1;
      for (let at = 0; at < bytes.length; at += step) {
        const damaged = bytes.slice();
        damaged[at]! ^= 1 << (at % 8);
        whole.put(path, damaged);
        const { ok, findings } = await verifyStore({ dir, files: whole, publicKey });
        const named = findings.some(({ where, message }) => `${where} ${message}`.includes(path));
        if (ok || !named) unnamed.push(`bit ${at % 8} of byte ${at} in ${path}: ${JSON.stringify(findings)}`);
        flips++;
      }
      whole.put(path, bytes);
    }
    expect(unnamed).toEqual([]);
    expect(flips).toBeGreaterThan(2000);
  });

  it.each([
    ['"result":"approve"', '"result":"decline"', ["rewritten"]],
    ['"tenant_seq":4', '"tenant_seq":5', ["rewritten", "tenant_gap"]],
    ['"kind":"settled"', '"kind":"amended"', ["rewritten"]],
    ['"seq":7,', '"seq":8,', ["rewritten", "sequence_gap"]],
    ['"mac":"', '"mac":"', []],
  ])("finds %s changed to %s though every checksum was made to fit", async (from, to, expected) => {
    const files = whole.copy();
    for (const path of files.paths().filter((each) => each.endsWith(".wj"))) {
      const bytes = Buffer.from((await files.read(path))!);
      const place = bytes.indexOf(from, (readHeader(bytes)?.end ?? 0) + 1);
      if (place < 0) continue;
      let frame = readHeader(bytes)!.end;
      for (let next = frame; next < place; next = (parseFrame(bytes, next) as { end: number }).end) frame = next;
      const { end } = parseFrame(bytes, frame) as { end: number };
      bytes.write(to, place);
      finishFrame(bytes.subarray(frame, end), frameTypes.batch);
      files.put(path, bytes);
      break;
    }
    const codes = errorsOf((await verifyStore({ dir, files, publicKey })).findings);
    expect(codes).toEqual(expect.arrayContaining(expected));
    expect(codes.length > 0).toBe(expected.length > 0);
  });

  it("names a missing file of any kind", async () => {
    for (const path of whole.paths().filter((each) => each.startsWith(`${dir}/`) && !each.endsWith("log.pub"))) {
      const files = whole.copy();
      await files.remove(path);
      const { ok, findings } = await verifyStore({ dir, files, publicKey, sinks: [sinkFolder] });
      expect(ok, `${path}: ${JSON.stringify(findings)}`).toBe(false);
    }
  });

  it("names a truncated tail at any length, by the local and by a saved checkpoint", async () => {
    const path = whole.paths().findLast((each) => each.endsWith(".wj"))!;
    const bytes = (await whole.read(path))!;
    const saved = await savedIn(whole);
    for (let length = 0; length < bytes.length; length += 13) {
      const files = whole.copy();
      files.put(path, bytes.slice(0, length));
      expect(errorsOf((await verifyStore({ dir, files, publicKey })).findings)).toContain("truncated");
      await files.remove(checkpointFile);
      const codes = errorsOf((await verifyStore({ dir, files, publicKey, saved })).findings);
      expect(codes).toContain("rolled_back");
    }
  });
});

describe("verify against what was kept elsewhere", () => {
  it("an older copy of the store is rolled back, though it is consistent in itself", async () => {
    const files = new MemoryFiles();
    const first = await open(files);
    await play(first, { seqs: [] }, 2);
    await first.journal.close();
    const old = files.copy();
    const later = await open(files);
    await play(later, { seqs: [] }, 2);
    await later.journal.close();
    const saved = await savedIn(files);
    expect((await verifyStore({ dir, files: old, publicKey })).ok).toBe(true);
    expect(errorsOf((await verifyStore({ dir, files: old, publicKey, saved })).findings)).toEqual(["rolled_back"]);
    for (const path of files.paths()) if (path.startsWith(sinkFolder)) old.put(path, (await files.read(path))!);
    const bySink = await verifyStore({ dir, files: old, publicKey, sinks: [sinkFolder] });
    expect(errorsOf(bySink.findings)).toEqual(["rolled_back"]);
    expect((await verifyStore({ dir, files, publicKey, saved: await savedIn(old), sinks: [sinkFolder] })).ok).toBe(
      true,
    );
  });

  it("a store written anew and signed by another key is re-signed", async () => {
    const saved = await savedIn(await store());
    const forged = await store(5, { signer: otherSigner });
    expect(errorsOf((await verifyStore({ dir, files: forged })).findings)).toEqual([]);
    expect(errorsOf((await verifyStore({ dir, files: forged, saved })).findings)).toEqual(["resigned"]);
    expect(errorsOf((await verifyStore({ dir, files: forged, publicKey })).findings)).toContain("checkpoint_signature");
  });

  it("a store written anew and signed by the same key is not consistent with what was saved", async () => {
    const saved = await savedIn(await store());
    const files = new MemoryFiles();
    const ledger = await open(files);
    ledger.journal.append({ kind: "admin", tenant: "retail", meta: { act: "another history" } });
    await play(ledger, { seqs: [] }, 5);
    await ledger.journal.close();
    const { findings } = await verifyStore({ dir, files, publicKey, saved });
    expect(errorsOf(findings)).toEqual(["rewritten"]);
  });

  it("a saved checkpoint that was changed, or is of a log that is gone, is named", async () => {
    const files = await store();
    const saved = await savedIn(files);
    const changed = saved.replace("\n24\n", "\n23\n");
    expect(errorsOf((await verifyStore({ dir, files, publicKey, saved: changed })).findings)).toContain(
      "saved_invalid",
    );
    const gone = new MemoryFiles();
    expect(errorsOf((await verifyStore({ dir, files: gone, publicKey, saved })).findings)).toEqual(["node_missing"]);
  });
});

describe("verify on what a journal wrote", () => {
  type Draft = Parameters<Awaited<ReturnType<typeof open>>["journal"]["append"]>[0];
  const write = async (drafts: (id: ReturnType<typeof newDecisionId>) => Draft[], waitMs = 0): Promise<Finding[]> => {
    const files = new MemoryFiles();
    const { journal, clock } = await open(files);
    for (const draft of drafts(newDecisionId(clock))) journal.append(draft);
    await journal.flush();
    await clock.advance(waitMs);
    if (waitMs > 0) journal.append({ kind: "admin", tenant: "t", meta: {} });
    await journal.close();
    return (await verifyStore({ dir, files, publicKey })).findings;
  };
  const of = (kind: Draft["kind"], decision: Draft["decision"], meta: object = {}): Draft => ({
    kind,
    tenant: "t",
    decision: decision!,
    meta,
  });

  it.each<[string, (id: ReturnType<typeof newDecisionId>) => Draft[], number, object[]]>([
    [
      "settled twice",
      (id) => [of("begun", id), of("settled", id), of("settled", id)],
      0,
      [{ code: "settled_twice", severity: "error" }],
    ],
    ["settled without begun", (id) => [of("settled", id)], 0, [{ code: "settled_without_begun", severity: "error" }]],
    ["a refusal before it began", (id) => [of("settled", id, { refused_before_begin: true })], 0, []],
    ["an attempt outside", (id) => [of("attempt", id)], 0, [{ code: "attempt_outside_decision", severity: "error" }]],
    ["begun just now", (id) => [of("begun", id)], 0, [{ code: "begun_never_settled", severity: "warning" }]],
    ["begun long ago", (id) => [of("begun", id)], 3_600_000, [{ code: "begun_never_settled", severity: "error" }]],
    ["amended after it settled", (id) => [of("begun", id), of("settled", id), of("amended", id)], 0, []],
  ])("%s", async (_, drafts, waitMs, expected) => {
    expect(await write(drafts, waitMs)).toEqual(expected.map((finding) => expect.objectContaining(finding)));
  });

  it("says how many entries are not yet sealed, and still checks them", async () => {
    const files = new MemoryFiles();
    const { journal } = await open(files);
    for (let i = 0; i < 3; i++) await journal.append({ kind: "admin", tenant: "t", meta: { i } }).durable();
    const result = await verifyStore({ dir, files: files.crash(), publicKey });
    expect(result).toMatchObject({ ok: true, nodes: [{ entries: 3, sealed: 0, unsealed: 3 }] });
    expect(result.findings).toEqual([expect.objectContaining({ code: "not_yet_sealed", severity: "note" })]);
  });

  it("erasing a key keeps the store verifiable", async () => {
    const files = new MemoryFiles();
    const ledger = await open(files);
    await play(ledger, { seqs: [] });
    const stored = (await all(files)).find(({ entry }) => entry.content)!;
    await ledger.keys.destroy(stored.entry.content!.key);
    await ledger.journal.close();
    expect((await verifyStore({ dir, files: files.crash(), publicKey, sinks: [sinkFolder] })).findings).toEqual([]);
  });
});
