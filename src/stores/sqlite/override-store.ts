import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { OverrideStore, RouteOverride } from "../../stages/route/port.ts";

/** Overrides of routing beside the other things that operators decide. */
export class SqliteOverrides implements OverrideStore {
  readonly #db: DatabaseSync;
  readonly #dataVersion: StatementSync;
  #own = 0;

  constructor(db: DatabaseSync) {
    this.#db = db;
    this.#dataVersion = db.prepare("pragma data_version");
  }
  overrides(): RouteOverride[] {
    const rows = this.#db.prepare("select record from route_overrides order by id").all();
    return rows.map((row) => JSON.parse(row["record"] as string) as RouteOverride);
  }
  insert(override: RouteOverride): void {
    // What has run out is in the journal.
    this.#db.prepare("delete from route_overrides where until_ms <= ?").run(override.from_ms);
    this.#db
      .prepare("insert into route_overrides (id, until_ms, record) values (?, ?, ?)")
      .run(override.id, override.until_ms, JSON.stringify(override));
    this.#own += 1;
  }
  remove(id: string): boolean {
    this.#own += 1;
    return this.#db.prepare("delete from route_overrides where id = ?").run(id).changes > 0;
  }
  /** The pragma changes with every commit of another connection; both only ever rise. */
  version(): number {
    return (this.#dataVersion.get()!["data_version"] as number) + this.#own;
  }
}
