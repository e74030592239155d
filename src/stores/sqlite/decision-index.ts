/** The request loop's side of the projection: questions go to the worker as messages and never block. */
import { Worker } from "node:worker_threads";
import { WeirError } from "../../kernel/errors.ts";
import type { OutcomeMeta } from "../../kernel/decision.ts";
import type {
  Arrivals,
  Choices,
  CostQuestion,
  Costs,
  DecisionFilter,
  DecisionIndex,
  IdempotentRow,
  IndexedDecision,
  Overview,
  OverviewRange,
  Page,
  PageCursor,
  RefusalCount,
  Spending,
  RunningState,
} from "../../projection/index.ts";
import type { Durable, FromWorker, Operations, Question, ToWorker, WorkerStart } from "./projection-worker.ts";

interface SqliteIndexOptions {
  /** The projection's file; made when absent, replaced when damaged or older. */
  path: string;
  /** The ledger's folder, with one folder per node. */
  journalDir: string;
  log: (message: string) => void;
  /** How often other processes' journals are looked at. */
  pollMs?: number;
  restMs?: number;
  /** Of this process's own journal, when it has one: nothing beyond is read until `wake` says so. */
  durable?: Durable;
}

interface Waiting {
  resolve: (value: unknown) => void;
  reject: (error: Error) => void;
}

export class SqliteIndex implements DecisionIndex, RunningState {
  readonly #worker: Worker;
  readonly #log: (message: string) => void;
  readonly #waiting = new Map<number, Waiting>();
  readonly #listeners = new Set<() => void>();
  #lastId = 0;
  /** One wake at a time is under way, so that a busy journal costs two messages per run and not one per commit. */
  #wakeSent = false;
  #nextWake: Durable | undefined;
  #ended: string | undefined;
  #closing: Promise<void> | undefined;

  /** Resolves when the file is open (or was replaced); rejects when it can't be. */
  static async open(options: SqliteIndexOptions): Promise<SqliteIndex> {
    const index = new SqliteIndex(options);
    await index.outcomes("");
    return index;
  }

  private constructor({ path, journalDir, log, pollMs = 1_000, restMs = 200, durable }: SqliteIndexOptions) {
    this.#log = log;
    const start: WorkerStart = { path, journalDir, pollMs, restMs, durable };
    this.#worker = new Worker(new URL("./projection-worker.ts", import.meta.url), {
      workerData: start,
      resourceLimits: { maxYoungGenerationSizeMb: 24 },
    });
    this.#worker.on("message", (message: FromWorker) => this.#hear(message));
    this.#worker.on("error", (error) => this.#end(`the projection's worker failed: ${String(error)}`));
    this.#worker.on("exit", () => this.#end("the projection is closed"));
  }

  #hear(message: FromWorker): void {
    if ("arrived" in message) for (const act of this.#listeners) act();
    else if ("started" in message) this.#afterStart();
    else if ("log" in message) this.#log(message.log);
    else {
      const { id } = "answer" in message ? message.answer : message.failed;
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if ("answer" in message) waiting?.resolve(message.answer.value);
      else waiting?.reject(new WeirError("internal", `projection: ${message.failed.message}`));
    }
  }

  #end(reason: string): void {
    this.#ended ??= reason;
    if (!this.#closing) this.#log(reason);
    for (const { reject } of this.#waiting.values()) reject(new WeirError("internal", reason));
    this.#waiting.clear();
  }

  #ask<Name extends keyof Operations>(
    name: Name,
    ...args: Parameters<Operations[Name]>
  ): Promise<Awaited<ReturnType<Operations[Name]>>> {
    if (this.#ended !== undefined) return Promise.reject(new WeirError("internal", this.#ended));
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as Waiting["resolve"], reject });
      this.#post({ ask: { id, name, with: args } as Question });
    });
  }

  #post(message: ToWorker): void {
    this.#worker.postMessage(message, []);
  }

  /** For the journal's `onCommitted`: entries up to `seq` are durable and may be folded. */
  wake(durable: Durable): void {
    if (this.#ended !== undefined) return;
    if (this.#wakeSent) this.#nextWake = durable;
    else this.#sendWake(durable);
  }

  #sendWake(durable: Durable): void {
    this.#wakeSent = true;
    this.#nextWake = undefined;
    this.#post({ wake: durable });
  }

  #afterStart(): void {
    this.#wakeSent = false;
    if (this.#nextWake) this.#sendWake(this.#nextWake);
  }
  list(filter: DecisionFilter, cursor: PageCursor | undefined, limit: number): Promise<Page> {
    return this.#ask("list", filter, cursor, limit);
  }
  get(decisionId: string): Promise<IndexedDecision | undefined> {
    return this.#ask("get", decisionId);
  }
  overview(range: OverviewRange, nowMs: number): Promise<Overview> {
    return this.#ask("overview", range, nowMs);
  }
  since(cursor: string | undefined, filter: DecisionFilter, limit: number): Promise<Arrivals> {
    return this.#ask("since", cursor, filter, limit);
  }
  outcomes(decisionId: string): Promise<OutcomeMeta[]> {
    return this.#ask("outcomes", decisionId);
  }
  costs(question: CostQuestion, nowMs: number): Promise<Costs> {
    return this.#ask("costs", question, nowMs);
  }
  choices(useCase: string, limit: number): Promise<Choices> {
    return this.#ask("choices", useCase, limit);
  }
  refusals(sinceMs: number, limit: number): Promise<RefusalCount[]> {
    return this.#ask("refusals", sinceMs, limit);
  }
  caughtUp(): Promise<void> {
    return this.#ask("caughtUp");
  }
  spendingSince(sinceMs: number): Promise<Spending[]> {
    return this.#ask("spendingSince", sinceMs);
  }
  idempotentSince(node: string, sinceMs: number): Promise<IdempotentRow[]> {
    return this.#ask("idempotentSince", node, sinceMs);
  }
  outcomeDigest(tenant: string, outcomeId: string): Promise<string | undefined> {
    return this.#ask("outcomeDigest", tenant, outcomeId);
  }
  onArrival(act: () => void): () => void {
    this.#listeners.add(act);
    return () => this.#listeners.delete(act);
  }
  /** Deletes the file and folds all journals again; resolves when that is done. */
  rebuild(): Promise<void> {
    return this.#ask("rebuild");
  }
  /** Ends after the batch at hand; safe to call twice. */
  close(): Promise<void> {
    this.#closing ??= this.#stop();
    return this.#closing;
  }

  async #stop(): Promise<void> {
    if (this.#ended !== undefined) return;
    const exited = new Promise<void>((resolve) => this.#worker.once("exit", () => resolve()));
    await this.#ask("close").catch((error: Error) => this.#log(error.message));
    await exited;
  }
}
