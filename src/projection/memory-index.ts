/** The simple twin of a stored index: plain maps, whole scans. For tests and small tools, not for service. */
import type { OutcomeMeta } from "../kernel/decision.ts";
import { parseArrivalCursor } from "./cursor.ts";
import { matches, rowOrder, sortsAfter } from "./filter.ts";
import { type FoldResult, foldEntry, minuteOf, type SettledRow, supersedes } from "./fold.ts";
import { buildOverview, type OverviewStep, windowOf } from "./overview.ts";
import { buildCosts, costWindowOf, type CostStep, hourOf } from "./spend.ts";
import {
  type Arrivals,
  type Choices,
  type CostQuestion,
  type Costs,
  type DecisionFilter,
  type DecisionIndex,
  type FoldedEntry,
  type IndexedDecision,
  maxArrivalsBehind,
  type Overview,
  type OverviewRange,
  type Page,
  type PageCursor,
  type RefusalCount,
} from "./port.ts";

export class MemoryIndex implements DecisionIndex {
  #entries = new Map<string, FoldResult>();
  #settled = new Map<string, SettledRow>();
  #outcomes = new Map<string, Map<string, OutcomeMeta & { order: string }>>();
  #arrivals: string[] = [];
  #listeners = new Set<() => void>();

  /** Idempotent by (node, seq); entries may come in any order and repeatedly. */
  apply(entries: Iterable<FoldedEntry>): void {
    for (const entry of entries) this.#applyOne(foldEntry(entry));
    for (const act of this.#listeners) act();
  }

  #applyOne(folded: FoldResult): void {
    const { node, seq, decision } = folded.entry;
    const key = `${node}/${seq}`;
    if (this.#entries.has(key)) return;
    this.#entries.set(key, folded);
    if (folded.settled) {
      const standing = this.#settled.get(folded.settled.row.decision_id);
      if (standing && !supersedes(folded.settled, standing)) return;
      this.#settled.set(folded.settled.row.decision_id, folded.settled);
      if (!standing) this.#arrivals.push(folded.settled.row.decision_id);
    }
    if (folded.outcome && decision !== undefined) this.#applyOutcome(decision, orderOf(node, seq), folded.outcome);
  }

  #applyOutcome(decisionId: string, order: string, outcome: OutcomeMeta): void {
    const known = this.#outcomes.get(decisionId) ?? new Map<string, OutcomeMeta & { order: string }>();
    const standing = known.get(outcome.outcome_id);
    if (!standing || order < standing.order) known.set(outcome.outcome_id, { ...outcome, order });
    this.#outcomes.set(decisionId, known);
  }

  async list(filter: DecisionFilter, cursor: PageCursor | undefined, limit: number): Promise<Page> {
    const found = [...this.#settled.values()]
      .map((s) => s.row)
      .filter((row) => matches(row, filter) && (!cursor || sortsAfter(row, cursor)))
      .sort(rowOrder);
    const rows = found.slice(0, limit);
    const last = rows.at(-1);
    if (!last || found.length <= limit) return { rows };
    return { rows, next: { atMs: last.at_ms, decisionId: last.decision_id } };
  }

  async get(decisionId: string): Promise<IndexedDecision | undefined> {
    const entries = [...this.#entries.values()].map((f) => f.entry).filter((e) => e.decision === decisionId);
    if (entries.length === 0) return undefined;
    entries.sort((a, b) => (a.node === b.node ? a.seq - b.seq : a.node < b.node ? -1 : 1));
    return {
      decision_id: decisionId,
      tenant: entries[0]!.tenant,
      entries: entries.map(({ node, seq, at_ms, kind, meta }) => ({ node, seq, at_ms, kind, meta, position: null })),
    };
  }

  async overview(range: OverviewRange, nowMs: number): Promise<Overview> {
    const { fromMs, toMs, stepMs } = windowOf(range, nowMs);
    const steps: OverviewStep[] = [];
    for (const { row } of this.#settled.values()) {
      const { minute_ms, bucket, ...delta } = minuteOf(row);
      if (minute_ms < fromMs || minute_ms >= toMs) continue;
      steps.push({ ...delta, at_ms: minute_ms - (minute_ms % stepMs), buckets: new Map([[bucket, 1]]) });
    }
    return buildOverview(range, nowMs, steps);
  }

  async since(cursor: string | undefined, filter: DecisionFilter, limit: number): Promise<Arrivals> {
    const head = this.#arrivals.length;
    if (cursor === undefined) return { rows: [], next: `0.${head}` };
    const at = parseArrivalCursor(cursor);
    if (!at || at.generation !== "0" || at.arrival > head) return { rows: [], next: `0.${head}`, gap: 0 };
    if (head - at.arrival > maxArrivalsBehind) return { rows: [], next: `0.${head}`, gap: head - at.arrival };
    const rows: Arrivals["rows"] = [];
    for (let arrival = at.arrival; arrival < head; arrival++) {
      const { row } = this.#settled.get(this.#arrivals[arrival]!)!;
      if (!matches(row, filter)) continue;
      rows.push({ row, cursor: `0.${arrival + 1}` });
      if (rows.length === limit) return { rows, next: `0.${arrival + 1}` };
    }
    return { rows, next: `0.${head}` };
  }

  async outcomes(decisionId: string): Promise<OutcomeMeta[]> {
    const known = [...(this.#outcomes.get(decisionId)?.values() ?? [])];
    known.sort((a, b) => (a.order < b.order ? -1 : 1));
    return known.map(({ order: _order, ...outcome }) => outcome);
  }

  async costs(question: CostQuestion, nowMs: number): Promise<Costs> {
    const { fromMs, toMs, stepMs } = costWindowOf(question.range, nowMs);
    const { by, tenant, useCase, model } = question;
    const steps: CostStep[] = [];
    for (const { row, meters } of this.#settled.values()) {
      const { hour_ms, ...delta } = hourOf(row, meters);
      if (hour_ms < fromMs || hour_ms >= toMs) continue;
      if (tenant !== undefined && delta.tenant !== tenant) continue;
      if (useCase !== undefined && delta.use_case !== useCase) continue;
      if (model !== undefined && delta.model !== model) continue;
      steps.push({ ...delta, name: delta[by], at_ms: hour_ms - (hour_ms % stepMs) });
    }
    return buildCosts(question, nowMs, steps);
  }

  async choices(useCase: string, limit: number): Promise<Choices> {
    const { rows } = await this.list({ useCase }, undefined, limit);
    const groups = [...Map.groupBy(rows, ({ rung, model }) => JSON.stringify([rung, model])).values()];
    const choices = groups.map((own): Choices["choices"][number] => {
      const { rung, model } = own[0]!;
      return {
        ...(rung !== undefined && { rung }),
        ...(model !== undefined && { model }),
        decisions: own.length,
        answered: own.filter(({ state }) => state === "answered").length,
        cache_hits: own.filter(({ cache }) => cache === "hit" || cache === "follower").length,
        cost_nano_usd: own.reduce((sum, row) => sum + row.cost_nano_usd, 0),
        mean_ms: own.reduce((sum, row) => sum + row.duration_ms, 0) / own.length,
      };
    });
    choices.sort((a, b) => b.decisions - a.decisions || (a.rung ?? -1) - (b.rung ?? -1) || textOrder(a.model, b.model));
    const oldest = rows.at(-1);
    return { decisions: rows.length, ...(oldest && { from_ms: oldest.at_ms }), choices };
  }

  async refusals(sinceMs: number, limit: number): Promise<RefusalCount[]> {
    const { rows } = await this.list({ state: "refused", sinceMs }, undefined, Infinity);
    const keyOf = ({ code, tenant, use_case, principal_id }: (typeof rows)[number]) =>
      JSON.stringify([code, tenant, use_case, principal_id]);
    const counts = [...Map.groupBy(rows, keyOf).values()].map((own): RefusalCount => ({
      code: own[0]!.code ?? "",
      tenant: own[0]!.tenant,
      use_case: own[0]!.use_case,
      principal_id: own[0]!.principal_id,
      count: own.length,
      last_ms: Math.max(...own.map(({ at_ms }) => at_ms)),
    }));
    counts.sort((a, b) => b.count - a.count || b.last_ms - a.last_ms || textOrder(a.code, b.code));
    return counts.slice(0, limit);
  }

  onArrival(act: () => void): () => void {
    this.#listeners.add(act);
    return () => this.#listeners.delete(act);
  }
}

const textOrder = (a = "", b = ""): number => (a < b ? -1 : a > b ? 1 : 0);

const orderOf = (node: string, seq: number): string => `${node}/${String(seq).padStart(16, "0")}`;
