/**
 * One group commit as one frame. Payload: number of sealed contents, each as digest, length, bytes; number of entries,
 * each as length, a 0x00 byte, metadata JSON. The 0x00 is the RFC 6962 leaf prefix, so a leaf is hashed where it lies.
 */
import type { Clock } from "../kernel/clock.ts";
import { sealContents } from "./content.ts";
import { finishFrame, frameHeaderBytes, frameTypes } from "./frames.ts";
import { leafHashOfPrefixed } from "./merkle.ts";
import type { ContentKey, ContentRef, Entry, EntryKind, HeldKey, KeyRing, StoredEntry } from "./port.ts";

/** An entry that waits for its commit. */
export interface Queued {
  seq: number;
  atMs: number;
  kind: EntryKind;
  tenant: string;
  tenantSeq: number;
  decision: string | undefined;
  /** Metadata JSON without its closing brace: a content reference may follow. */
  head: string;
  metaJson: string;
  content: { key: ContentKey; json: string } | undefined;
  /** Set by the first `durable()`. */
  waiter: PromiseWithResolvers<void> | undefined;
  /** Of those who would rather know that the disk fails than wait. */
  hasty: PromiseWithResolvers<void> | undefined;
  state: "queued" | "durable" | "lost";
}

export interface Batch {
  entries: Queued[];
  frame: Buffer;
  /** Leaf hashes, in order. */
  leaves: Buffer[];
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
  metaJson: string,
): string {
  const decision = at.decision === undefined ? "" : `,"decision":${JSON.stringify(at.decision)}`;
  return `{"node":${nodeJson},"seq":${at.seq},"at_ms":${at.atMs},${kindJson[at.kind]},"tenant":${tenantJson},"tenant_seq":${at.tenantSeq}${decision},"meta":${metaJson}`;
}

// Digests are hex and key ids base 32: nothing to escape.
function tailOf(ref: ContentRef | undefined): string {
  if (!ref) return "}";
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

// One commit is in flight at a time, so its frame may live in a buffer that the next one reuses.
export class BatchEncoder {
  #room = Buffer.allocUnsafeSlow(256 * 1024);
  readonly #keys: KeyRing;
  readonly #clock: Clock;

  constructor(keys: KeyRing, clock: Clock) {
    this.#keys = keys;
    this.#clock = clock;
  }

  encode(entries: Queued[]): Batch {
    const { sealed, refs } = sealAll(entries, this.#keys, this.#clock);
    const tails = entries.map((_, place) => tailOf(refs[place]));
    const room = this.#roomFor(
      entries.reduce((sum, { head }, place) => sum + 5 + 3 * (head.length + tails[place]!.length), 0) +
        sealed.reduce((sum, { frame }) => sum + 36 + frame.length, 0),
    );
    let at = room.writeUInt32LE(sealed.length, frameHeaderBytes);
    for (const { frame, digest } of sealed) {
      room.set(digest, at);
      at = room.writeUInt32LE(frame.length, at + 32);
      room.set(frame, at);
      at += frame.length;
    }
    at = room.writeUInt32LE(entries.length, at);
    const leaves: Buffer[] = [];
    for (let place = 0; place < entries.length; place++) {
      const start = at + 4;
      room[start] = 0;
      const end = start + 1 + room.write(entries[place]!.head + tails[place]!, start + 1, "utf8");
      room.writeUInt32LE(end - start, at);
      leaves.push(leafHashOfPrefixed(room.subarray(start, end)));
      at = end;
    }
    const frame = room.subarray(0, at);
    finishFrame(frame, frameTypes.batch);
    return { entries, frame, leaves };
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

/** The last sequence in a batch, at the cost of decoding its first entry: they are consecutive. */
export function lastSeqOf(payload: Buffer): number {
  let at = 4;
  for (let left = payload.readUInt32LE(0); left > 0; left--) at += 36 + payload.readUInt32LE(at + 32);
  const first = bytesAt(payload, at + 8, payload.readUInt32LE(at + 4));
  return (JSON.parse(first.toString("utf8", 1)) as Entry).seq + payload.readUInt32LE(at) - 1;
}

function bytesAt(payload: Buffer, from: number, length: number): Buffer {
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
