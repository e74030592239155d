/** The growing tree's right edge, and its C2SP tiles: 256 hashes each, at every eighth level. */
import type { FilePort } from "../stores/files/port.ts";
import { asBuffer } from "./frames.ts";
import { tilePath } from "./layout.ts";
import { foldRight, hashBytes, joinInto, nodeHash, type NodeAt } from "./merkle.ts";

export const tileWidth = 256;
const tileBytes = tileWidth * hashBytes;

export interface Tile {
  level: number;
  index: number;
  /** One after the other. */
  hashes: Buffer;
}

export const hashesIn = (hashes: Uint8Array): number => hashes.length / hashBytes;

interface Growing {
  hashes: Buffer;
  count: number;
}

/**
 * Grows by leaves at one node hash each; holds only what later leaves need: O(log n) nodes and the unfinished tiles.
 * Hashes lie side by side in few buffers: they outlive many requests, and one object each would burden the collector.
 */
export class TreeEdge {
  #size = 0;
  /** By level, where the bit of that level is set in the size: the perfect subtree that still waits for its sibling. */
  #waiting: Buffer[] = [];
  /** By tile level. */
  readonly #unfinished: Growing[] = [];
  readonly #node = Buffer.alloc(hashBytes);
  readonly #onTile: (tile: Tile) => void;

  constructor(onTile: (tile: Tile) => void = () => {}) {
    this.#onTile = onTile;
  }
  /** Continues from `unfinished()` of a tree of that size. */
  static restore(size: number, unfinished: readonly Buffer[], onTile?: (tile: Tile) => void): TreeEdge {
    const edge = new TreeEdge(onTile);
    edge.#size = size;
    for (const [tileLevel, hashes] of unfinished.entries()) {
      const kept = edge.#growing(tileLevel);
      kept.count = hashesIn(hashes);
      kept.hashes.set(hashes);
      let from = 0;
      for (let bit = 7; bit >= 0; bit--) {
        const width = 2 ** bit;
        if ((kept.count & width) === 0) continue;
        edge.#waitingAt(tileLevel * 8 + bit).set(subtree(hashes, from, width));
        from += width;
      }
    }
    return edge;
  }
  get size(): number {
    return this.#size;
  }
  push(leaf: Uint8Array): void {
    const node = this.#node;
    node.set(leaf);
    let count = this.#size++;
    for (let level = 0; ; level++) {
      if (level % 8 === 0) this.#keep(level / 8, node);
      if (count % 2 === 0) {
        this.#waitingAt(level).set(node);
        return;
      }
      joinInto(node, 0, this.#waiting[level]!);
      count = (count - 1) / 2;
    }
  }
  #waitingAt(level: number): Buffer {
    return (this.#waiting[level] ??= Buffer.alloc(hashBytes));
  }
  #growing(level: number): Growing {
    return (this.#unfinished[level] ??= { hashes: Buffer.allocUnsafeSlow(tileBytes), count: 0 });
  }
  #keep(level: number, node: Buffer): void {
    const kept = this.#growing(level);
    kept.hashes.set(node, kept.count * hashBytes);
    kept.count += 1;
    if (kept.count < tileWidth) return;
    const { hashes } = kept;
    this.#unfinished[level] = { hashes: Buffer.allocUnsafeSlow(tileBytes), count: 0 };
    this.#onTile({ level, index: Math.floor((this.#size - 1) / tileWidth ** (level + 1)), hashes });
  }
  root(): Buffer {
    return foldRight(this.#waiting.filter((_, level) => Math.floor(this.#size / 2 ** level) % 2 === 1).toReversed());
  }
  /** By tile level, copied. */
  unfinished(): Buffer[] {
    return this.#unfinished.map(({ hashes, count }) => Buffer.from(hashes.subarray(0, count * hashBytes)));
  }
  partialTiles(): Tile[] {
    return this.unfinished().flatMap((hashes, level) =>
      hashes.length === 0 ? [] : [{ level, index: Math.floor(this.#size / tileWidth ** (level + 1)), hashes }],
    );
  }
}

function subtree(hashes: Buffer, from: number, width: number): Buffer {
  if (width === 1) return hashes.subarray(from * hashBytes, (from + 1) * hashBytes);
  return nodeHash(subtree(hashes, from, width / 2), subtree(hashes, from + width / 2, width / 2));
}

export async function writeTile(files: FilePort, dir: string, node: string, tile: Tile): Promise<void> {
  const path = tilePath(dir, node, tile.level, tile.index, hashesIn(tile.hashes));
  await files.replace(path, tile.hashes);
}

/** Every tile that a tree of `size` has, unfinished ones included. */
export function* tilesOf(size: number): Generator<{ level: number; index: number; width: number }> {
  for (let level = 0, count = size; count > 0; level++, count = Math.floor(count / tileWidth)) {
    for (let index = 0; index * tileWidth < count; index++)
      yield { level, index, width: Math.min(tileWidth, count - index * tileWidth) };
  }
}

/** The unfinished tiles of a tree of `size`. */
export function edgeTilesOf(size: number): { level: number; index: number; width: number }[] {
  const edge = [];
  for (let level = 0, count = size; count > 0; level++, count = Math.floor(count / tileWidth))
    if (count % tileWidth > 0) edge.push({ level, index: Math.floor(count / tileWidth), width: count % tileWidth });
  return edge;
}

/** Reads the tiles that hold the given nodes of a tree of `size` and answers for all nodes of those tiles. */
export async function readNodes(
  files: FilePort,
  dir: string,
  node: string,
  size: number,
  wanted: readonly { level: number; index: number }[],
): Promise<NodeAt | { missing: string }> {
  const tiles = new Map<string, Buffer>();
  for (const { level, index } of wanted) {
    const tileLevel = Math.floor(level / 8);
    const tileIndex = Math.floor((index * 2 ** (level % 8)) / tileWidth);
    const name = `${tileLevel}/${tileIndex}`;
    if (tiles.has(name)) continue;
    const width = Math.min(tileWidth, Math.floor(size / tileWidth ** tileLevel) - tileIndex * tileWidth);
    const path = tilePath(dir, node, tileLevel, tileIndex, width);
    const bytes = await files.read(path);
    if (bytes?.length !== width * hashBytes) return { missing: path };
    tiles.set(name, asBuffer(bytes));
  }
  return (level, index) => nodeInTile(tiles, level, index);
}

function nodeInTile(tiles: ReadonlyMap<string, Buffer>, level: number, index: number): Buffer {
  const width = 2 ** (level % 8);
  const first = index * width;
  const tile = tiles.get(`${Math.floor(level / 8)}/${Math.floor(first / tileWidth)}`);
  if (!tile) throw new RangeError(`node ${level}/${index} lies in a tile that was not read`);
  return subtree(tile, first % tileWidth, width);
}
