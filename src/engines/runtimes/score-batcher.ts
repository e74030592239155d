/**
 * Gathers the calls of one model into batches, without a timer: what waits at the end of a turn of the event loop runs
 * as one batch, and what comes while a batch runs makes the next. Every row gets its own score or its own fault.
 */
import type { Clock } from "../../kernel/clock.ts";
import { WeirError } from "../../kernel/errors.ts";
import type { ScoredRow } from "./port.ts";
import { isolate, type Piece } from "./poison-rows.ts";
import { problemOf, within } from "./score-range.ts";
import type { Signal } from "../../kernel/signal.ts";

/** Where a batch runs. */
export interface BatchLane<Row> {
  maxRows: number;
  /** Runs on this thread: the loop gets a turn between batches, and no call can be given up while one runs. */
  here: boolean;
  /** One raw score per row, in order. Rejects where the batch as a whole failed; with `LaneLost` where no retry helps. */
  run(rows: readonly Row[]): Promise<ArrayLike<number>>;
}

export interface BatcherOptions<Row> {
  model: string;
  clock: Pick<Clock, "monotonic">;
  /** Asked before each batch, with the number of rows that wait. */
  laneFor(waitingRows: number): BatchLane<Row>;
  bytesOf(row: Row): number;
  maxBatchBytes: number;
  /** Rows that may wait, beside one call that is larger by itself. */
  maxWaitingRows(): number;
  /** Runs `act` when the current turn of the event loop ends. */
  atTurnEnd?(act: () => void): void;
}

interface WaitingCall<Row> {
  readonly rows: readonly Row[];
  readonly scored: ScoredRow[];
  readonly deadlineAt: number;
  readonly signal: Signal | undefined;
  /** First row that is in no batch yet. */
  next: number;
  /** Rows without a score. */
  missing: number;
  settled: boolean;
  onAbort: (() => void) | undefined;
  resolve(scored: ScoredRow[]): void;
  reject(error: unknown): void;
}

/** Rows and, at the same places, whose they are. */
interface Batch<Row> {
  rows: Row[];
  calls: WaitingCall<Row>[];
  places: number[];
}

export class ScoreBatcher<Row> {
  readonly #options: BatcherOptions<Row>;
  readonly #atTurnEnd: (act: () => void) => void;
  /** In order of arrival; those with rows in no batch yet. */
  readonly #waiting = new Set<WaitingCall<Row>>();
  #waitingRows = 0;
  #state: "free" | "turn-ending" | "running" = "free";
  /** A batch is on another thread: calls may be given up before it ends. */
  #away = false;
  #closed = false;
  /** Nothing of the last failed batch could be scored, so the next failure is not worth a search. */
  #hopeless = false;

  constructor(options: BatcherOptions<Row>) {
    this.#options = options;
    this.#atTurnEnd = options.atTurnEnd ?? setImmediate;
  }

  /** `deadlineAt` is monotonic. Rejects with the signal's reason, or a WeirError: of a row, of the queue or of the model. */
  submit(rows: readonly Row[], signal?: Signal, deadlineAt = Infinity): Promise<ScoredRow[]> {
    if (signal?.aborted) return Promise.reject(signal.reason as Error);
    if (this.#closed) return Promise.reject(closedFault(this.#options.model));
    if (rows.length === 0) return Promise.resolve([]);
    const limit = this.#options.maxWaitingRows();
    if (this.#waitingRows > 0 && this.#waitingRows + rows.length > limit)
      return Promise.reject(
        new WeirError(
          "overloaded",
          `model ${this.#options.model} has ${this.#waitingRows} rows waiting, the limit is ${limit}`,
        ),
      );
    return new Promise((resolve, reject) => {
      const call: WaitingCall<Row> = {
        rows,
        scored: [],
        deadlineAt,
        signal,
        next: 0,
        missing: rows.length,
        settled: false,
        onAbort: undefined,
        resolve,
        reject,
      };
      this.#waiting.add(call);
      this.#waitingRows += rows.length;
      if (this.#away) this.#watch(call);
      if (this.#state === "free") this.#whenTurnEnds();
    });
  }

  /** Calls whose rows are in no batch yet are rejected; a batch that runs is left to its lane. */
  close(): void {
    this.#closed = true;
    for (const call of this.#waiting) this.#settle(call, closedFault(this.#options.model));
  }

  #whenTurnEnds(): void {
    this.#state = "turn-ending";
    this.#atTurnEnd(() => void this.#drain());
  }

  async #drain(): Promise<void> {
    this.#state = "running";
    while (this.#waiting.size > 0) {
      const lane = this.#options.laneFor(this.#waitingRows);
      const batch = this.#take(Math.max(1, lane.maxRows));
      if (batch.rows.length === 0) continue;
      this.#away = !lane.here;
      if (this.#away) {
        for (const call of batch.calls) this.#watch(call);
        for (const call of this.#waiting) this.#watch(call);
      }
      await this.#run(lane, batch);
      this.#away = false;
      if (lane.here && this.#waiting.size > 0) return this.#whenTurnEnds();
    }
    this.#state = "free";
  }

  /** The next rows in order of arrival, without those whose time is up. */
  #take(maxRows: number): Batch<Row> {
    const { clock, bytesOf, maxBatchBytes } = this.#options;
    const batch: Batch<Row> = { rows: [], calls: [], places: [] };
    let bytes = 0;
    const now = clock.monotonic();
    for (const call of this.#waiting) {
      if (this.#isLate(call, now)) continue;
      while (call.next < call.rows.length) {
        const row = call.rows[call.next]!;
        bytes += bytesOf(row);
        if (batch.rows.length === maxRows || (bytes > maxBatchBytes && batch.rows.length > 0)) return batch;
        batch.rows.push(row);
        batch.calls.push(call);
        batch.places.push(call.next++);
        this.#waitingRows--;
      }
      this.#waiting.delete(call);
    }
    return batch;
  }

  #isLate(call: WaitingCall<Row>, now: number): boolean {
    if (call.signal?.aborted) this.#settle(call, call.signal.reason);
    else if (call.deadlineAt <= now)
      this.#settle(
        call,
        new WeirError("deadline_exceeded", `model ${this.#options.model}: the row's time was up before its turn`),
      );
    return call.settled;
  }

  async #run(lane: BatchLane<Row>, batch: Batch<Row>): Promise<void> {
    try {
      this.#deliver(batch, await lane.run(batch.rows));
      this.#hopeless = false;
    } catch (error) {
      const found = await isolate<Batch<Row>>(pieceOf(batch), error, {
        hopeless: this.#hopeless,
        run: async (piece) => this.#deliver(piece, await lane.run(piece.rows)),
        split: (piece, from, to) => pieceOf(stillWanted(piece, from, to)),
        fail: (piece, fault, why) => this.#fail(piece, fault, why),
      });
      this.#hopeless = found.hopeless;
    }
  }

  #deliver(batch: Batch<Row>, scores: ArrayLike<number>): void {
    for (let i = 0; i < batch.rows.length; i++) {
      const call = batch.calls[i]!;
      if (call.settled) continue;
      const score = scores[i]!;
      const problem = problemOf(score);
      if (problem !== undefined) {
        this.#settle(call, rowFault(this.#options.model, new Error(problem)));
        continue;
      }
      call.scored[batch.places[i]!] = { score: within(score), reasons: [] };
      if (--call.missing === 0) this.#settle(call);
    }
  }

  #fail(batch: Batch<Row>, error: unknown, why: string): void {
    for (const call of batch.calls) if (!call.settled) this.#settle(call, rowFault(this.#options.model, error, why));
  }

  /** Without `error`, with its scores. Rows of it that are in no batch yet leave the queue. */
  #settle(call: WaitingCall<Row>, error?: unknown): void {
    if (call.settled) return;
    call.settled = true;
    if (this.#waiting.delete(call)) this.#waitingRows -= call.rows.length - call.next;
    if (call.onAbort) call.signal?.removeEventListener("abort", call.onAbort);
    if (error !== undefined) call.reject(error);
    else if (call.signal?.aborted) call.reject(call.signal.reason);
    else call.resolve(call.scored);
  }

  /** Only calls that outlast this turn are worth a listener. */
  #watch(call: WaitingCall<Row>): void {
    if (call.onAbort || call.settled || call.signal === undefined) return;
    call.onAbort = () => this.#settle(call, call.signal!.reason);
    call.signal.addEventListener("abort", call.onAbort, { once: true });
    // Aborted since it was submitted, in the same turn: the event has passed.
    if (call.signal.aborted) call.onAbort();
  }
}

const pieceOf = <Row>(batch: Batch<Row>): Piece<Batch<Row>> => ({ batch, size: batch.rows.length });

/** A part of a batch, without the rows whose calls have ended. */
function stillWanted<Row>(batch: Batch<Row>, from: number, to: number): Batch<Row> {
  const part: Batch<Row> = { rows: [], calls: [], places: [] };
  for (let i = from; i < to; i++) {
    if (batch.calls[i]!.settled) continue;
    part.rows.push(batch.rows[i]!);
    part.calls.push(batch.calls[i]!);
    part.places.push(batch.places[i]!);
  }
  return part;
}

const closedFault = (model: string) =>
  new WeirError("internal", `model ${model} was closed; a snapshot still in use named it`);

function rowFault(model: string, error: unknown, why = ""): WeirError {
  const said = error instanceof Error ? error.message : String(error);
  return new WeirError("internal", `model ${model} could not score: ${said}${why && `; ${why}`}`, { cause: error });
}
