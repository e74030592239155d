/**
 * One ONNX session, single-threaded, checked against its contract before it serves. Imports the native code of
 * onnxruntime-web, so nothing but a lazy import or the worker may import this file.
 */
import * as ort from "onnxruntime-web";
import type { Clock } from "../../kernel/clock.ts";
import type { FeatureContract } from "../../kernel/snapshot.ts";
import { sampleRows } from "./feature-rows.ts";
import { type Column, createRowEncoder, type FeatureRow, type RowEncoder } from "./onnx-columns.ts";
import { measureCost, type OnnxCost } from "./onnx-cost.ts";
import { refuseUnsafeGraph } from "./onnx-graph.ts";
import { problemOf } from "./score-range.ts";
import { inThreadTurn } from "./thread-turn.ts";

// A second thread leaves the time of one row as it is and doubles the CPU spent: the pool spins while it waits.
ort.env.wasm.numThreads = 1;
// The library's own messages quote values of rows, and go to stderr past every redaction.
const silent = 4;
const common: ort.InferenceSession.SessionOptions = {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  // Arenas cost 2 MB a session and gain nothing at these sizes.
  enableCpuMemArena: false,
  enableMemPattern: false,
  graphOptimizationLevel: "all",
  logSeverityLevel: silent,
};

/** What both packages of the runtime offer. */
export interface OnnxPackage {
  InferenceSession: Pick<typeof ort.InferenceSession, "create">;
  Tensor: typeof ort.Tensor;
  provider: "wasm" | "cpu";
}
const web: OnnxPackage = { InferenceSession: ort.InferenceSession, Tensor: ort.Tensor, provider: "wasm" };

export interface OnnxSession {
  readonly cost: OnnxCost;
  /**
   * One raw score per row, which the caller may keep. Blocks its thread; runs of a thread follow one another. `fill`
   * writes the rows into the columns when their turn has come.
   */
  run(count: number, fill: (columns: readonly Column[]) => void): Promise<Float32Array>;
  close(): Promise<void>;
}

/** Rejects with an Error that says what is wrong with the file. */
export async function openOnnxSession(
  name: string,
  bytes: Uint8Array,
  contract: FeatureContract,
  clock: Pick<Clock, "monotonic">,
  from: OnnxPackage = web,
): Promise<OnnxSession> {
  refuseUnsafeGraph(bytes);
  const native = await create(bytes, from);
  try {
    refuseOtherInputs(native.inputMetadata, contract);
    refuseOtherOutput(native.outputMetadata);
    const encoder = createRowEncoder(name, contract);
    const feedsOf = reusedFeeds(from, contract, encoder);
    const runOpenly: OnnxSession["run"] = (count, fill) =>
      inThreadTurn(() => runOnce(native, feedsOf(count), count, fill));
    const score = (rows: readonly FeatureRow[]) => runOpenly(rows.length, (columns) => encoder.fill(columns, rows));
    await rehearse(sampleRows(contract), encoder, score);
    const cost = await measureCost(score, sampleRows(contract)[0]!, clock);
    const run: OnnxSession["run"] = (count, fill) =>
      runOpenly(count, fill).catch((error: unknown) => {
        throw withoutValues(error);
      });
    return { cost, run, close: () => inThreadTurn(() => native.release()) };
  } catch (error) {
    await native.release();
    throw error;
  }
}

async function create(bytes: Uint8Array, from: OnnxPackage): Promise<ort.InferenceSession> {
  try {
    return await from.InferenceSession.create(bytes, { ...common, executionProviders: [from.provider] });
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

type Feeds = Record<string, ort.Tensor>;

/** Tensors of small batches are made once and written anew for each run: making them costs more than filling them. */
const maxReusedRows = 64;

function reusedFeeds(from: OnnxPackage, contract: FeatureContract, encoder: RowEncoder) {
  const kept: { feeds: Feeds; columns: Column[] }[] = [];
  return (count: number) => {
    const known = kept[count];
    if (known !== undefined) return known;
    const columns = encoder.newColumns(count);
    const feeds: Feeds = {};
    contract.features.forEach(({ name }, index) => {
      const column = columns[index]!;
      feeds[name] =
        column instanceof Float32Array
          ? new from.Tensor("float32", column, [count, 1])
          : new from.Tensor("string", column, [count, 1]);
    });
    const made = { feeds, columns };
    if (count <= maxReusedRows) kept[count] = made;
    return made;
  };
}

/** What a failed run of somebody's rows may say: the operator and the code, for the rest quotes the rows. */
function withoutValues(error: unknown): unknown {
  if (!(error instanceof Error) || error.name !== "Error" || error instanceof AnswerError) return error;
  const operator = /while running ([A-Za-z]+) node/.exec(error.message)?.[1];
  const code = /ERROR_CODE: (\d+)/.exec(error.message)?.[1];
  return new Error(`the graph failed${operator ? ` in operator ${operator}` : ""}${code ? ` (code ${code})` : ""}`);
}

class AnswerError extends Error {}

const wanted = ["score"];
const runOptions: ort.InferenceSession.RunOptions = { logSeverityLevel: silent };

async function runOnce(
  native: ort.InferenceSession,
  { feeds, columns }: { feeds: Feeds; columns: Column[] },
  count: number,
  fill: (columns: readonly Column[]) => void,
): Promise<Float32Array> {
  fill(columns);
  const score = (await native.run(feeds, wanted, runOptions))["score"];
  const scores = score?.data;
  if (!(scores instanceof Float32Array) || scores.length !== count || score?.dims[0] !== count)
    throw new AnswerError(`the graph answered with shape [${score?.dims.join(",")}] for ${count} rows`);
  return scores;
}

/** A model that answers no rows allowed by its contract, or differently in a batch, is refused at load. */
async function rehearse(
  rows: readonly FeatureRow[],
  encoder: RowEncoder,
  score: (rows: readonly FeatureRow[]) => Promise<Float32Array>,
): Promise<void> {
  const alone: number[] = [];
  for (const row of rows) {
    encoder.refuse(row);
    const [value] = await score([row]);
    const problem = problemOf(value!);
    if (problem !== undefined) throw new Error(problem);
    alone.push(value!);
  }
  const together = await score(rows);
  alone.forEach((value, index) => {
    // Not `>`: a score that is none in the batch only must not slip through.
    if (!(Math.abs(value - together[index]!) <= 1e-6))
      throw new Error("the graph scores a row differently when other rows are beside it; rows must not mix");
  });
}
