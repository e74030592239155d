/** Verifies a store offline: every byte against its checksum, every entry against the tree, the tree against checkpoints. */
import type { FilePort } from "../stores/files/port.ts";
import { isSignedBy, parseCheckpoint, publicKeyOf, type SignedCheckpoint } from "./checkpoint.ts";
import { type Finding, type FindingCode, Findings } from "./findings.ts";
import { readKeyLog } from "./key-log.ts";
import { parseRing } from "./keys.ts";
import { checkpointPath, keysPath, lockPath, ringPath, verifierPath } from "./layout.ts";
import { emptyRoot } from "./merkle.ts";
import { readSinkNotes } from "./sinks.ts";
import { type Tile, TreeEdge } from "./tiles.ts";
import { EntryCheck } from "./verify-entries.ts";
import { checkSegments } from "./verify-segments.ts";
import { TileCheck } from "./verify-tiles.ts";

export interface VerifyOptions {
  /** The ledger's folder, `<data>/ledger`. */
  dir: string;
  files: FilePort;
  /** A signed checkpoint that was kept elsewhere. */
  saved?: string;
  /** Verifier key or base64 of the raw key, from elsewhere; without it the store's own is used, and a note says so. */
  publicKey?: string;
  /** Folders of file sinks. */
  sinks?: string[];
}

interface VerifiedNode {
  node: string;
  entries: number;
  /** Entries under the last checkpoint. */
  sealed: number;
  unsealed: number;
  checkpoint?: { size: number; root: string; at_ms: number; note: string };
}

export interface Verification {
  ok: boolean;
  entries: number;
  nodes: VerifiedNode[];
  findings: Finding[];
  /** The newest of the nodes' checkpoints. */
  checkpoint?: VerifiedNode["checkpoint"];
}

/** A checkpoint that the tree must pass through. */
interface Mark {
  checkpoint: SignedCheckpoint;
  where: string;
  /** Where the store ends before it. */
  ifBeyond: FindingCode;
}

const textOf = (bytes: Uint8Array): string => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);

class NodeVerification {
  readonly #options: VerifyOptions;
  readonly #node: string;
  readonly #findings: Findings;
  readonly #marks: Mark[] = [];

  constructor(options: VerifyOptions, node: string, findings: Findings) {
    this.#options = options;
    this.#node = node;
    this.#findings = findings;
  }

  async run(
    external: readonly { note: string; where: string }[],
  ): Promise<VerifiedNode & { keys: Map<string, string> }> {
    const { files, dir } = this.#options;
    const node = this.#node;
    const live = await files.locked(lockPath(dir, node));
    const tiles = new TileCheck(files, dir, node, this.#findings);
    const own = await this.#ownCheckpoint();
    const hasTiles = await tiles.list();
    if (!own.present && hasTiles) this.#findings.add("checkpoint_missing", checkpointPath(dir, node));
    const key = await this.#key();
    if (own.checkpoint) this.#own(own.checkpoint, key);
    for (const { note, where } of external) this.#external(note, where, own.checkpoint, key);
    const entries = new EntryCheck(this.#findings, node);
    const tree = await this.#scan(entries, tiles, live);
    entries.end();
    const sealed = Math.min(own.checkpoint?.size ?? 0, tree.size);
    const isCurrent =
      !live || textOf((await files.read(checkpointPath(dir, node))) ?? new Uint8Array()) === own.checkpoint?.note;
    tiles.end(own.checkpoint?.size ?? 0, isCurrent);
    const unsealed = entries.state.size - sealed;
    if (unsealed > 0) this.#findings.add("not_yet_sealed", node, `${unsealed} entries`, "note");
    return {
      node,
      entries: entries.state.size,
      sealed,
      unsealed,
      ...(own.checkpoint && { checkpoint: summaryOf(own.checkpoint) }),
      keys: entries.keys,
    };
  }

  async #scan(entries: EntryCheck, tiles: TileCheck, live: boolean): Promise<TreeEdge> {
    const { files, dir } = this.#options;
    const finished: Tile[] = [];
    const tree = new TreeEdge((tile) => finished.push(tile));
    const due = this.#marks.sort((a, b) => a.checkpoint.size - b.checkpoint.size);
    let next = 0;
    const onLeaf = (): void => {
      for (; due[next] && due[next]!.checkpoint.size <= tree.size; next++) this.#compare(due[next]!, tree);
    };
    const between = async (): Promise<void> => {
      for (const tile of finished.splice(0)) await tiles.compare(tile);
    };
    onLeaf();
    const context = { files, dir, node: this.#node, findings: this.#findings, entries, tree, live, onLeaf, between };
    const checked = await checkSegments(context);
    await between();
    for (const tile of tree.partialTiles()) await tiles.compare(tile);
    for (const { checkpoint, where, ifBeyond } of due.slice(next)) {
      const detail = `${entries.state.size} entries, ${checkpoint.size} were sealed`;
      if (checkpoint.size > entries.state.size) this.#findings.add(ifBeyond, where, detail);
      else if (!checked.whole) this.#findings.add("checkpoint_unchecked", where, undefined, "warning");
    }
    return tree;
  }

  #compare({ checkpoint, where }: Mark, tree: TreeEdge): void {
    const root = tree.size === 0 ? emptyRoot() : tree.root();
    if (checkpoint.size === tree.size && !root.equals(checkpoint.root))
      this.#findings.add("rewritten", where, `at size ${checkpoint.size}`);
  }

  async #ownCheckpoint(): Promise<{ present: boolean; checkpoint?: SignedCheckpoint }> {
    const path = checkpointPath(this.#options.dir, this.#node);
    const bytes = await this.#options.files.read(path);
    if (!bytes) return { present: false };
    const checkpoint = parseCheckpoint(textOf(bytes));
    const named = checkpoint?.origin.endsWith(`/${this.#node}`) === true;
    if (!checkpoint || !named) {
      this.#findings.add("checkpoint_damaged", path);
      return { present: true };
    }
    return { present: true, checkpoint };
  }

  /** The key to check by: the caller's, else the store's own. */
  async #key(): Promise<Buffer | undefined> {
    const { dir, files, publicKey } = this.#options;
    const path = verifierPath(dir, this.#node);
    const bytes = await files.read(path);
    let stated: Buffer | undefined;
    try {
      stated = bytes && publicKeyOf(textOf(bytes));
      if (bytes && !textOf(bytes).startsWith("weir/")) stated = undefined;
      if (bytes && !textOf(bytes).endsWith("\n")) stated = undefined;
    } catch {
      stated = undefined;
    }
    if (bytes && !stated) this.#findings.add("verifier_key_differs", path, "it is damaged");
    if (publicKey === undefined) {
      this.#findings.add("key_not_trusted", path, undefined, "note");
      return stated;
    }
    const key = publicKeyOf(publicKey);
    if (stated && !stated.equals(key)) this.#findings.add("verifier_key_differs", path);
    return key;
  }

  #own(checkpoint: SignedCheckpoint, key: Buffer | undefined): void {
    const where = checkpointPath(this.#options.dir, this.#node);
    if (!key || !isSignedBy(checkpoint, key)) this.#findings.add("checkpoint_signature", where);
    this.#marks.push({ checkpoint, where, ifBeyond: "truncated" });
  }

  #external(note: string, where: string, own: SignedCheckpoint | undefined, key: Buffer | undefined): void {
    const checkpoint = parseCheckpoint(note);
    if (!checkpoint) {
      this.#findings.add("saved_invalid", where);
      return;
    }
    const ownKey = own?.signatures[0]?.keyHash;
    if (ownKey !== undefined && ownKey !== checkpoint.signatures[0]?.keyHash) this.#findings.add("resigned", where);
    else if (!key || !isSignedBy(checkpoint, key)) this.#findings.add("saved_invalid", where, "its signature");
    this.#marks.push({ checkpoint, where, ifBeyond: "rolled_back" });
  }
}

const summaryOf = ({ size, root, atMs, note }: SignedCheckpoint): NonNullable<VerifiedNode["checkpoint"]> => ({
  size,
  root: root.toString("base64"),
  at_ms: atMs,
  note,
});

const nodeOfOrigin = (origin: string): string => origin.slice(origin.lastIndexOf("/") + 1);

async function externalNotes(
  options: VerifyOptions,
  findings: Findings,
): Promise<Map<string, { note: string; where: string }[]>> {
  const byNode = new Map<string, { note: string; where: string }[]>();
  const add = (origin: string, note: string, where: string): void => {
    const node = nodeOfOrigin(origin);
    byNode.set(node, [...(byNode.get(node) ?? []), { note, where }]);
  };
  if (options.saved !== undefined) {
    const saved = parseCheckpoint(options.saved);
    if (saved) add(saved.origin, saved.note, "saved checkpoint");
    else findings.add("saved_invalid", "saved checkpoint");
  }
  for (const folder of options.sinks ?? [])
    for (const { origin, path, notes } of await readSinkNotes(options.files, folder))
      for (const note of notes) add(origin, note, path);
  return byNode;
}

async function checkKeys(
  { files, dir }: VerifyOptions,
  nodes: readonly string[],
  used: Map<string, string>,
  findings: Findings,
) {
  const known = new Set<string>();
  for (const node of nodes) {
    const path = keysPath(dir, node);
    try {
      const log = readKeyLog((await files.read(path)) ?? new Uint8Array(), path);
      for (const id of log.records.keys()) known.add(id);
      const severity = (await files.locked(lockPath(dir, node))) ? "warning" : "error";
      if (log.torn > 0) findings.add("torn_tail", `${path} byte ${log.length}`, undefined, severity);
    } catch (error) {
      findings.add("keys_damaged", path, (error as Error).message);
    }
  }
  for (const [id, where] of used) if (!known.has(id)) findings.add("key_missing", where, id);
  const ring = await files.read(ringPath(dir));
  if (ring ? !parseRing(ring) : known.size > 0) findings.add("ring_damaged", ringPath(dir));
}

/** Reads everything below `dir`; throws only for a `publicKey` that is none, or when files can't be read. */
export async function verifyStore(options: VerifyOptions): Promise<Verification> {
  const findings = new Findings();
  const folders = (await options.files.list(options.dir)).filter(({ folder }) => folder).map(({ name }) => name);
  const external = await externalNotes(options, findings);
  for (const node of external.keys())
    if (!folders.includes(node)) findings.add("node_missing", `${options.dir}/${node}`);
  const nodes: VerifiedNode[] = [];
  const used = new Map<string, string>();
  for (const name of folders) {
    const { keys, ...node } = await new NodeVerification(options, name, findings).run(external.get(name) ?? []);
    for (const [id, where] of keys) used.set(id, where);
    nodes.push(node);
  }
  await checkKeys(options, folders, used, findings);
  const newest = nodes.flatMap(({ checkpoint }) => checkpoint ?? []).sort((a, b) => b.at_ms - a.at_ms)[0];
  return {
    ok: findings.ok,
    entries: nodes.reduce((sum, { entries }) => sum + entries, 0),
    nodes,
    findings: findings.all,
    ...(newest && { checkpoint: newest }),
  };
}
