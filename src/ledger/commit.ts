/**
 * One group commit as one frame. Payload: number of sealed contents, each as digest, length, bytes; number of entries,
 * each as length, a 0x00 byte, metadata JSON. The 0x00 is the RFC 6962 leaf prefix, so a leaf is hashed where it lies.
 */
import type { Clock } from "../kernel/clock.ts";
import { sealContents } from "./content.ts";
import { finishFrame, frameHeaderBytes, frameTypes } from "./frames.ts";
import { hashBytes, sha256Into } from "./merkle.ts";
import type { ContentKey, ContentRef, Entry, EntryKind, HeldKey, KeyRing, StoredEntry } from "./port.ts";

/** An entry that waits for its commit. */
export interface Queued {
  seq: number;
  atMs: number;
  kind: EntryKind;
  tenant: string;
  tenantSeq: number;
  decision: string | undefined;
  /** Holds the entry's JSON from `start` to `end`, without its closing brace where a content reference follows. */
  bytes: Buffer;
  start: number;
  end: number;
  /** Of `begun` and `attempt`, for recovery; what is settled is done. */
  metaJson: string;
  content: { key: ContentKey; json: string } | undefined;
  /** Its share of the queue's bounds. */
  weight: number;
  /** Set by the first `durable()`. */
  waiter: PromiseWithResolvers<void> | undefined;
  /** Of those who would rather know that the disk fails than wait. */
  hasty: PromiseWithResolvers<void> | undefined;
  state: "queued" | "durable" | "lost";
}

export interface Batch {
  entries: Queued[];
  frame: Buffer;
  /** Leaf hashes, one after the other. */
  leaves: Buffer;
}

const kindJson: Record<EntryKind, string> = {
  begun: '"kind":"begun"',
  attempt: '"kind":"attempt"',
  settled: '"kind":"settled"',
  amended: '"kind":"amended"',
  admin: '"kind":"admin"',
};

/** Written out by hand since it runs for every entry: one serialisation, one order of fields. */
export function headOf(
  nodeJson: string,
  tenantJson: string,
  at: { seq: number; atMs: number; kind: EntryKind; tenantSeq: number; decision: string | undefined },
): string {
  const decision = at.decision === undefined ? "" : `,"decision":${JSON.stringify(at.decision)}`;
  return `{"node":${nodeJson},"seq":${at.seq},"at_ms":${at.atMs},${kindJson[at.kind]},"tenant":${tenantJson},"tenant_seq":${at.tenantSeq}${decision},"meta":`;
}

const longestTail = 512;
// Digests are hex and key ids base 32: nothing to escape.
function tailOf(ref: ContentRef): string {
  const { batch, offset, length, mac, key } = ref;
  return `,"content":{"batch":"${batch}","offset":${offset},"length":${length},"mac":"${mac}","key":"${key}"}}`;
}

interface Sealed {
  frame: Buffer;
  digest: Buffer;
}

/** Seals the batch's contents key by key; the references come back by the entry's place in the batch. */
function sealAll(entries: readonly Queued[], keys: KeyRing, clock: Clock): { sealed: Sealed[]; refs: ContentRef[] } {
  const groups = new Map<string, { key: HeldKey; places: number[] }>();
  entries.forEach(({ content, atMs }, place) => {
    if (!content) return;
    const key = keys.keyFor(content.key, atMs);
    const group = groups.get(key.id);
    if (group) group.places.push(place);
    else groups.set(key.id, { key, places: [place] });
  });
  const refs: ContentRef[] = [];
  const sealed: Sealed[] = [];
  for (const { key, places } of groups.values()) {
    const values = places.map((place) => entries[place]!.content!.json);
    const result = sealContents(key, values, clock);
    sealed.push(result);
    places.forEach((place, i) => (refs[place] = result.refs[i]!));
  }
  return { sealed, refs };
}

const roomBytes = 256 * 1024;

/**
 * Takes the bytes of entries until their commit. They are written when the entry is appended, so that its text is gone
 * before a collection can meet it, and the few buffers they lie in are used again.
 */
export class WaitingRoom {
  #bytes = Buffer.allocUnsafeSlow(roomBytes);
  #used = 0;

  put(entry: Queued, head: string, metaJson: string, isWhole: boolean): void {
    const most = 3 * (head.length + metaJson.length) + 1;
    if (this.#used + most > this.#bytes.length) {
      this.#bytes = Buffer.allocUnsafeSlow(Math.max(roomBytes, most));
      this.#used = 0;
    }
    const bytes = this.#bytes;
    let at = this.#used;
    at += bytes.write(head, at, "utf8");
    at += bytes.write(metaJson, at, "utf8");
    if (isWhole) bytes[at++] = closingBrace;
    entry.bytes = bytes;
    entry.start = this.#used;
    entry.end = at;
    this.#used = at;
  }
  /** Nothing waits any longer. */
  clear(): void {
    this.#used = 0;
  }
}

const closingBrace = 0x7d;

// One commit is in flight at a time, so its frame and leaves may live in buffers that the next one reuses.
export class BatchEncoder {
  #room = Buffer.allocUnsafeSlow(256 * 1024);
  #leaves = Buffer.allocUnsafeSlow(256 * hashBytes);
  readonly #keys: KeyRing;
  readonly #clock: Clock;

  constructor(keys: KeyRing, clock: Clock) {
    this.#keys = keys;
    this.#clock = clock;
  }

  encode(entries: Queued[]): Batch {
    const { sealed, refs } = sealAll(entries, this.#keys, this.#clock);
    let needed = 0;
    for (const { start, end, content } of entries) needed += 5 + end - start + (content ? longestTail : 0);
    for (const { frame } of sealed) needed += 36 + frame.length;
    const room = this.#roomFor(needed);
    let at = room.writeUInt32LE(sealed.length, frameHeaderBytes);
    for (const { frame, digest } of sealed) {
      room.set(digest, at);
      at = room.writeUInt32LE(frame.length, at + 32);
      room.set(frame, at);
      at += frame.length;
    }
    at = room.writeUInt32LE(entries.length, at);
    const leaves = this.#leavesFor(entries.length);
    for (let place = 0; place < entries.length; place++) {
      const start = at + 4;
      room[start] = 0;
      const entry = entries[place]!;
      let end = start + 1 + entry.bytes.copy(room, start + 1, entry.start, entry.end);
      const ref = refs[place];
      if (ref) end += room.write(tailOf(ref), end, "latin1");
      room.writeUInt32LE(end - start, at);
      sha256Into(leaves, place * hashBytes, room.subarray(start, end));
      at = end;
    }
    const frame = room.subarray(0, at);
    finishFrame(frame, frameTypes.batch);
    return { entries, frame, leaves };
  }

  #leavesFor(count: number): Buffer {
    if (count * hashBytes > this.#leaves.length) this.#leaves = Buffer.allocUnsafeSlow(2 * count * hashBytes);
    return this.#leaves.subarray(0, count * hashBytes);
  }

  #roomFor(payload: number): Buffer {
    const needed = payload + frameHeaderBytes + 8;
    if (needed <= this.#room.length) return this.#room;
    if (needed > 8 * 1024 * 1024) return Buffer.allocUnsafeSlow(needed);
    this.#room = Buffer.allocUnsafeSlow(needed * 2);
    return this.#room;
  }
}

/** One decoded batch. The leaf of an entry is the hash over its 0x00 byte and its metadata, as stored. */
export interface DecodedBatch {
  contents: { digest: Buffer; frame: Buffer }[];
  entries: { prefixed: Buffer; entry: Entry }[];
}

/** Throws a RangeError or SyntaxError when the payload is not a batch. */
export function decodeBatch(payload: Buffer): DecodedBatch {
  let at = 4;
  const contents: DecodedBatch["contents"] = [];
  for (let left = payload.readUInt32LE(0); left > 0; left--) {
    const length = payload.readUInt32LE(at + 32);
    contents.push({ digest: payload.subarray(at, at + 32), frame: bytesAt(payload, at + 36, length) });
    at += 36 + length;
  }
  const entries: DecodedBatch["entries"] = [];
  let left = payload.readUInt32LE(at);
  at += 4;
  for (; left > 0; left--) {
    const length = payload.readUInt32LE(at);
    const prefixed = bytesAt(payload, at + 4, length);
    entries.push({ prefixed, entry: JSON.parse(prefixed.toString("utf8", 1)) as Entry });
    at += 4 + length;
  }
  if (at !== payload.length) throw new RangeError("bytes follow the last entry");
  return { contents, entries };
}

/** Throws a RangeError where the batch ends before. */
export function bytesAt(payload: Buffer, from: number, length: number): Buffer {
  if (from + length > payload.length) throw new RangeError("a length points beyond the batch");
  return payload.subarray(from, from + length);
}

export function storedEntries(batch: DecodedBatch, segment: number, offset: number): StoredEntry[] {
  const frames = new Map(batch.contents.map(({ digest, frame }) => [digest.toString("hex"), frame]));
  return batch.entries.map(({ prefixed, entry }) => {
    const sealed = entry.content && frames.get(entry.content.batch);
    const position = { segment, offset, seq: entry.seq };
    return { entry, position, bytes: prefixed.subarray(1), ...(sealed && { sealed }) };
  });
}
