/** The thread that runs a session whose calls would hold up the event loop for too long. */
import { parentPort, workerData } from "node:worker_threads";
import { systemClock } from "../../kernel/clock.ts";
import { createRowEncoder } from "./onnx-columns.ts";
import type { OnnxWorkerData, OnnxWorkerMessage, ScoreCall } from "./onnx-messages.ts";
import { openPreferred } from "./onnx-native.ts";

const port = parentPort;
if (port === null) throw new Error("onnx-worker.ts runs as a worker thread only");
const say = (message: OnnxWorkerMessage) => port.postMessage(message);
const textOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

const { name, bytes, contract, native } = workerData as OnnxWorkerData;
try {
  const { session, engine } = await openPreferred(name, bytes, contract, systemClock, native);
  const encoder = createRowEncoder(name, contract);
  port.on("message", ({ id, rows }: ScoreCall) => {
    session
      .run(rows.count, (columns) => encoder.unpack(columns, rows))
      .then(
        // The scores are copied, for they may be a view of larger memory, all of which would travel.
        (scores) => say({ type: "scored", id, scores: scores.slice() }),
        (error: unknown) => {
          // A trap leaves the instance in no known state: the thread ends, and the next call gets a new one.
          if (error instanceof Error && error.name === "RuntimeError") throw error;
          say({ type: "failed", id, message: textOf(error) });
        },
      );
  });
  say({ type: "ready", cost: session.cost, engine });
} catch (error) {
  say({ type: "refused", message: textOf(error) });
}
