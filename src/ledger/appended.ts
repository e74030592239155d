/** What `append` answers: the entry's promise of durability. */
import type { Queued } from "./commit.ts";
import { LedgerError } from "./errors.ts";
import type { Appended } from "./port.ts";

/** Shared by the journal and its entries; `lastError` is set while writes fail. */
export interface Disk {
  lastError: string | undefined;
}

/** A class, not a closure per entry: `durable` is asked of few entries. */
export class AppendedEntry implements Appended {
  readonly seq: number;
  readonly #entry: Queued;
  readonly #disk: Disk;
  constructor(entry: Queued, disk: Disk) {
    this.seq = entry.seq;
    this.#entry = entry;
    this.#disk = disk;
  }
  durable(options?: { failFast?: boolean }): Promise<void> {
    const entry = this.#entry;
    if (options?.failFast !== true || entry.state !== "queued") return durable(entry);
    if (this.#disk.lastError !== undefined) return Promise.reject(unavailable(this.#disk.lastError));
    return (entry.hasty ??= Promise.withResolvers<void>()).promise;
  }
}

export function durable(entry: Queued): Promise<void> {
  if (entry.state === "durable") return Promise.resolve();
  if (entry.state === "lost") return Promise.reject(unavailable(`entry ${entry.seq} was never written`));
  return (entry.waiter ??= Promise.withResolvers<void>()).promise;
}

export const unavailable = (why: string, cause?: unknown): LedgerError =>
  new LedgerError("record_unavailable", `the journal can't record: ${why}`, cause);
