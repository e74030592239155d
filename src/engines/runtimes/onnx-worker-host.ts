/**
 * A session in a worker thread: calls, crashes, hangs, a bounded number of restarts, end. The thread keeps the process
 * alive only while somebody waits for it.
 */
import { Worker } from "node:worker_threads";
import type { Clock } from "../../kernel/clock.ts";
import type { PackedRows } from "./onnx-columns.ts";
import { microsOf, type OnnxCost } from "./onnx-cost.ts";
import type { OnnxWorkerData, OnnxWorkerMessage, ScoreCall } from "./onnx-messages.ts";
import { LaneLost } from "./poison-rows.ts";

/** What this file needs of a thread; tests bring their own. */
export interface Thread {
  postMessage(call: ScoreCall): void;
  on(event: "message", hear: (message: OnnxWorkerMessage) => void): unknown;
  on(event: "error", hear: (error: Error) => void): unknown;
  on(event: "exit", hear: (code: number) => void): unknown;
  ref(): void;
  unref(): void;
  terminate(): Promise<unknown>;
}

export type StartThread = (data: OnnxWorkerData) => Thread;

const startWorkerThread: StartThread = (data) =>
  new Worker(new URL("./onnx-worker.ts", import.meta.url), { workerData: data, name: `onnx ${data.name}` });

const maxRestarts = 3;
const restartWindowMs = 60_000;
/** A graph has no loops, so a call that takes so many times longer than measured never ends, or nobody waits any more. */
const hungFactor = 100;
const minHungMs = 5_000;
/** Opening a large file and measuring it takes seconds on a busy machine. */
const startMs = 120_000;

/** What the thread found out as it loaded the file. */
export interface Started {
  cost: OnnxCost;
  engine: string;
}

interface Waiting {
  resolve(scores: Float32Array): void;
  reject(error: Error): void;
}

interface Running {
  thread: Thread;
  ready: Promise<Started>;
  started: Started | undefined;
  waiting: Map<number, Waiting>;
  /** Ends the thread: it is not to be used again. */
  replace(why: string): void;
}

export class OnnxWorkerHost {
  readonly #data: OnnxWorkerData;
  readonly #clock: Pick<Clock, "monotonic" | "after">;
  readonly #startThread: StartThread;
  #running: Running | undefined;
  #starts: number[] = [];
  #closed = false;
  #lastId = 0;

  constructor(
    data: OnnxWorkerData,
    clock: Pick<Clock, "monotonic" | "after">,
    startThread: StartThread = startWorkerThread,
  ) {
    this.#data = data;
    this.#clock = clock;
    this.#startThread = startThread;
  }

  /** Whether a call would run at once: the thread has loaded its file. */
  get ready(): boolean {
    return this.#running?.started !== undefined;
  }

  /** Starts the thread where none runs; resolves with what it measured, rejects where it refuses the file. */
  async start(): Promise<Started> {
    if (this.#closed) throw new LaneLost("the model was closed");
    this.#running ??= this.#launch();
    return this.#running.ready;
  }

  /** One raw score per row. Rejects with `LaneLost` where the thread is gone, else with what the graph said. */
  async run(rows: PackedRows): Promise<Float32Array> {
    const { cost } = await this.start();
    const running = this.#running;
    if (running === undefined) throw new LaneLost("its worker stopped before the call");
    const id = ++this.#lastId;
    const limitMs = Math.max(minHungMs, (hungFactor * microsOf(cost, rows.count)) / 1000);
    return new Promise((resolve, reject) => {
      const stopWatch = this.#clock.after(limitMs, () =>
        running.replace(`its worker did not answer for ${Math.round(limitMs / 1000)} s and was ended`),
      );
      const settle = () => {
        stopWatch();
        running.waiting.delete(id);
        if (running.waiting.size === 0) running.thread.unref();
      };
      running.waiting.set(id, {
        resolve: (scores) => (settle(), resolve(scores)),
        reject: (error) => (settle(), reject(error)),
      });
      running.thread.ref();
      running.thread.postMessage({ id, rows });
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    const running = this.#running;
    this.#running = undefined;
    if (running === undefined) return;
    failAll(running, new LaneLost("the model was closed before the call was answered"));
    await running.thread.terminate();
  }

  #launch(): Running {
    const now = this.#clock.monotonic();
    this.#starts = this.#starts.filter((at) => now - at < restartWindowMs);
    if (this.#starts.length > maxRestarts)
      throw new LaneLost(
        `its worker stopped ${this.#starts.length} times within a minute; it is not started again yet`,
      );
    this.#starts.push(now);
    const thread = this.#startThread(this.#data);
    const started = Promise.withResolvers<Started>();
    // A crash after `ready` is told to the calls that wait; nobody may be listening here.
    started.promise.catch(() => undefined);
    const stop = (error: Error) => {
      stopWatch();
      if (this.#running === running) this.#running = undefined;
      started.reject(error);
      failAll(running, error);
    };
    const replace = (why: string) => {
      stop(new LaneLost(why));
      // Its exit is heard, and changes nothing any more.
      thread.terminate().catch(() => undefined);
    };
    const stopWatch = this.#clock.after(startMs, () => replace(`its worker was not ready after ${startMs / 1000} s`));
    const running: Running = { thread, ready: started.promise, started: undefined, waiting: new Map(), replace };
    thread.on("message", (message) => {
      if (message.type === "ready") {
        stopWatch();
        running.started = { cost: message.cost, engine: message.engine };
        started.resolve(running.started);
        if (running.waiting.size === 0) thread.unref();
      } else if (message.type === "refused") stop(new LaneLost(message.message));
      else if (message.type === "scored") running.waiting.get(message.id)?.resolve(message.scores);
      else running.waiting.get(message.id)?.reject(new Error(message.message));
    });
    thread.on("error", (error) => stop(new LaneLost(`its worker failed: ${error.message}`, { cause: error })));
    thread.on("exit", (code) =>
      stop(new LaneLost(`its worker stopped (exit code ${code}) before the call was answered`)),
    );
    return running;
  }
}

function failAll(running: Running, error: Error): void {
  for (const waiting of running.waiting.values()) waiting.reject(error);
}
