/**
 * What a journal finds when it is opened. Reads from the segment that holds the last checkpoint to the end, checks that
 * the tree extends that checkpoint, and cuts off a torn last frame; anything a crash can't cause stops the start.
 */
import { createHash } from "node:crypto";
import type { FilePort } from "../stores/files/port.ts";
import { type SignedCheckpoint, parseCheckpoint } from "./checkpoint.ts";
import { decodeBatch } from "./commit.ts";
import { LedgerError } from "./errors.ts";
import { asBuffer, findFrame, frameTypes, parseFrame } from "./frames.ts";
import { checkpointPath, segmentPath } from "./layout.ts";
import { leafHashOfPrefixed } from "./merkle.ts";
import { listSegments, OpenSegment, readHeader, type SegmentHeader } from "./segment.ts";
import { LogState } from "./state.ts";
import { type Tile, tileWidth, TreeEdge } from "./tiles.ts";

export interface Recovered {
  state: LogState;
  tree: TreeEdge;
  /** Tiles that were finished beyond the checkpoint: they may be missing on disk. */
  tiles: Tile[];
  checkpoint: SignedCheckpoint | undefined;
  /** Undefined for a new node. */
  segment: OpenSegment | undefined;
}

interface Loaded {
  segment: number;
  path: string;
  bytes: Buffer;
  header: SegmentHeader;
  end: number;
}

interface Store {
  files: FilePort;
  dir: string;
  node: string;
}

const advice = "run `weir verify`, then restore the segment from a copy or start under a new node name";

async function load(store: Store, segment: number): Promise<Loaded | { torn: string }> {
  const path = segmentPath(store.dir, store.node, segment);
  const bytes = asBuffer((await store.files.read(path)) ?? new Uint8Array());
  const read = readHeader(bytes);
  if (read?.header.segment === segment && read.header.node === store.node) return { segment, path, bytes, ...read };
  if (!read && findFrame(bytes, 0) < 0) return { torn: path };
  throw new LedgerError("ledger_corrupt", `${path} does not start with its header (byte 0): ${advice}`);
}

/** The segments from the one that holds entry `size` to the last; a torn newest segment is removed. */
async function loadFrom(store: Store, size: number): Promise<Loaded[]> {
  const numbers = await listSegments(store.files, store.dir, store.node);
  const loaded: Loaded[] = [];
  for (const segment of numbers.toReversed()) {
    const found = await load(store, segment);
    if ("torn" in found) {
      if (segment !== numbers.at(-1))
        throw new LedgerError(
          "ledger_corrupt",
          `${found.torn} holds no whole frame, and later segments exist: ${advice}`,
        );
      await store.files.remove(found.torn);
      continue;
    }
    const next = loaded[0];
    if (next && next.segment !== segment + 1)
      throw new LedgerError("ledger_corrupt", `segment ${segment + 1} is missing before ${next.path}: ${advice}`);
    loaded.unshift(found);
    if (found.header.first_seq <= size) break;
  }
  const first = loaded[0];
  if (first && first.header.first_seq > size)
    throw new LedgerError("ledger_corrupt", `the segments before ${first.path} are missing: ${advice}`);
  return loaded;
}

async function readCheckpoint({ files, dir, node }: Store): Promise<SignedCheckpoint | undefined> {
  const path = checkpointPath(dir, node);
  const bytes = await files.read(path);
  if (!bytes) return undefined;
  const checkpoint = parseCheckpoint(new TextDecoder().decode(bytes));
  if (!checkpoint) throw new LedgerError("ledger_corrupt", `${path} is damaged: ${advice}`);
  return checkpoint;
}

/** Folds the batches of one segment; answers the offset after its last whole frame. */
function foldSegment(loaded: Loaded, until: number, onEntry: (prefixed: Buffer) => void, fold: LogState): number {
  const { bytes, path } = loaded;
  let at = loaded.end;
  while (at < until) {
    const frame = parseFrame(bytes.subarray(0, until), at);
    if ("bad" in frame) break;
    const corrupt = (why: string): LedgerError =>
      new LedgerError("ledger_corrupt", `${path} at byte ${at}: ${why}; ${advice}`);
    if (frame.type !== frameTypes.batch) throw corrupt("not a batch");
    for (const { prefixed, entry } of decodeBatch(frame.payload).entries) {
      if (entry.seq !== fold.size) throw corrupt(`entry ${entry.seq} follows ${fold.size - 1}`);
      onEntry(prefixed);
      fold.fold({
        seq: entry.seq,
        atMs: entry.at_ms,
        kind: entry.kind,
        tenant: entry.tenant,
        tenantSeq: entry.tenant_seq,
        decision: entry.decision,
        metaJson: JSON.stringify(entry.meta),
      });
    }
    at = frame.end;
  }
  return at;
}

function assertExtends(tree: TreeEdge, checkpoint: SignedCheckpoint, path: string): void {
  if (tree.size !== checkpoint.size || tree.root().equals(checkpoint.root)) return;
  const message = `the first ${checkpoint.size} entries up to ${path} do not have the root of their checkpoint: they were changed; ${advice}`;
  throw new LedgerError("ledger_rewritten", message);
}

function assertEndsAsNextSays(loaded: Loaded, at: number, next: Loaded): void {
  const said = next.header.previous;
  const sha256 = createHash("sha256").update(loaded.bytes.subarray(0, at)).digest("hex");
  if (said?.length === at && said.sha256 === sha256) return;
  throw new LedgerError(
    "ledger_corrupt",
    `${loaded.path} at byte ${at} is not what ${next.path} says of it: ${advice}`,
  );
}

/** `known` are checkpoints of this log that were published elsewhere: the journal must not be behind them. */
export async function recover(store: Store, known: readonly SignedCheckpoint[]): Promise<Recovered> {
  const checkpoint = await readCheckpoint(store);
  const marks = [...known, ...(checkpoint ? [checkpoint] : [])].sort((a, b) => a.size - b.size);
  const loaded = await loadFrom(store, marks[0]?.size ?? 0);
  const first = loaded[0];
  const tiles: Tile[] = [];
  const header = first?.header;
  const sealed = checkpoint?.size ?? 0;
  const keep = (tile: Tile): void => {
    if ((tile.index + 1) * tileWidth ** (tile.level + 1) > sealed) tiles.push(tile);
  };
  const tree = TreeEdge.restore(
    header?.first_seq ?? 0,
    header?.tree.map((hashes) => Buffer.from(hashes, "base64")) ?? [],
    keep,
  );
  const state = header ? LogState.of(header.first_seq, header.tenants, header.open) : new LogState();
  let at = 0;
  const check = (path: string): void => {
    for (const mark of marks) assertExtends(tree, mark, path);
  };
  if (first) check(first.path);
  for (const [i, segment] of loaded.entries()) {
    const next = loaded[i + 1];
    const leaf = (prefixed: Buffer): void => {
      tree.push(leafHashOfPrefixed(prefixed));
      check(segment.path);
    };
    at = foldSegment(segment, next?.header.previous?.length ?? segment.bytes.length, leaf, state);
    if (next) assertEndsAsNextSays(segment, at, next);
  }
  const last = loaded.at(-1);
  if (last) assertTailIsTorn(last, at);
  const highest = marks.at(-1);
  if (highest && highest.size > state.size) throw behind(store, highest, state.size);
  return { state, tree, tiles, checkpoint, segment: last && (await reopen(store, last, at)) };
}

function assertTailIsTorn(last: Loaded, at: number): void {
  const after = at < last.bytes.length ? findFrame(last.bytes, at + 1) : -1;
  if (after < 0) return;
  const message = `${last.path} is damaged at byte ${at}, and a whole frame follows at byte ${after}: no crash does that; ${advice}`;
  throw new LedgerError("ledger_corrupt", message);
}

const behind = ({ dir, node }: Store, mark: SignedCheckpoint, entries: number): LedgerError =>
  new LedgerError(
    "ledger_behind_checkpoint",
    `${dir}/${node} holds ${entries} entries, its checkpoint ${mark.size}: it was truncated or is an old copy; ${advice}`,
  );

/** Cuts the torn tail and syncs: what recovery accepted may so far be in the system's cache only. */
async function reopen({ files }: Store, last: Loaded, at: number): Promise<OpenSegment> {
  const file = await files.open(last.path);
  if (at < last.bytes.length) await file.truncate(at);
  await file.datasync();
  return new OpenSegment(last.segment, file, at, createHash("sha256").update(last.bytes.subarray(0, at)));
}
