/**
 * A segment file: a header frame, durable before anything follows it, then batch frames. The header lets recovery start
 * here: the state of log and tree at its first entry, and where and with which digest the previous segment ended.
 */
import { createHash, type Hash } from "node:crypto";
import type { FilePort, OpenFile } from "../stores/files/port.ts";
import { frameOf, frameTypes, parseFrame } from "./frames.ts";
import { segmentFolder, segmentOf, segmentPath } from "./layout.ts";
import type { OpenDecision } from "./port.ts";
import type { LogState } from "./state.ts";
import type { TreeEdge } from "./tiles.ts";

export interface SegmentHeader {
  v: 1;
  node: string;
  segment: number;
  first_seq: number;
  tenants: Record<string, number>;
  open: OpenDecision[];
  /** By tile level, the unfinished tile's hashes in base64: with them the tree continues without older segments. */
  tree: string[];
  /** Bytes beyond `length` in the previous segment were given up after a failed write and count for nothing. */
  previous: { length: number; sha256: string } | null;
}

export function headerFrame(
  node: string,
  segment: number,
  state: LogState,
  tree: TreeEdge,
  previous: SegmentHeader["previous"],
): Buffer {
  const header: SegmentHeader = {
    v: 1,
    node,
    segment,
    first_seq: state.size,
    tenants: Object.fromEntries(state.tenants),
    open: state.open(),
    tree: tree.unfinished().map((hashes) => hashes.toString("base64")),
    previous,
  };
  return frameOf(frameTypes.segment, Buffer.from(JSON.stringify(header)));
}

/** The header and where the first batch starts; undefined when the file does not begin with a whole header. */
export function readHeader(bytes: Buffer): { header: SegmentHeader; end: number } | undefined {
  const frame = parseFrame(bytes, 0);
  if ("bad" in frame || frame.type !== frameTypes.segment) return undefined;
  try {
    const header = JSON.parse(frame.payload.toString()) as SegmentHeader;
    return header.v === 1 ? { header, end: frame.end } : undefined;
  } catch {
    return undefined;
  }
}

export async function listSegments(files: FilePort, dir: string, node: string): Promise<number[]> {
  const found = await files.list(segmentFolder(dir, node));
  return found.flatMap(({ name, folder }) => (folder ? [] : (segmentOf(name) ?? []))).sort((a, b) => a - b);
}

/** The segment that is being written. Everything before `length` is durable. */
export class OpenSegment {
  readonly segment: number;
  readonly #file: OpenFile;
  readonly #digest: Hash;
  #length: number;
  #suspect = false;

  constructor(segment: number, file: OpenFile, length: number, digest: Hash) {
    this.segment = segment;
    this.#file = file;
    this.#length = length;
    this.#digest = digest;
  }

  static async create(
    files: FilePort,
    dir: string,
    node: string,
    segment: number,
    header: Buffer,
  ): Promise<OpenSegment> {
    const file = await files.open(segmentPath(dir, node, segment));
    try {
      // An earlier try may have left bytes.
      if ((await file.size()) > 0) await file.truncate(0);
      await file.write(header, 0);
      await file.datasync();
    } catch (error) {
      await file.close();
      throw error;
    }
    return new OpenSegment(segment, file, header.length, createHash("sha256").update(header));
  }

  get length(): number {
    return this.#length;
  }
  /** True after a failed datasync or a failed cut: what the file holds beyond `length` is unknown, so write elsewhere. */
  get suspect(): boolean {
    return this.#suspect;
  }
  get end(): { length: number; sha256: string } {
    return { length: this.#length, sha256: this.#digest.copy().digest("hex") };
  }

  async append(frame: Buffer): Promise<void> {
    try {
      await this.#file.write(frame, this.#length);
    } catch (error) {
      await this.#file.truncate(this.#length).catch(() => {
        this.#suspect = true;
      });
      throw error;
    }
    try {
      await this.#file.datasync();
    } catch (error) {
      this.#suspect = true;
      throw error;
    }
    this.#digest.update(frame);
    this.#length += frame.length;
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}
