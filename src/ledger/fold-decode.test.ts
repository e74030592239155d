import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { VirtualClock } from "../kernel/clock.ts";
import type { DecisionId } from "../kernel/ids.ts";
import { MemoryFiles } from "../stores/files/index.ts";
import {
  type EntryDraft,
  type EntryKind,
  type KekPort,
  openJournal,
  openKeyRing,
  readEntries,
  readForFold,
  signerOf,
} from "./index.ts";
import { decodeBatch } from "./commit.ts";
import { decodeForFold, lastSeqOf } from "./fold-decode.ts";
import { parseFrame } from "./frames.ts";
import { readHeader } from "./segment.ts";
import { segmentPath } from "./layout.ts";

const dir = "ledger";
const node = "server";
const kek: KekPort = {
  id: "plain",
  wrap: async (secret) => secret.slice(),
  unwrap: async (wrapped) => wrapped.slice(),
};
const wanted: ReadonlySet<EntryKind> = new Set<EntryKind>(["settled", "amended"]);

async function written(drafts: readonly EntryDraft[]): Promise<MemoryFiles> {
  const files = new MemoryFiles();
  const clock = new VirtualClock();
  const keys = await openKeyRing({ files, clock, dir, node, kek });
  const signer = signerOf("bank", new Uint8Array(32).fill(1));
  const journal = await openJournal({ dir, node, files, clock, keys, signer, checkpoints: [] });
  for (const [i, draft] of drafts.entries()) {
    journal.append(draft);
    // Some commits hold several entries, some one.
    if (i % 3 === 2) await journal.flush();
  }
  await journal.close();
  return files;
}

async function folded(files: MemoryFiles) {
  const found = [];
  for await (const batch of readForFold({ dir, files, node }, wanted)) found.push(...batch);
  return found;
}

async function expected(files: MemoryFiles) {
  const found = [];
  for await (const { entry, position } of readEntries({ dir, files, node })) {
    const { meta, content: _content, tenant_seq: _tenantSeq, ...head } = entry;
    found.push({ entry: { ...head, ...(wanted.has(entry.kind) && { meta }) }, position });
  }
  return found;
}

const nasty = fc.constantFrom(
  "retail",
  'a "quote"',
  "back\\slash",
  "Zürich",
  "日本",
  "",
  '","meta":{"x":1}',
  '"kind":"settled"',
  "\u0001",
);
const anyDraft: fc.Arbitrary<EntryDraft> = fc.record(
  {
    kind: fc.constantFrom<EntryKind>("begun", "attempt", "settled", "amended", "admin"),
    tenant: nasty,
    decision: fc.oneof(
      nasty,
      fc.constant("dec_01hzy8v7q8n2m4k6j8h0g2f4d6"),
    ) as fc.Arbitrary<string> as fc.Arbitrary<DecisionId>,
    meta: fc.dictionary(nasty, fc.jsonValue()),
    content: fc.constant({ key: { tenant: "retail" }, value: "said" }),
  },
  { requiredKeys: ["kind", "tenant", "meta"] },
);

describe("decodeForFold", () => {
  it("law: says what the whole decoding says, whatever the heads and the metadata hold", async () => {
    const law = fc.asyncProperty(fc.array(anyDraft, { minLength: 1, maxLength: 12 }), async (drafts) => {
      const files = await written(drafts);
      const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
      const found = (await folded(files)).map(({ entry, position }) => {
        const { node: at, seq, at_ms, kind, tenant, decision, meta } = entry;
        const known = wanted.has(kind) ? { meta } : {};
        return plain({ entry: { node: at, seq, at_ms, kind, tenant, decision, ...known }, position });
      });
      expect(found).toEqual((await expected(files)).map(plain));
    });
    await fc.assert(law, { numRuns: 60 });
  });

  async function payloadOf(drafts: readonly EntryDraft[]): Promise<Buffer> {
    const files = await written(drafts);
    const bytes = Buffer.from((await files.read(segmentPath(dir, node, 1)))!);
    const frame = parseFrame(bytes, readHeader(bytes)!.end);
    if ("bad" in frame) throw new Error("no frame");
    return frame.payload;
  }
  const settled: EntryDraft = { kind: "settled", tenant: "t", decision: "dec_1" as DecisionId, meta: { state: "x" } };

  it("leaves the metadata of other kinds out", async () => {
    const payload = await payloadOf([{ ...settled, kind: "begun" }, settled]);
    expect(decodeForFold(payload, 1, 0, wanted).map(({ entry }) => entry.meta)).toEqual([undefined, { state: "x" }]);
  });

  it.each([
    ["metadata that is no JSON", (payload: Buffer) => payload.write("!", payload.indexOf('"state"'))],
    ["an entry that is longer than the batch", (payload: Buffer) => payload.writeUInt32LE(9999, 8)],
    ["more entries than there are", (payload: Buffer) => payload.writeUInt32LE(2, 4)],
    ["fewer entries than there are", (payload: Buffer) => payload.writeUInt32LE(0, 4)],
  ])("refuses %s, as the whole decoding does", async (_what, damage) => {
    const payload = Buffer.from(await payloadOf([settled]));
    damage(payload);
    expect(() => decodeForFold(payload, 1, 0, wanted)).toThrow();
    expect(() => decodeBatch(payload)).toThrow();
  });

  it("knows a batch's last sequence from its first entry", async () => {
    expect(lastSeqOf(await payloadOf([settled, settled, settled]))).toBe(2);
  });
});
