/** `node:sqlite` for kysely, opened the same way everywhere, and its errors told apart. */
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { SqliteDialect, type SqliteStatement } from "kysely";

export interface OpenOptions {
  /** `full`: a commit survives a power cut. `normal`: it may be lost, the file stays whole. */
  synchronous: "full" | "normal";
  /** How long a statement waits for another process's lock; it blocks this thread meanwhile. */
  busyTimeoutMs: number;
}

export function openDatabase(path: string, options: OpenOptions): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: options.busyTimeoutMs, enableForeignKeyConstraints: true });
  try {
    db.exec("pragma journal_mode = wal");
    db.exec(`pragma synchronous = ${options.synchronous}`);
  } catch (error) {
    db.close();
    throw error;
  }
  return db;
}

/** Runs `act` in one write transaction; nothing of it stays when it throws. */
export function transact<T>(db: DatabaseSync, act: () => T): T {
  db.exec("begin immediate");
  try {
    const value = act();
    db.exec("commit");
    return value;
  } catch (error) {
    if (db.isTransaction) db.exec("rollback");
    throw error;
  }
}

/** Kysely over an open database; `destroy()` closes it. */
export function dialectOf(db: DatabaseSync): SqliteDialect {
  const statements = new Map<string, SqliteStatement>();
  return new SqliteDialect({
    database: {
      close: () => db.close(),
      prepare(sql) {
        const known = statements.get(sql);
        if (known) return known;
        // Filters make some dozens of texts; the bound only guards against a caller that builds SQL from values.
        if (statements.size >= 200) statements.clear();
        const made = adapt(db.prepare(sql));
        statements.set(sql, made);
        return made;
      },
    },
  });
}

const bind = (parameters: readonly unknown[]) => parameters as SQLInputValue[];

function adapt(statement: StatementSync): SqliteStatement {
  return {
    reader: statement.columns().length > 0,
    all: (parameters) => statement.all(...bind(parameters)),
    run: (parameters) => statement.run(...bind(parameters)),
    iterate: (parameters) => statement.iterate(...bind(parameters)),
  };
}

/** Primary result codes of https://sqlite.org/rescode.html; extended codes keep them in the low byte. */
const primaryCode = (error: unknown): number => ((error as { errcode?: number } | null)?.errcode ?? 0) & 0xff;

/** SQLITE_BUSY, SQLITE_LOCKED: worth another try. */
export const isBusy = (error: unknown): boolean => [5, 6].includes(primaryCode(error));
/** SQLITE_CORRUPT, SQLITE_NOTADB: the file is not what was written. */
export const isCorrupt = (error: unknown): boolean => [11, 26].includes(primaryCode(error));
