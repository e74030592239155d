/**
 * Where a decision's entries lie. Those that were folded in one batch with its settled entry, as nearly all are, stand
 * packed in the decision's row: three rows and two index entries less for each decision. The others have rows.
 */
import { type EntryKind, entryKinds } from "../../projection/index.ts";
import type { PositionedEntry } from "./projection-store.ts";

export interface LocatedEntry {
  node: string;
  seq: number;
  at_ms: number;
  kind: EntryKind;
  tenant: string;
  position: { segment: number; offset: number; seq: number };
}

/** Of one node and tenant, as `seq.at_ms.kind.segment.offset` with blanks between. */
export function packPlaces(entries: readonly PositionedEntry[]): string {
  let text = "";
  for (const { entry, position } of entries)
    text += `${text === "" ? "" : " "}${entry.seq}.${entry.at_ms}.${entryKinds.indexOf(entry.kind)}.${position.segment}.${position.offset}`;
  return text;
}

export function unpackPlaces(node: string, tenant: string, text: string): LocatedEntry[] {
  return text.split(" ").map((place) => {
    const [seq, at_ms, kind, segment, offset] = place.split(".").map(Number) as [
      number,
      number,
      number,
      number,
      number,
    ];
    return { node, seq, at_ms, kind: entryKinds[kind]!, tenant, position: { segment, offset, seq } };
  });
}

/** In order of node and sequence, each once: a refolded entry may have both a row and a place. */
export function inOrder(entries: readonly LocatedEntry[]): LocatedEntry[] {
  const sorted = entries.toSorted((a, b) => (a.node < b.node ? -1 : a.node > b.node ? 1 : a.seq - b.seq));
  return sorted.filter(({ node, seq }, i) => node !== sorted[i - 1]?.node || seq !== sorted[i - 1]?.seq);
}
