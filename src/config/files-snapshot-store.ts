/**
 * Applied snapshots below a data directory: `snapshots/0000000001.json` and `blobs/ab/ab….` by digest. Files are written
 * beside their place, synced and moved into it, so that a crash leaves the old state or the new one.
 */
import { link, mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { sha256Hex } from "./files.ts";
import { type AppliedSnapshot, SnapshotConflict, type SnapshotStore } from "./port.ts";

const numberPattern = /^(\d{10})\.json$/;
const digestPattern = /^[0-9a-f]{64}$/;
let temporaryFiles = 0;

export class FilesSnapshotStore implements SnapshotStore {
  readonly #snapshots: string;
  readonly #blobs: string;

  constructor(dataDir: string) {
    this.#snapshots = join(dataDir, "snapshots");
    this.#blobs = join(dataDir, "blobs");
  }

  async current(): Promise<AppliedSnapshot | undefined> {
    const number = await this.#highest();
    return number === 0 ? undefined : this.get(number);
  }

  async get(number: number): Promise<AppliedSnapshot | undefined> {
    const path = this.#pathOf(number);
    const bytes = await readIfThere(path);
    if (!bytes) return undefined;
    const stored = parsed(bytes);
    if (stored?.number !== number || sha256Hex(stored.effective) !== stored.hash) {
      throw new Error(
        `${path} is damaged: it does not have the digest that it was stored with; restore it from a backup`,
      );
    }
    return stored;
  }

  async add(snapshot: AppliedSnapshot): Promise<void> {
    if (snapshot.number !== (await this.#highest()) + 1) throw new SnapshotConflict(snapshot.number);
    await makeFolder(this.#snapshots);
    const path = this.#pathOf(snapshot.number);
    const temporary = await writeBeside(path, Buffer.from(`${JSON.stringify(snapshot, null, 1)}\n`));
    try {
      // A link, unlike a rename, fails where another process was faster.
      await link(temporary, path);
    } catch (error) {
      throw (error as NodeJS.ErrnoException).code === "EEXIST" ? new SnapshotConflict(snapshot.number) : error;
    } finally {
      await rm(temporary, { force: true });
    }
    await syncFolder(this.#snapshots);
  }

  async blob(sha256: string): Promise<Uint8Array | undefined> {
    if (!digestPattern.test(sha256)) return undefined;
    const path = this.#blobPath(sha256);
    const bytes = await readIfThere(path);
    if (bytes && sha256Hex(bytes) !== sha256)
      throw new Error(`${path} is damaged: it does not have its digest; restore it from a backup`);
    return bytes;
  }

  async putBlob(bytes: Uint8Array): Promise<string> {
    const digest = sha256Hex(bytes);
    const path = this.#blobPath(digest);
    const stored = await readIfThere(path);
    if (stored && sha256Hex(stored) === digest) return digest;
    await makeFolder(dirname(path));
    await rename(await writeBeside(path, bytes), path);
    await syncFolder(dirname(path));
    return digest;
  }

  #pathOf = (number: number): string => join(this.#snapshots, `${String(number).padStart(10, "0")}.json`);
  #blobPath = (digest: string): string => join(this.#blobs, digest.slice(0, 2), digest);

  async #highest(): Promise<number> {
    const names = await readdir(this.#snapshots).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return [];
      throw error;
    });
    return Math.max(0, ...names.map((name) => Number(numberPattern.exec(name)?.[1] ?? 0)));
  }
}

function parsed(bytes: Uint8Array): AppliedSnapshot | undefined {
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8")) as AppliedSnapshot;
  } catch {
    // Not JSON at all is damage like a wrong digest; the caller says so.
    return undefined;
  }
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Writes and syncs a temporary file in the folder of `path`; owner-only, for configurations name internals. */
async function writeBeside(path: string, bytes: Uint8Array): Promise<string> {
  temporaryFiles += 1;
  const temporary = `${path}.${process.pid}-${temporaryFiles}.tmp`;
  const handle = await open(temporary, "w", 0o600);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return temporary;
}

/** A new folder is durable when each parent that gained a name is. */
async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  for (let at = folder; at.length >= first.length; at = dirname(at)) await syncFolder(dirname(at));
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
