/** What the runtime and its worker say to each other. */
import type { FeatureContract } from "../../kernel/snapshot.ts";
import type { PackedRows } from "./onnx-columns.ts";
import type { OnnxCost } from "./onnx-cost.ts";

/** Given to the worker as it starts. */
export interface OnnxWorkerData {
  name: string;
  bytes: Uint8Array;
  contract: FeatureContract;
  /** Try onnxruntime-node, and keep it where it answers as WebAssembly does. */
  native: boolean;
}

export interface ScoreCall {
  id: number;
  rows: PackedRows;
}

export type OnnxWorkerMessage =
  | { type: "ready"; cost: OnnxCost; engine: string }
  /** The file was refused; the worker ends. */
  | { type: "refused"; message: string }
  | { type: "scored"; id: number; scores: Float32Array }
  | { type: "failed"; id: number; message: string };
