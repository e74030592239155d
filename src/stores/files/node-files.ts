/** The real disk. Creating or replacing a file also syncs its folder, so that the name survives a power cut. */
import * as fs from "node:fs";
import { dirname } from "node:path";
import { holderIsAlive, lockText } from "./lock-holder.ts";
import { FileFault, type FileInfo, type FileLock, type FilePort, type OpenFile } from "./port.ts";

type Done<T> = (error: NodeJS.ErrnoException | null, value?: T) => void;

/** One call of the callback API: a third of the CPU of fs.promises, which matters once per group commit. */
function call<T = void>(path: string, start: (done: Done<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, value) => (error ? reject(faultOf(error, path)) : resolve(value as T)));
  });
}

function faultOf(error: unknown, path: string): FileFault {
  if (error instanceof FileFault) return error;
  const code = (error as NodeJS.ErrnoException).code ?? "EIO";
  return new FileFault(code, path, `${path}: ${(error as Error).message}`, error);
}

const isMissing = (error: unknown): boolean => error instanceof FileFault && error.code === "ENOENT";

async function syncFolder(folder: string): Promise<void> {
  const fd = await call<number>(folder, (done) => fs.open(folder, "r", done));
  try {
    await call(folder, (done) => fs.fsync(fd, done));
  } finally {
    await call(folder, (done) => fs.close(fd, done));
  }
}

/** Creates missing folders, syncing each parent that gained a name. */
async function makeFolder(folder: string): Promise<void> {
  const first = await call<string | undefined>(folder, (done) => fs.mkdir(folder, { recursive: true }, done));
  if (first === undefined) return;
  for (let at = folder; at.length >= first.length; at = dirname(at)) await syncFolder(dirname(at));
}

async function writeAll(fd: number, path: string, bytes: Uint8Array, offset: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const from = done;
    done += await call<number>(path, (back) => fs.write(fd, bytes, from, bytes.length - from, offset + from, back));
  }
}

class NodeFile implements OpenFile {
  readonly #fd: number;
  readonly #path: string;
  constructor(fd: number, path: string) {
    this.#fd = fd;
    this.#path = path;
  }
  async size(): Promise<number> {
    return (await call<fs.Stats>(this.#path, (done) => fs.fstat(this.#fd, done))).size;
  }
  write(bytes: Uint8Array, offset: number): Promise<void> {
    return writeAll(this.#fd, this.#path, bytes, offset);
  }
  datasync(): Promise<void> {
    return call(this.#path, (done) => fs.fdatasync(this.#fd, done));
  }
  truncate(length: number): Promise<void> {
    return call(this.#path, (done) => fs.ftruncate(this.#fd, length, done));
  }
  close(): Promise<void> {
    return call(this.#path, (done) => fs.close(this.#fd, done));
  }
}

async function open(path: string, options: { mode?: number } = {}): Promise<OpenFile> {
  const existing = await call<number>(path, (done) => fs.open(path, "r+", done)).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  if (existing !== undefined) return new NodeFile(existing, path);
  await makeFolder(dirname(path));
  const flags = fs.constants.O_RDWR | fs.constants.O_CREAT;
  const fd = await call<number>(path, (done) => fs.open(path, flags, options.mode ?? 0o640, done));
  await syncFolder(dirname(path));
  return new NodeFile(fd, path);
}

async function read(path: string, from = 0, length?: number): Promise<Uint8Array | undefined> {
  let fd: number;
  try {
    fd = await call<number>(path, (done) => fs.open(path, "r", done));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  try {
    const { size } = await call<fs.Stats>(path, (done) => fs.fstat(fd, done));
    const bytes = Buffer.allocUnsafeSlow(Math.max(0, Math.min(length ?? size, size - from)));
    let got = 0;
    while (got < bytes.length) {
      const at = got;
      const count = await call<number>(path, (done) => fs.read(fd, bytes, at, bytes.length - at, from + at, done));
      if (count === 0) break;
      got += count;
    }
    return bytes.subarray(0, got);
  } finally {
    await call(path, (done) => fs.close(fd, done));
  }
}

async function list(folder: string): Promise<FileInfo[]> {
  let entries: fs.Dirent[];
  try {
    entries = await call<fs.Dirent[]>(folder, (done) => fs.readdir(folder, { withFileTypes: true }, done));
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
  const infos: FileInfo[] = [];
  for (const entry of entries) {
    if (entry.isDirectory()) infos.push({ name: entry.name, folder: true, size: 0 });
    else if (entry.isFile()) {
      const path = `${folder}/${entry.name}`;
      const stats = await call<fs.Stats>(path, (done) => fs.stat(path, done)).catch((error: unknown) => {
        if (isMissing(error)) return undefined;
        throw error;
      });
      if (stats) infos.push({ name: entry.name, folder: false, size: stats.size });
    }
  }
  return infos.sort((a, b) => (a.name < b.name ? -1 : 1));
}

let temporaries = 0;

async function replace(
  path: string,
  bytes: Uint8Array,
  options: { mode?: number; onlyIfAbsent?: boolean } = {},
): Promise<boolean> {
  await makeFolder(dirname(path));
  const temporary = `${path}.${process.pid}.${temporaries++}.tmp`;
  const fd = await call<number>(temporary, (done) => fs.open(temporary, "wx", options.mode ?? 0o640, done));
  try {
    try {
      await writeAll(fd, temporary, bytes, 0);
      await call(temporary, (done) => fs.fdatasync(fd, done));
    } finally {
      await call(temporary, (done) => fs.close(fd, done));
    }
    if (!(await putInPlace(temporary, path, options.onlyIfAbsent === true))) return false;
  } catch (error) {
    await remove(temporary);
    throw error;
  }
  await syncFolder(dirname(path));
  return true;
}

async function putInPlace(temporary: string, path: string, onlyIfAbsent: boolean): Promise<boolean> {
  if (!onlyIfAbsent) {
    await call(path, (done) => fs.rename(temporary, path, done));
    return true;
  }
  // link(2) is the atomic "create unless there": rename would overwrite.
  const linked = await call(path, (done) => fs.link(temporary, path, done)).then(
    () => true,
    (error: unknown) => {
      if (error instanceof FileFault && error.code === "EEXIST") return false;
      throw error;
    },
  );
  await remove(temporary);
  return linked;
}

async function remove(path: string, options: { emptyFolder?: boolean } = {}): Promise<void> {
  await call(path, (done) => fs.unlink(path, done)).catch((error: unknown) => {
    if (!isMissing(error)) throw error;
  });
  if (options.emptyFolder !== true) return;
  await call(dirname(path), (done) => fs.rmdir(dirname(path), done)).catch((error: unknown) => {
    if (!isMissing(error) && !(error instanceof FileFault && /^(ENOTEMPTY|EEXIST)$/.test(error.code))) throw error;
  });
}

const heldHere = new Set<string>();

async function textOf(path: string): Promise<string | undefined> {
  const bytes = await read(path);
  return bytes && new TextDecoder().decode(bytes);
}

async function locked(path: string): Promise<boolean> {
  const text = await textOf(path);
  return text !== undefined && holderIsAlive(text, heldHere.has(path));
}

const refuse = (path: string, text: string): FileFault =>
  new FileFault(
    "locked",
    path,
    `${path} is held by ${text.trim().replaceAll("\n", ", ")}: stop that process, or remove the file if it is gone`,
  );

async function lock(path: string): Promise<FileLock> {
  if (!(await replace(path, lockText(), { onlyIfAbsent: true }))) await takeOver(path);
  heldHere.add(path);
  return {
    async release() {
      if (heldHere.delete(path)) await remove(path);
    },
  };
}

/** Only one process may clear a stale lock: two that both saw it stale would else remove each other's fresh one. */
async function takeOver(path: string): Promise<void> {
  const guard = `${path}.takeover`;
  if (!(await replace(guard, lockText(), { onlyIfAbsent: true })))
    throw refuse(guard, (await textOf(guard)) ?? "nobody");
  try {
    const text = await textOf(path);
    if (text !== undefined && holderIsAlive(text, heldHere.has(path))) throw refuse(path, text);
    await replace(path, lockText());
  } finally {
    await remove(guard);
  }
}

export const nodeFiles: FilePort = { open, read, list, replace, remove, lock, locked };
