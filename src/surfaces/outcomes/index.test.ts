import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type House, openHouse, repaid } from "./fake-house.ts";

let house: House;
beforeEach(async () => {
  house = await openHouse();
});
afterEach(() => house.close());

describe("bad requests", () => {
  const cases: [name: string, body: unknown, param: string, detail: RegExp][] = [
    ["an array", [repaid], "body", /expected object/],
    ["null", null, "body", /expected object/],
    ["no decision id", { ...repaid, decision_id: undefined }, "decision_id", /decision id/],
    ["no outcome id", { ...repaid, outcome_id: undefined }, "outcome_id", /is missing/],
    ["no label", { ...repaid, label: undefined }, "label", /is missing/],
    ["a malformed decision id", { ...repaid, decision_id: "dec_1" }, "decision_id", /must be a decision id/],
    [
      "an address as outcome id",
      { ...repaid, outcome_id: "anna@example.org" },
      "outcome_id",
      /^outcome_id: must be 1 to 128 letters[^@]*$/,
    ],
    ["a label of free text", { ...repaid, label: "paid late" }, "label", /1 to 64/],
    ["a long label", { ...repaid, label: "x".repeat(65) }, "label", /1 to 64/],
    ["a value as text", { ...repaid, value: "1" }, "value", /finite number/],
    ["a null value", { ...repaid, value: null }, "value", /finite number/],
    ["a value beyond all numbers", JSON.stringify({ ...repaid, value: 7 }).replace("7}", "1e999}"), "value", /finite/],
    ["a date alone", { ...repaid, observed_at: "2025-12-01" }, "observed_at", /RFC 3339/],
    ["a time without zone", { ...repaid, observed_at: "2025-12-01T10:00:00" }, "observed_at", /RFC 3339/],
    ["a time without seconds", { ...repaid, observed_at: "2025-12-01T10:00Z" }, "observed_at", /RFC 3339/],
    ["a day that never was", { ...repaid, observed_at: "2025-02-30T10:00:00Z" }, "observed_at", /RFC 3339/],
    ["tomorrow", { ...repaid, observed_at: "2026-01-02T00:00:00Z" }, "observed_at", /future/],
    ["a long note", { ...repaid, note: "x".repeat(2001) }, "note", /at most 2000/],
    ["an unknown field", { ...repaid, colour: 1 }, "body", /colour/],
    ["an empty batch", { outcomes: [] }, "outcomes", /outcomes/],
    ["501 outcomes", { outcomes: Array(501).fill(repaid) }, "outcomes", /at most 500/],
    ["a batch beside one", { ...repaid, outcomes: [repaid] }, "body", /Unrecognized/],
  ];
  it.each(cases)("%s is refused", async (_, body, param, detail) => {
    const answer = await house.post(body);
    expect(answer).toMatchObject({
      status: 400,
      contentType: "application/problem+json",
      body: { code: "invalid_request", param },
    });
    expect(answer.body.detail).toMatch(detail);
    expect(answer.decisionId).toMatch(/^dec_/);
    expect([house.journal.entries.length, house.counted.length]).toEqual([0, 1]);
  });

  it("takes a clock that is a little ahead", async () => {
    const soon = new Date(house.clock.now() + 4 * 60_000).toISOString();
    expect((await house.post({ ...repaid, observed_at: soon })).status).toBe(201);
  });

  const others: [name: string, body: unknown, headers: Record<string, string>, status: number, code: string][] = [
    ["malformed JSON", "{", {}, 400, "malformed_json"],
    ["another content type", "{}", { "content-type": "text/plain" }, 415, "unsupported_media_type"],
    ["a body of 5 MB", " ".repeat(5 * 1024 * 1024), {}, 413, "body_too_large"],
    ["no key, whatever the body", "{", { authorization: "" }, 401, "invalid_key"],
    ["a decision of another tenant", repaid, { authorization: "Bearer stranger" }, 404, "unknown_decision"],
    ["a decision of another environment", repaid, { authorization: "Bearer tester" }, 404, "unknown_decision"],
    [
      "a use case that the key has no right to",
      repaid,
      { authorization: "Bearer narrow" },
      403,
      "use_case_not_allowed",
    ],
  ];
  it.each(others)("%s is refused", async (_, body, headers, status, code) => {
    expect(await house.post(body, headers)).toMatchObject({
      status,
      contentType: "application/problem+json",
      body: { code },
    });
    expect(house.journal.entries).toHaveLength(0);
    expect(house.counted.map((refusal) => refusal.code)).toEqual([code]);
  });

  it("has no mutation that is a fault of the server's", async () => {
    const field = fc.constantFrom(
      "decision_id",
      "outcome_id",
      "label",
      "value",
      "observed_at",
      "note",
      "outcomes",
      "__proto__",
    );
    await fc.assert(
      fc.asyncProperty(field, fc.jsonValue({ maxDepth: 2 }), async (name, junk) => {
        const answer = await house.post(
          JSON.stringify({ ...repaid, observed_at: "2025-12-01T10:00:00Z" }).replace(
            /}$/,
            `,"${name}":${JSON.stringify(junk)}}`,
          ),
        );
        expect(answer.status).toBeLessThan(500);
      }),
      { numRuns: 150 },
    );
    expect(house.faults).toEqual([]);
  });
});
