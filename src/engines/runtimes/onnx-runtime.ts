/** Scores by ONNX graphs, inline where a batch is short and in a worker thread where it would hold up the event loop. */
import type { Clock } from "../../kernel/clock.ts";
import type { FeatureContract } from "../../kernel/snapshot.ts";
import { createRowEncoder } from "./onnx-columns.ts";
import { inlineBudgetMicros, type OnnxCost } from "./onnx-cost.ts";
import { batchLanes } from "./onnx-lanes.ts";
import type { OnnxSession } from "./onnx-session.ts";
import { OnnxWorkerHost, type StartThread } from "./onnx-worker-host.ts";
import type { Runtime, ScoreModel } from "./port.ts";
import { ScoreBatcher } from "./score-batcher.ts";

/** Opening a larger file would itself hold up the event loop for some 100 ms. */
const inlineFileBytes = 2_000_000;
const maxBatchBytes = 4_000_000;

export interface OnnxRuntimeOptions {
  clock: Clock;
  /** `measured` (default): by what a call costs. */
  placement?: "measured" | "inline" | "worker";
  /** Models that are too dear for the event loop use onnxruntime-node where it is there and answers alike (default). */
  native?: boolean;
  /** Rows of one batch at most; how many it takes is learnt from what they cost. */
  maxBatchRows?: number;
  /** Rows that may wait for a model at most. */
  maxWaitingRows?: number;
  /** Tests bring their own threads. */
  startThread?: StartThread;
}

export function createOnnxRuntime(options: OnnxRuntimeOptions): Runtime {
  return {
    name: "onnx",
    async load({ name, bytes, contract }) {
      if (bytes === undefined) throw new Error(`model ${name}: the onnx runtime needs a file`);
      if (contract === undefined) throw new Error(`model ${name}: the onnx runtime needs a feature contract`);
      try {
        return await open(name, bytes, contract, options);
      } catch (error) {
        const said = error instanceof Error ? error.message : String(error);
        throw new Error(`model ${name} does not load: ${said}`, { cause: error });
      }
    },
  };
}

async function open(
  name: string,
  bytes: Uint8Array,
  contract: FeatureContract,
  options: OnnxRuntimeOptions,
): Promise<ScoreModel> {
  const { clock, placement = "measured", startThread } = options;
  const tooLarge = placement === "measured" && bytes.length > inlineFileBytes;
  if (placement !== "worker" && !tooLarge) {
    // Loaded here for the first time, so that a server without ONNX models never pays for 14 MB of WebAssembly.
    const { openOnnxSession } = await import("./onnx-session.ts");
    const session = await openOnnxSession(name, bytes, contract, clock);
    if (placement === "inline" || session.cost.callMicros <= inlineBudgetMicros) {
      // A row must not score differently by where its batch ran: beside an inline session the worker is WebAssembly too.
      const worker = new OnnxWorkerHost({ name, bytes, contract, native: false }, clock, startThread);
      const inline = { session, always: placement === "inline" };
      return scoreModel(name, contract, options, worker, { cost: session.cost, engine: "onnxruntime-web", inline });
    }
    await session.close();
  }
  const worker = new OnnxWorkerHost({ name, bytes, contract, native: options.native ?? true }, clock, startThread);
  try {
    return scoreModel(name, contract, options, worker, await worker.start());
  } catch (error) {
    await worker.close();
    throw error;
  }
}

interface Opened {
  cost: OnnxCost;
  engine: string;
  inline?: { session: OnnxSession; always: boolean };
}

function scoreModel(
  name: string,
  contract: FeatureContract,
  { clock, maxBatchRows = 1024, maxWaitingRows = 4096 }: OnnxRuntimeOptions,
  worker: OnnxWorkerHost,
  { cost, engine, inline }: Opened,
): ScoreModel {
  const encoder = createRowEncoder(name, contract);
  const lanes = batchLanes({ clock, encoder, worker, cost, maxBatchRows, maxWaitingRows, ...(inline && { inline }) });
  const batcher = new ScoreBatcher({ model: name, clock, maxBatchBytes, ...lanes, bytesOf: encoder.bytesOf });
  let closed: Promise<unknown> | undefined;
  return {
    kind: "score",
    costMicros: cost.callMicros,
    engine,
    async score(rows, signal, deadlineAt) {
      for (const row of rows) encoder.refuse(row);
      return batcher.submit(rows, signal, deadlineAt);
    },
    async close() {
      batcher.close();
      closed ??= Promise.all([worker.close(), inline?.session.close()]);
      await closed;
    },
  };
}
