import { describe, expect, it } from "vitest";
import { VirtualClock } from "../kernel/clock.ts";
import { newDecisionId } from "../kernel/ids.ts";
import { MemoryFiles } from "../stores/files/index.ts";
import {
  buildProof,
  checkProof,
  findDecision,
  type KekPort,
  openJournal,
  openKeyRing,
  type ProofBundle,
  signerOf,
  verifierKey,
} from "./index.ts";

const dir = "ledger";
const node = "server";
const signer = signerOf("bank", new Uint8Array(32).fill(1));
const trusted = verifierKey("weir/bank/server", signer.publicKey);
const kek: KekPort = {
  id: "plain",
  wrap: async (secret) => secret.slice(),
  unwrap: async (wrapped) => wrapped.slice(),
};

const codes = async (of: unknown, key?: string): Promise<string[]> =>
  (await checkProof(of, key)).findings.map(({ code }) => code);

async function prepare(entries = 700) {
  const files = new MemoryFiles();
  const clock = new VirtualClock();
  const keys = await openKeyRing({ files, clock, dir, node, kek });
  const journal = await openJournal({ dir, node, files, clock, keys, signer, checkpoints: [] });
  const decision = newDecisionId(clock);
  for (let i = 0; i < entries; i++) {
    if (i === 300)
      journal.append({
        kind: "begun",
        tenant: "t",
        decision,
        meta: { use_case: "credit" },
        content: { key: { tenant: "t" }, value: { name: "Zoë" } },
      });
    else if (i === entries - 1) journal.append({ kind: "settled", tenant: "t", decision, meta: { result: "approve" } });
    else
      journal.append({
        kind: "admin",
        tenant: "t",
        meta: { i },
        content: { key: { tenant: "t" }, value: `neighbour ${i}` },
      });
  }
  await journal.checkpoint();
  const stored = await findDecision({ dir, files, node, decision });
  return { files, keys, journal, decision, stored };
}

describe("a proof bundle", async () => {
  const { files, keys, journal, stored } = await prepare();
  const closed = await buildProof({ dir, files, node, entries: stored });
  const bundle = await buildProof({ dir, files, node, entries: stored, keys });
  const changed = (change: (copy: ProofBundle) => void): ProofBundle => {
    const copy = structuredClone(bundle);
    change(copy);
    return copy;
  };

  it("proves its entries and the disclosed content, alone, after JSON", async () => {
    const result = await checkProof(JSON.parse(JSON.stringify(bundle)), trusted);
    expect(result).toMatchObject({
      ok: true,
      trusted: true,
      proven: 2,
      disclosed: 1,
      findings: [],
      checkpoint: { origin: "weir/bank/server", size: 700 },
    });
  });
  it("discloses nothing of its neighbours, and without keys no content", async () => {
    expect(JSON.stringify(bundle)).toContain("Zoë");
    expect(JSON.stringify(bundle)).not.toContain("neighbour");
    expect(JSON.stringify(closed)).not.toContain("Zoë");
    expect(await checkProof(closed, trusted)).toMatchObject({
      ok: true,
      proven: 2,
      disclosed: 0,
      findings: [{ code: "content_closed" }],
    });
  });
  it("says so when only its own key vouches for it", async () => {
    expect(await checkProof(bundle)).toMatchObject({
      ok: true,
      trusted: false,
      findings: [{ code: "key_not_trusted", severity: "warning" }],
    });
  });

  it.each<[string, (copy: ProofBundle) => void, string]>([
    [
      "metadata",
      (copy) => (copy.entries[0]!.metadata = copy.entries[0]!.metadata.replace("credit", "Credit")),
      "inclusion_wrong",
    ],
    ["an index", (copy) => copy.entries[0]!.index++, "inclusion_wrong"],
    ["a path", (copy) => (copy.entries[0]!.inclusion = copy.entries[0]!.inclusion.toReversed()), "inclusion_wrong"],
    ["a shortened path", (copy) => copy.entries[0]!.inclusion.pop(), "inclusion_wrong"],
    ["content", (copy) => (copy.entries[0]!.content!.json = '{"name":"Zoe"}'), "content_wrong"],
    ["a salt", (copy) => (copy.entries[0]!.content!.salt = btoa("0".repeat(16))), "content_wrong"],
    [
      "content where none is committed",
      (copy) => (copy.entries[1]!.content = copy.entries[0]!.content!),
      "content_wrong",
    ],
    [
      "the checkpoint's time",
      (copy) => (copy.checkpoint = copy.checkpoint.replace(/weir-at \d/, "weir-at 9")),
      "signature_wrong",
    ],
    ["the checkpoint's form", (copy) => (copy.checkpoint += "\n"), "checkpoint_malformed"],
  ])("finds changed %s", async (_, change, code) => {
    expect(await codes(changed(change), trusted)).toContain(code);
  });
  it.each([
    [null],
    [{}],
    ["text"],
    [{ weir_proof: 1, checkpoint: "", key: "", entries: [] }],
    [{ ...({} as object), entries: [null] }],
  ])("is refused, not thrown, as %j", async (value) => {
    expect(await codes(value, trusted)).toEqual(["bundle_malformed"]);
  });
  it("is not signed by another key, and a key that is none is named", async () => {
    const other = verifierKey("weir/bank/server", signerOf("bank", new Uint8Array(32).fill(2)).publicKey);
    expect(await codes(bundle, other)).toEqual(["signature_wrong"]);
    expect(await codes(bundle, "nonsense")).toEqual(["key_malformed"]);
  });

  it("holds after its content's key is destroyed, without the content", async () => {
    await keys.destroy(stored[0]!.entry.content!.key);
    const after = await buildProof({ dir, files, node, entries: stored, keys });
    expect(after.entries[0]!.content).toBeUndefined();
    expect(await checkProof(after, trusted)).toMatchObject({ ok: true, proven: 2, disclosed: 0 });
  });
  it("is refused for entries that no checkpoint covers yet", async () => {
    const { seq } = journal.append({ kind: "admin", tenant: "t", meta: {} });
    await journal.flush();
    const late = { ...stored[0]!, entry: { ...stored[0]!.entry, seq } };
    await expect(buildProof({ dir, files, node, entries: [late] })).rejects.toMatchObject({
      code: "ledger_not_sealed",
    });
  });
  it("is refused when the tiles are damaged", async () => {
    const copy = files.copy();
    const path = copy.paths().find((each) => each.endsWith("tile/0/001"))!;
    copy.put(
      path,
      (await copy.read(path))!.map((byte) => byte ^ 1),
    );
    await expect(buildProof({ dir, files: copy, node, entries: stored })).rejects.toMatchObject({
      code: "ledger_corrupt",
    });
  });
});
