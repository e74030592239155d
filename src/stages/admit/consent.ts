/**
 * Consent is asked of a registry by reference; a boolean from the caller is never enough. This is the port, and its
 * simple implementation over a list that the institution maintains.
 */
import type { Consent } from "../../kernel/snapshot.ts";

export interface ConsentQuery {
  reference: string;
  tenant: string;
  /** The subject as the caller names it. */
  subject: string;
  purpose: string;
  atMs: number;
}

export interface ConsentRegistry {
  /** Synchronous: a remote registry keeps its answers in memory and refreshes them itself. */
  covers(query: ConsentQuery): { ok: true } | { ok: false; why: string };
}

export class ListedConsents implements ConsentRegistry {
  readonly #byReference = new Map<string, Consent[]>();

  constructor(consents: readonly Consent[]) {
    for (const consent of consents)
      this.#byReference.set(consent.reference, [...(this.#byReference.get(consent.reference) ?? []), consent]);
  }

  covers(query: ConsentQuery): { ok: true } | { ok: false; why: string } {
    const known = (this.#byReference.get(query.reference) ?? []).filter((c) => c.tenant === query.tenant);
    if (known.length === 0) return { ok: false, why: "the reference is not known" };
    const own = known.filter((c) => c.subject === undefined || c.subject === query.subject);
    if (own.length === 0) return { ok: false, why: "it was given by another subject" };
    const fitting = own.filter((c) => c.purposes.includes(query.purpose));
    if (fitting.length === 0) return { ok: false, why: `it does not cover the purpose "${query.purpose}"` };
    return fitting.some((c) => c.fromMs <= query.atMs && query.atMs < c.untilMs)
      ? { ok: true }
      : { ok: false, why: "it is not in force now" };
  }
}
