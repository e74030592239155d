/** The file of wrapped keys: frames of records, appended durably; destroying one rewrites the file without its secret. */
import { FileFault, type FilePort, type OpenFile } from "../stores/files/port.ts";
import { LedgerError } from "./errors.ts";
import { asBuffer, findFrame, frameOf, frameTypes, parseFrame } from "./frames.ts";

/** Live with `wrapped`, destroyed with `destroyed_at_ms`: never both. */
export interface KeyRecord {
  id: string;
  tenant: string;
  /** `day:<UTC day>` or `subject:<pseudonym>`. */
  owner: string;
  at_ms: number;
  wrapped?: string;
  destroyed_at_ms?: number;
}

export interface KeyLogContent {
  records: Map<string, KeyRecord>;
  /** Bytes of whole frames; what follows is a torn tail. */
  length: number;
  torn: number;
}

/** Throws `ledger_corrupt` when a damaged frame is followed by a whole one: no crash does that. */
export function readKeyLog(stored: Uint8Array, path: string): KeyLogContent {
  const bytes = asBuffer(stored);
  const records = new Map<string, KeyRecord>();
  let at = 0;
  while (at < bytes.length) {
    const frame = parseFrame(bytes, at);
    if ("bad" in frame || frame.type !== frameTypes.keys) {
      if (findFrame(bytes, at + 1) < 0 && "bad" in frame) break;
      throw new LedgerError("ledger_corrupt", `${path} is damaged at byte ${at}: restore it from a backup`);
    }
    for (const record of JSON.parse(frame.payload.toString()) as KeyRecord[]) records.set(record.id, record);
    at = frame.end;
  }
  return { records, length: at, torn: bytes.length - at };
}

const frameOfRecords = (records: readonly KeyRecord[]): Buffer =>
  frameOf(frameTypes.keys, Buffer.from(JSON.stringify(records)));

export class KeyLog {
  #records: Map<string, KeyRecord>;
  readonly #files: FilePort;
  readonly #path: string;
  #file: OpenFile | undefined;
  #length: number;

  private constructor(files: FilePort, path: string, content: KeyLogContent) {
    this.#files = files;
    this.#path = path;
    this.#records = content.records;
    this.#length = content.length;
  }

  get records(): ReadonlyMap<string, KeyRecord> {
    return this.#records;
  }

  static async open(files: FilePort, path: string): Promise<KeyLog> {
    return new KeyLog(files, path, readKeyLog((await files.read(path)) ?? new Uint8Array(), path));
  }

  /**
   * Before the first write, with the node's lock held: reads again what an earlier holder may have added, cuts a torn
   * tail, and syncs, since a killed process may have left whole frames in the system's cache only.
   */
  async prepare(): Promise<void> {
    const bytes = await this.#files.read(this.#path);
    if (!bytes) return;
    const content = readKeyLog(bytes, this.#path);
    const file = await this.#opened();
    if (content.torn > 0) await file.truncate(content.length);
    await file.datasync();
    this.#records = content.records;
    this.#length = content.length;
  }

  async #opened(): Promise<OpenFile> {
    this.#file ??= await this.#files.open(this.#path, { mode: 0o600 });
    return this.#file;
  }

  /** Durable when it resolves. After a failed datasync the whole file is rewritten: its cache can't be trusted. */
  async append(records: readonly KeyRecord[]): Promise<void> {
    const frame = frameOfRecords(records);
    const file = await this.#opened();
    try {
      await file.write(frame, this.#length);
      await file.datasync();
      this.#length += frame.length;
      for (const record of records) this.#records.set(record.id, record);
    } catch (error) {
      if (!(error instanceof FileFault)) throw error;
      await this.#rewrite([...this.#records.values(), ...records]);
    }
  }

  /** `fresh` are records that were never written: they go with it. */
  async destroy(id: string, atMs: number, fresh: readonly KeyRecord[]): Promise<KeyRecord> {
    const all = new Map(this.#records);
    for (const record of fresh) all.set(record.id, record);
    const record = all.get(id);
    if (!record) throw new LedgerError("ledger_not_found", `no content key ${id} in ${this.#path}`);
    if (record.destroyed_at_ms !== undefined) return record;
    const { wrapped: _, ...kept } = record;
    const tombstone: KeyRecord = { ...kept, destroyed_at_ms: atMs };
    all.set(id, tombstone);
    await this.#rewrite([...all.values()]);
    return tombstone;
  }

  async #rewrite(records: readonly KeyRecord[]): Promise<void> {
    const frame = frameOfRecords(records);
    await this.#files.replace(this.#path, frame, { mode: 0o600 });
    const old = this.#file;
    this.#file = undefined;
    this.#length = frame.length;
    this.#records = new Map(records.map((record) => [record.id, record]));
    await old?.close();
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }
}
