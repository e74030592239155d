/**
 * Everything that is kept in SQLite files: the projection of the journals (disposable, folded again when in doubt) and
 * the control plane (the only copy). Decides files, tables, transactions and retries; never what an entry or an act means.
 * Nothing here is asked on the path of a request.
 */
export { openControlStore, type ControlStore } from "./control-store.ts";
export { SqliteIndex } from "./decision-index.ts";
