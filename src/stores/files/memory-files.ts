/**
 * The twin that models a volatile cache: what was written since a file's last datasync is lost in a crash, or survives
 * as a torn prefix, or as zeros of the right length (as ext4 and XFS may leave it). Every changing call is counted; the
 * n-th can be made to fail or to be the moment at which the power goes.
 */
import { FileFault, type FileInfo, type FileLock, type FilePort, type OpenFile } from "./port.ts";

export type FileCall = "open" | "write" | "datasync" | "truncate" | "replace" | "remove";
type Change = { write: Uint8Array; at: number } | { truncate: number };

interface Kept {
  durable: Uint8Array;
  current: Uint8Array;
  pending: Change[];
}

export interface Survival {
  /** How many bytes of each file's unsynced writes, in order, reached the disk. */
  tornBytes?: number;
  /** Unsynced bytes beyond those extend the file as zeros. */
  zeros?: boolean;
}

/** Not `slice`: of a Buffer that is a view. */
const copyOf = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes);

function changed(bytes: Uint8Array, change: Change): Uint8Array {
  if ("truncate" in change) {
    const out = new Uint8Array(change.truncate);
    out.set(bytes.subarray(0, change.truncate));
    return out;
  }
  const out = new Uint8Array(Math.max(bytes.length, change.at + change.write.length));
  out.set(bytes);
  out.set(change.write, change.at);
  return out;
}

function survivorOf(file: Kept, { tornBytes = 0, zeros = false }: Survival): Uint8Array {
  let bytes = file.durable;
  let left = tornBytes;
  for (const change of file.pending) {
    if ("truncate" in change) {
      if (left > 0) bytes = changed(bytes, change);
      continue;
    }
    const kept = change.write.slice(0, left);
    left -= kept.length;
    if (kept.length > 0) bytes = changed(bytes, { write: kept, at: change.at });
    const end = change.at + change.write.length;
    if (zeros && bytes.length < end) bytes = changed(bytes, { truncate: end });
  }
  return bytes;
}

const forever = new Promise<never>(() => {});

export class MemoryFiles implements FilePort {
  /** Every changing call so far, in order. */
  readonly calls: FileCall[] = [];
  readonly #files = new Map<string, Kept>();
  readonly #locks = new Set<string>();
  #failures: { call?: FileCall; at: number; times: number; code: string; seen: number }[] = [];
  #cutAt = Infinity;
  #off = false;

  /** Makes the `at`-th (from 1, counted from now) call, of that kind when given, and `times - 1` after it fail. */
  fail(failure: { at: number; call?: FileCall; times?: number; code?: string }): void {
    const { at, call, times = 1, code = "EIO" } = failure;
    this.#failures.push({ at, times, code, seen: 0, ...(call && { call }) });
  }
  heal(): void {
    this.#failures = [];
  }
  /** The power goes during the n-th changing call from the start (1-based): it and all later calls never return. */
  cutAt(call: number): void {
    this.#cutAt = call;
  }
  get isOff(): boolean {
    return this.#off;
  }
  /** What a machine finds after the power comes back; this instance is dead from here on. */
  crash(survival: Survival = {}): MemoryFiles {
    this.#off = true;
    const next = new MemoryFiles();
    for (const [path, file] of this.#files) next.put(path, survivorOf(file, survival));
    return next;
  }
  /** What a new process finds after `kill -9`: the cache is still there, unsynced; this instance is dead from here on. */
  kill(): MemoryFiles {
    this.#off = true;
    const next = new MemoryFiles();
    for (const [path, { durable, current, pending }] of this.#files)
      next.#files.set(path, { durable: copyOf(durable), current: copyOf(current), pending: [...pending] });
    return next;
  }
  /** Sets a file's durable bytes directly: for damage in tests. */
  put(path: string, bytes: Uint8Array): void {
    this.#files.set(path, { durable: copyOf(bytes), current: copyOf(bytes), pending: [] });
  }
  paths(): string[] {
    return [...this.#files.keys()].sort();
  }
  /** An independent copy of the durable bytes of everything. */
  copy(): MemoryFiles {
    const next = new MemoryFiles();
    for (const [path, file] of this.#files) next.put(path, file.durable);
    return next;
  }

  /** Resolves when the call may take effect; `onCut` leaves what a call in flight had already handed to the cache. */
  async #enter(call: FileCall, path: string, onCut?: () => void): Promise<void> {
    if (this.#off) return forever;
    this.calls.push(call);
    if (this.calls.length >= this.#cutAt) {
      onCut?.();
      this.#off = true;
      return forever;
    }
    for (const failure of this.#failures) {
      if (failure.call !== undefined && failure.call !== call) continue;
      failure.seen++;
      if (failure.seen >= failure.at && failure.seen < failure.at + failure.times)
        throw new FileFault(failure.code, path, `${path}: ${failure.code} (injected into ${call})`);
    }
  }

  async open(path: string): Promise<OpenFile> {
    if (this.#files.has(path)) {
      if (this.#off) return forever;
    } else {
      await this.#enter("open", path);
      this.put(path, new Uint8Array());
    }
    const kept = this.#files.get(path)!;
    const apply = (change: Change): void => {
      kept.current = changed(kept.current, change);
      kept.pending.push(change);
    };
    return {
      size: async () => (this.#off ? forever : kept.current.length),
      write: async (bytes, offset) => {
        const change = { write: copyOf(bytes), at: offset };
        const entered = this.#enter("write", path, () => apply(change));
        // A failing write leaves half its bytes behind, as ENOSPC does.
        await entered.catch((error: unknown) => {
          apply({ write: change.write.slice(0, change.write.length >> 1), at: offset });
          throw error;
        });
        apply(change);
      },
      datasync: async () => {
        await this.#enter("datasync", path).catch((error: unknown) => {
          // The kernel marks the pages clean and forgets them: a later datasync would wrongly succeed.
          kept.pending = [];
          throw error;
        });
        if (kept.pending.length > 0) kept.durable = kept.pending.reduce(changed, kept.durable);
        kept.pending = [];
      },
      truncate: async (length) => {
        await this.#enter("truncate", path);
        apply({ truncate: length });
      },
      close: async () => (this.#off ? forever : undefined),
    };
  }
  async read(path: string, from = 0, length = Infinity): Promise<Uint8Array | undefined> {
    if (this.#off) return forever;
    return this.#files.get(path)?.current.slice(from, from + length);
  }
  async list(folder: string): Promise<FileInfo[]> {
    if (this.#off) return forever;
    const found = new Map<string, FileInfo>();
    for (const [path, file] of this.#files) {
      if (!path.startsWith(`${folder}/`)) continue;
      const [name, ...below] = path.slice(folder.length + 1).split("/");
      const inside = below.length > 0;
      found.set(name!, { name: name!, folder: inside, size: inside ? 0 : file.current.length });
    }
    return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }
  async replace(path: string, bytes: Uint8Array, options: { onlyIfAbsent?: boolean } = {}): Promise<boolean> {
    await this.#enter("replace", path);
    if (options.onlyIfAbsent === true && this.#files.has(path)) return false;
    this.put(path, bytes);
    return true;
  }
  async remove(path: string): Promise<void> {
    await this.#enter("remove", path);
    this.#files.delete(path);
  }
  async lock(path: string): Promise<FileLock> {
    if (this.#off) return forever;
    if (this.#locks.has(path)) throw new FileFault("locked", path, `${path} is held: stop that process first`);
    this.#locks.add(path);
    return {
      release: async () => {
        this.#locks.delete(path);
      },
    };
  }
  async locked(path: string): Promise<boolean> {
    return this.#locks.has(path);
  }
}
