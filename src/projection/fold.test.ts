import { describe, expect, it } from "vitest";
import { decisionId, begunMeta, entryOf, outcomeMeta, sampleStart, settledEntry } from "./entry-samples.ts";
import { foldEntry, minuteOf, supersedes } from "./fold.ts";
import { parseArrivalCursor, parsePageCursor, encodePageCursor } from "./cursor.ts";
import type { FoldedEntry } from "./port.ts";

const id = decisionId(1);

const guard = (verdict: "allow" | "modify") =>
  ({ guard: "pii", on: "input", verdict, action: "redact", findings: {} }) as const;

describe("foldEntry", () => {
  const cases: [string, FoldedEntry, { row: boolean; outcome: boolean; problem: boolean }][] = [
    ["begun", entryOf(0, "begun", id, begunMeta), { row: false, outcome: false, problem: false }],
    ["attempt", entryOf(1, "attempt", id, { n: 1 }), { row: false, outcome: false, problem: false }],
    ["settled", settledEntry(2, id), { row: true, outcome: false, problem: false }],
    ["outcome", entryOf(3, "amended", id, outcomeMeta("o")), { row: false, outcome: true, problem: false }],
    [
      "other amendment",
      entryOf(3, "amended", id, { amends: "review" }),
      { row: false, outcome: false, problem: false },
    ],
    ["admin", entryOf(4, "admin", undefined, { act: "key.mint" }), { row: false, outcome: false, problem: false }],
    ["settled of nothing", settledEntry(5, id), { row: true, outcome: false, problem: false }],
    ["unknown shape", entryOf(6, "settled", id, { state: "answered" }), { row: false, outcome: false, problem: true }],
    ["no decision", entryOf(7, "settled", undefined, {}), { row: false, outcome: false, problem: true }],
    ["no object", entryOf(8, "settled", id, null), { row: false, outcome: false, problem: true }],
  ];
  it.each(cases)("%s", (_name, entry, expected) => {
    const folded = foldEntry(entry);
    expect({ row: !!folded.settled, outcome: !!folded.outcome, problem: !!folded.problem }).toEqual(expected);
    expect(folded.entry.seq).toBe(entry.seq);
  });

  it("takes the row from the metadata", () => {
    const { settled } = foldEntry(
      settledEntry(2, id, {
        guards: [guard("allow"), guard("modify")],
        usage: { input: 3, cached_input: 4, output: 5, estimated: false },
        score: 0.8,
        result: "approve",
        synthetic: true,
      }),
    );
    expect(settled?.row).toMatchObject({
      decision_id: id,
      at_ms: sampleStart,
      tenant: "retail",
      guards_hit: 1,
      input_tokens: 7,
      output_tokens: 5,
      score: 0.8,
      result: "approve",
      synthetic: true,
    });
    expect(settled?.row).not.toHaveProperty("code");
  });

  it("lets the first of two settlements stand", () => {
    expect(supersedes({ node: "a", seq: 1 }, { node: "a", seq: 2 })).toBe(true);
    expect(supersedes({ node: "b", seq: 1 }, { node: "a", seq: 2 })).toBe(false);
    expect(supersedes({ node: "a", seq: 2 }, { node: "a", seq: 2 })).toBe(false);
  });
});

describe("minuteOf counts as errors", () => {
  const cases = [
    ["failed", undefined, 1],
    ["interrupted", undefined, 1],
    ["interrupted", "client_gone", 0],
    ["failed", "ladder_exhausted", 1],
    ["refused", "record_unavailable", 1],
    ["refused", "rate_limited", 0],
    ["answered", undefined, 0],
    ["referred", undefined, 0],
  ] as const;
  it.each(cases)("%s with %s: %d", (state, code, errors) => {
    const { row } = foldEntry(settledEntry(0, id, { state, ...(code && { code }) })).settled!;
    expect(minuteOf(row)).toMatchObject({ errors, [state]: 1, decisions: 1 });
  });
});

describe("cursors", () => {
  it("come back as they went", () => {
    const cursor = { atMs: sampleStart, decisionId: id };
    expect(parsePageCursor(encodePageCursor(cursor))).toEqual(cursor);
  });
  it.each(["", "x", "../..", encodePageCursor({ atMs: 1, decisionId: "dec_x" }), "a".repeat(200)])(
    "refuse %j",
    (text) => {
      expect(parsePageCursor(text)).toBeUndefined();
      expect(parseArrivalCursor(text)).toBeUndefined();
    },
  );
});
