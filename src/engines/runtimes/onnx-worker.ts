/** The thread that runs a session whose calls would hold up the event loop for too long. */
import { parentPort, workerData } from "node:worker_threads";
import { systemClock } from "../../kernel/clock.ts";
import type { OnnxWorkerData, OnnxWorkerMessage, ScoreCall } from "./onnx-messages.ts";
import { openOnnxSession } from "./onnx-session.ts";

const port = parentPort;
if (port === null) throw new Error("onnx-worker.ts runs as a worker thread only");
const say = (message: OnnxWorkerMessage, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer);
const textOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

const { name, bytes, contract } = workerData as OnnxWorkerData;
try {
  const session = await openOnnxSession(name, bytes, contract, systemClock);
  port.on("message", ({ id, columns, count }: ScoreCall) => {
    session.run(columns, count).then(
      // The scores are copied, for they may be a view of the session's own memory.
      (scores) => say({ type: "scored", id, scores: scores.slice() }),
      (error: unknown) => say({ type: "failed", id, message: textOf(error) }),
    );
  });
  say({ type: "ready", cost: session.cost });
} catch (error) {
  say({ type: "refused", message: textOf(error) });
}
