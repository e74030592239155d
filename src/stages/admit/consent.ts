/**
 * Consent is asked of a registry by reference; a boolean from the caller is never enough. This is the port, and its
 * simple implementation over a list that the institution maintains.
 */
import { z } from "zod";

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

/** A date without a time means the start of that day, UTC. */
const moment = z.string().transform((text, ctx) => {
  const at = Date.parse(text);
  if (Number.isNaN(at)) ctx.addIssue({ code: "custom", message: `"${text}" is not a date` });
  return at;
});

const listed = z.strictObject({
  reference: z.string().min(1),
  tenant: z.string().min(1),
  /** Absent: a form that any subject of the tenant signs; the reference names the form's version. */
  subject: z.string().optional(),
  purposes: z.array(z.string()).min(1),
  from: moment,
  until: moment,
});
export const consentList = z.strictObject({ consents: z.array(listed) });

export class FileConsents implements ConsentRegistry {
  readonly #byReference = new Map<string, z.infer<typeof listed>[]>();

  constructor(list: z.infer<typeof consentList>) {
    for (const consent of list.consents)
      this.#byReference.set(consent.reference, [...(this.#byReference.get(consent.reference) ?? []), consent]);
  }

  covers(query: ConsentQuery): { ok: true } | { ok: false; why: string } {
    const known = (this.#byReference.get(query.reference) ?? []).filter((c) => c.tenant === query.tenant);
    if (known.length === 0) return { ok: false, why: "the reference is not known" };
    const own = known.filter((c) => c.subject === undefined || c.subject === query.subject);
    if (own.length === 0) return { ok: false, why: "it was given by another subject" };
    const fitting = own.filter((c) => c.purposes.includes(query.purpose));
    if (fitting.length === 0) return { ok: false, why: `it does not cover the purpose "${query.purpose}"` };
    return fitting.some((c) => c.from <= query.atMs && query.atMs < c.until)
      ? { ok: true }
      : { ok: false, why: "it is not in force now" };
  }
}
