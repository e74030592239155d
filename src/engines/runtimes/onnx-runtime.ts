/** Scores by ONNX graphs, inline where a call is short and in a worker thread where it would hold up the event loop. */
import type { Clock } from "../../kernel/clock.ts";
import { WeirError } from "../../kernel/errors.ts";
import type { FeatureContract } from "../../kernel/snapshot.ts";
import { toColumns } from "./onnx-columns.ts";
import { inlineBudgetMicros, type OnnxCost } from "./onnx-cost.ts";
import type { OnnxSession } from "./onnx-session.ts";
import { OnnxWorkerHost, type StartThread } from "./onnx-worker-host.ts";
import type { Runtime, ScoreModel, ScoredRow } from "./port.ts";

/** Opening a larger file would itself hold up the event loop for some 100 ms. */
const inlineFileBytes = 2_000_000;

export interface OnnxRuntimeOptions {
  clock: Clock;
  /** `measured` (default): by what a call costs. */
  placement?: "measured" | "inline" | "worker";
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
  { clock, placement = "measured", startThread }: OnnxRuntimeOptions,
): Promise<ScoreModel> {
  const worker = new OnnxWorkerHost({ name, bytes, contract }, clock, startThread);
  const tooLarge = placement === "measured" && bytes.length > inlineFileBytes;
  if (placement !== "worker" && !tooLarge) {
    // Loaded here for the first time, so that a server without ONNX models never pays for 14 MB of WebAssembly.
    const { openOnnxSession } = await import("./onnx-session.ts");
    const session = await openOnnxSession(name, bytes, contract, clock);
    if (placement === "inline" || session.cost.callMicros <= inlineBudgetMicros)
      return scoreModel(name, contract, session.cost, worker, { session, always: placement === "inline" });
    await session.close();
  }
  try {
    return scoreModel(name, contract, await worker.start(), worker);
  } catch (error) {
    await worker.close();
    throw error;
  }
}

/** Batches that cost more than the budget go to the worker even where single rows run inline; it starts with the first. */
function scoreModel(
  name: string,
  contract: FeatureContract,
  cost: OnnxCost,
  worker: OnnxWorkerHost,
  inline?: { session: OnnxSession; always: boolean },
): ScoreModel {
  let closed = false;
  const hostOf = (count: number) => {
    if (inline === undefined) return worker;
    const short = cost.callMicros + (count - 1) * cost.rowMicros <= inlineBudgetMicros;
    return inline.always || count === 1 || short ? inline.session : worker;
  };
  return {
    kind: "score",
    costMicros: cost.callMicros,
    async score(rows, signal) {
      signal?.throwIfAborted();
      if (closed) throw new WeirError("internal", `model ${name} was closed; a snapshot still in use named it`);
      if (rows.length === 0) return [];
      const columns = toColumns(name, contract, rows);
      try {
        return asScored(await hostOf(rows.length).run(columns, rows.length, signal));
      } catch (error) {
        if (signal?.aborted && error === signal.reason) throw error;
        throw fault(name, error);
      }
    },
    async close() {
      if (closed) return;
      closed = true;
      await Promise.all([worker.close(), inline?.session.close()]);
    },
  };
}

const asScored = (scores: Float32Array): ScoredRow[] => Array.from(scores, (score) => ({ score, reasons: [] }));

function fault(name: string, error: unknown): WeirError {
  const said = error instanceof Error ? error.message : String(error);
  return new WeirError("internal", `model ${name} could not score: ${said}`, { cause: error });
}
