import { describe, expect, it } from "vitest";
import type { DecisionRow } from "../api/types.ts";
import {
  arrive,
  continueWith,
  emptyList,
  hasOlder,
  type LiveList,
  liveLimit,
  release,
  skip,
  startWith,
} from "./live-list.ts";

const row = (n: number): DecisionRow => ({ decision_id: `dec_${n}`, at_ms: n }) as DecisionRow;
const rows = (...numbers: number[]) => numbers.map((n) => ({ row: row(n) }));
const idsOf = (list: LiveList): number[] => list.rows.map(({ row: { at_ms: n } }) => n);

describe("live list", () => {
  it("keeps what streamed in before the first page on top, each decision once", () => {
    const list = startWith(arrive(emptyList, rows(5, 4), false), [row(4), row(3), row(2)], "after-2");
    expect(idsOf(list)).toEqual([5, 4, 3, 2]);
    expect(hasOlder(list)).toBe(true);
  });

  it("holds arrivals back and shows them on release", () => {
    const held = arrive(arrive(startWith(emptyList, [row(1)], undefined), rows(2), true), rows(3, 2), true);
    expect([idsOf(held), held.waiting.length]).toEqual([[1], 2]);
    const shown = release(held);
    expect([idsOf(shown), shown.waiting.length]).toEqual([[3, 2, 1], 0]);
    expect(hasOlder(shown)).toBe(false);
  });

  it("says when more arrived than it keeps, or rows were skipped", () => {
    const many = rows(...Array.from({ length: liveLimit + 1 }, (_, i) => 1000 - i));
    expect(arrive(emptyList, many, true)).toMatchObject({ overflowed: true, waiting: { length: liveLimit } });
    expect(skip(emptyList).overflowed).toBe(true);
  });

  it("trims the tail and goes on at the youngest row that it cut", () => {
    const start = startWith(emptyList, [row(10), row(90), row(5)], "after-5");
    const list = arrive(start, rows(...Array.from({ length: liveLimit - 1 }, (_, i) => 1000 - i)), false);
    expect(list.rows).toHaveLength(liveLimit);
    expect(list.resumeMs).toBe(90);
    const older = continueWith(list, [row(90), row(10), row(5)], undefined);
    expect(idsOf(older).slice(-3)).toEqual([10, 90, 5]);
    expect(hasOlder(older)).toBe(false);
  });

  it("never trims what was asked for", () => {
    const browsed = continueWith(startWith(emptyList, [row(2)], "c"), [row(1)], undefined);
    const list = arrive(browsed, rows(...Array.from({ length: liveLimit }, (_, i) => 1000 - i)), false);
    expect(list.rows).toHaveLength(liveLimit + 2);
  });
});
