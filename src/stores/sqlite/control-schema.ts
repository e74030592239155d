/** Tables of the control plane. Nothing else holds this data, so older files are migrated, and newer ones refused. */
import type { DatabaseSync } from "node:sqlite";
import { transact } from "./database.ts";

/** Applied in order, each once; a released step is never changed. Whole records are JSON beside the searched columns. */
const steps: readonly string[] = [
  `
  create table api_keys (id text primary key, record text not null) without rowid, strict;
  create table operators (id text primary key, name text not null unique, record text not null) without rowid, strict;
  create table tickets (
    kind text not null, hash text not null, expires_at_ms integer not null, record text not null,
    primary key (kind, hash)
  ) without rowid, strict;
  create table sessions (
    hash text primary key, operator_id text not null, csrf text not null, created_at_ms integer not null,
    used_at_ms integer not null, method text not null
  ) without rowid, strict;
  create index sessions_operator on sessions (operator_id);
  create table passkeys (id text primary key, operator_id text not null, record text not null) without rowid, strict;
  create index passkeys_operator on passkeys (operator_id);
  `,
  `
  create table route_overrides (id text primary key, until_ms integer not null, record text not null) without rowid, strict;
  `,
];

export function migrateControl(db: DatabaseSync, path: string): void {
  const versionNow = () => db.prepare("pragma user_version").get()!["user_version"] as number;
  // Nothing to do is found without the write lock; what there is to do, another process may be doing just now.
  if (versionNow() === steps.length) return;
  transact(db, () => {
    const version = versionNow();
    if (version > steps.length)
      throw new Error(`${path} has schema ${version}, newer than this Weir's ${steps.length}: start the newer version`);
    if (version === steps.length) return;
    for (const step of steps.slice(version)) db.exec(step);
    db.exec(`pragma user_version = ${steps.length}`);
  });
}
