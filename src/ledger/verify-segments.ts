/** Reads all segments of a node in order, names every damaged byte range, and hands on the batches and their leaves. */
import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { FilePort } from "../stores/files/port.ts";
import { decodeBatch } from "./commit.ts";
import type { Findings } from "./findings.ts";
import { asBuffer, findFrame, frameTypes, parseFrame } from "./frames.ts";
import { segmentPath } from "./layout.ts";
import { leafHashOfPrefixed } from "./merkle.ts";
import { listSegments, readHeader, type SegmentHeader } from "./segment.ts";
import type { TreeEdge } from "./tiles.ts";
import type { EntryCheck } from "./verify-entries.ts";

export interface SegmentsChecked {
  /** False once something was unreadable: from there on the tree's roots mean nothing. */
  whole: boolean;
}

interface Context {
  files: FilePort;
  dir: string;
  node: string;
  findings: Findings;
  entries: EntryCheck;
  tree: TreeEdge;
  /** A running node may be seen in the middle of a write. */
  live: boolean;
  /** Called whenever the tree has grown by one leaf. */
  onLeaf: () => void;
  /** Called between batches, for work that awaits. */
  between: () => Promise<void>;
}

async function headerIn(context: Context, segment: number): Promise<SegmentHeader | undefined> {
  const { files, dir, node } = context;
  const bytes = await files.read(segmentPath(dir, node, segment));
  return bytes && readHeader(asBuffer(bytes))?.header;
}

export async function checkSegments(context: Context): Promise<SegmentsChecked> {
  const { files, dir, node, findings } = context;
  const numbers = await listSegments(files, dir, node);
  const checked: SegmentsChecked = { whole: true };
  let previous: SegmentHeader["previous"] = null;
  for (let segment = 1; segment <= (numbers.at(-1) ?? 0); segment++) {
    const path = segmentPath(dir, node, segment);
    const bytes = asBuffer((await files.read(path)) ?? new Uint8Array());
    if (!numbers.includes(segment)) {
      findings.add("segment_missing", path);
      checked.whole = false;
      previous = null;
      continue;
    }
    const last = segment === numbers.at(-1);
    const limit = (last ? undefined : (await headerIn(context, segment + 1))?.previous?.length) ?? bytes.length;
    const head = readHeader(bytes);
    if (head) checkHeader(context, checked, head.header, previous, segment, path);
    else {
      // A crash while a segment is made leaves a last one without any whole frame.
      const torn = last && segment > 1 && findFrame(bytes, 0) < 0;
      findings.add(
        torn ? "torn_tail" : "segment_header_damaged",
        `${path} byte 0`,
        undefined,
        torn && context.live ? "warning" : "error",
      );
      checked.whole = false;
    }
    const end = await checkBatches(context, checked, bytes.subarray(0, limit), head?.end ?? 0, path, last);
    if (bytes.length < limit) findings.add("segment_end_differs", path, `it has ${bytes.length} of ${limit} bytes`);
    previous = { length: end, sha256: createHash("sha256").update(bytes.subarray(0, end)).digest("hex") };
  }
  return checked;
}

function checkHeader(
  { findings, entries, tree, node }: Context,
  checked: SegmentsChecked,
  header: SegmentHeader,
  previous: SegmentHeader["previous"],
  segment: number,
  path: string,
): void {
  if (segment > 1 && checked.whole && !isDeepStrictEqual(header.previous, previous))
    findings.add("segment_end_differs", path, "of the segment before it");
  const { state } = entries;
  const base64 = tree.unfinished().map((hashes) => hashes.toString("base64"));
  const agrees =
    header.node === node &&
    header.segment === segment &&
    header.first_seq === state.size &&
    isDeepStrictEqual(header.tenants, Object.fromEntries(state.tenants)) &&
    isDeepStrictEqual(header.open, state.open()) &&
    isDeepStrictEqual(header.tree, base64);
  if (checked.whole && !agrees) findings.add("segment_header_differs", path);
}

/** Answers the offset after the last whole frame. */
async function checkBatches(
  context: Context,
  checked: SegmentsChecked,
  bytes: Buffer,
  start: number,
  path: string,
  last: boolean,
): Promise<number> {
  let at = start;
  while (at < bytes.length) {
    const frame = parseFrame(bytes, at);
    if ("bad" in frame) {
      checked.whole = false;
      const next = findFrame(bytes, at + 1);
      const why =
        frame.bad === "damaged" ? frame.why : `the file ends within a frame, ${bytes.length - at} bytes from its start`;
      if (next >= 0 || !last) context.findings.add("frame_damaged", `${path} byte ${at}`, why);
      else context.findings.add("torn_tail", `${path} byte ${at}`, why, context.live ? "warning" : "error");
      if (next < 0) return at;
      at = next;
      continue;
    }
    if (frame.type === frameTypes.batch) checkBatch(context, checked, frame.payload, `${path} byte ${at}`);
    else if (at > 0)
      context.findings.add("frame_damaged", `${path} byte ${at}`, `a frame of type ${frame.type} does not belong here`);
    await context.between();
    at = frame.end;
  }
  return at;
}

function checkBatch(context: Context, checked: SegmentsChecked, payload: Buffer, where: string): void {
  const { findings, entries, tree } = context;
  let batch;
  try {
    batch = decodeBatch(payload);
  } catch (error) {
    findings.add("frame_damaged", where, (error as Error).message);
    checked.whole = false;
    return;
  }
  const first = batch.entries[0]?.entry.seq;
  if (!checked.whole && first !== undefined && first > entries.state.size) {
    const missing = `${entries.state.size} to ${first - 1}`;
    findings.add("sequence_gap", where, `entries ${missing} are unreadable`);
    entries.skipTo(first);
  }
  entries.batch(batch, where);
  for (const { prefixed } of batch.entries) {
    tree.push(leafHashOfPrefixed(prefixed));
    if (checked.whole) context.onLeaf();
  }
}
