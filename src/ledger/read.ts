/** Reads a node's entries in order, also while they are written, and all entries of one decision. */
import type { DecisionId } from "../kernel/ids.ts";
import type { FilePort } from "../stores/files/port.ts";
import { decodeBatch, storedEntries } from "./commit.ts";
import { LedgerError } from "./errors.ts";
import { decodeForFold, type FoldEntry, lastSeqOf } from "./fold-decode.ts";
import { asBuffer, findFrame, type Frame, frameTypes, parseFrame } from "./frames.ts";
import { segmentPath } from "./layout.ts";
import type { EntryKind, Position, StoredEntry } from "./port.ts";
import { listSegments, readHeader, type SegmentHeader } from "./segment.ts";

const readBytes = 1 << 20;

export interface ReadOptions {
  /** The ledger's folder, `<data>/ledger`. */
  dir: string;
  files: FilePort;
  node: string;
  /** Resume after this entry: the first one read has a higher `seq`. */
  from?: Position;
  /**
   * Read no further than this entry. Give it what `onCommitted` said: beyond it lie entries that are not yet durable, and
   * a power cut may put others in their place.
   */
  upTo?: { seq: number };
}

async function headerOf(files: FilePort, path: string): Promise<{ header: SegmentHeader; end: number } | undefined> {
  for (let length = readBytes; ; length *= 4) {
    const bytes = await files.read(path, 0, length);
    if (!bytes) return undefined;
    const read = readHeader(asBuffer(bytes));
    if (read || bytes.length < length) return read;
  }
}

/** The frame at `at`; undefined at the end or before a torn tail. Reads ahead into `window`. */
class FrameReader {
  readonly #files: FilePort;
  readonly #path: string;
  readonly #limit: number;
  #window: Buffer = Buffer.alloc(0);
  #start = 0;

  constructor(files: FilePort, path: string, limit: number) {
    this.#files = files;
    this.#path = path;
    this.#limit = limit;
  }
  async at(offset: number): Promise<Frame | undefined> {
    let wanted = readBytes;
    for (;;) {
      const frame = parseFrame(this.#window, offset - this.#start);
      if (!("bad" in frame)) return { ...frame, end: frame.end + this.#start };
      if (frame.bad === "damaged") return this.#tornOrDamaged(offset, frame.why);
      wanted = Math.max(wanted, frame.needed);
      const room = Math.min(wanted, this.#limit - offset);
      const bytes = room > 0 ? await this.#files.read(this.#path, offset, room) : undefined;
      const stuck = bytes === undefined || (offset === this.#start && bytes.length <= this.#window.length);
      if (stuck || bytes.length === 0) return this.#ended(offset);
      this.#window = asBuffer(bytes);
      this.#start = offset;
    }
  }
  #ended(offset: number): undefined {
    if (this.#limit !== Infinity && offset < this.#limit) throw this.#damage(offset, "the file ends within a frame");
  }
  #damage(offset: number, why: string): LedgerError {
    return new LedgerError("ledger_corrupt", `${this.#path} at byte ${offset}: ${why}; run \`weir verify\``);
  }
  /** A frame being written may be seen half; a closed segment, or one with a whole frame behind, is damaged. */
  async #tornOrDamaged(offset: number, why: string): Promise<undefined> {
    if (this.#limit !== Infinity) throw this.#damage(offset, why);
    const rest = await this.#files.read(this.#path, offset);
    const again = rest && parseFrame(asBuffer(rest), 0);
    if (again && "bad" in again && findFrame(asBuffer(rest), 1) >= 0) throw this.#damage(offset, why);
  }
}

type Decode<T> = (payload: Buffer, segment: number, offset: number) => T[];
interface Placed {
  position: Position;
}

const whole: Decode<StoredEntry> = (payload, segment, offset) => storedEntries(decodeBatch(payload), segment, offset);

/** Batch by batch, for readers that count the cost of an await per entry. Throws `ledger_corrupt` naming the place. */
async function* readBatches<T extends Placed>(options: ReadOptions, decode: Decode<T>): AsyncGenerator<T[]> {
  const { dir, files, node, from, upTo } = options;
  let seen = from?.seq ?? -1;
  const last = upTo?.seq ?? Infinity;
  let segment = from?.segment ?? (await listSegments(files, dir, node))[0];
  let offset = from?.offset;
  while (segment !== undefined && seen < last) {
    const path = segmentPath(dir, node, segment);
    const head = offset === undefined ? await headerOf(files, path) : undefined;
    if (offset === undefined && !head) return;
    const next = await headerOf(files, segmentPath(dir, node, segment + 1));
    const limit = next?.header.previous?.length ?? Infinity;
    const reader = new FrameReader(files, path, limit);
    for (let at: number = offset ?? head!.end; at < limit;) {
      const frame = await reader.at(at);
      if (!frame) break;
      const entries = frame.type === frameTypes.batch ? entriesOf(frame, segment, at, path, decode, seen) : [];
      // Entries that were read before their segment was given up come again in the next one.
      const fresh = entries.filter(({ position }) => position.seq > seen && position.seq <= last);
      if (fresh.length > 0) yield fresh;
      seen = Math.max(seen, fresh.at(-1)?.position.seq ?? -1);
      if ((entries[0]?.position.seq ?? 0) > last) return;
      at = frame.end;
    }
    if (!next) return;
    segment++;
    offset = undefined;
  }
}

/** Nothing when all of the batch has been `seen`: then it isn't even decoded. */
function entriesOf<T>(frame: Frame, segment: number, offset: number, path: string, decode: Decode<T>, seen = -1): T[] {
  try {
    if (seen >= 0 && lastSeqOf(frame.payload) <= seen) return [];
    return decode(frame.payload, segment, offset);
  } catch (cause) {
    throw new LedgerError("ledger_corrupt", `${path} at byte ${offset}: not a batch; run \`weir verify\``, cause);
  }
}

export async function* readEntries(options: ReadOptions): AsyncGenerator<StoredEntry> {
  for await (const batch of readBatches(options, whole)) yield* batch;
}

/** For folds: batch by batch, with the metadata of the `wanted` kinds only. Throws like `readEntries`. */
export function readForFold(
  options: ReadOptions,
  wanted: ReadonlySet<EntryKind>,
): AsyncGenerator<readonly FoldEntry[]> {
  return readBatches(options, (payload, segment, offset) => decodeForFold(payload, segment, offset, wanted));
}

/** The entry at a known place; undefined when there is none. */
export async function readEntryAt(
  options: Pick<ReadOptions, "dir" | "files" | "node">,
  position: Position,
): Promise<StoredEntry | undefined> {
  const path = segmentPath(options.dir, options.node, position.segment);
  const frame = await new FrameReader(options.files, path, Infinity).at(position.offset);
  if (frame?.type !== frameTypes.batch) return undefined;
  return entriesOf(frame, position.segment, position.offset, path, whole).find(
    ({ entry }) => entry.seq === position.seq,
  );
}

/** The entry with that sequence, found through the segments' headers; undefined when there is none. */
export async function readEntryBySeq(
  options: Pick<ReadOptions, "dir" | "files" | "node">,
  seq: number,
): Promise<StoredEntry | undefined> {
  const { dir, files, node } = options;
  for (const segment of (await listSegments(files, dir, node)).toReversed()) {
    const head = await headerOf(files, segmentPath(dir, node, segment));
    if (!head || head.header.first_seq > seq) continue;
    const from = { segment, offset: head.end, seq: seq - 1 };
    for await (const stored of readEntries({ dir, files, node, from, upTo: { seq } })) return stored;
    return undefined;
  }
  return undefined;
}

/**
 * All entries of one decision in order. With what the projection knows (`positions`, or bare `seqs`) only those are read;
 * without, the whole journal is scanned.
 */
export async function findDecision(
  options: Pick<ReadOptions, "dir" | "files" | "node"> & {
    decision: DecisionId;
    positions?: readonly Position[];
    seqs?: readonly number[];
  },
): Promise<StoredEntry[]> {
  const { decision, positions, seqs } = options;
  const found: (StoredEntry | undefined)[] = [];
  if (positions) for (const position of positions) found.push(await readEntryAt(options, position));
  else if (seqs) for (const seq of seqs) found.push(await readEntryBySeq(options, seq));
  else for await (const stored of readEntries(options)) if (stored.entry.decision === decision) found.push(stored);
  return found
    .filter((stored) => stored?.entry.decision === decision)
    .map((stored) => stored!)
    .sort((a, b) => a.entry.seq - b.entry.seq);
}
