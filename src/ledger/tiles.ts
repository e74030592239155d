/** The growing tree's right edge, and its C2SP tiles: 256 hashes each, at every eighth level. */
import type { FilePort } from "../stores/files/port.ts";
import { asBuffer } from "./frames.ts";
import { tilePath } from "./layout.ts";
import { foldRight, nodeHash, type NodeAt } from "./merkle.ts";

export const tileWidth = 256;
const hashBytes = 32;

export interface Tile {
  level: number;
  index: number;
  hashes: readonly Buffer[];
}

/** Grows by leaves at one node hash each; holds only what later leaves need: O(log n) nodes and the unfinished tiles. */
export class TreeEdge {
  #size = 0;
  /** By level: the perfect subtree at the right edge that still waits for its sibling. */
  #waiting: (Buffer | undefined)[] = [];
  /** By tile level: the hashes of the unfinished tile. */
  #unfinished: Buffer[][] = [];
  readonly #onTile: (tile: Tile) => void;

  constructor(onTile: (tile: Tile) => void = () => {}) {
    this.#onTile = onTile;
  }
  /** Continues from `unfinished()` of a tree of that size. */
  static restore(size: number, unfinished: readonly (readonly Buffer[])[], onTile?: (tile: Tile) => void): TreeEdge {
    const edge = new TreeEdge(onTile);
    edge.#size = size;
    edge.#unfinished = unfinished.map((hashes) => [...hashes]);
    edge.#unfinished.forEach((hashes, tileLevel) => {
      let from = 0;
      for (let bit = 7; bit >= 0; bit--) {
        const width = 2 ** bit;
        if ((hashes.length & width) === 0) continue;
        edge.#waiting[tileLevel * 8 + bit] = subtree(hashes, from, width);
        from += width;
      }
    });
    return edge;
  }
  get size(): number {
    return this.#size;
  }
  push(leaf: Buffer): void {
    let node = leaf;
    let count = this.#size++;
    for (let level = 0; ; level++) {
      if (level % 8 === 0) this.#keep(level / 8, node);
      if (count % 2 === 0) {
        this.#waiting[level] = node;
        return;
      }
      node = nodeHash(this.#waiting[level]!, node);
      this.#waiting[level] = undefined;
      count = (count - 1) / 2;
    }
  }
  #keep(level: number, node: Buffer): void {
    const hashes = (this.#unfinished[level] ??= []);
    hashes.push(node);
    if (hashes.length < tileWidth) return;
    this.#unfinished[level] = [];
    this.#onTile({ level, index: Math.floor((this.#size - 1) / tileWidth ** (level + 1)), hashes });
  }
  root(): Buffer {
    return foldRight(this.#waiting.filter((node) => node !== undefined).toReversed());
  }
  unfinished(): readonly (readonly Buffer[])[] {
    return this.#unfinished;
  }
  partialTiles(): Tile[] {
    return this.#unfinished.flatMap((hashes, level) =>
      hashes.length === 0
        ? []
        : [{ level, index: Math.floor(this.#size / tileWidth ** (level + 1)), hashes: [...hashes] }],
    );
  }
}

function subtree(hashes: readonly Buffer[], from: number, width: number): Buffer {
  if (width === 1) return hashes[from]!;
  return nodeHash(subtree(hashes, from, width / 2), subtree(hashes, from + width / 2, width / 2));
}

export async function writeTile(files: FilePort, dir: string, node: string, tile: Tile): Promise<void> {
  const path = tilePath(dir, node, tile.level, tile.index, tile.hashes.length);
  await files.replace(path, Buffer.concat(tile.hashes));
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
  const at = first % tileWidth;
  const hashes = Array.from({ length: width }, (_, i) => tile.subarray((at + i) * 32, (at + i + 1) * 32));
  return subtree(hashes, 0, width);
}
