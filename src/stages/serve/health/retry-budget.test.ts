import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RetryBudget } from "./retry-budget.ts";

describe("RetryBudget", () => {
  it("law: never more retries than the burst, the share of the calls and what the time brings", () => {
    const step = fc.tuple(fc.constantFrom("call", "retry", "wait"), fc.nat(30_000));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), fc.double({ min: 0, max: 1, noNaN: true }), (steps, share) => {
        const budget = new RetryBudget();
        let [now, calls, retries] = [0, 0, 0];
        for (const [what, ms] of steps) {
          if (what === "wait") now += ms;
          else if (what === "call") {
            calls += 1;
            budget.called(now, share);
          } else if (budget.take(now)) retries += 1;
          expect(retries).toBeLessThanOrEqual(10 + share * calls + now / 10_000 + 1e-6);
        }
      }),
    );
  });

  it("under a whole outage settles at the share", () => {
    const budget = new RetryBudget();
    let retries = 0;
    for (let call = 0; call < 10_000; call++) {
      budget.called(0, 0.1);
      if (budget.take(0)) retries += 1;
    }
    expect(retries).toBeGreaterThan(1000);
    expect(retries).toBeLessThanOrEqual(1011);
  });
});
