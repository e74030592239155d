/**
 * What a fold needs of a batch, at a fraction of the cost of `decodeBatch`: the head of each entry, read where the
 * writer always puts it, and the metadata of the wanted kinds, parsed together (siblings of one shape parse faster).
 */
import { bytesAt } from "./commit.ts";
import type { DecisionId } from "../kernel/ids.ts";
import type { Entry, EntryKind, Position } from "./port.ts";

/** An entry without what only proofs and readers of content need; `meta` is there for the wanted kinds only. */
export interface FoldEntry {
  entry: Omit<Entry, "meta" | "content" | "tenant_seq"> & { meta?: Record<string, unknown> };
  position: Position;
}

// Plain ASCII without escapes, as nearly every head is; any other entry is parsed as the JSON that it is.
const plain = String.raw`[ !#-[\]-~]*`;
const head = new RegExp(
  `\\{"node":"(${plain})","seq":(\\d+),"at_ms":(\\d+),"kind":"([a-z]+)","tenant":"(${plain})","tenant_seq":\\d+(?:,"decision":"(${plain})")?,"meta":`,
  "y",
);
const metaKey = '{"meta":';

/** Throws a RangeError or SyntaxError when the payload is not a batch. */
export function decodeForFold(
  payload: Buffer,
  segment: number,
  offset: number,
  wanted: ReadonlySet<EntryKind>,
): FoldEntry[] {
  const { start, count } = entriesIn(payload);
  const text = payload.toString("latin1", start);
  const found: FoldEntry[] = [];
  const withMeta: FoldEntry[] = [];
  // An array of `{"meta":…}`: the heads of the wanted entries are left out, so it is never longer than they are.
  const metas = Buffer.allocUnsafe(payload.length - start + 2);
  let filled = metas.write("[", 0, "latin1");
  let at = start;
  for (let left = count; left > 0; left--) {
    const length = payload.readUInt32LE(at);
    const json = bytesAt(payload, at + 4, length).subarray(1);
    head.lastIndex = at + 5 - start;
    const read = head.exec(text);
    const entry = read ? entryOf(read) : (JSON.parse(json.toString()) as Entry);
    const item: FoldEntry = { entry, position: { segment, offset, seq: entry.seq } };
    found.push(item);
    if (read && wanted.has(entry.kind)) {
      if (withMeta.length > 0) filled += metas.write(",", filled, "latin1");
      filled += metas.write(metaKey, filled, "latin1");
      metas.set(json.subarray(read[0].length), filled);
      filled += json.length - read[0].length;
      withMeta.push(item);
    }
    at += 4 + length;
  }
  if (at !== payload.length) throw new RangeError("bytes follow the last entry");
  metas.write("]", filled, "latin1");
  const parsed = JSON.parse(metas.toString("utf8", 0, filled + 1)) as { meta: Record<string, unknown> }[];
  for (let i = 0; i < withMeta.length; i++) withMeta[i]!.entry.meta = parsed[i]!.meta;
  return found;
}

/** Where the first entry's length stands, and how many there are. */
function entriesIn(payload: Buffer): { start: number; count: number } {
  let at = 4;
  for (let left = payload.readUInt32LE(0); left > 0; left--) at += 36 + payload.readUInt32LE(at + 32);
  return { start: at + 4, count: payload.readUInt32LE(at) };
}

function entryOf(read: RegExpExecArray): FoldEntry["entry"] {
  const entry: FoldEntry["entry"] = {
    node: read[1]!,
    seq: Number(read[2]),
    at_ms: Number(read[3]),
    kind: read[4] as EntryKind,
    tenant: read[5]!,
  };
  if (read[6] !== undefined) entry.decision = read[6] as DecisionId;
  return entry;
}

/** The last sequence in a batch, at the cost of decoding its first entry: they are consecutive. */
export function lastSeqOf(payload: Buffer): number {
  const { start, count } = entriesIn(payload);
  const first = bytesAt(payload, start + 4, payload.readUInt32LE(start)).subarray(1);
  return (JSON.parse(first.toString()) as Entry).seq + count - 1;
}
