/** Seals what is durable: writes tiles, signs a checkpoint, hands it to every sink; off the path, one at a time. */
import type { Clock } from "../kernel/clock.ts";
import type { FilePort } from "../stores/files/port.ts";
import { signCheckpoint, type SignedCheckpoint, verifierKey } from "./checkpoint.ts";
import { LedgerError } from "./errors.ts";
import { checkpointPath, originOf, tilePath, verifierPath } from "./layout.ts";
import { hashBytes } from "./merkle.ts";
import type { CheckpointSink, JournalHealth, Signer } from "./port.ts";
import { edgeTilesOf, type Tile, TreeEdge, writeTile } from "./tiles.ts";

const everyMs = 1000;
const everyEntries = 1000;

export interface SealingOptions {
  files: FilePort;
  clock: Clock;
  dir: string;
  node: string;
  signer: Signer;
  sinks: readonly CheckpointSink[];
}

export class Sealing {
  readonly #options: SealingOptions;
  readonly #origin: string;
  readonly #tree: TreeEdge;
  /** Finished since the last checkpoint, not yet on disk: the tree adds to it. */
  readonly #tiles: Tile[];
  /** Paths of the unfinished tiles on disk: a later state of the same tile replaces them. */
  #partial: string[];
  #note: string | undefined;
  #sealed: { size: number; atMs: number } | undefined;
  readonly #sinks: { sink: CheckpointSink; size: number; error?: string }[];
  #cancelTimer: (() => void) | undefined;
  #running: Promise<void> | undefined;
  #closed = false;
  lastError: string | undefined;

  constructor(
    options: SealingOptions,
    recovered: { state: { size: number }; tree: TreeEdge; tiles: Tile[]; checkpoint: SignedCheckpoint | undefined },
    unreachable: ReadonlyMap<string, string>,
  ) {
    this.#options = options;
    this.#origin = originOf(options.signer.install, options.node);
    this.#tiles = recovered.tiles;
    this.#tree = recovered.tree;
    this.#sealed = recovered.checkpoint && { size: recovered.checkpoint.size, atMs: recovered.checkpoint.atMs };
    this.#note = recovered.checkpoint?.note;
    this.#partial = edgeTilesOf(this.#sealed?.size ?? 0).map((tile) => this.#pathOf(tile));
    this.#sinks = options.sinks.map((sink) => {
      const error = unreachable.get(sink.name);
      return { sink, size: 0, ...(error !== undefined && { error }) };
    });
    if (this.#tree.size > (this.#sealed?.size ?? 0)) this.#arm();
  }

  get tree(): TreeEdge {
    return this.#tree;
  }
  get sealed(): { size: number; atMs: number } | undefined {
    return this.#sealed;
  }
  sinks(): JournalHealth["sinks"] {
    return this.#sinks.map(({ sink, size, error }) => ({
      name: sink.name,
      size,
      ...(error !== undefined && { error }),
    }));
  }

  /** Takes the leaves of a durable batch. */
  add(leaves: Buffer): void {
    for (let at = 0; at < leaves.length; at += hashBytes) this.#tree.push(leaves.subarray(at, at + hashBytes));
    if (this.#tree.size - (this.#sealed?.size ?? 0) >= everyEntries && !this.#running && this.lastError === undefined)
      void this.#attempt();
    else this.#arm();
  }

  #arm(): void {
    if (this.#cancelTimer || this.#running || this.#closed) return;
    this.#cancelTimer = this.#options.clock.after(everyMs, () => {
      this.#cancelTimer = undefined;
      void this.#attempt();
    });
  }

  async #attempt(): Promise<void> {
    await this.seal().catch(() => {
      // Kept in lastError and health; the timer below tries again.
    });
    if (this.lastError !== undefined || this.#tree.size > (this.#sealed?.size ?? 0)) this.#arm();
  }

  /** Rejects when store or sink refuse; what was not sealed stays due. */
  async seal(): Promise<void> {
    while (this.#running) await this.#running;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const run = this.#sealNow();
    this.#running = run.catch(() => {});
    try {
      await run;
      this.lastError = undefined;
    } catch (error) {
      this.lastError = (error as Error).message;
      throw error;
    } finally {
      this.#running = undefined;
    }
  }

  async #sealNow(): Promise<void> {
    const { files, dir, node, clock, signer } = this.#options;
    const { size } = this.#tree;
    if (size > (this.#sealed?.size ?? 0)) {
      const finished = [...this.#tiles];
      const partial = this.#tree.partialTiles();
      const atMs = clock.now();
      const note = signCheckpoint({ origin: this.#origin, size, root: this.#tree.root(), atMs }, signer);
      for (const tile of [...finished, ...partial]) await writeTile(files, dir, node, tile);
      await files.replace(checkpointPath(dir, node), Buffer.from(note));
      this.#tiles.splice(0, finished.length);
      this.#sealed = { size, atMs };
      this.#note = note;
      await this.#removeStale(size);
    }
    await this.#publish();
  }

  #pathOf({ level, index, width }: { level: number; index: number; width: number }): string {
    return tilePath(this.#options.dir, this.#options.node, level, index, width);
  }

  async #removeStale(size: number): Promise<void> {
    const current = edgeTilesOf(size).map((tile) => this.#pathOf(tile));
    for (const path of this.#partial)
      if (!current.includes(path)) await this.#options.files.remove(path, { emptyFolder: true });
    this.#partial = current;
  }

  async #publish(): Promise<void> {
    const note = this.#note;
    const size = this.#sealed?.size ?? 0;
    if (note === undefined) return;
    for (const held of this.#sinks.filter((each) => each.size < size)) {
      try {
        await held.sink.publish({ origin: this.#origin, size, note });
        held.size = size;
        delete held.error;
      } catch (error) {
        held.error = (error as Error).message;
      }
    }
    const failed = this.#sinks.filter(({ error }) => error !== undefined);
    if (failed.length === 0) return;
    const what = failed.map(({ sink, error }) => `${sink.name}: ${error}`).join("; ");
    throw new LedgerError("record_unavailable", `checkpoint ${size} was not published to ${what}`);
  }

  /** Seals the rest. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    await this.seal();
  }
}

/** The log's public key beside the log: a start under another key is refused, since its checkpoints would not chain. */
export async function pinSigner({ files, dir, node, signer }: SealingOptions): Promise<void> {
  const path = verifierPath(dir, node);
  const key = `${verifierKey(originOf(signer.install, node), signer.publicKey)}\n`;
  const pinned = await files.read(path);
  if (!pinned) await files.replace(path, Buffer.from(key));
  if (!pinned || new TextDecoder().decode(pinned) === key) return;
  const message = `${path} names another signing key than the one configured: configure that key, or start under a new node name`;
  throw new LedgerError("ledger_signer_changed", message);
}
