/**
 * Files as the ledger needs them: positional writes whose durability is explicit, and small files replaced atomically.
 * Paths are `/`-separated. A failed call rejects with a FileFault; the bytes of a failed write are undefined until
 * they are written again or cut off.
 */
export interface FilePort {
  /** Opens for positional writes; creates it (empty, and the name durable) when absent, parent folders included. */
  open(path: string, options?: { mode?: number }): Promise<OpenFile>;
  /** Bytes [from, from + length) as far as they exist; `undefined` when there is no such file. */
  read(path: string, from?: number, length?: number): Promise<Uint8Array | undefined>;
  /** Names directly below, sorted; empty when there is no such folder. Size is 0 for folders. */
  list(folder: string): Promise<FileInfo[]>;
  /**
   * Puts a whole small file in place atomically and durably: afterwards either the old or the new bytes are there.
   * With `onlyIfAbsent` an existing file stays and the answer is false.
   */
  replace(path: string, bytes: Uint8Array, options?: { mode?: number; onlyIfAbsent?: boolean }): Promise<boolean>;
  /** Removes a file, with `emptyFolder` also its folder when nothing else is in it; fine when it is absent. */
  remove(path: string, options?: { emptyFolder?: boolean }): Promise<void>;
  /** Takes an exclusive lock for this process; rejects with code "locked" while its holder lives. */
  lock(path: string): Promise<FileLock>;
  /** Whether a living process holds the lock. */
  locked(path: string): Promise<boolean>;
}

export interface OpenFile {
  size(): Promise<number>;
  /** Writes all bytes at `offset`; visible to readers at once, durable only after `datasync`. */
  write(bytes: Uint8Array, offset: number): Promise<void>;
  /** After a rejection, what was written since the last success may or may not be on disk: never trust it. */
  datasync(): Promise<void>;
  truncate(length: number): Promise<void>;
  close(): Promise<void>;
}

export interface FileInfo {
  name: string;
  folder: boolean;
  size: number;
}

export interface FileLock {
  release(): Promise<void>;
}

/** `code` is the system's (ENOSPC, EIO, …) or "locked". */
export class FileFault extends Error {
  readonly code: string;
  readonly path: string;
  constructor(code: string, path: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "FileFault";
    this.code = code;
    this.path = path;
  }
}
