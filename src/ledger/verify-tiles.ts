/** Compares tile files with the tree that the segments have. */
import type { FilePort } from "../stores/files/port.ts";
import type { Findings } from "./findings.ts";
import { tilePath } from "./layout.ts";
import { hashesIn, type Tile, tilesOf, tileWidth } from "./tiles.ts";

interface Found {
  path: string;
  width: number;
}

const nameOf = (level: number, index: number): string => `${level}/${index}`;

/** Every file below `tile/`: by tile, with its width; `odd` are names that no tile has. */
async function walk(files: FilePort, folder: string, parts: string[], found: Map<string, Found[]>, odd: string[]) {
  for (const info of await files.list(folder)) {
    const path = `${folder}/${info.name}`;
    if (info.folder) await walk(files, path, [...parts, info.name], found, odd);
    else {
      const match = /^(\d+)((?:\/x\d{3})*)\/(\d{3})(?:\.p\/(\d{1,3}))?$/.exec([...parts, info.name].join("/"));
      if (!match) {
        odd.push(path);
        continue;
      }
      const index = Number(`${match[2]!.replaceAll("/x", "")}${match[3]}`);
      const name = nameOf(Number(match[1]), index);
      found.set(name, [...(found.get(name) ?? []), { path, width: Number(match[4] ?? tileWidth) }]);
    }
  }
}

export class TileCheck {
  readonly #files: FilePort;
  readonly #dir: string;
  readonly #node: string;
  readonly #findings: Findings;
  #found = new Map<string, Found[]>();
  #odd: string[] = [];
  #unread = new Set<string>();

  constructor(files: FilePort, dir: string, node: string, findings: Findings) {
    this.#files = files;
    this.#dir = dir;
    this.#node = node;
    this.#findings = findings;
  }
  /** Whether there are any tiles. */
  async list(): Promise<boolean> {
    await walk(this.#files, `${this.#dir}/${this.#node}/tile`, [], this.#found, this.#odd);
    this.#unread = new Set([...this.#found.values()].flat().map(({ path }) => path));
    return this.#unread.size > 0;
  }

  /** `tile` as the segments have it: a file may hold a shorter, earlier state of it, never another. */
  async compare(tile: Tile): Promise<void> {
    const { hashes } = tile;
    for (const { path, width } of this.#found.get(nameOf(tile.level, tile.index)) ?? []) {
      if (width > hashesIn(hashes)) continue;
      this.#unread.delete(path);
      const bytes = await this.#files.read(path);
      // Gone since it was listed: `missing` names it when the checkpoint needs it.
      if (bytes && !hashes.subarray(0, width * 32).equals(bytes)) this.#findings.add("tile_damaged", path);
    }
  }

  end(sealedSize: number, isCurrent: boolean): void {
    for (const path of [...this.#unread, ...this.#odd])
      if (!path.endsWith(".tmp")) this.#findings.add("tile_unexpected", path);
    for (const { level, index, width } of tilesOf(sealedSize)) {
      // A newer checkpoint of a running node replaces unfinished tiles under our eyes.
      if (width < tileWidth && !isCurrent) continue;
      const there = this.#found.get(nameOf(level, index))?.some((found) => found.width === width);
      if (there !== true) this.#findings.add("tile_missing", tilePath(this.#dir, this.#node, level, index, width));
    }
  }
}
