/**
 * The control plane as the command line opens it: the store that a running server also reads, and a journal of its own,
 * so that acts on the command line are in the ledger like those in the console.
 */
import { mkdirSync } from "node:fs";
import { userInfo } from "node:os";
import { dataPaths, readEnvironment } from "../config/index.ts";
import { systemClock } from "../kernel/clock.ts";
import type { AdminMeta } from "../kernel/decision.ts";
import { isRefusal, type Refusal } from "../kernel/errors.ts";
import type { Environment } from "../kernel/principal.ts";
import { type Journal, openFileKek, openFileSigner, openJournal, openKeyRing } from "../ledger/index.ts";
import { Accounts, type Actor, type Pending, strongScrypt } from "../operators/index.ts";
import { KeyAdmin, openPepper } from "../stages/identify/index.ts";
import { OverrideAdmin } from "../stages/route/index.ts";
import { nodeFiles } from "../stores/files/index.ts";
import { openControlStore } from "../stores/sqlite/index.ts";

export interface ControlPlane {
  keys: KeyAdmin;
  accounts: Accounts;
  overrides: OverrideAdmin;
  /** Who acts: the account of the operating system. */
  actor: Actor;
  record(act: AdminMeta): Promise<void>;
  /** Journals a pending act, then commits it; refusals become errors. */
  perform<T>(pending: Pending<T> | Refusal): Promise<T>;
  close(): Promise<void>;
}

export async function openControlPlane(dataDir: string, environment: Environment): Promise<ControlPlane> {
  const clock = systemClock;
  const files = nodeFiles;
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const paths = dataPaths(dataDir, readEnvironment().keyFile);
  const signer = await openFileSigner({ files, clock, path: paths.signer });
  const pepper = await openPepper(files, clock, paths.pepper);
  const kek = await openFileKek({ files, clock, path: paths.keyEncryption });
  const control = openControlStore(paths.control);
  const accounts = new Accounts({ stores: control, clock, cost: strongScrypt });
  const keys = new KeyAdmin({ keys: control.keys, clock, pepper, environment });
  let journal: Journal | undefined;
  let ring: Awaited<ReturnType<typeof openKeyRing>> | undefined;
  // Listing needs no journal; the first act opens it.
  const opened = async (): Promise<Journal> => {
    ring ??= await openKeyRing({ files, clock, dir: paths.ledger, node: "cli", kek });
    journal ??= await openJournal({
      dir: paths.ledger,
      node: "cli",
      files,
      clock,
      keys: ring,
      signer,
      checkpoints: [],
    });
    return journal;
  };
  const name = userInfo().username;
  const plane: ControlPlane = {
    keys,
    accounts,
    overrides: new OverrideAdmin(control.overrides, clock),
    actor: { id: `os:${name}`, name },
    record: async (act) => (await opened()).append({ kind: "admin", tenant: "weir", meta: act }).durable(),
    async perform(pending) {
      if (isRefusal(pending)) throw new Error(pending.message);
      await plane.record(pending.act);
      return pending.commit();
    },
    async close() {
      await journal?.close();
      await ring?.close();
      control.close();
    },
  };
  return plane;
}
