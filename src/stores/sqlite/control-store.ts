/**
 * The control plane's own file: API keys, operators, invitations, sessions, passkeys, overrides. A commit is on disk before a call
 * returns. Several processes may use it at once; the CLI does while the server runs.
 */
import { closeSync, openSync } from "node:fs";
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import type {
  ControlStores,
  Operator,
  OperatorStore,
  Passkey,
  PasskeyStore,
  SessionStore,
  StoredSession,
  Ticket,
  TicketStore,
} from "../../operators/index.ts";
import type { ApiKeyRecord, KeyStore } from "../../stages/identify/port.ts";
import type { OverrideStore } from "../../stages/route/port.ts";
import { openDatabase } from "./database.ts";
import { migrateControl } from "./control-schema.ts";
import { SqliteOverrides } from "./override-store.ts";

export interface ControlStore extends ControlStores {
  keys: KeyStore;
  overrides: OverrideStore;
  passkeys: PasskeyStore & { remove(id: string): Promise<void> };
  close(): void;
}

/** Throws when the file is damaged, newer than this version, or locked for longer than two seconds. */
export function openControlStore(path: string): ControlStore {
  // Made here so that only its owner can read it; SQLite gives the same mode to the files beside it.
  closeSync(openSync(path, "a", 0o600));
  const db = openDatabase(path, { synchronous: "full", busyTimeoutMs: 2_000 });
  try {
    migrateControl(db, path);
  } catch (error) {
    db.close();
    throw error;
  }
  return {
    keys: new SqliteKeyStore(db),
    overrides: new SqliteOverrides(db),
    operators: operatorStore(db),
    tickets: ticketStore(db),
    sessions: sessionStore(db),
    passkeys: passkeyStore(db),
    close: () => db.close(),
  };
}

const recordOf = <T>(row: Record<string, unknown>): T => JSON.parse(row["record"] as string) as T;

class SqliteKeyStore implements KeyStore {
  readonly #db: DatabaseSync;
  readonly #dataVersion: StatementSync;
  #seen: number;
  #version = 0;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#dataVersion = db.prepare("pragma data_version");
    this.#seen = this.#readDataVersion();
  }
  all(): ApiKeyRecord[] {
    return this.#db
      .prepare("select record from api_keys order by id")
      .all()
      .map((row) => recordOf<ApiKeyRecord>(row));
  }
  insert(record: ApiKeyRecord): void {
    this.#db.prepare("insert into api_keys (id, record) values (?, ?)").run(record.id, JSON.stringify(record));
    this.#version++;
  }
  update(id: string, change: Pick<ApiKeyRecord, "expires_at_ms"> | Pick<ApiKeyRecord, "revoked_at_ms">): void {
    const done = this.#db
      .prepare("update api_keys set record = json_patch(record, ?) where id = ?")
      .run(JSON.stringify(change), id);
    if (done.changes === 0) throw new RangeError(`there is no API key ${id} to change`);
    this.#version++;
  }
  version(): number {
    const seen = this.#readDataVersion();
    if (seen !== this.#seen) this.#version++;
    this.#seen = seen;
    return this.#version;
  }
  /** Changes with every commit of another connection, and only then. */
  #readDataVersion(): number {
    return this.#dataVersion.get()!["data_version"] as number;
  }
}

/** Prepared once each, called as async so that errors reject. */
function statements<Name extends string>(db: DatabaseSync, texts: Record<Name, string>) {
  const made = Object.fromEntries(Object.entries<string>(texts).map(([name, sql]) => [name, db.prepare(sql)]));
  const of = (name: Name): StatementSync => made[name]!;
  return {
    run: async (name: Name, ...values: SQLInputValue[]) => Number(of(name).run(...values).changes),
    get: async (name: Name, ...values: SQLInputValue[]) => of(name).get(...values),
    all: async (name: Name, ...values: SQLInputValue[]) => of(name).all(...values),
  };
}

const operatorIn = (row: Record<string, unknown> | undefined) => row && recordOf<Operator>(row);

function operatorStore(db: DatabaseSync): OperatorStore {
  const sql = statements(db, {
    all: "select record from operators order by name",
    byId: "select record from operators where id = ?",
    byName: "select record from operators where name = ?",
    put: `insert into operators (id, name, record) values (?, ?, ?)
      on conflict (id) do update set name = excluded.name, record = excluded.record`,
  });
  return {
    all: async () => (await sql.all("all")).map((row) => recordOf<Operator>(row)),
    byId: async (id) => operatorIn(await sql.get("byId", id)),
    byName: async (name) => operatorIn(await sql.get("byName", name)),
    put: async (operator) => void (await sql.run("put", operator.id, operator.name, JSON.stringify(operator))),
  };
}

function ticketStore(db: DatabaseSync): TicketStore {
  const sql = statements(db, {
    put: "insert into tickets (kind, hash, expires_at_ms, record) values (?, ?, ?, ?)",
    take: "delete from tickets where kind = ? and hash = ? returning record",
    purge: "delete from tickets where expires_at_ms < ?",
  });
  return {
    put: async (t) => void (await sql.run("put", t.kind, t.hash, t.expires_at_ms, JSON.stringify(t))),
    async take(kind, hash) {
      // `all`, because a `get` that stops after the first row would leave the delete unfinished.
      const [row] = await sql.all("take", kind, hash);
      return row && recordOf<Ticket>(row);
    },
    purge: async (nowMs) => void (await sql.run("purge", nowMs)),
  };
}

function sessionStore(db: DatabaseSync): SessionStore {
  const sql = statements(db, {
    insert: `insert into sessions (hash, operator_id, csrf, created_at_ms, used_at_ms, method)
      values (?, ?, ?, ?, ?, ?)`,
    byHash: "select * from sessions where hash = ?",
    touch: "update sessions set used_at_ms = max(used_at_ms, ?) where hash = ?",
    remove: "delete from sessions where hash = ?",
    removeAllOf: "delete from sessions where operator_id = ?",
    purge: "delete from sessions where created_at_ms < ? or used_at_ms < ?",
  });
  return {
    insert: async (s) =>
      void (await sql.run("insert", s.hash, s.operator_id, s.csrf, s.created_at_ms, s.used_at_ms, s.method)),
    byHash: async (hash) => {
      const row = await sql.get("byHash", hash);
      return row && ({ ...row } as unknown as StoredSession);
    },
    touch: async (hash, usedAtMs) => void (await sql.run("touch", usedAtMs, hash)),
    remove: async (hash) => void (await sql.run("remove", hash)),
    removeAllOf: (operatorId) => sql.run("removeAllOf", operatorId),
    purge: async (createdBeforeMs, usedBeforeMs) => void (await sql.run("purge", createdBeforeMs, usedBeforeMs)),
  };
}

function passkeyStore(db: DatabaseSync): ControlStore["passkeys"] {
  const sql = statements(db, {
    insert: "insert into passkeys (id, operator_id, record) values (?, ?, ?)",
    byId: "select record from passkeys where id = ?",
    of: "select record from passkeys where operator_id = ? order by id",
    remove: "delete from passkeys where id = ?",
    setCounter: "update passkeys set record = json_set(record, '$.counter', ?) where id = ?",
  });
  return {
    insert: async (passkey) => void (await sql.run("insert", passkey.id, passkey.operator_id, JSON.stringify(passkey))),
    byId: async (id) => {
      const row = await sql.get("byId", id);
      return row && recordOf<Passkey>(row);
    },
    of: async (operatorId) => (await sql.all("of", operatorId)).map((row) => recordOf<Passkey>(row)),
    remove: async (id) => void (await sql.run("remove", id)),
    setCounter: async (id, counter) => void (await sql.run("setCounter", counter, id)),
  };
}
