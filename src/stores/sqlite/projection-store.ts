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
  foldedKinds,
  foldEntry,
  hourOf,
  type Meters,
  minuteOf,
  type SettledRow,
  supersedes,
} from "../../projection/index.ts";
import { dialectOf, isCorrupt, openDatabase, transact } from "./database.ts";
import { type LocatedEntry, packPlaces, unpackPlaces } from "./entry-places.ts";
import { projectionDdl, type ProjectionTables, projectionVersion } from "./projection-schema.ts";
import { columnsOf, statementsOf } from "./projection-statements.ts";
import { RollupSums } from "./rollup-sums.ts";

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
    const sums = new RollupSums();
    const last = new Map<string, PositionedEntry>();
    const groups = new Map<string, PositionedEntry[]>();
    for (const item of batch) {
      const { node, decision } = item.entry;
      const before = last.get(node);
      if (!before || before.position.seq < item.position.seq) last.set(node, item);
      if (decision === undefined) this.#applyOne(item, undefined, sums);
      else addTo(groups, decision, item);
    }
    for (const [decision, items] of groups) {
      const packed = items.filter((item) => this.#applyOne(item, items, sums)).at(-1);
      for (const item of items)
        if (!packed || !isPackedWith(packed, item)) this.#insertPlace(decision, item.entry, item.position);
    }
    for (const sum of sums.hours()) this.#statements.hour.run(...columnsOf.hours.map((name) => sum[name]));
    for (const sum of sums.minutes()) {
      const { minute_ms, use_case, kind } = sum;
      this.#statements.minute.run(...columnsOf.minutes.map((name) => sum[name]));
      for (const [bucket, n] of sum.buckets) this.#statements.latency.run(minute_ms, use_case, kind, bucket, n);
    }
    for (const { entry, position } of last.values())
      this.#statements.position.run(entry.node, position.seq, entry.at_ms, position.segment, position.offset);
  }

  /** True when it settled its decision, whose row now holds the places of those of `siblings` that fit into it. */
  #applyOne(item: PositionedEntry, siblings: readonly PositionedEntry[] | undefined, sums: RollupSums): boolean {
    const { entry } = item;
    // The others have nothing to say beyond where they lie.
    if (!foldedKinds.has(entry.kind)) return false;
    const { settled, idempotency, outcome, problem } = foldEntry(entry);
    const { node, seq, at_ms, decision } = entry;
    if (problem) this.#options.log(`journal ${node}, entry ${seq}: no row for the console, because ${problem}`);
    if (decision === undefined) return false;
    if (idempotency)
      this.#statements.idempotency.run(
        idempotency.key,
        idempotency.body,
        decision,
        node,
        seq,
        idempotency.interrupted ? 1 : 0,
        at_ms,
      );
    if (outcome) this.#statements.outcome.run(decision, outcome.outcome_id, node, seq, JSON.stringify(outcome));
    return (
      settled !== undefined &&
      this.#settle(settled, packPlaces(siblings!.filter((sibling) => isPackedWith(item, sibling))), sums)
    );
  }

  #insertPlace(
    decision: string,
    { node, seq, at_ms, kind, tenant }: Omit<LocatedEntry, "position">,
    { segment, offset }: LocatedEntry["position"],
  ): void {
    this.#statements.entry.run(decision, node, seq, at_ms, kind, tenant, segment, offset);
  }

  #settle(settled: SettledRow, places: string, sums: RollupSums): boolean {
    if (this.#insert(settled, places, this.#arrival + 1)) this.#arrival++;
    else if (!this.#replace(settled, places, sums)) return false;
    sums.addMinute(minuteOf(settled.row), 1);
    sums.addHour(hourOf(settled.row, settled.meters), 1);
    return true;
  }

  /** False when the decision has a row already. */
  #insert({ node, seq, row, meters }: SettledRow, places: string, arrival: number): boolean {
    // Bound one by one in the order of `columnsOf.decisions`: a list by name costs as much as the insert.
    const { changes } = this.#statements.settle.run(
      arrival,
      row.decision_id,
      node,
      seq,
      row.at_ms,
      row.use_case,
      row.kind,
      row.tenant,
      row.environment,
      row.principal_id,
      row.credential,
      row.subject ?? null,
      row.state,
      row.status,
      row.code ?? null,
      row.result ?? null,
      row.score ?? null,
      row.model ?? null,
      row.rung ?? null,
      row.attempts,
      row.cache,
      row.guards_hit,
      row.duration_ms,
      row.ttft_ms ?? null,
      row.cost_nano_usd,
      row.input_tokens,
      row.output_tokens,
      row.risk,
      row.data_class,
      row.automation,
      row.synthetic ? 1 : 0,
      row.stream ? 1 : 0,
      places,
      meters ? JSON.stringify(meters) : null,
    );
    return changes > 0;
  }

  #replace(settled: SettledRow, places: string, sums: RollupSums): boolean {
    const { decision_id } = settled.row;
    const standing = this.#statements.standing.get(decision_id) as unknown as ProjectionTables["decisions"];
    if (!supersedes(settled, standing)) return false;
    const row = decisionRowOf(standing);
    sums.addMinute(minuteOf(row), -1);
    sums.addHour(hourOf(row, standing.meters === null ? {} : (JSON.parse(standing.meters) as Meters)), -1);
    this.#statements.unsettle.run(decision_id);
    for (const { position, ...entry } of unpackPlaces(standing.node, standing.tenant, standing.places))
      this.#insertPlace(decision_id, entry, position);
    return this.#insert(settled, places, standing.arrival);
  }

  async close(): Promise<void> {
    // A destroyed kysely that never ran a query leaves the database open.
    await this.#query.destroy();
    if (this.#db.isOpen) this.#db.close();
  }
}

/** Whether the row that `settled` makes may hold the place of `other`: it names one node and one tenant. */
const isPackedWith = ({ entry: settled }: PositionedEntry, { entry: other }: PositionedEntry): boolean =>
  settled.node === other.node && settled.tenant === other.tenant;

function addTo(groups: Map<string, PositionedEntry[]>, decision: string, item: PositionedEntry): void {
  const group = groups.get(decision);
  if (group) group.push(item);
  else groups.set(decision, [item]);
}

/** `undefined` for an empty file. */
function versionOf(db: DatabaseSync): number | undefined {
  const used = (db.prepare("select count(*) as n from sqlite_schema").get()!["n"] as number) > 0;
  return used ? (db.prepare("pragma user_version").get()!["user_version"] as number) : undefined;
}

const optionalColumns = ["subject", "code", "result", "score", "model", "rung", "ttft_ms"] as const;

export function decisionRowOf(stored: ProjectionTables["decisions"]): DecisionRow {
  const {
    arrival: _arrival,
    node: _node,
    seq: _seq,
    places: _places,
    meters: _meters,
    synthetic,
    stream,
    ...rest
  } = stored;
  const row: Record<string, unknown> = { ...rest, synthetic: synthetic === 1, stream: stream === 1 };
  for (const name of optionalColumns) if (row[name] === null) delete row[name];
  return row as unknown as DecisionRow;
}
