/** One inference request → one decision per row, in order, each on the governed path; then the answers as tensors. */
import { validateFeatures } from "../../kernel/contract.ts";
import { type Refusal, isRefusal, refuse } from "../../kernel/errors.ts";
import { newDecisionId } from "../../kernel/ids.ts";
import type { FeatureContract, UseCase } from "../../kernel/snapshot.ts";
import type { Answer, Ask, Call, ScoreAnswer, ScoreAsk } from "../../path/context.ts";
import {
  type Exchange,
  type Gateway,
  answerHeaders,
  callOf,
  parseJson,
  readBytes,
  readJsonAsk,
  sendBytes,
  sendJson,
} from "../gateway/index.ts";
import { bytesOf, headLengthHeader, splitBody } from "./binary.ts";
import { type InferRequest, decodeRaw, decodeRequest } from "./decode-request.ts";
import { type OutputName, outputDatatypes, versionOf } from "./metadata.ts";
import { type ModelAddress, type V2Ports, mayCall, wrongVersion } from "./models.ts";
import { refuseAsV2 } from "./reply.ts";

const maxBodyBytes = 4 * 1024 * 1024;
const maxIdsInHeader = 8;
const maxRowsNamed = 5;

interface Batch {
  useCase: UseCase;
  request: InferRequest;
  body: Uint8Array;
}

interface Decided {
  answer: Answer;
  score: ScoreAnswer;
}

export async function answerInfer(
  gateway: Gateway,
  ports: V2Ports,
  exchange: Exchange,
  model: ModelAddress,
): Promise<void> {
  let batch: Batch | undefined;
  // How many rows there are is known only after the caller is: the first row's call brings the body for all of them.
  const first = callOf(exchange, "inference-v2", () => {
    return readAsk(exchange, (body, value, tail) => {
      const read = batchOf(ports, first, model, body, value, tail);
      if (!read) return unreadAsk(model, body);
      if (isRefusal(read)) return read;
      batch = read;
      return askOf(read, 0);
    });
  });
  const decided: Decided[] = [];
  for (let call: Call | undefined = first; call; call = nextCall(gateway, ports, first, batch, decided.length)) {
    const answer = await gateway.decide(call);
    const { outcome } = answer;
    if (outcome.type === "refused") return sendRefusal(exchange, answer, outcome.refusal, batch, decided);
    if (outcome.type !== "score") throw new Error(`the inference surface can't show a ${outcome.type}`);
    decided.push({ answer, score: outcome.answer });
  }
  if (!batch) throw new Error(`use case ${model.name} was scored without its rows`);
  const headers = { ...headersOf(decided.map((row) => row.answer)), ...droppedHeader(batch, decided) };
  sendInference(exchange, headers, batch, decided);
}

/** The JSON of the body, and what of it stands behind the head in the binary form. `value` is absent for raw binary. */
async function readAsk(
  exchange: Exchange,
  toAsk: (body: Buffer, value: unknown, tail: Buffer | undefined) => Ask | Refusal,
): Promise<Ask | Refusal> {
  const declared = exchange.request.headers[headLengthHeader];
  if (typeof declared !== "string")
    return readJsonAsk(exchange, maxBodyBytes, (value, body) => toAsk(body, value, undefined));
  const body = await readBytes(exchange, maxBodyBytes);
  if (isRefusal(body)) return body;
  const split = splitBody(body, declared);
  if (isRefusal(split)) return split;
  if (!split.head) return toAsk(body, undefined, split.tail);
  const parsed = parseJson(split.head);
  return isRefusal(parsed) ? parsed : toAsk(body, parsed.value, split.tail);
}

function sendInference(
  exchange: Exchange,
  headers: Record<string, string>,
  batch: Batch,
  decided: readonly Decided[],
): void {
  const { head, tensors } = inferResponse(batch, decided);
  if (tensors.length === 0) return sendJson(exchange.response, 200, headers, head);
  const json = Buffer.from(JSON.stringify(head));
  headers[headLengthHeader] = String(json.length);
  sendBytes(exchange.response, 200, headers, Buffer.concat([json, ...tensors]), "application/octet-stream");
}

/** Undefined where the path itself has to say no: this key, or this kind of use case, has no part in the protocol. */
function batchOf(
  ports: V2Ports,
  call: Call,
  model: ModelAddress,
  body: Uint8Array,
  value: unknown,
  tail: Buffer | undefined,
): Batch | Refusal | undefined {
  const principal = ports.identify(call.credential);
  if (isRefusal(principal)) return principal;
  const useCase = ports.snapshot().useCases.get(model.name);
  // A contract is described only to those who may call it.
  if (!useCase?.contract || !mayCall(principal, useCase)) return undefined;
  const stale = wrongVersion(useCase, model.version);
  if (stale) return stale;
  const request =
    tail && value === undefined ? decodeRaw(tail, useCase.contract) : decodeRequest(value, useCase.contract, tail);
  if (isRefusal(request)) return request;
  if (request.rows.length > 1) {
    const refusal = perRequestOnly(call, useCase, request.rows.length) ?? invalidRows(useCase.contract, request.rows);
    if (refusal) return refusal;
  }
  return { useCase, request, body };
}

/** Without features it can only be refused, and is: by rights, kind or name, as on every other surface. */
const unreadAsk = (model: ModelAddress, body: Uint8Array): ScoreAsk => ({
  kind: "score",
  useCase: model.name,
  input: undefined,
  body,
});

const askOf = ({ useCase, request, body }: Batch, row: number): ScoreAsk => ({
  kind: "score",
  useCase: useCase.name,
  input: { features: request.rows[row] },
  body,
});

/** Some things are said once per request but belong to one decision; with many rows nobody could tell to which. */
function perRequestOnly(call: Call, useCase: UseCase, rows: number): Refusal | undefined {
  const no = (param: string, what: string) =>
    refuse("unsupported_feature", `${param}: ${what}; this request has ${rows} rows. Send one row per request.`, {
      param,
    });
  if (call.context.idempotencyKey !== undefined) return no("idempotency-key", "a key stands for one decision");
  if (call.context.subject !== undefined) return no("x-weir-subject", "one subject can't stand for many rows");
  if (useCase.consent === "required")
    return no("x-weir-subject", `"${useCase.name}" needs the subject and consent of each decision`);
  return undefined;
}

/** All rows are held against the contract before the first is decided, so that a wrong one leaves nothing half done. */
function invalidRows(contract: FeatureContract, rows: InferRequest["rows"]): Refusal | undefined {
  const told: string[] = [];
  let wrong = 0;
  for (const [row, features] of rows.entries()) {
    const checked = validateFeatures(contract, { features });
    if (checked.ok) continue;
    wrong++;
    if (told.length < maxRowsNamed)
      told.push(`row ${row}: ${checked.problems.map(({ feature, message }) => `${feature} ${message}`).join("; ")}`);
  }
  if (wrong === 0) return undefined;
  const more = wrong > told.length ? ` (and ${wrong - told.length} more rows)` : "";
  return refuse("invalid_input", `${told.join(". ")}${more}. No row was decided.`, { param: "inputs" });
}

/** The call of the row after those decided, if there is one. Its time runs from here: it has not waited in vain. */
function nextCall(
  gateway: Gateway,
  ports: V2Ports,
  first: Call,
  batch: Batch | undefined,
  row: number,
): Call | undefined {
  // Nobody waits for the rows of a client that is gone.
  if (!batch || row >= batch.request.rows.length || first.signal.aborted) return undefined;
  return {
    ...first,
    decision: newDecisionId(gateway.clock),
    startedAtMs: gateway.clock.now(),
    started: gateway.clock.monotonic(),
    read: (): Ask | Refusal => replaced(ports, batch) ?? askOf(batch, row),
  };
}

/** An answer names one version: rows after a change of the bundle would belong to another. */
function replaced(ports: V2Ports, { useCase }: Batch): Refusal | undefined {
  if (ports.snapshot().useCases.get(useCase.name)?.bundle === useCase.bundle) return undefined;
  return refuse("not_found", `Version "${versionOf(useCase)}" was replaced while its rows were being decided.`);
}

/** A later row can still be refused, by a quota for instance. The rows before it are decided and recorded, and stay so. */
function sendRefusal(
  exchange: Exchange,
  answer: Answer,
  refusal: Refusal,
  batch: Batch | undefined,
  decided: readonly Decided[],
): void {
  const rows = batch?.request.rows.length ?? 1;
  if (rows === 1) return refuseAsV2(exchange, refusal, answerHeaders(answer));
  const row = decided.length;
  const before =
    row === 0
      ? "No row was decided."
      : `The rows before it are decided and recorded; the first is ${decided[0]!.answer.decision}.`;
  const message = `Row ${row} (${answer.decision}): ${refusal.message} ${before}`;
  refuseAsV2(exchange, { ...refusal, message }, headersOf([...decided.map((done) => done.answer), answer]));
}

/** What holds of all rows: their ids, and the limits as the last one left them. */
function headersOf(answers: readonly Answer[]): Record<string, string> {
  const last = answers.at(-1)!;
  if (answers.length === 1) return answerHeaders(last);
  const { decision, outcome, limits } = last;
  const ids = answers.length <= maxIdsInHeader ? answers.map((answer) => answer.decision) : [answers[0]!.decision];
  const headers = answerHeaders({ decision, outcome, ...(limits && { limits }) });
  return { ...headers, "x-weir-decision-id": ids.join(", ") };
}

function droppedHeader({ request }: Batch, decided: readonly Decided[]): Record<string, string> {
  const names = new Set([...decided.flatMap((row) => row.answer.settled?.dropped ?? []), ...request.dropped]);
  // Clients choose the names of parameters; not all characters may stand in a header.
  const text = [...names].map((name) => name.replace(/[^\x21-\x2b\x2d-\x7e]/g, "?")).join(", ");
  return text === "" ? {} : { "x-weir-dropped": text.slice(0, 1024) };
}

/** The JSON, and the bytes of those outputs that were asked for as bytes, in its order. */
function inferResponse(
  { useCase, request }: Batch,
  decided: readonly Decided[],
): { head: Record<string, unknown>; tensors: Buffer[] } {
  const values: Record<OutputName, (row: Decided) => unknown> = {
    score: scoreOf,
    result: (row) => row.score.result,
    decision_id: (row) => row.answer.decision,
  };
  const tensors: Buffer[] = [];
  const outputs = request.outputs.map(({ name, binary }) => {
    const datatype = outputDatatypes[name];
    const shown = { name, shape: [decided.length, 1], datatype };
    const data = decided.map(values[name]);
    if (!binary) return { ...shown, data };
    const bytes = bytesOf(datatype, data);
    tensors.push(bytes);
    return { ...shown, parameters: { binary_data_size: bytes.length } };
  });
  const head = {
    model_name: useCase.name,
    model_version: versionOf(useCase),
    ...(request.id !== undefined && { id: request.id }),
    outputs,
  };
  return { head, tensors };
}

/** Null where the decision was made without a model's score, e.g. by handing over to people. */
function scoreOf({ score }: Decided): number | null {
  if (score.score === undefined) return null;
  if (!Number.isFinite(score.score)) throw new Error("a score that is not finite can't be written as JSON");
  return score.score;
}
