/**
 * A session in a worker thread: calls, crashes, a bounded number of restarts, end. The thread keeps the process alive only
 * while somebody waits for it.
 */
import { Worker } from "node:worker_threads";
import type { Clock } from "../../kernel/clock.ts";
import type { Column } from "./onnx-columns.ts";
import type { OnnxWorkerData, OnnxWorkerMessage, ScoreCall } from "./onnx-messages.ts";
import type { OnnxCost } from "./onnx-cost.ts";

/** What this file needs of a thread; tests bring their own. */
export interface Thread {
  postMessage(call: ScoreCall, transfer: ArrayBuffer[]): void;
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

interface Waiting {
  resolve(scores: Float32Array): void;
  reject(error: Error): void;
}

interface Running {
  thread: Thread;
  ready: Promise<OnnxCost>;
  waiting: Map<number, Waiting>;
}

export class OnnxWorkerHost {
  readonly #data: OnnxWorkerData;
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #startThread: StartThread;
  #running: Running | undefined;
  #starts: number[] = [];
  #closed = false;
  #lastId = 0;

  constructor(data: OnnxWorkerData, clock: Pick<Clock, "monotonic">, startThread: StartThread = startWorkerThread) {
    this.#data = data;
    this.#clock = clock;
    this.#startThread = startThread;
  }

  /** Starts the thread where none runs; resolves with the cost that it measured, rejects where it refuses the file. */
  async start(): Promise<OnnxCost> {
    if (this.#closed) throw new Error("the model was closed");
    this.#running ??= this.#launch();
    return this.#running.ready;
  }

  /** The columns' buffers are handed over. */
  async run(columns: Column[], count: number, signal?: AbortSignal): Promise<Float32Array> {
    await this.start();
    signal?.throwIfAborted();
    const running = this.#running;
    if (running === undefined) throw new Error("its worker stopped before the call");
    const id = ++this.#lastId;
    const buffers = columns.flatMap((column) =>
      column instanceof Float32Array && column.buffer instanceof ArrayBuffer ? [column.buffer] : [],
    );
    return new Promise((resolve, reject) => {
      const onAbort = () => settle()?.reject(signal!.reason as Error);
      const settle = () => {
        const mine = running.waiting.get(id);
        signal?.removeEventListener("abort", onAbort);
        running.waiting.delete(id);
        if (running.waiting.size === 0) running.thread.unref();
        return mine;
      };
      running.waiting.set(id, {
        resolve: (scores) => (settle(), resolve(scores)),
        reject: (error) => (settle(), reject(error)),
      });
      signal?.addEventListener("abort", onAbort, { once: true });
      running.thread.ref();
      running.thread.postMessage({ id, count, columns }, buffers);
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    const running = this.#running;
    this.#running = undefined;
    if (running === undefined) return;
    failAll(running, new Error("the model was closed before the call was answered"));
    await running.thread.terminate();
  }

  #launch(): Running {
    const now = this.#clock.monotonic();
    this.#starts = this.#starts.filter((at) => now - at < restartWindowMs);
    if (this.#starts.length > maxRestarts)
      throw new Error(`its worker stopped ${this.#starts.length} times within a minute; it is not started again yet`);
    this.#starts.push(now);
    const thread = this.#startThread(this.#data);
    const started = Promise.withResolvers<OnnxCost>();
    // A crash after `ready` is told to the calls that wait; nobody may be listening here.
    started.promise.catch(() => undefined);
    const running: Running = { thread, ready: started.promise, waiting: new Map() };
    const stop = (error: Error) => {
      if (this.#running === running) this.#running = undefined;
      started.reject(error);
      failAll(running, error);
    };
    thread.on("message", (message) => {
      if (message.type === "ready") {
        started.resolve(message.cost);
        if (running.waiting.size === 0) thread.unref();
      } else if (message.type === "refused") stop(new Error(message.message));
      else if (message.type === "scored") running.waiting.get(message.id)?.resolve(message.scores);
      else running.waiting.get(message.id)?.reject(new Error(message.message));
    });
    thread.on("error", (error) => stop(new Error(`its worker failed: ${error.message}`, { cause: error })));
    thread.on("exit", (code) => stop(new Error(`its worker stopped (exit code ${code}) before the call was answered`)));
    return running;
  }
}

function failAll(running: Running, error: Error): void {
  for (const waiting of running.waiting.values()) waiting.reject(error);
}
