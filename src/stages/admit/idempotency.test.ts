import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { aDecisionId } from "../../../tests/fixtures/decision.ts";
import { VirtualClock } from "../../kernel/clock.ts";
import { isRefusal } from "../../kernel/errors.ts";
import { IdempotencyTable } from "./idempotency.ts";

const day = 24 * 3_600_000;
const [first, second] = [aDecisionId(1), aDecisionId(2)];

function setUp() {
  const clock = new VirtualClock();
  return { clock, table: new IdempotencyTable(clock) };
}
const outcome = (answer: unknown) => (isRefusal(answer) ? answer.code : answer);

describe("IdempotencyTable", () => {
  const rows: [string, (table: IdempotencyTable) => void, string, unknown][] = [
    ["new", () => undefined, "body", undefined],
    ["in flight", (t) => void t.claim("key", "body", first), "body", "idempotency_in_flight"],
    ["in flight with another body", (t) => void t.claim("key", "body", first), "other", "idempotency_mismatch"],
    [
      "done",
      (t) => (t.claim("key", "body", first), t.settled("key", first, "done", 7)),
      "body",
      { decision: first, seq: 7 },
    ],
    [
      "done with another body",
      (t) => (t.claim("key", "body", first), t.settled("key", first, "done", 7)),
      "other",
      "idempotency_mismatch",
    ],
    [
      "interrupted",
      (t) => (t.claim("key", "body", first), t.settled("key", first, "interrupted", 7)),
      "body",
      "idempotency_interrupted",
    ],
    ["freed", (t) => (t.claim("key", "body", first), t.free("key", first)), "body", undefined],
    ["another key", (t) => void t.claim("another", "body", first), "body", undefined],
  ];
  it.each(rows)("a key that is %s", (_state, given, body, expected) => {
    const { table } = setUp();
    given(table);
    expect(outcome(table.claim("key", body, second))).toEqual(expected);
  });

  it("says how long to wait while in flight, and which decision was interrupted", () => {
    const { table } = setUp();
    table.claim("key", "body", first);
    expect(table.claim("key", "body", second)).toMatchObject({ retryAfterMs: 1000 });
    table.settled("key", first, "interrupted", 1);
    expect(table.claim("key", "body", second)).toMatchObject({ message: expect.stringContaining(first) as string });
  });

  it("only the decision that claimed a key may settle or free it", () => {
    const { table } = setUp();
    table.claim("key", "body", first);
    table.settled("key", second, "done", 7);
    table.free("key", second);
    expect(outcome(table.claim("key", "body", second))).toBe("idempotency_in_flight");
  });

  it("forgets after 24 h, not before", async () => {
    const { table, clock } = setUp();
    table.claim("key", "body", first);
    table.settled("key", first, "done", 7);
    await clock.advance(day - 1);
    expect(table.claim("key", "body", second)).toEqual({ decision: first, seq: 7 });
    await clock.advance(1);
    expect(table.claim("key", "body", second)).toBeUndefined();
    expect(table.size).toBe(1);
  });

  it("restores what is younger than 24 h, and forgets that in its turn too", async () => {
    const { table, clock } = setUp();
    const known = { decision: first, body: "body", state: "done", seq: 3 } as const;
    table.restore("old", { ...known, atMs: clock.now() - day });
    table.restore("young", { ...known, atMs: clock.now() - day + 1000 });
    expect(table.size).toBe(1);
    expect(table.claim("young", "body", second)).toEqual({ decision: first, seq: 3 });
    await clock.advance(1000);
    expect(table.claim("young", "body", second)).toBeUndefined();
  });

  it("law: of any number of claims with one key and body, exactly one runs until it is freed", () => {
    const act = fc.constantFrom("claim", "settle", "free");
    fc.assert(
      fc.property(fc.array(fc.tuple(act, fc.integer({ min: 0, max: 3 })), { maxLength: 40 }), (acts) => {
        const { table } = setUp();
        let running: number | undefined;
        let done = false;
        for (const [what, n] of acts) {
          if (what === "claim") {
            const won = table.claim("key", "body", aDecisionId(n)) === undefined;
            expect(won).toBe(running === undefined && !done);
            if (won) running = n;
          } else if (what === "settle") {
            table.settled("key", aDecisionId(n), "done", 1);
            if (n === running) [running, done] = [undefined, true];
          } else if (running === n) {
            table.free("key", aDecisionId(n));
            running = undefined;
          }
        }
      }),
    );
  });
});
