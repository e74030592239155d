import { describe, expect, it } from "vitest";
import type { Consent } from "../../kernel/snapshot.ts";
import { type ConsentQuery, ListedConsents } from "./consent.ts";

const own: Consent = {
  reference: "c-1",
  tenant: "retail",
  subject: "anna",
  purposes: ["lending"],
  fromMs: 100,
  untilMs: 200,
};
const form: Consent = {
  reference: "form-7",
  tenant: "retail",
  purposes: ["lending", "scoring"],
  fromMs: 0,
  untilMs: 1000,
};
const query: ConsentQuery = { reference: "c-1", tenant: "retail", subject: "anna", purpose: "lending", atMs: 150 };

describe("ListedConsents", () => {
  const rows: [string, Partial<ConsentQuery>, string | true][] = [
    ["covers subject, purpose and time", {}, true],
    ["holds from its first instant", { atMs: 100 }, true],
    ["holds no more at its end", { atMs: 200 }, "not in force"],
    ["does not hold before it was given", { atMs: 99 }, "not in force"],
    ["is not known", { reference: "c-2" }, "not known"],
    ["belongs to another tenant, which is as good as not known", { tenant: "private" }, "not known"],
    ["was given by another subject", { subject: "ben" }, "another subject"],
    ["was given by someone when nobody is named", { subject: "" }, "another subject"],
    ["does not cover the purpose", { purpose: "marketing" }, "purpose"],
    ["is a form that anyone signs", { reference: "form-7", subject: "ben", purpose: "scoring" }, true],
  ];
  it.each(rows)("a consent that %s", (_what, over, expected) => {
    const answer = new ListedConsents([own, form]).covers({ ...query, ...over });
    if (expected === true) expect(answer).toEqual({ ok: true });
    else expect(answer).toMatchObject({ ok: false, why: expect.stringContaining(expected) as string });
  });

  it("looks at every consent under one reference: a renewed one counts", () => {
    const registry = new ListedConsents([own, { ...own, fromMs: 300, untilMs: 400 }]);
    expect(registry.covers({ ...query, atMs: 350 })).toEqual({ ok: true });
    expect(registry.covers({ ...query, atMs: 250 }).ok).toBe(false);
  });

  it("a renewed consent does not lend its time to another purpose", () => {
    const registry = new ListedConsents([own, { ...own, purposes: ["scoring"], fromMs: 300, untilMs: 400 }]);
    expect(registry.covers({ ...query, atMs: 350 }).ok).toBe(false);
  });
});
