import { describe, expect, it } from "vitest";
import { isolate, LaneLost } from "./poison-rows.ts";

type Row = number;

/** Searches a batch of rows 0…size-1; `runFault` says what a run of some rows fails with, if it does. */
async function search(size: number, runFault: (rows: readonly Row[]) => Error | undefined, hopeless = false) {
  const runs: Row[][] = [];
  const failed = new Map<Row, string>();
  const scored: Row[] = [];
  const split = (batch: readonly Row[], from: number, to: number) => {
    const part = batch.slice(from, to).filter((row) => !failed.has(row));
    return { batch: part, size: part.length };
  };
  const whole = Array.from({ length: size }, (_, row) => row);
  const found = await isolate<readonly Row[]>({ batch: whole, size }, runFault(whole), {
    hopeless,
    split,
    async run(part) {
      runs.push([...part]);
      const fault = runFault(part);
      if (fault) throw fault;
      scored.push(...part);
    },
    fail: (part, error, why) => part.forEach((row) => failed.set(row, `${(error as Error).message}|${why}`)),
  });
  return { runs, failed, scored: scored.sort((a, b) => a - b), found };
}

const poison =
  (...bad: Row[]) =>
  (rows: readonly Row[]) =>
    rows.some((row) => bad.includes(row)) ? new Error("bad row") : undefined;

describe("isolate", () => {
  it.each([
    [2, [1]],
    [7, [0]],
    [64, [63]],
    [64, [20]],
    [64, [0, 1]],
    [64, [5, 40]],
    [1000, [3, 500, 999]],
  ])("of %i rows, only %j fail", async (size, bad) => {
    const { runs, failed, scored, found } = await search(size, poison(...bad));
    expect([...failed]).toEqual(bad.map((row) => [row, "bad row|"]));
    expect(scored).toHaveLength(size - bad.length);
    expect(found.hopeless).toBe(false);
    expect(runs.length).toBeLessThanOrEqual(2 * bad.length * Math.ceil(Math.log2(size)));
  });

  it("stops early where nothing can be scored, and then asks one row only", async () => {
    const broken = () => new Error("broken");
    const first = await search(1024, broken);
    expect(first.runs.length).toBeLessThanOrEqual(13);
    expect(first.found).toEqual({ hopeless: true });
    expect(first.failed.size).toBe(1024);
    expect(first.failed.get(1023)).toMatch(/^broken\|nothing in the batch could be scored/);
    const second = await search(1024, broken, true);
    expect(second.runs).toEqual([[0]]);
    expect(second.failed.size).toBe(1024);
    expect(second.found).toEqual({ hopeless: true });
  });

  it("searches again once a row of a model thought broken is scored", async () => {
    const { failed, scored, found } = await search(16, poison(9), true);
    expect([...failed.keys()]).toEqual([9]);
    expect(scored).toHaveLength(15);
    expect(found.hopeless).toBe(false);
  });

  it("bounds what many bad rows may cost", async () => {
    const odd = (rows: readonly Row[]) => (rows.some((row) => row % 2 === 1) ? new Error("odd") : undefined);
    const { runs, failed, scored } = await search(1024, odd);
    expect(runs.length).toBeLessThanOrEqual(88);
    expect(failed.size + scored.length).toBe(1024);
    expect(failed.get(1022)).toMatch(/too many rows/);
  });

  it("never tries a batch again that its worker was lost with", async () => {
    const { runs, failed } = await search(8, () => new LaneLost("out of memory"));
    expect(runs).toEqual([]);
    expect(failed.get(0)).toMatch(/^out of memory\|its worker was lost/);
    expect(failed.size).toBe(8);
    // Lost during the search: what was scored stays so, the rest fails.
    let calls = 0;
    const later = await search(8, () => [new Error("bad"), undefined, new LaneLost("gone")][calls++]);
    expect(later.scored).toEqual([0, 1, 2, 3]);
    expect([...later.failed.keys()]).toEqual([4, 5, 6, 7]);
    expect(later.runs).toHaveLength(2);
  });

  it("lets a single row fail without concluding anything", async () => {
    const { runs, failed, found } = await search(1, poison(0));
    expect([runs, [...failed.values()], found]).toEqual([[], ["bad row|"], { hopeless: false }]);
  });
});
