/**
 * One ONNX session over WebAssembly, single-threaded, checked against its contract before it serves. Imports the native
 * code, so nothing but a lazy import or the worker may import this file.
 */
import * as ort from "onnxruntime-web";
import type { Clock } from "../../kernel/clock.ts";
import type { FeatureContract } from "../../kernel/snapshot.ts";
import { sampleRows } from "./feature-rows.ts";
import { type Column, toColumns } from "./onnx-columns.ts";
import { measureCost, type OnnxCost } from "./onnx-cost.ts";
import { refuseUnsafeGraph } from "./onnx-graph.ts";

// A second thread leaves the time of one row as it is and doubles the CPU spent: the pool spins while it waits.
ort.env.wasm.numThreads = 1;
const options: ort.InferenceSession.SessionOptions = {
  executionProviders: ["wasm"],
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  // Arenas cost 2 MB a session and gain nothing at these sizes.
  enableCpuMemArena: false,
  enableMemPattern: false,
  graphOptimizationLevel: "all",
  logSeverityLevel: 3,
};

export interface OnnxSession {
  readonly cost: OnnxCost;
  /** One score per row. Blocks its thread; calls run one after another. Rejects when a score is not in [0, 1]. */
  run(columns: readonly Column[], count: number): Promise<Float32Array>;
  close(): Promise<void>;
}

/** Rejects with an Error that says what is wrong with the file. */
export async function openOnnxSession(
  name: string,
  bytes: Uint8Array,
  contract: FeatureContract,
  clock: Pick<Clock, "monotonic">,
): Promise<OnnxSession> {
  refuseUnsafeGraph(bytes);
  const native = await create(bytes);
  try {
    refuseOtherInputs(native.inputMetadata, contract);
    refuseOtherOutput(native.outputMetadata);
    const inTurn = queue();
    const run: Run = (columns, count) => inTurn(() => runOnce(native, contract, columns, count));
    await rehearse(name, contract, run);
    const cost = await measureCost(
      (rows) => run(toColumns(name, contract, rows), rows.length),
      sampleRows(contract)[0]!,
      clock,
    );
    return { cost, run, close: () => inTurn(() => native.release()) };
  } catch (error) {
    await native.release();
    throw error;
  }
}

async function create(bytes: Uint8Array): Promise<ort.InferenceSession> {
  try {
    return await ort.InferenceSession.create(bytes, options);
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    throw new Error(`the runtime refuses the graph (opset up to 26, ai.onnx.ml up to 5): ${said}`, { cause: error });
  }
}

function refuseOtherInputs(inputs: readonly ort.InferenceSession.ValueMetadata[], contract: FeatureContract): void {
  const wanted = new Map(contract.features.map(({ name, type }) => [name, type === "category" ? "string" : "float32"]));
  const wrong: string[] = [];
  for (const input of inputs) {
    const type = wanted.get(input.name);
    if (type === undefined) wrong.push(`input ${input.name} is not a feature of contract ${contract.name}`);
    else if (!input.isTensor || input.type !== type)
      wrong.push(
        `input ${input.name} must be a ${type} tensor, not ${input.isTensor ? input.type : "a sequence or map"}`,
      );
    else if (!isColumn(input.shape, false)) wrong.push(`input ${input.name} must have shape [N,1]`);
    wanted.delete(input.name);
  }
  for (const name of wanted.keys()) wrong.push(`feature ${name} has no input in the graph`);
  if (wrong.length > 0) throw new Error(wrong.join("; "));
}

function refuseOtherOutput(outputs: readonly ort.InferenceSession.ValueMetadata[]): void {
  const score = outputs.find((output) => output.name === "score");
  if (score === undefined)
    throw new Error(`the graph has no output \`score\`, only ${outputs.map((output) => output.name).join(", ")}`);
  if (!score.isTensor)
    throw new Error("output `score` is a sequence or map (a ZipMap?); export without it, as a float tensor [N,1]");
  if (score.type !== "float32") throw new Error(`output \`score\` must be float32, not ${score.type}`);
  if (!isColumn(score.shape, true)) throw new Error("output `score` must have shape [N,1] or [N]");
}

/** A symbolic first dimension, so that any number of rows goes in; unknown shapes are settled by the rehearsal. */
function isColumn(shape: readonly (number | string)[], flatAllowed: boolean): boolean {
  if (shape.length === 0) return true;
  if (typeof shape[0] === "number" && shape[0] > 0) return false;
  if (shape.length === 1) return flatAllowed;
  return shape.length === 2 && (typeof shape[1] !== "number" || shape[1] === 1);
}

async function runOnce(
  native: ort.InferenceSession,
  contract: FeatureContract,
  columns: readonly Column[],
  count: number,
): Promise<Float32Array> {
  const feeds: Record<string, ort.Tensor> = {};
  contract.features.forEach(({ name }, index) => {
    const column = columns[index]!;
    feeds[name] =
      column instanceof Float32Array
        ? new ort.Tensor("float32", column, [count, 1])
        : new ort.Tensor("string", column, [count, 1]);
  });
  const score = (await native.run(feeds, ["score"]))["score"];
  const scores = score?.data;
  if (!(scores instanceof Float32Array) || scores.length !== count || score?.dims[0] !== count)
    throw new Error(`the graph answered with shape [${score?.dims.join(",")}] for ${count} rows`);
  for (const [index, value] of scores.entries()) {
    if (!(value >= -1e-6 && value <= 1 + 1e-6))
      throw new Error(`the graph's score is ${Number.isNaN(value) ? "not a number" : "outside of [0, 1]"}`);
    scores[index] = Math.min(1, Math.max(0, value));
  }
  return scores;
}

/** `run()` of one session must not be entered twice at once, nor released within. */
function queue(): <T>(act: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (act) => {
    const mine = last.then(act);
    last = mine.catch(() => undefined);
    return mine;
  };
}

type Run = OnnxSession["run"];

/** A model that answers no rows allowed by its contract, or differently in a batch, is refused at load. */
async function rehearse(name: string, contract: FeatureContract, run: Run): Promise<void> {
  const rows = sampleRows(contract);
  const alone: number[] = [];
  for (const row of rows) alone.push((await run(toColumns(name, contract, [row]), 1))[0]!);
  const together = await run(toColumns(name, contract, rows), rows.length);
  alone.forEach((score, index) => {
    if (Math.abs(score - together[index]!) > 1e-6)
      throw new Error("the graph scores a row differently when other rows are beside it; rows must not mix");
  });
}
