import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../kernel/clock.ts";
import {
  begunMeta,
  decisionId,
  entryOf,
  outcomeMeta,
  sampleStart,
  settledEntry,
} from "../../projection/entry-samples.ts";
import type { FoldedEntry } from "../../projection/index.ts";
import { inOrder, packPlaces, unpackPlaces } from "./entry-places.ts";
import { entriesOf } from "./projection-queries.ts";
import { type PositionedEntry, ProjectionStore } from "./projection-store.ts";

const id = decisionId(1);
const positioned = (entry: FoldedEntry): PositionedEntry => ({
  entry,
  position: { segment: 2, offset: 100 * entry.seq, seq: entry.seq },
});
const begun = entryOf(0, "begun", id, begunMeta);
const attempt = entryOf(1, "attempt", id, {});
const settled = settledEntry(2, id);
const amended = entryOf(3, "amended", id, outcomeMeta("o"));
const elsewhere = entryOf(0, "amended", id, outcomeMeta("p"), "b");

const placesOf = (entries: readonly FoldedEntry[]) =>
  entries.map(({ node, seq, at_ms, kind, tenant }) => ({
    node,
    seq,
    at_ms,
    kind,
    tenant,
    position: { segment: 2, offset: 100 * seq, seq },
  }));

describe("places of a decision's entries", () => {
  it("come back from the text as they went in", () => {
    const entries = [begun, attempt, settled];
    expect(unpackPlaces("a", "retail", packPlaces(entries.map(positioned)))).toEqual(placesOf(entries));
    expect(settled.at_ms).toBe(sampleStart + 2);
  });

  it("are told once each, in order of node and sequence", () => {
    const [first, second, third] = placesOf([begun, settled, elsewhere]) as [
      ReturnType<typeof placesOf>[0],
      ReturnType<typeof placesOf>[0],
      ReturnType<typeof placesOf>[0],
    ];
    expect(inOrder([third, second, first, second])).toEqual([first, second, third]);
  });

  const ways: [string, FoldedEntry[][], FoldedEntry[]][] = [
    ["all in one batch", [[begun, attempt, settled]], [begun, attempt, settled]],
    ["one by one", [[begun], [attempt], [settled], [amended]], [begun, attempt, settled, amended]],
    ["settled in a later batch", [[begun], [attempt, settled, amended]], [begun, attempt, settled, amended]],
    ["not settled yet", [[begun, attempt]], [begun, attempt]],
    [
      "folded again in other batches",
      [[begun, attempt, settled], [attempt, settled], [begun]],
      [begun, attempt, settled],
    ],
    ["from two nodes", [[begun, settled, elsewhere]], [begun, settled, elsewhere]],
    [
      "settled twice, the first one last",
      [
        [attempt, settledEntry(5, id)],
        [begun, settled],
      ],
      [begun, attempt, settled, settledEntry(5, id)],
    ],
    ["settled twice in one batch", [[begun, settledEntry(5, id), settled]], [begun, settled, settledEntry(5, id)]],
    [
      "with metadata that makes no row",
      [[begun, entryOf(2, "settled", id, {})]],
      [begun, entryOf(2, "settled", id, {})],
    ],
  ];
  it.each(ways)("are found: %s", async (_way, batches, expected) => {
    const store = new ProjectionStore({ path: ":memory:", clock: new VirtualClock(), log: () => {} });
    for (const batch of batches) store.apply(batch.map(positioned));
    expect(await entriesOf(store, id)).toEqual(placesOf(expected));
    await store.close();
  });
});
