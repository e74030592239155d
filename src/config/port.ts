/** The port of applied snapshots. Twins: memory and files; one conformance suite covers both. */

/** One applied snapshot, as stored; never changed afterwards. */
export interface AppliedSnapshot {
  /** 1, 2, 3, … without gaps. */
  number: number;
  /** SHA-256 (hex) of `effective`. */
  hash: string;
  applied_at_ms: number;
  /** The operator, or what stands for one at a first start. */
  applied_by: string;
  /** Canonical JSON of `{config, files}` that serves: `files` are digests by path, their bytes are blobs. */
  effective: string;
  /** The same as it was declared; differs from `effective` where bundles wait for their release. */
  declared: string;
  bundles: Record<string, { active: string; candidate?: string }>;
}

export interface SnapshotStore {
  /** The one with the highest number. */
  current(): Promise<AppliedSnapshot | undefined>;
  /** Rejects where what is stored is damaged. */
  get(number: number): Promise<AppliedSnapshot | undefined>;
  /** Durable when it resolves. Rejects with `SnapshotConflict` unless `snapshot.number` is the next one. */
  add(snapshot: AppliedSnapshot): Promise<void>;
  /** The bytes with this SHA-256 (hex); rejects where what is stored is damaged. */
  blob(sha256: string): Promise<Uint8Array | undefined>;
  /** Keeps bytes, durable when it resolves, and resolves to their SHA-256 (hex). Storing them again is no error. */
  putBlob(bytes: Uint8Array): Promise<string>;
}

/** Someone else applied in between. */
export class SnapshotConflict extends Error {
  constructor(number: number) {
    super(`snapshot ${number} is not the next one: another apply came in between; run it again`);
    this.name = "SnapshotConflict";
  }
}
