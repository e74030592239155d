/**
 * The projection's file and its fold. Writes are prepared statements in one synchronous transaction per batch, so that
 * no read ever sees half a batch; reads are kysely. Lives in the worker: nothing here may run on the request loop.
 */
import { rmSync } from "node:fs";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { Kysely } from "kysely";
import type { Clock } from "../../kernel/clock.ts";
import { randomToken } from "../../kernel/ids.ts";
import {
  type DecisionRow,
  type FoldedEntry,
  foldEntry,
  type MinuteDelta,
  minuteOf,
  type SettledRow,
  supersedes,
} from "../../projection/index.ts";
import { dialectOf, isCorrupt, openDatabase, transact } from "./database.ts";
import { projectionDdl, type ProjectionTables, projectionVersion } from "./projection-schema.ts";
import { columnsOf, statementsOf } from "./projection-statements.ts";

export interface EntryPosition {
  segment: number;
  offset: number;
  seq: number;
}

export interface PositionedEntry {
  entry: FoldedEntry;
  position: EntryPosition;
}

/** How far a node has been folded: the last entry and its time, by which a replaced journal is noticed. */
export interface FoldedUpTo {
  position: EntryPosition;
  atMs: number;
}

export interface ProjectionStoreOptions {
  path: string;
  clock: Clock;
  log: (message: string) => void;
  busyTimeoutMs?: number;
}

type Statements = Record<keyof ReturnType<typeof statementsOf>, StatementSync>;

export class ProjectionStore {
  readonly #options: ProjectionStoreOptions;
  #db!: DatabaseSync;
  #query!: Kysely<ProjectionTables>;
  #statements!: Statements;
  #generation = "";
  /** Valid within a transaction only: another process may fold into the same file. */
  #arrival = 0;

  /** Throws when the file is locked for longer than the time-out; a damaged or older file is replaced. */
  constructor(options: ProjectionStoreOptions) {
    this.#options = options;
    this.#open();
  }

  get query(): Kysely<ProjectionTables> {
    return this.#query;
  }
  get generation(): string {
    return this.#generation;
  }
  /** The newest arrival. */
  get head(): number {
    return this.#statements.head.get()!["arrival"] as number;
  }

  #open(): void {
    try {
      this.#prepare(this.#openFile());
    } catch (error) {
      if (!isCorrupt(error)) throw error;
      this.#options.log(`projection ${this.#options.path} is damaged; it is deleted and folded again from the journal`);
      this.#removeFile();
      this.#prepare(this.#openFile());
    }
  }

  #prepare(db: DatabaseSync): void {
    try {
      const prepared = Object.entries(statementsOf()).map(([name, sql]) => [name, db.prepare(sql)]);
      this.#statements = Object.fromEntries(prepared) as Statements;
      this.#generation = db.prepare("select generation from about").get()!["generation"] as string;
    } catch (error) {
      db.close();
      throw error;
    }
    this.#db = db;
    this.#query = new Kysely<ProjectionTables>({ dialect: dialectOf(db) });
  }

  /** Of the current schema; an older or newer file is replaced. */
  #openFile(): DatabaseSync {
    const { path, log, busyTimeoutMs = 2_000 } = this.#options;
    const db = openDatabase(path, { synchronous: "normal", busyTimeoutMs });
    let found: number | undefined;
    try {
      // A made file is opened without its write lock; an empty one may be made by another process just now.
      found = versionOf(db) ?? transact(db, () => versionOf(db) ?? this.#makeTables(db));
    } catch (error) {
      db.close();
      throw error;
    }
    if (found === projectionVersion) return db;
    log(`projection ${path} has schema ${found}, not ${projectionVersion}; it is folded again from the journal`);
    db.close();
    this.#removeFile();
    return this.#openFile();
  }

  #makeTables(db: DatabaseSync): number {
    db.exec(projectionDdl);
    db.prepare("insert into about (generation) values (?)").run(randomToken(this.#options.clock, 8));
    return projectionVersion;
  }

  #removeFile(): void {
    for (const suffix of ["", "-wal", "-shm"]) rmSync(this.#options.path + suffix, { force: true });
  }

  /** Throws everything away; the caller folds again from the start. */
  reset(): void {
    if (this.#db.isOpen) this.#db.close();
    this.#removeFile();
    this.#open();
  }

  /** After a `reset` that failed half-way. */
  ensureOpen(): void {
    if (!this.#db.isOpen) this.#open();
  }

  positions(): Map<string, FoldedUpTo> {
    const rows = this.#db.prepare("select * from positions").all() as unknown as ProjectionTables["positions"][];
    return new Map(
      rows.map((r) => [
        r.node,
        { position: { segment: r.segment, offset: r.segment_offset, seq: r.seq }, atMs: r.at_ms },
      ]),
    );
  }

  /** One transaction: the rows of all entries and each node's new position. Answers how many decisions are new. */
  apply(batch: readonly PositionedEntry[]): number {
    return transact(this.#db, () => {
      const before = this.head;
      this.#arrival = before;
      this.#applyAll(batch);
      return this.#arrival - before;
    });
  }

  #applyAll(batch: readonly PositionedEntry[]): void {
    const minutes = new MinuteSums();
    const last = new Map<string, PositionedEntry>();
    for (const item of batch) {
      this.#applyOne(item, minutes);
      const before = last.get(item.entry.node);
      if (!before || before.position.seq < item.position.seq) last.set(item.entry.node, item);
    }
    for (const sum of minutes.sums()) {
      const { minute_ms, use_case, kind } = sum;
      this.#statements.minute.run(...MinuteSums.columns.map((name) => sum[name]));
      for (const [bucket, n] of sum.buckets) this.#statements.latency.run(minute_ms, use_case, kind, bucket, n);
    }
    for (const { entry, position } of last.values())
      this.#statements.position.run(entry.node, position.seq, entry.at_ms, position.segment, position.offset);
  }

  #applyOne({ entry, position }: PositionedEntry, minutes: MinuteSums): void {
    const folded = foldEntry(entry);
    const { node, seq, at_ms, kind, tenant, decision_id = null } = folded.entry;
    const kept = this.#statements.entry.run(
      node,
      seq,
      at_ms,
      kind,
      tenant,
      decision_id,
      position.segment,
      position.offset,
    );
    if (kept.changes === 0) return;
    if (folded.problem)
      this.#options.log(`journal ${node}, entry ${seq}: no row for the console, because ${folded.problem}`);
    if (folded.settled) this.#settle(folded.settled, minutes);
    if (folded.idempotency && decision_id !== null) {
      const { key, body, interrupted } = folded.idempotency;
      this.#statements.idempotency.run(key, body, decision_id, node, seq, interrupted ? 1 : 0, folded.entry.at_ms);
    }
    if (folded.outcome && decision_id !== null)
      this.#statements.outcome.run(decision_id, folded.outcome.outcome_id, node, seq, JSON.stringify(folded.outcome));
  }

  #settle(settled: SettledRow, minutes: MinuteSums): void {
    if (this.#insert(settled, this.#arrival + 1)) this.#arrival++;
    else if (!this.#replace(settled, minutes)) return;
    minutes.add(minuteOf(settled.row), 1);
  }

  /** False when the decision has a row already. */
  #insert({ node, seq, row }: SettledRow, arrival: number): boolean {
    const flags = { synthetic: Number(row.synthetic), stream: Number(row.stream) };
    const values: Record<string, unknown> = { ...row, ...flags, arrival, node, seq };
    const bound = columnsOf.decisions.map((name) => (values[name] ?? null) as string | number | null);
    return this.#statements.settle.run(...bound).changes > 0;
  }

  #replace(settled: SettledRow, minutes: MinuteSums): boolean {
    const standing = this.#statements.standing.get(settled.row.decision_id) as unknown as ProjectionTables["decisions"];
    if (!supersedes(settled, standing)) return false;
    minutes.add(minuteOf(decisionRowOf(standing)), -1);
    this.#statements.unsettle.run(settled.row.decision_id);
    return this.#insert(settled, standing.arrival);
  }

  async close(): Promise<void> {
    // A destroyed kysely that never ran a query leaves the database open.
    await this.#query.destroy();
    if (this.#db.isOpen) this.#db.close();
  }
}

/** `undefined` for an empty file. */
function versionOf(db: DatabaseSync): number | undefined {
  const used = (db.prepare("select count(*) as n from sqlite_schema").get()!["n"] as number) > 0;
  return used ? (db.prepare("pragma user_version").get()!["user_version"] as number) : undefined;
}

const optionalColumns = ["subject", "code", "result", "score", "model", "rung", "ttft_ms"] as const;

export function decisionRowOf(stored: ProjectionTables["decisions"]): DecisionRow {
  const { arrival: _arrival, node: _node, seq: _seq, synthetic, stream, ...rest } = stored;
  const row: Record<string, unknown> = { ...rest, synthetic: synthetic === 1, stream: stream === 1 };
  for (const name of optionalColumns) if (row[name] === null) delete row[name];
  return row as unknown as DecisionRow;
}

type MinuteSum = Omit<MinuteDelta, "bucket"> & { buckets: Map<number, number> };

/** A batch's share of the rollups, so that each minute is written once per batch. */
class MinuteSums {
  static readonly columns = columnsOf.minutes;
  #sums = new Map<string, MinuteSum>();

  add(delta: MinuteDelta, sign: 1 | -1): void {
    const { bucket, ...counts } = delta;
    const key = `${delta.minute_ms}/${delta.kind}/${delta.use_case}`;
    let sum = this.#sums.get(key);
    if (!sum) {
      sum = { ...counts, buckets: new Map() };
      for (const name of summedColumns) sum[name] = 0;
      this.#sums.set(key, sum);
    }
    for (const name of summedColumns) sum[name] += sign * counts[name];
    sum.buckets.set(bucket, (sum.buckets.get(bucket) ?? 0) + sign);
  }
  sums(): Iterable<MinuteSum> {
    return this.#sums.values();
  }
}

const summedColumns = columnsOf.minutes.slice(3) as Exclude<
  (typeof columnsOf.minutes)[number],
  "minute_ms" | "use_case" | "kind"
>[];
