import { sha256Hex } from "./files.ts";
import { type AppliedSnapshot, SnapshotConflict, type SnapshotStore } from "./port.ts";

/** The simple twin: gone with the process. */
export class MemorySnapshotStore implements SnapshotStore {
  readonly #snapshots: AppliedSnapshot[] = [];
  readonly #blobs = new Map<string, Uint8Array>();

  async current(): Promise<AppliedSnapshot | undefined> {
    return structuredClone(this.#snapshots.at(-1));
  }
  async get(number: number): Promise<AppliedSnapshot | undefined> {
    return structuredClone(this.#snapshots[number - 1]);
  }
  async add(snapshot: AppliedSnapshot): Promise<void> {
    if (snapshot.number !== this.#snapshots.length + 1) throw new SnapshotConflict(snapshot.number);
    this.#snapshots.push(structuredClone(snapshot));
  }
  async blob(sha256: string): Promise<Uint8Array | undefined> {
    return this.#blobs.get(sha256)?.slice();
  }
  async putBlob(bytes: Uint8Array): Promise<string> {
    const digest = sha256Hex(bytes);
    this.#blobs.set(digest, bytes.slice());
    return digest;
  }
}
