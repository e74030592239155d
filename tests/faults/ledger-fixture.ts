/** A small ledger on the file twin, and a scenario that every fault test plays. */
import { VirtualClock } from "../../src/kernel/clock.ts";
import { type DecisionId, newDecisionId } from "../../src/kernel/ids.ts";
import { openJournal, type JournalOptions } from "../../src/ledger/journal.ts";
import {
  type Appended,
  fileSink,
  type Journal,
  type KekPort,
  type KeyRing,
  openKeyRing,
  readEntries,
  signerOf,
  type StoredEntry,
} from "../../src/ledger/index.ts";
import type { FilePort } from "../../src/stores/files/index.ts";

export const dir = "data/ledger";
export const node = "server";
export const sinkFolder = "elsewhere";
export const signer = signerOf("bank", new Uint8Array(32).fill(7));
export const otherSigner = signerOf("bank", new Uint8Array(32).fill(8));

/** A key-encryption key that only flips bits: the ring's own sealing is what is under test. */
export const kek: KekPort = {
  id: "test",
  wrap: async (secret) => secret.map((byte) => byte ^ 0x5a),
  unwrap: async (wrapped) => wrapped.map((byte) => byte ^ 0x5a),
};

export interface Ledger {
  journal: Journal;
  keys: KeyRing;
  clock: VirtualClock;
}

export async function open(
  files: FilePort,
  options: Partial<JournalOptions> = {},
  clock = new VirtualClock(),
): Promise<Ledger> {
  const keys = await openKeyRing({ files, clock, dir, node: options.node ?? node, kek });
  const checkpoints = [fileSink({ files, folder: sinkFolder })];
  const journal = await openJournal({ dir, node, files, clock, keys, signer, checkpoints, ...options });
  return { journal, keys, clock };
}

/** Runs promise reactions without moving time. */
export async function turns(count = 4): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}

export interface Acknowledged {
  seqs: number[];
}

/** Decisions in small groups, some with content under subject and day keys; what became durable lands in `acked`. */
export async function play({ journal, clock }: Ledger, acked: Acknowledged, rounds = 6): Promise<void> {
  const watch = (appended: Appended): void => {
    appended.durable().then(
      () => acked.seqs.push(appended.seq),
      () => {},
    );
  };
  for (let round = 0; round < rounds; round++) {
    for (const tenant of ["retail", "cards"]) {
      const decision: DecisionId = newDecisionId(clock);
      const subject = round % 2 === 0 ? { subject: `subject-${round}` } : {};
      watch(
        journal.append({
          kind: "begun",
          tenant,
          decision,
          meta: { round },
          content: { key: { tenant, ...subject }, value: { income: 1000 + round, name: `Ada ${round}` } },
        }),
      );
      watch(journal.append({ kind: "attempt", tenant, decision, meta: { target: "scorecard", euro: "€" } }));
      watch(journal.append({ kind: "settled", tenant, decision, meta: { result: "approve" } }));
    }
    await journal.flush();
    await clock.advance(600);
  }
}

export async function all(files: FilePort, of = node): Promise<StoredEntry[]> {
  const found: StoredEntry[] = [];
  for await (const stored of readEntries({ dir, files, node: of })) found.push(stored);
  return found;
}
