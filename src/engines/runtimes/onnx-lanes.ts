/** Where a model's next batch runs and how many rows it takes, from what its calls cost, measured and learnt. */
import type { Clock } from "../../kernel/clock.ts";
import type { FeatureRow, RowEncoder } from "./onnx-columns.ts";
import { inlineBudgetMicros, learnCost, type OnnxCost, rowsWithin } from "./onnx-cost.ts";
import type { OnnxSession } from "./onnx-session.ts";
import type { OnnxWorkerHost } from "./onnx-worker-host.ts";
import type { BatchLane } from "./score-batcher.ts";

/** What a batch in a worker may take: rows that come meanwhile wait for its end. */
const workerBudgetMicros = 5_000;
/** Rows whose turn is farther away than this are refused at once. */
const maxWaitMicros = 1_000_000;
/** Room for one burst, however dear the model. */
const leastWaitingRows = 64;
/** With as many turns of the event loop waiting, a batch is worth the way to the worker. */
const inlineTurns = 4;

export interface LaneOptions {
  clock: Pick<Clock, "monotonic">;
  encoder: RowEncoder;
  worker: Pick<OnnxWorkerHost, "ready" | "start" | "run">;
  /** Absent for models whose every call is too dear for the event loop. */
  inline?: { session: Pick<OnnxSession, "run">; always: boolean };
  cost: OnnxCost;
  maxBatchRows: number;
  maxWaitingRows: number;
}

export interface BatchLanes {
  laneFor(waitingRows: number): BatchLane<FeatureRow>;
  maxWaitingRows(): number;
}

export function batchLanes({ clock, encoder, worker, inline, ...bounds }: LaneOptions): BatchLanes {
  // Each place learns for itself: what a batch takes in the worker holds the way there, too.
  let away = bounds.cost;
  let here = bounds.cost;
  const toWorker: BatchLane<FeatureRow> = {
    maxRows: 1,
    here: false,
    async run(rows) {
      const begin = clock.monotonic();
      const scores = await worker.run(encoder.pack(rows));
      away = learnCost(away, rows.length, (clock.monotonic() - begin) * 1000);
      return scores;
    },
  };
  const inlineRun = async (rows: readonly FeatureRow[]) => {
    const begin = clock.monotonic();
    const scores = await inline!.session.run(rows.length, (columns) => encoder.fill(columns, rows));
    here = learnCost(here, rows.length, (clock.monotonic() - begin) * 1000);
    return scores;
  };
  const onLoop: BatchLane<FeatureRow> = { maxRows: 1, here: true, run: inlineRun };
  return {
    laneFor(waitingRows) {
      if (inline !== undefined) {
        onLoop.maxRows = inline.always
          ? bounds.maxBatchRows
          : rowsWithin(here, inlineBudgetMicros, bounds.maxBatchRows);
        if (inline.always || waitingRows <= inlineTurns * onLoop.maxRows) return onLoop;
        // It starts with the first crowd, which does not wait for it.
        if (!worker.ready) {
          worker.start().catch(() => undefined);
          return onLoop;
        }
      }
      toWorker.maxRows = rowsWithin(away, workerBudgetMicros, bounds.maxBatchRows);
      return toWorker;
    },
    maxWaitingRows: () =>
      Math.min(
        bounds.maxWaitingRows,
        Math.max(leastWaitingRows, rowsWithin(inline ? here : away, maxWaitMicros, bounds.maxWaitingRows)),
      ),
  };
}
