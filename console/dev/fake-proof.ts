/** A proof bundle with a true signature over a small made-up log: its positions are the log's own, not the list's. */
import { createHash, createHmac, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import type { ProofBundle } from "../../src/ledger/proof-check.ts";
import type { FakeDecision } from "./fake-records.ts";

const origin = "weir.example/node-1";
const { privateKey, publicKey } = generateKeyPairSync("ed25519");
const sha256 = (...parts: (Buffer | string)[]): Buffer =>
  createHash("sha256")
    .update(Buffer.concat(parts.map((part) => Buffer.from(part as string))))
    .digest();
const rawOf = (key: KeyObject): Buffer => key.export({ type: "spki", format: "der" }).subarray(-32);
const keyHash = sha256(`${origin}\n`, Buffer.of(1), rawOf(publicKey)).subarray(0, 4);

export const fakeVerifierKey = `${origin}+${keyHash.toString("hex")}+${Buffer.concat([Buffer.of(1), rawOf(publicKey)]).toString("base64")}`;

export function fakeProof({ detail, content }: FakeDecision): ProofBundle {
  const leaves = detail.entries.map((entry, seq) => {
    const json = entry.kind === "settled" && content !== undefined ? JSON.stringify(content) : undefined;
    const salt = sha256(entry.leaf_hash).subarray(0, 16);
    const mac = json === undefined ? undefined : createHmac("sha256", salt).update(json).digest("hex");
    return JSON.stringify({
      seq,
      kind: entry.kind,
      decision_id: detail.decision_id,
      ...(mac === undefined ? {} : { content: { mac } }),
    });
  });
  // A power of two keeps every audit path complete.
  while ((leaves.length & (leaves.length - 1)) !== 0)
    leaves.push(JSON.stringify({ seq: leaves.length, kind: "admin" }));
  const levels = [leaves.map((leaf) => sha256(Buffer.of(0), leaf))];
  while (levels.at(-1)!.length > 1) {
    const below = levels.at(-1)!;
    levels.push(below.flatMap((hash, i) => (i % 2 === 0 ? [sha256(Buffer.of(1), hash, below[i + 1]!)] : [])));
  }
  const text = `${origin}\n${leaves.length}\n${levels.at(-1)![0]!.toString("base64")}\nweir-at ${detail.entries.at(-1)!.at_ms + 900}\n`;
  const signature = Buffer.concat([keyHash, sign(null, Buffer.from(text), privateKey)]).toString("base64");
  const entries = detail.entries.map((_, index) => ({
    index,
    metadata: leaves[index]!,
    inclusion: levels.slice(0, -1).map((level, height) => level[(index >> height) ^ 1]!.toString("base64")),
  }));
  return { weir_proof: 1, checkpoint: `${text}\n— ${origin} ${signature}\n`, key: fakeVerifierKey, entries };
}
