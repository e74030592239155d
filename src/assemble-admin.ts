/** The control plane of a house: operators, keys, content and proofs, behind the admin surface. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { getRequestListener } from "@hono/node-server";
import type { House } from "./assemble.ts";
import type { AdminMeta, SettledContent } from "./kernel/decision.ts";
import { buildProof, openContent, readEntryAt, verifierKey } from "./ledger/index.ts";
import type { KeyRing, Position, StoredEntry } from "./ledger/index.ts";
import { Accounts, Passkeys, Sessions, linkProvider, passwordProvider, strongScrypt } from "./operators/index.ts";
import type { IndexedDecision } from "./projection/index.ts";
import { KeyAdmin } from "./stages/identify/index.ts";
import { OverrideAdmin } from "./stages/route/index.ts";
import { nodeFiles } from "./stores/files/index.ts";
import { type ContentOpener, createAdmin } from "./surfaces/admin/index.ts";

export interface AdminSide {
  accounts: Accounts;
  keys: KeyAdmin;
  overrides: OverrideAdmin;
  record(act: AdminMeta): Promise<void>;
  /** True when it took the request. */
  handle(request: IncomingMessage, response: ServerResponse): boolean;
}

/** Acts of administration belong to no tenant: they are entries of the house itself. */
const ownTenant = "weir";

export function assembleAdmin(
  house: House,
  about: { version: string; example: boolean; origin: string; stopping: AbortSignal },
): AdminSide {
  const { clock, log } = house.options;
  const { environment } = house.options.settings.server;
  const stores = house.control;
  const accounts = new Accounts({ stores, clock, cost: strongScrypt });
  const keys = new KeyAdmin({ keys: stores.keys, clock, pepper: house.pepper, environment });
  const record = (act: AdminMeta) => house.journal.append({ kind: "admin", tenant: ownTenant, meta: act }).durable();
  const app = createAdmin({
    clock,
    log: (message) => log.warn(message),
    about: { environment, install: house.signer.install, version: about.version, example: about.example },
    stopping: about.stopping,
    // A browser on this machine may name loopback either way; the session cookie belongs to the name that it used.
    origins: [
      about.origin,
      ...(about.origin.startsWith("http://127.0.0.1:") ? [about.origin.replace("127.0.0.1", "localhost")] : []),
    ],
    index: house.index,
    record,
    accounts,
    sessions: new Sessions({ stores, clock }),
    passwords: passwordProvider({ stores, clock, cost: strongScrypt }),
    links: linkProvider({ stores, clock }),
    passkeys: new Passkeys({ stores, clock }),
    keys,
    snapshot: () => house.serving(),
    ledger: async () => ledgerInfo(house),
    content: contentOpener(house),
    proof: (decision, withContent) => proofOf(house, decision, withContent),
  });
  const listener = getRequestListener(app.fetch);
  return {
    accounts,
    keys,
    overrides: new OverrideAdmin(stores.overrides, clock),
    record,
    handle(request, response) {
      if (!request.url?.startsWith("/admin/")) return false;
      void listener(request, response);
      return true;
    },
  };
}

function ledgerInfo(house: House) {
  const { entries, writable, checkpoint } = house.journal.health();
  return {
    nodes: [
      {
        node: house.journal.node,
        entries,
        writable,
        ...(checkpoint && { checkpoint: { size: checkpoint.size, at_ms: checkpoint.atMs } }),
      },
    ],
    public_key: verifierKey(`weir/${house.signer.install}/${house.journal.node}`, house.signer.publicKey),
  };
}

/** The stored entries of a decision, all from one node: that of the process that decided it. */
async function storedOf(house: House, decision: IndexedDecision): Promise<{ node: string; entries: StoredEntry[] }> {
  const node =
    decision.entries.find((entry) => entry.kind === "begun" || entry.kind === "settled")?.node ?? house.journal.node;
  const entries: StoredEntry[] = [];
  for (const { node: at, position } of decision.entries) {
    if (at !== node) continue;
    const stored = await readEntryAt({ dir: house.paths.ledger, files: nodeFiles, node }, position as Position);
    if (stored) entries.push(stored);
  }
  return { node, entries };
}

function contentOpener(house: House): ContentOpener {
  const settledOf = async (decision: IndexedDecision) =>
    (await storedOf(house, decision)).entries.find(({ entry }) => entry.kind === "settled");
  return {
    async available(decision) {
      const stored = await settledOf(decision);
      const ref = stored?.entry.content;
      return ref !== undefined && (await house.keyRing.find(ref.key)) instanceof Uint8Array;
    },
    async open(decision) {
      const stored = await settledOf(decision);
      const opened = stored && (await openContent(stored, house.keyRing));
      if (!opened) return "not_recorded";
      if ("erased" in opened) return "erased";
      // What is kept for idempotency alone is not part of what the use case records.
      const { kept_answer: _kept, ...content } = opened.value as SettledContent;
      return content;
    },
  };
}

async function proofOf(house: House, decision: IndexedDecision, withContent: boolean) {
  const { node, entries } = await storedOf(house, decision);
  const sealed = house.journal.health().checkpoint?.size ?? 0;
  if (node === house.journal.node && entries.some(({ entry }) => entry.seq >= sealed)) return undefined;
  const keys: Pick<KeyRing, "find"> | undefined = withContent ? house.keyRing : undefined;
  return buildProof({ dir: house.paths.ledger, files: nodeFiles, node, entries, ...(keys && { keys }) });
}
