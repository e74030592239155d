/** The thread that folds the journals and answers questions about them. Started by `SqliteIndex` only. */
import { parentPort, workerData } from "node:worker_threads";
import { systemClock } from "../../kernel/clock.ts";
import type {
  CostQuestion,
  DecisionFilter,
  IndexedDecision,
  OverviewRange,
  PageCursor,
} from "../../projection/index.ts";
import { nodeFiles } from "../files/index.ts";
import { readChoices, readCosts, readRefusals } from "./cost-queries.ts";
import { isCorrupt } from "./database.ts";
import { journalSource } from "./journal-source.ts";
import {
  arrivalsSince,
  entriesOf,
  listDecisions,
  outcomesOf,
  idempotentSince,
  outcomeDigest,
  spendingSince,
  readOverview,
} from "./projection-queries.ts";
import { type EntrySource, ProjectionTail } from "./projection-tail.ts";
import { ProjectionStore } from "./projection-store.ts";

export interface WorkerStart {
  path: string;
  journalDir: string;
  pollMs: number;
  restMs: number;
  durable: Durable | undefined;
}

/** How far a journal of this process is on disk. */
export interface Durable {
  node: string;
  seq: number;
}

/** What the worker can be asked; the main thread holds the same table by type. */
export function operationsOf(store: ProjectionStore, source: EntrySource, tail: ProjectionTail) {
  return {
    list: (filter: DecisionFilter, cursor: PageCursor | undefined, limit: number) =>
      listDecisions(store, filter, cursor, limit),
    get: (decisionId: string) => readDecision(store, source, decisionId),
    overview: (range: OverviewRange, nowMs: number) => readOverview(store, range, nowMs),
    since: (cursor: string | undefined, filter: DecisionFilter, limit: number) =>
      arrivalsSince(store, cursor, filter, limit),
    outcomes: (decisionId: string) => outcomesOf(store, decisionId),
    costs: (question: CostQuestion, nowMs: number) => readCosts(store, question, nowMs),
    choices: (useCase: string, limit: number) => readChoices(store, useCase, limit),
    refusals: (sinceMs: number, limit: number) => readRefusals(store, sinceMs, limit),
    caughtUp: () => tail.caughtUp(),
    spendingSince: (sinceMs: number) => spendingSince(store, sinceMs),
    idempotentSince: (node: string, sinceMs: number) => idempotentSince(store, node, sinceMs),
    outcomeDigest: (tenant: string, outcomeId: string) => outcomeDigest(store, tenant, outcomeId),
    rebuild: () => tail.rebuild(),
    close: async () => {
      await tail.close();
      await store.close();
    },
  };
}

export type Operations = ReturnType<typeof operationsOf>;
export type Question = {
  [Name in keyof Operations]: { id: number; name: Name; with: Parameters<Operations[Name]> };
}[keyof Operations];
export type ToWorker = { wake: Durable | undefined } | { ask: Question };
export type FromWorker =
  | { arrived: true }
  /** A run began: the next wake may be sent. */
  | { started: true }
  | { log: string }
  | { answer: { id: number; value: unknown } }
  | { failed: { id: number; message: string } };

/** Metadata is read where it is, in the journal: the projection only knows the places. */
async function readDecision(
  store: ProjectionStore,
  source: EntrySource,
  decisionId: string,
): Promise<IndexedDecision | undefined> {
  const located = await entriesOf(store, decisionId);
  if (located.length === 0) return undefined;
  const entries: IndexedDecision["entries"] = [];
  for (const { node, seq, at_ms, kind, position } of located) {
    const found = await source.at(node, position);
    if (!found) throw new Error(`journal ${node} has no entry ${seq} where the projection expects it`);
    entries.push({ node, seq, at_ms, kind, meta: found.entry.meta, leaf_hash: found.leafHash, position });
  }
  return { decision_id: decisionId, tenant: located[0]!.tenant, entries };
}

function serve(start: WorkerStart): void {
  const port = parentPort!;
  const tell = (message: FromWorker) => port.postMessage(message);
  const log = (message: string) => tell({ log: message });
  const store = new ProjectionStore({ path: start.path, clock: systemClock, log });
  const source = journalSource(start.journalDir, nodeFiles);
  const { pollMs, restMs } = start;
  const onArrival = () => tell({ arrived: true });
  const onStart = () => tell({ started: true });
  const tail = new ProjectionTail({ store, source, clock: systemClock, log, onStart, onArrival, pollMs, restMs });
  const operations = operationsOf(store, source, tail);

  const answer = async (question: Question) => {
    const { id, name } = question;
    try {
      const act = operations[name] as (...args: unknown[]) => Promise<unknown>;
      tell({ answer: { id, value: await act(...question.with) } });
    } catch (error) {
      if (isCorrupt(error)) tail.damaged();
      tell({ failed: { id, message: error instanceof Error ? error.message : String(error) } });
    }
    if (name === "close") port.close();
  };
  port.on("message", (message: ToWorker) => {
    if ("wake" in message) tail.wake(message.wake);
    else void answer(message.ask);
  });
  tail.wake(start.durable);
}

if (parentPort) serve(workerData as WorkerStart);
