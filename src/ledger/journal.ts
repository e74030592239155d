/** The journal of one node: takes entries at once, in order, and makes them durable by group commit. */
import type { Clock } from "../kernel/clock.ts";
import { FileFault, type FileLock, type FilePort } from "../stores/files/port.ts";
import { AppendedEntry, type Disk, durable, unavailable } from "./appended.ts";
import { type SignedCheckpoint, isSignedBy, parseCheckpoint } from "./checkpoint.ts";
import { type Batch, BatchEncoder, headOf, type Queued, WaitingRoom } from "./commit.ts";
import { LedgerError } from "./errors.ts";
import { checkNodeName, lockPath, originOf } from "./layout.ts";
import type {
  Appended,
  CheckpointSink,
  EntryDraft,
  Journal,
  JournalHealth,
  KeyRing,
  OpenDecision,
  Signer,
} from "./port.ts";
import { recover, type Recovered } from "./recover.ts";
import { pinSigner, Sealing } from "./sealing.ts";
import { headerFrame, OpenSegment } from "./segment.ts";

// Bytes bound a commit below; this bounds the work of one turn of the loop (docs/adr/0007).
const batchEntries = 4096;
// Keeps one commit's frame, and with it the wait of the entries behind it, within bounds.
const batchCharacters = 4 * 1024 * 1024;
const defaultMaxQueuedBytes = 64 * 1024 * 1024;
const defaultSegmentBytes = 64 * 1024 * 1024;
const firstBackOffMs = 100;
const longestBackOffMs = 5000;

export interface JournalOptions {
  /** The ledger's folder, `<data>/ledger`. */
  dir: string;
  node: string;
  files: FilePort;
  clock: Clock;
  keys: KeyRing;
  signer: Signer;
  checkpoints: CheckpointSink[];
  maxQueuedBytes?: number;
  segmentBytes?: number;
  /** Called after each group commit; entries up to and including `seq` may be read by others. */
  onCommitted?: (upTo: { seq: number }) => void;
}

const nothing = Buffer.alloc(0);

class FileJournal implements Journal {
  readonly node: string;
  readonly #options: JournalOptions;
  readonly #nodeJson: string;
  readonly #lock: FileLock;
  readonly #encoder: BatchEncoder;
  readonly #sealing: Sealing;
  /** Of durable entries. */
  readonly #state: Recovered["state"];
  #segment: OpenSegment | undefined;
  /** Of appended entries. */
  #nextSeq: number;
  readonly #tenants: Map<string, { json: string; next: number }>;
  #queue: Queued[] = [];
  /** Where the queue's bytes lie. */
  readonly #waiting = new WaitingRoom();
  #queuedBytes = 0;
  /** Encoded and not yet durable: written again as it is until it succeeds. */
  #batch: Batch | undefined;
  #draining = false;
  #backOffMs = 0;
  /** Ends a back-off at once. */
  #wake: (() => void) | undefined;
  /** Called when nothing is left to write, or the last try failed. */
  #drained: (() => void) | undefined;
  readonly #disk: Disk = { lastError: undefined };
  #closed = false;

  constructor(options: JournalOptions, lock: FileLock, recovered: Recovered, unreachable: ReadonlyMap<string, string>) {
    this.node = options.node;
    this.#options = options;
    this.#nodeJson = JSON.stringify(options.node);
    this.#lock = lock;
    this.#encoder = new BatchEncoder(options.keys, options.clock);
    this.#sealing = new Sealing({ ...options, sinks: options.checkpoints }, recovered, unreachable);
    this.#state = recovered.state;
    this.#segment = recovered.segment;
    this.#nextSeq = recovered.state.size;
    this.#tenants = new Map(
      [...recovered.state.tenants].map(([tenant, next]) => [tenant, { json: JSON.stringify(tenant), next }]),
    );
  }

  append(draft: EntryDraft): Appended {
    if (this.#closed) throw unavailable("it is closed");
    const { kind, decision, tenant } = draft;
    if (this.full && !(decision !== undefined && this.#hasBegun(decision)))
      throw unavailable(`${this.#queuedBytes} bytes wait for a disk that fails (${this.#disk.lastError ?? "slow"})`);
    const metaJson = JSON.stringify(draft.meta);
    const contentJson = draft.content && JSON.stringify(draft.content.value);
    if (metaJson?.[0] !== "{" || (draft.content && contentJson === undefined))
      throw new LedgerError("ledger_invalid", `a ${kind} entry's meta must be a JSON object and its content JSON`);
    let counter = this.#tenants.get(tenant);
    if (!counter) this.#tenants.set(tenant, (counter = { json: JSON.stringify(tenant), next: 0 }));
    const entry: Queued = {
      seq: this.#nextSeq++,
      atMs: this.#options.clock.now(),
      kind,
      tenant,
      tenantSeq: counter.next++,
      decision,
      bytes: nothing,
      start: 0,
      end: 0,
      metaJson: kind === "begun" || kind === "attempt" ? metaJson : "",
      content: draft.content && { key: draft.content.key, json: contentJson! },
      weight: 0,
      waiter: undefined,
      hasty: undefined,
      state: "queued",
    };
    this.#waiting.put(entry, headOf(this.#nodeJson, counter.json, entry), metaJson, draft.content === undefined);
    entry.weight = entry.end - entry.start + (contentJson?.length ?? 0);
    this.#queue.push(entry);
    this.#queuedBytes += entry.weight;
    if (!this.#draining) {
      this.#draining = true;
      // Not a timer: entries of the same turn share the first commit.
      queueMicrotask(() => void this.#drain());
    }
    return new AppendedEntry(entry, this.#disk);
  }

  /** Asked when the queue is full only: then a look through it is cheaper than a set kept for every decision. */
  #hasBegun(decision: string): boolean {
    const begins = (entry: Queued) => entry.kind === "begun" && entry.decision === decision;
    return this.#state.isOpen(decision) || this.#queue.some(begins) || this.#batch?.entries.some(begins) === true;
  }

  async #drain(): Promise<void> {
    while (this.#batch || this.#queue.length > 0) {
      try {
        this.#batch ??= this.#nextBatch();
        await this.#write(this.#batch);
        this.#committed(this.#batch);
      } catch (error) {
        this.#failed((error as Error).message);
        if (this.#closed) break;
        await this.#backOff();
      }
    }
    this.#draining = false;
    this.#drained?.();
  }

  #failed(message: string): void {
    this.#disk.lastError = message;
    for (const entry of [...(this.#batch?.entries ?? []), ...this.#queue]) {
      entry.hasty?.reject(unavailable(message));
      entry.hasty = undefined;
    }
  }

  /** Leaves the queue as it is when sealing the content fails. */
  #nextBatch(): Batch {
    let count = 0;
    for (let size = 0; count < this.#queue.length && count < batchEntries && size < batchCharacters; count++)
      size += this.#queue[count]!.weight;
    const whole = count === this.#queue.length;
    const batch = this.#encoder.encode(whole ? this.#queue : this.#queue.slice(0, count));
    this.#queue = whole ? [] : this.#queue.slice(count);
    // The batch has its own copy of the bytes.
    if (whole) this.#waiting.clear();
    return batch;
  }

  async #write(batch: Batch): Promise<void> {
    await this.#options.keys.persist();
    const segment = this.#segment;
    const rotate = this.#options.segmentBytes ?? defaultSegmentBytes;
    if (!segment || segment.suspect || segment.length >= rotate) await this.#nextSegment(segment);
    await this.#segment!.append(batch.frame);
  }

  async #nextSegment(last: OpenSegment | undefined): Promise<void> {
    const { files, dir, node } = this.#options;
    const number = (last?.segment ?? 0) + 1;
    const header = headerFrame(node, number, this.#state, this.#sealing.tree, last?.end ?? null);
    this.#segment = await OpenSegment.create(files, dir, node, number, header);
    // A handle that can't be closed is only a leaked descriptor; its file is complete.
    await last?.close().catch(() => {});
  }

  #committed(batch: Batch): void {
    this.#batch = undefined;
    this.#disk.lastError = undefined;
    this.#backOffMs = 0;
    for (const entry of batch.entries) {
      this.#state.fold(entry);
      this.#queuedBytes -= entry.weight;
      entry.state = "durable";
      entry.bytes = nothing;
      entry.content = undefined;
      entry.waiter?.resolve();
      entry.hasty?.resolve();
    }
    this.#sealing.add(batch.leaves);
    this.#options.onCommitted?.({ seq: batch.entries.at(-1)!.seq });
  }

  async #backOff(): Promise<void> {
    this.#backOffMs = Math.min(longestBackOffMs, Math.max(firstBackOffMs, this.#backOffMs * 2));
    await new Promise<void>((resolve) => {
      const cancel = this.#options.clock.after(this.#backOffMs, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
    this.#wake = undefined;
  }

  get full(): boolean {
    return this.#queuedBytes > (this.#options.maxQueuedBytes ?? defaultMaxQueuedBytes);
  }
  get writable(): boolean {
    return !this.#closed && this.#disk.lastError === undefined;
  }

  health(): JournalHealth {
    const lastError = this.#disk.lastError ?? this.#sealing.lastError;
    return {
      writable: this.writable,
      queuedBytes: this.#queuedBytes,
      full: this.full,
      ...(lastError !== undefined && { lastError }),
      entries: this.#state.size,
      ...(this.#sealing.sealed && { checkpoint: this.#sealing.sealed }),
      sinks: this.#sealing.sinks(),
    };
  }

  openDecisions(): OpenDecision[] {
    return this.#state.open();
  }

  async flush(): Promise<void> {
    const last = this.#queue.at(-1) ?? this.#batch?.entries.at(-1);
    if (last) await durable(last);
  }

  async checkpoint(): Promise<void> {
    await this.flush();
    await this.#sealing.seal();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    // A back-off ends at once: one last try.
    this.#wake?.();
    if (this.#draining) await new Promise<void>((resolve) => (this.#drained = resolve));
    const lost = [...(this.#batch?.entries ?? []), ...this.#queue];
    const why = unavailable(`it was closed, ${lost.length} entries unwritten (${this.#disk.lastError ?? ""})`);
    for (const entry of lost) {
      entry.state = "lost";
      entry.waiter?.reject(why);
      entry.hasty?.reject(why);
    }
    try {
      if (lost.length > 0) throw why;
      await this.#sealing.close();
    } finally {
      await this.#segment?.close();
      await this.#lock.release();
    }
  }
}

/** A process that was killed while it replaced a file leaves its temporary one. */
async function removeLeftovers({ files, dir, node }: JournalOptions): Promise<void> {
  for (const { name, folder } of await files.list(`${dir}/${node}`))
    if (!folder && name.endsWith(".tmp")) await files.remove(`${dir}/${node}/${name}`);
}

/** What the sinks hold of this log; one that can't be reached shows in health, a foreign note stops the start. */
async function knownElsewhere(
  options: JournalOptions,
): Promise<{ known: SignedCheckpoint[]; unreachable: Map<string, string> }> {
  const origin = originOf(options.signer.install, options.node);
  const known: SignedCheckpoint[] = [];
  const unreachable = new Map<string, string>();
  for (const sink of options.checkpoints) {
    const note = await sink.latest?.(origin).catch((error: unknown) => {
      unreachable.set(sink.name, (error as Error).message);
      return undefined;
    });
    if (note === undefined) continue;
    const checkpoint = parseCheckpoint(note);
    if (!checkpoint || checkpoint.origin !== origin || !isSignedBy(checkpoint, options.signer.publicKey))
      throw new LedgerError(
        "ledger_rewritten",
        `sink ${sink.name} holds a checkpoint of ${origin} that this key did not sign`,
      );
    known.push(checkpoint);
  }
  return { known, unreachable };
}

/**
 * Opens, and where needed recovers, a node's journal. Rejects with `ledger_locked` while another process holds the node,
 * `ledger_corrupt`, `ledger_behind_checkpoint` or `ledger_rewritten` when the files are not what a crash leaves.
 */
export async function openJournal(options: JournalOptions): Promise<Journal> {
  const { files, dir, node, signer } = options;
  checkNodeName(node);
  const lock = await files.lock(lockPath(dir, node)).catch((cause: unknown) => {
    if (cause instanceof FileFault && cause.code === "locked")
      throw new LedgerError("ledger_locked", `node ${node} is in use: ${cause.message}`, cause);
    throw cause;
  });
  try {
    await removeLeftovers(options);
    const { known, unreachable } = await knownElsewhere(options);
    const recovered = await recover({ files, dir, node }, known);
    // Now that the node is ours: keys that another process left here are read and synced before any is used.
    await options.keys.persist();
    await pinSigner({ ...options, signer, sinks: options.checkpoints });
    return new FileJournal(options, lock, recovered, unreachable);
  } catch (error) {
    await lock.release();
    throw error;
  }
}
