/** The ledger's segment files as the projection reads them. */
import { readEntryAt, readForFold } from "../../ledger/index.ts";
import { leafHash } from "../../ledger/merkle.ts";
import type { FilePort } from "../files/port.ts";
import { foldedKinds } from "../../projection/index.ts";
import type { EntrySource } from "./projection-tail.ts";

export function journalSource(dir: string, files: FilePort): EntrySource {
  return {
    async nodes() {
      const found = await files.list(dir);
      return found.filter(({ folder }) => folder).map(({ name }) => name);
    },
    async at(node, position) {
      const stored = await readEntryAt({ dir, files, node }, position);
      return stored && { ...stored, leafHash: leafHash(stored.bytes).toString("hex") };
    },
    read: (node, from, upToSeq) =>
      readForFold(
        { dir, files, node, ...(from && { from }), ...(upToSeq !== undefined && { upTo: { seq: upToSeq } }) },
        foldedKinds,
      ),
  };
}
