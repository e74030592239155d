/** Builds proof bundles from a node's tiles and its last checkpoint. */
import type { FilePort } from "../stores/files/port.ts";
import { parseCheckpoint, type SignedCheckpoint } from "./checkpoint.ts";
import { discloseContent } from "./content.ts";
import { LedgerError } from "./errors.ts";
import { checkpointPath, verifierPath } from "./layout.ts";
import { inclusionProof, leafHash, type NodeAt, verifyInclusion } from "./merkle.ts";
import type { KeyRing, StoredEntry } from "./port.ts";
import type { ProofBundle, ProofEntry } from "./proof-check.ts";
import { readNodes } from "./tiles.ts";

export interface ProofOptions {
  /** The ledger's folder, `<data>/ledger`. */
  dir: string;
  files: FilePort;
  node: string;
  /** What to prove, as `findDecision` or `readEntries` gave it. */
  entries: readonly StoredEntry[];
  /** Discloses the content of these entries; without it only metadata is in the bundle. Erased content stays out. */
  keys?: Pick<KeyRing, "find">;
}

const textOf = async (files: FilePort, path: string): Promise<string | undefined> => {
  const bytes = await files.read(path);
  return bytes && new TextDecoder().decode(bytes);
};

async function currentCheckpoint({ files, dir, node }: ProofOptions): Promise<SignedCheckpoint> {
  const path = checkpointPath(dir, node);
  const note = await textOf(files, path);
  if (note === undefined)
    throw new LedgerError("ledger_not_sealed", `${path} does not exist yet: wait a second and try again`);
  const checkpoint = parseCheckpoint(note);
  if (!checkpoint) throw new LedgerError("ledger_corrupt", `${path} is damaged: run \`weir verify\``);
  return checkpoint;
}

/** The nodes that the path needs, by walking it without hashes. */
function nodesOnPath(index: number, size: number): { level: number; index: number }[] {
  const wanted: { level: number; index: number }[] = [];
  const nothing = Buffer.alloc(32);
  inclusionProof(index, size, (level, at) => {
    wanted.push({ level, index: at });
    return nothing;
  });
  return wanted;
}

/** A running node replaces unfinished tiles with each checkpoint: start again from the new one when that happens. */
async function nodesFor(options: ProofOptions): Promise<{ checkpoint: SignedCheckpoint; nodeAt: NodeAt }> {
  const { files, dir, node, entries } = options;
  for (let tries = 1; ; tries++) {
    const checkpoint = await currentCheckpoint(options);
    const beyond = entries.find(({ entry }) => entry.seq >= checkpoint.size);
    if (beyond)
      throw new LedgerError(
        "ledger_not_sealed",
        `entry ${beyond.entry.seq} is newer than checkpoint ${checkpoint.size}: try again in a second`,
      );
    const wanted = entries.flatMap(({ entry }) => nodesOnPath(entry.seq, checkpoint.size));
    const nodeAt = await readNodes(files, dir, node, checkpoint.size, wanted);
    if (typeof nodeAt === "function") return { checkpoint, nodeAt };
    if (tries === 5) throw new LedgerError("ledger_corrupt", `${nodeAt.missing} is missing: run \`weir verify\``);
  }
}

/** Throws `ledger_not_sealed` for entries after the last checkpoint, `ledger_corrupt` when the tiles don't prove them. */
export async function buildProof(options: ProofOptions): Promise<ProofBundle> {
  const { files, dir, node, keys } = options;
  const { checkpoint, nodeAt } = await nodesFor(options);
  const entries: ProofEntry[] = [];
  for (const stored of options.entries) {
    const { seq } = stored.entry;
    const inclusion = inclusionProof(seq, checkpoint.size, nodeAt);
    if (!verifyInclusion(leafHash(stored.bytes), seq, checkpoint.size, inclusion, checkpoint.root))
      throw new LedgerError(
        "ledger_corrupt",
        `${dir}/${node}: the tiles do not prove entry ${seq}: run \`weir verify\``,
      );
    const disclosed = keys && (await discloseContent(stored, keys));
    const content =
      disclosed && !("erased" in disclosed)
        ? { salt: disclosed.salt.toString("base64"), json: disclosed.json.toString() }
        : undefined;
    entries.push({
      index: seq,
      metadata: new TextDecoder().decode(stored.bytes),
      inclusion: inclusion.map((hash) => hash.toString("base64")),
      ...(content && { content }),
    });
  }
  const key = ((await textOf(files, verifierPath(dir, node))) ?? "").trim();
  return { weir_proof: 1, checkpoint: checkpoint.note, key, entries };
}
