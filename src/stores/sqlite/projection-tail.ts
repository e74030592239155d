/**
 * Follows the journals of all nodes into the store. It runs when woken and by a slow poll (other processes cannot wake
 * it), never two at a time. Whatever fails is tried again later from the last stored position: a fold loses nothing.
 */
import type { Clock } from "../../kernel/clock.ts";
import { isBusy, isCorrupt } from "./database.ts";
import type { EntryPosition, FoldedUpTo, PositionedEntry, ProjectionStore } from "./projection-store.ts";

/** The journals as the tail reads them. */
export interface EntrySource {
  nodes(): Promise<string[]>;
  /** The entry at a known place with its RFC 6962 leaf hash (hex); undefined when there is none. */
  at(node: string, position: EntryPosition): Promise<(PositionedEntry & { leafHash: string }) | undefined>;
  /** Batches of what follows `after` (or of everything), up to and including `upToSeq`, as far as it is written whole. */
  read(node: string, after?: EntryPosition, upToSeq?: number): AsyncIterable<readonly PositionedEntry[]>;
}

export interface TailOptions {
  store: ProjectionStore;
  source: EntrySource;
  clock: Clock;
  log: (message: string) => void;
  /** At the beginning of each run: what is durable by now will be read. */
  onStart: () => void;
  /** After each stored batch that held new decisions. */
  onArrival: () => void;
  pollMs: number;
  /** Pause after a run, so that a busy journal makes few large batches instead of many small ones. */
  restMs: number;
}

const batchEntries = 4_000;
const busyRetries = 5;
const busyPauseMs = 100;

export class ProjectionTail {
  readonly #options: TailOptions;
  #woken = false;
  #running: Promise<void> | undefined;
  #resting = false;
  #closed = false;
  #cancelTimer: (() => void) | undefined;
  #lastFailure = "";
  /** By node of this process: the last entry that is durable. What lies beyond it may yet be replaced. */
  readonly #durable = new Map<string, number>();
  readonly #checked = new Set<string>();

  constructor(options: TailOptions) {
    this.#options = options;
  }

  /** There is something to read, or may be; `durable` names this process's own journal and how far it is on disk. */
  wake(durable?: { node: string; seq: number }): void {
    if (durable) this.#durable.set(durable.node, durable.seq);
    this.#woken = true;
    if (!this.#running && !this.#resting && !this.#closed) this.#start();
  }

  #start(): void {
    this.#cancelTimer?.();
    this.#woken = false;
    this.#options.onStart();
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
      if (!this.#closed) this.#rest();
    });
  }

  #rest(): void {
    const { clock, pollMs, restMs } = this.#options;
    this.#resting = true;
    this.#cancelTimer = clock.after(restMs, () => {
      this.#resting = false;
      if (this.#woken) this.#start();
      else this.#cancelTimer = clock.after(pollMs, () => this.#start());
    });
  }

  async #run(): Promise<void> {
    try {
      await this.drain();
      this.#lastFailure = "";
    } catch (error) {
      if (isCorrupt(error)) this.damaged();
      else this.#report(error);
    }
  }

  #report(error: unknown): void {
    const message = `projection: stopped for now and goes on at the next poll: ${messageOf(error)}`;
    if (message !== this.#lastFailure) this.#options.log(message);
    this.#lastFailure = message;
  }

  /** For whoever finds that the file is not what was written. Never throws: the next run tries again. */
  damaged(): void {
    this.#options.log("projection: the file is damaged; it is deleted and folded again from the journal");
    try {
      this.#options.store.reset();
    } catch (error) {
      this.#report(error);
    }
    this.wake();
  }

  /** Everything that the journals hold now. A node that can't be read doesn't keep the others back. */
  async drain(): Promise<void> {
    this.#options.store.ensureOpen();
    let failure: unknown;
    for (const node of await this.#options.source.nodes()) {
      try {
        await this.#drainNode(node);
      } catch (error) {
        if (isCorrupt(error)) throw error;
        failure ??= error;
      }
    }
    if (failure !== undefined) throw failure;
  }

  async #drainNode(node: string): Promise<void> {
    const { store, source } = this.#options;
    const known = store.positions().get(node);
    if (known && !(await this.#isFollowed(node, known))) return this.#refold(node);
    let batch: PositionedEntry[] = [];
    for await (const items of source.read(node, known?.position, this.#durable.get(node))) {
      batch.push(...items);
      if (batch.length < batchEntries) continue;
      await this.#store(batch);
      batch = [];
      if (this.#closed) return;
    }
    await this.#store(batch);
  }

  /** A journal may have been replaced, or have lost what another node had not yet made durable. */
  async #isFollowed(node: string, { position, atMs }: FoldedUpTo): Promise<boolean> {
    if (this.#durable.has(node) && this.#checked.has(node)) return true;
    const there = await this.#options.source.at(node, position);
    this.#checked.add(node);
    return there?.entry.at_ms === atMs;
  }

  async #refold(node: string): Promise<void> {
    this.#options.log(`projection: the journal of ${node} is not the one it followed; everything is folded again`);
    this.#options.store.reset();
    await this.drain();
  }

  async #store(batch: readonly PositionedEntry[]): Promise<void> {
    if (batch.length === 0) return;
    const { store, clock, onArrival } = this.#options;
    for (let attempt = 1; ; attempt++) {
      try {
        if (store.apply(batch) > 0) onArrival();
        return;
      } catch (error) {
        if (!isBusy(error)) throw error;
        if (attempt > busyRetries || this.#closed)
          throw new Error(`another process holds the projection's file (${attempt} tries); close it`, { cause: error });
        await clock.sleep(busyPauseMs * 2 ** (attempt - 1));
      }
    }
  }

  /** Folds everything anew; resolves when that is done. */
  async rebuild(): Promise<void> {
    await this.#running;
    this.#resting = false;
    this.#options.store.reset();
    this.#start();
    await this.#running;
  }

  /** Resolves when a run that began no earlier than this process's last `wake` has ended. */
  async caughtUp(): Promise<void> {
    await this.#running;
    this.#resting = false;
    if (!this.#closed && !this.#running) this.#start();
    await this.#running;
  }

  /** Ends after the batch at hand. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelTimer?.();
    await this.#running;
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
