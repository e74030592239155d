/**
 * What a fold needs of a batch, at a fraction of the cost of `decodeBatch`: the head of every entry, read where the
 * writer always puts it, and the metadata of the wanted kinds, parsed together (siblings of one shape parse faster).
 */
import { bytesAt } from "./commit.ts";
import { asBuffer } from "./frames.ts";
import type { Entry, EntryKind, Position } from "./port.ts";

/** `meta` is there for the wanted kinds only. */
export interface FoldEntry {
  entry: Omit<Entry, "meta" | "content" | "tenant_seq"> & { meta?: Record<string, unknown> };
  position: Position;
}

// Plain ASCII without escapes, as nearly all heads are: anything else is parsed as the JSON that it is.
const head =
  /\{"node":"([\w.-]*)","seq":(\d+),"at_ms":(\d+),"kind":"([a-z]+)","tenant":"([ !#-[\]-~]*)","tenant_seq":\d+(?:,"decision":"([\w-]*)")?,"meta":/y;

const comma = 0x2c;

/** Throws a RangeError or SyntaxError when the payload is not a batch. */
export function decodeForFold(
  payload: Buffer,
  segment: number,
  offset: number,
  wanted: ReadonlySet<EntryKind>,
): FoldEntry[] {
  let at = 4;
  for (let left = payload.readUInt32LE(0); left > 0; left--) at += 36 + payload.readUInt32LE(at + 32);
  const count = payload.readUInt32LE(at);
  at += 4;
  const text = payload.latin1Slice(at);
  const start = at;
  const found: FoldEntry[] = [];
  const metas = Buffer.allocUnsafe(payload.length - at + 2);
  let filled = 0;
  const places: number[] = [];
  for (let left = count; left > 0; left--) {
    const length = payload.readUInt32LE(at);
    const json = bytesAt(payload, at + 5, length - 1);
    head.lastIndex = at + 5 - start;
    const read = head.exec(text);
    const entry = read ? entryOf(read) : (JSON.parse(json.toString()) as Entry);
    if (read && wanted.has(entry.kind)) {
      metas[filled++] = filled === 1 ? 0x5b : comma;
      // The metadata and what follows it: `{"meta":` stands for the head.
      filled += metas.write('{"meta":', filled, "latin1");
      metas.set(json.subarray(read[0].length), filled);
      filled += length - 1 - read[0].length;
      places.push(found.length);
    }
    found.push({ entry, position: { segment, offset, seq: entry.seq } });
    at += 4 + length;
  }
  if (at !== payload.length) throw new RangeError("bytes follow the last entry");
  return found;
}
