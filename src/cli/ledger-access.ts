/** The ledger as the command line reads it: straight from the files, also while no server runs. */
import { resolve } from "node:path";
import { dataPaths } from "../config/index.ts";
import type { DecisionId } from "../kernel/ids.ts";
import { type StoredEntry, findDecision } from "../ledger/index.ts";
import { nodeFiles } from "../stores/files/index.ts";
import { SqliteIndex } from "../stores/sqlite/index.ts";

export const ledgerDir = (data: string): string => dataPaths(resolve(data)).ledger;

/** All entries of one decision with their node, found through the projection where there is one. */
export async function entriesOf(
  data: string,
  decision: DecisionId,
): Promise<{ node: string; entries: StoredEntry[] } | undefined> {
  const dir = ledgerDir(data);
  const nodes = (await nodeFiles.list(dir)).filter(({ folder }) => folder).map(({ name }) => name);
  for (const node of nodes) {
    const seqs = await seqsOf(data, node, decision);
    const entries = await findDecision({ dir, files: nodeFiles, node, decision, ...(seqs && { seqs }) });
    if (entries.length > 0) return { node, entries };
  }
  return undefined;
}

/** `undefined`: the projection can't tell, and the journal is read from its beginning. */
async function seqsOf(data: string, node: string, decision: DecisionId): Promise<number[] | undefined> {
  const paths = dataPaths(resolve(data));
  const index = await SqliteIndex.open({ path: paths.projection, journalDir: paths.ledger, log: () => {} }).catch(
    () => undefined,
  );
  if (!index) return undefined;
  try {
    const known = await index.get(decision);
    const seqs = known?.entries.filter((entry) => entry.node === node).map((entry) => entry.seq);
    return seqs && seqs.length > 0 ? seqs : undefined;
  } finally {
    await index.close();
  }
}
