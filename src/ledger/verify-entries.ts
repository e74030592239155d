/** Checks entries in order: sequence, tenant counters, begun and settled, content references. */
import { createHash } from "node:crypto";
import type { DecodedBatch } from "./commit.ts";
import { saltBytes } from "./content.ts";
import type { Findings } from "./findings.ts";
import { sealRoom } from "./key-encryption.ts";
import { type ContentRef, type Entry, entryKinds } from "./port.ts";
import { LogState } from "./state.ts";

/** A decision may be open that long before the last entry: it may still be running. */
const openTailMs = 15 * 60 * 1000;

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

export class EntryCheck {
  readonly state = new LogState();
  readonly keys = new Map<string, string>();
  readonly #findings: Findings;
  readonly #node: string;
  // Grows with the store: some 100 bytes for each decision.
  readonly #settled = new Set<string>();
  #lastAtMs = 0;

  constructor(findings: Findings, node: string) {
    this.#findings = findings;
    this.#node = node;
  }

  batch(batch: DecodedBatch, where: string): void {
    const contents = new Map<string, { keyId: string; room: number }>();
    for (const { digest, frame } of batch.contents) {
      if (!createHash("sha256").update(frame).digest().equals(digest))
        this.#findings.add("content_damaged", where, "the sealed frame has another digest");
      const idEnd = 2 + (frame[1] ?? 0);
      const keyId = frame.toString("utf8", 2, idEnd);
      contents.set(digest.toString("hex"), { keyId, room: frame.length - idEnd - sealRoom });
    }
    for (const { entry } of batch.entries) this.#entry(entry, `${where}, entry ${entry.seq}`, contents);
  }

  #entry(entry: Entry, where: string, contents: ReadonlyMap<string, { keyId: string; room: number }>): void {
    const { seq, tenant, tenant_seq, kind, at_ms } = entry;
    const typed = isCount(seq) && isCount(tenant_seq) && isCount(at_ms) && typeof tenant === "string";
    if (!typed || entry.node !== this.#node || !entryKinds.includes(kind) || typeof entry.meta !== "object") {
      this.#findings.add("entry_malformed", where);
      return;
    }
    if (seq !== this.state.size) this.#findings.add("sequence_gap", where, `expected ${this.state.size}`);
    const expected = this.state.tenants.get(tenant) ?? 0;
    if (tenant_seq !== expected)
      this.#findings.add("tenant_gap", where, `tenant ${tenant}: expected ${expected}, found ${tenant_seq}`);
    this.#life(entry, where);
    if (entry.content) this.#content(entry.content, where, contents);
    this.#lastAtMs = Math.max(this.#lastAtMs, at_ms);
    const metaJson = JSON.stringify(entry.meta);
    const { decision } = entry;
    this.state.fold({ seq, atMs: at_ms, kind, tenant, tenantSeq: tenant_seq, decision, metaJson });
  }

  #life({ decision, kind, meta }: Entry, where: string): void {
    if (decision === undefined) return;
    const open = this.state.isOpen(decision);
    if (kind === "attempt" && !open) this.#findings.add("attempt_outside_decision", where, decision);
    if (kind !== "settled") return;
    if (this.#settled.has(decision)) this.#findings.add("settled_twice", where, decision);
    else if (!open && meta["refused_before_begin"] !== true)
      this.#findings.add("settled_without_begun", where, decision);
    this.#settled.add(decision);
  }

  #content(ref: ContentRef, where: string, contents: ReadonlyMap<string, { keyId: string; room: number }>): void {
    const sealed = contents.get(ref.batch);
    const fits =
      sealed && isCount(ref.offset) && isCount(ref.length) && ref.offset + saltBytes + ref.length <= sealed.room;
    if (!fits || sealed.keyId !== ref.key) this.#findings.add("content_damaged", where);
    if (!this.keys.has(ref.key)) this.keys.set(ref.key, where);
  }

  /** After damage the counters go on from what follows, so that one hole is named once. */
  skipTo(seq: number): void {
    this.state.size = seq;
  }

  end(): void {
    for (const { decision, entries } of this.state.open()) {
      const begun = entries[0]!;
      const running = begun.at_ms >= this.#lastAtMs - openTailMs;
      const where = `${this.#node}, entry ${begun.seq}`;
      this.#findings.add("begun_never_settled", where, decision, running ? "warning" : "error");
    }
  }
}
