/** What the next segment's header must tell a recovery: next sequence, tenant counters, decisions still open. */
import type { DecisionId } from "../kernel/ids.ts";
import type { EntryKind, OpenDecision, OpenEntry } from "./port.ts";

interface Folded {
  seq: number;
  atMs: number;
  kind: EntryKind;
  tenant: string;
  tenantSeq: number;
  decision: string | undefined;
  metaJson: string;
}

interface Open {
  tenant: string;
  entries: { seq: number; at_ms: number; kind: EntryKind; metaJson: string }[];
}

const none: Open["entries"] = [];

export class LogState {
  size = 0;
  /** Next `tenant_seq` by tenant. */
  readonly tenants = new Map<string, number>();
  readonly #open = new Map<string, Open>();

  static of(size: number, tenants: Readonly<Record<string, number>>, open: readonly OpenDecision[]): LogState {
    const state = new LogState();
    state.size = size;
    for (const [tenant, next] of Object.entries(tenants)) state.tenants.set(tenant, next);
    for (const { decision, tenant, entries } of open) {
      const kept = entries.map(({ meta, ...entry }) => ({ ...entry, metaJson: JSON.stringify(meta) }));
      state.#open.set(decision, { tenant, entries: kept });
    }
    return state;
  }

  fold(entry: Folded): void {
    this.size = entry.seq + 1;
    this.tenants.set(entry.tenant, entry.tenantSeq + 1);
    const { decision, kind, metaJson } = entry;
    if (decision === undefined) return;
    if (kind === "settled") {
      this.#forget(decision);
      return;
    }
    if (kind !== "begun" && kind !== "attempt") return;
    const kept = { seq: entry.seq, at_ms: entry.atMs, kind, metaJson };
    const open = this.#open.get(decision);
    if (open) open.entries.push(kept);
    else if (kind === "begun") this.#open.set(decision, { tenant: entry.tenant, entries: [kept] });
  }

  /**
   * V8's maps leave their outgrown tables behind chained to the newer ones: what such a table still names lives on until
   * a full collection. So little is left in it.
   */
  #forget(decision: string): void {
    const open = this.#open.get(decision);
    if (open) open.entries = none;
    this.#open.delete(decision);
  }

  isOpen(decision: string): boolean {
    return this.#open.has(decision);
  }

  open(): OpenDecision[] {
    return [...this.#open].map(([decision, { tenant, entries }]) => ({
      decision: decision as DecisionId,
      tenant,
      entries: entries.map(({ metaJson, ...entry }): OpenEntry => ({ ...entry, meta: JSON.parse(metaJson) })),
    }));
  }
}
