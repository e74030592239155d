/** The load generator as the harness drives it. */
import type { ChildProcess } from "node:child_process";

export interface Define {
  name: string;
  /** Whole HTTP requests, sent in turn. */
  requests: Buffer[];
  /** Where a serial number is written into each request before it is sent, and how many digits (base 36). */
  serialAt?: number;
  serialLength?: number;
}

export interface LoadResult {
  completed: number;
  /** HTTP status → count. */
  statuses: Record<string, number>;
  durationMs: number;
  p50Ms: number;
  p99Ms: number;
  firstByteP50Ms: number;
  firstByteP99Ms: number;
}

export type GeneratorRequest =
  | { type: "define"; set: Define }
  | { type: "connect"; set: string; port: number; connections: number }
  | { type: "run"; durationMs: number }
  | { type: "disconnect" };
export type GeneratorReply = { type: "done" } | { type: "result"; result: LoadResult };

const patienceMs = 20_000;

export class Generator {
  readonly #child: ChildProcess;

  constructor(child: ChildProcess) {
    this.#child = child;
  }

  async define(set: Define): Promise<void> {
    await this.#ask({ type: "define", set });
  }
  async connect(set: string, port: number, connections: number): Promise<void> {
    await this.#ask({ type: "connect", set, port, connections });
  }
  async run(durationMs: number): Promise<LoadResult> {
    const reply = await this.#ask({ type: "run", durationMs });
    if (reply.type !== "result") throw new Error("the load generator gave no result");
    return reply.result;
  }
  async disconnect(): Promise<void> {
    await this.#ask({ type: "disconnect" });
  }

  #ask(request: GeneratorRequest): Promise<GeneratorReply> {
    return new Promise((resolve, reject) => {
      const tooLate = setTimeout(
        () => reject(new Error(`the load generator did not answer "${request.type}" in ${patienceMs} ms`)),
        patienceMs,
      );
      this.#child.once("message", (reply: GeneratorReply) => {
        clearTimeout(tooLate);
        resolve(reply);
      });
      this.#child.send(request);
    });
  }
}
