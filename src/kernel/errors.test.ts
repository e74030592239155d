import { describe, expect, it } from "vitest";
import { type ErrorCode, WeirError, errorKinds, isRefusal, refuse } from "./errors.ts";

const all = Object.entries(errorKinds);

describe("the table of errors", () => {
  it.each(all)("%s is complete: status, words, and a way out", (code, kind) => {
    expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
    expect(kind.status).toBeGreaterThanOrEqual(400);
    expect(kind.status).toBeLessThan(600);
    expect(kind.title).toMatch(/^[A-Z].*\.$/);
    expect(kind.fix).toMatch(/^[A-Z].*\.$/);
  });

  it("says retryable of every 429 and of no 403", () => {
    for (const [code, kind] of all) {
      if (kind.status === 429) expect([code, kind.retryable]).toEqual([code, true]);
      if (kind.status === 403) expect([code, kind.retryable]).toEqual([code, false]);
    }
  });

  it("has no client fault with a server's status", () => {
    for (const [code, kind] of all)
      if (kind.fault === "caller" && code !== "not_implemented")
        expect([code, kind.status < 500]).toEqual([code, true]);
  });
});

describe("refusals", () => {
  it("say the kind's title unless told more", () => {
    expect(refuse("rate_limited")).toEqual({ refused: true, code: "rate_limited", message: "Too many requests." });
    expect(refuse("rate_limited", "x", { retryAfterMs: 5 })).toEqual({
      refused: true,
      code: "rate_limited",
      message: "x",
      retryAfterMs: 5,
    });
  });

  it.each([
    [refuse("internal"), true],
    [undefined, false],
    [null, false],
    ["refused", false],
    [{ refused: false }, false],
    [new WeirError("internal", "x"), false],
    [new DOMException("gone", "AbortError"), false],
  ])("isRefusal(%o) is %s", (value, is) => expect(isRefusal(value)).toBe(is));

  it("faults carry code and cause", () => {
    const cause = new Error("disk");
    const fault = new WeirError("record_unavailable", "no disk", { cause });
    expect([fault.name, fault.code satisfies ErrorCode, fault.cause]).toEqual([
      "WeirError",
      "record_unavailable",
      cause,
    ]);
  });
});
