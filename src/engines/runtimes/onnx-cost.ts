/** What calls of a session cost, measured as it loads: it decides whether they run inline or in a worker. */
import type { Clock } from "../../kernel/clock.ts";
import type { FeatureValue } from "../../kernel/decision.ts";

type Row = Record<string, FeatureValue>;

/** Microseconds of a call with `n` rows: `callMicros + (n - 1) * rowMicros`. */
export interface OnnxCost {
  callMicros: number;
  rowMicros: number;
}

/** A hop to a worker and back costs more than this, so shorter calls gain nothing from it. */
export const inlineBudgetMicros = 100;
/** Nothing that starts here comes below the budget by warming up. */
const hopelessMicros = 1_000;
const batchRows = 32;

/** What `rows` rows in one call take. */
export const microsOf = ({ callMicros, rowMicros }: OnnxCost, rows: number): number =>
  callMicros + (rows - 1) * rowMicros;

/** The most rows that a call answers within `budgetMicros`; one at least, `most` at most. */
export function rowsWithin({ callMicros, rowMicros }: OnnxCost, budgetMicros: number, most: number): number {
  if (budgetMicros <= callMicros) return 1;
  return Math.min(most, 1 + Math.floor((budgetMicros - callMicros) / Math.max(rowMicros, 1e-6)));
}

/** A single measure moves what is known by this part; no measure counts for more than `maxSurprise` times the expected. */
const learning = 0.05;
const maxSurprise = 4;

/** Moves `cost` towards what a call of `rows` rows took. */
export function learnCost(cost: OnnxCost, rows: number, micros: number): OnnxCost {
  const expected = microsOf(cost, rows);
  const off = learning * (Math.min(micros, maxSurprise * expected) - expected);
  // One row says nothing of further ones; of many rows, a row's share is most of what is measured.
  if (rows === 1) return { ...cost, callMicros: Math.max(0, cost.callMicros + off) };
  return { ...cost, rowMicros: Math.max(0, cost.rowMicros + off / (rows - 1)) };
}

export async function measureCost(
  run: (rows: readonly Row[]) => Promise<unknown>,
  row: Row,
  clock: Pick<Clock, "monotonic">,
): Promise<OnnxCost> {
  const one = [row];
  const many = Array.from({ length: batchRows }, () => row);
  // WebAssembly is compiled anew while it runs, in the background: the first hundreds of calls take many times longer
  // than those that will serve, longer still on a busy machine.
  let callMicros = Infinity;
  for (let round = 0; round < 8; round++) {
    callMicros = Math.min(callMicros, await timeOf(() => run(one), 100, 40, clock));
    if (callMicros <= inlineBudgetMicros * 0.7 || callMicros > hopelessMicros) break;
  }
  const manyMicros = await timeOf(() => run(many), 20, 10, clock);
  return { callMicros, rowMicros: Math.max(0, (manyMicros - callMicros) / (batchRows - 1)) };
}

/** Lower-quartile microseconds (a neighbour on the core only ever adds) over at most `times` calls and `budgetMs`. */
async function timeOf(
  act: () => Promise<unknown>,
  times: number,
  budgetMs: number,
  clock: Pick<Clock, "monotonic">,
): Promise<number> {
  const taken: number[] = [];
  const begin = clock.monotonic();
  while (taken.length < times) {
    const start = clock.monotonic();
    await act();
    const end = clock.monotonic();
    taken.push((end - start) * 1000);
    if (end - begin > budgetMs) break;
  }
  return taken.sort((a, b) => a - b)[taken.length >> 2]!;
}
