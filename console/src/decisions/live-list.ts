/**
 * The list that grows at both ends: live rows on top, history below. Pure, so that its laws can be tested: no decision
 * twice, newest first, and never a hole between what is shown and what the cursor continues with.
 */
import type { DecisionRow } from "../api/types.ts";

export interface LiveRow {
  row: DecisionRow;
  /** Came in live while being shown: marked for a moment. */
  fresh?: true;
}

export interface LiveList {
  rows: LiveRow[];
  /** Arrived while the list was held. Newest first. */
  waiting: LiveRow[];
  nextCursor: string | undefined;
  /** Set where the tail was trimmed: history goes on at this instant, and what is known already is left out. */
  resumeMs: number | undefined;
  /** History was asked for: then the tail is never trimmed. */
  browsed: boolean;
  /** More arrived while held than is kept: showing them takes a reload. */
  overflowed: boolean;
}

export const emptyList: LiveList = {
  rows: [],
  waiting: [],
  nextCursor: undefined,
  resumeMs: undefined,
  browsed: false,
  overflowed: false,
};

/** Live rows kept on screen, and kept waiting. */
export const liveLimit = 300;

const without = (rows: readonly LiveRow[], known: readonly LiveRow[]): LiveRow[] => {
  const ids = new Set(known.map(({ row }) => row.decision_id));
  return rows.filter(({ row }) => !ids.has(row.decision_id) && ids.add(row.decision_id) !== undefined);
};

/** The first page: what had streamed in before it arrived stays on top. */
export function startWith(list: LiveList, page: readonly DecisionRow[], nextCursor: string | undefined): LiveList {
  const rows = page.map((row): LiveRow => ({ row }));
  return { ...list, rows: [...without(list.rows, rows), ...rows], nextCursor };
}

export function continueWith(list: LiveList, page: readonly DecisionRow[], nextCursor: string | undefined): LiveList {
  const rows = without(
    page.map((row): LiveRow => ({ row })),
    list.rows,
  );
  return { ...list, rows: [...list.rows, ...rows], nextCursor, resumeMs: undefined, browsed: true };
}

/** `batch` is newest first. */
export function arrive(list: LiveList, batch: readonly LiveRow[], held: boolean): LiveList {
  const news = without(batch, [...list.rows, ...list.waiting]);
  if (news.length === 0) return list;
  if (held) {
    const waiting = [...news, ...list.waiting];
    return { ...list, waiting: waiting.slice(0, liveLimit), overflowed: list.overflowed || waiting.length > liveLimit };
  }
  return trim({ ...list, rows: [...news.map((row): LiveRow => ({ ...row, fresh: true })), ...list.rows] });
}

/** Shows what waited. Callers reload instead where the list has overflowed. */
export const release = (list: LiveList): LiveList =>
  trim({ ...list, rows: [...list.waiting, ...list.rows], waiting: [], overflowed: false });

/** Rows were skipped on the way: what is shown has a hole until it is loaded anew. */
export const skip = (list: LiveList): LiveList => ({ ...list, overflowed: true });

export const hasOlder = (list: LiveList): boolean => list.nextCursor !== undefined || list.resumeMs !== undefined;

/** Rows arrive as they settle but are listed by their beginning: history goes on at the youngest that was cut. */
function trim(list: LiveList): LiveList {
  if (list.browsed || list.rows.length <= liveLimit) return list;
  const cut = list.rows.slice(liveLimit).map(({ row }) => row.at_ms);
  return { ...list, rows: list.rows.slice(0, liveLimit), resumeMs: Math.max(list.resumeMs ?? 0, ...cut) };
}
