import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { aPrincipal, aTenant, aUseCase } from "../../../tests/fixtures/decision.ts";
import { VirtualClock } from "../../kernel/clock.ts";
import { nanoUsd } from "../../kernel/money.ts";
import { type Budget, type BudgetWindow, budgetWindows } from "../../kernel/snapshot.ts";
import { windowStartMs } from "./budget-window.ts";
import { MoneyBook, type MoneyHold } from "./money-book.ts";
import { type Scopes, scopesOf } from "./scopes.ts";

/** No timers run here, so thousands of steps need no turn of the event loop. */
class SkippingClock extends VirtualClock {
  #skipped = 0;
  override now(): number {
    return super.now() + this.#skipped;
  }
  override monotonic(): number {
    return super.monotonic() + this.#skipped;
  }
  skip(ms: number): void {
    this.#skipped += ms;
  }
}

const amounts = fc.constantFrom(0, 50, 200, 500);
const budgets = (per: readonly BudgetWindow[]): fc.Arbitrary<Budget[]> =>
  fc.uniqueArray(fc.record({ per: fc.constantFrom(...per), nanoUsd: amounts.map(nanoUsd) }), {
    selector: ({ per: window }) => window,
    maxLength: 2,
  });

/** A snapshot: who has which budgets, and what a call costs. A free model has the price 0. */
const snapshots = fc.record({
  tenant: budgets(budgetWindows),
  useCase: budgets(["hour", "day"]),
  principal: budgets(["day", "week"]),
  key: budgets(["hour", "month"]),
  price: fc.constantFrom(0, 1, 3),
});

const steps = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("hold" as const),
      units: fc.nat(120),
      key: fc.nat(1),
      use: fc.nat(1),
      leaseMs: fc.constantFrom(120_000, 1000 * 24 * 3_600_000),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("settle" as const), which: fc.nat(30), percent: fc.nat(100) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("settle again" as const), which: fc.nat(30) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("reload" as const), to: snapshots }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("wait" as const),
      ms: fc.constantFrom(1000, 60_000, 600_000, 3_600_000, 24 * 3_600_000, 9 * 24 * 3_600_000),
    }),
  },
);

interface Written {
  names: readonly string[];
  atMs: number;
  worst: number;
  hold: MoneyHold;
  leaseMs: number;
  state: "open" | "settled" | "freed";
  cost: number;
}

/** What the journal would say: every hold that was ever taken, added up anew at each question. */
function committed(written: readonly Written[], name: string, sinceMs: number): number {
  let sum = 0;
  for (const one of written)
    if (one.names.includes(name) && one.atMs >= sinceMs && one.state !== "freed")
      sum += one.state === "settled" ? one.cost : one.worst;
  return sum;
}

type Snapshot = typeof snapshots extends fc.Arbitrary<infer Value> ? Value : never;

function scopesIn(snapshot: Snapshot): (key: number, use: number) => Scopes {
  const tenant = aTenant({
    budgets: snapshot.tenant,
    eachPrincipal: { limits: {}, budgets: snapshot.principal },
    eachKey: { limits: {}, budgets: snapshot.key },
  });
  const useCases = [0, 1].map((i) => aUseCase({ name: `use${i}`, budgets: snapshot.useCase }));
  const principals = [0, 1].map((i) => aPrincipal({ credential: `key${i}` }));
  return (key, use) => scopesOf({ tenant, useCase: useCases[use]!, principal: principals[key]! });
}

describe("MoneyBook under any interleaving of holds, settlements, lost owners, new windows and new snapshots", () => {
  it("takes a hold exactly where every budget can bear it beside all that the journal knows", () => {
    let refused = 0;
    fc.assert(
      fc.property(snapshots, fc.array(steps, { maxLength: 80 }), (first, list) => {
        const clock = new SkippingClock(Date.UTC(2026, 0, 29, 22, 59));
        const book = new MoneyBook(clock);
        let snapshot = first;
        let scopesOfCall = scopesIn(first);
        const written: Written[] = [];
        const of = (state: Written["state"], which: number) => {
          const all = written.filter((one) => one.state === state);
          return all[which % Math.max(1, all.length)];
        };
        const freeLost = () => {
          for (const one of written)
            if (one.state === "open" && clock.now() - one.atMs >= one.leaseMs) one.state = "freed";
        };
        for (const step of list) {
          if (step.do === "wait") clock.skip(step.ms);
          else if (step.do === "reload") scopesOfCall = scopesIn((snapshot = step.to));
          else if (step.do === "settle again") of("settled", step.which)?.hold.settle(nanoUsd(7));
          else if (step.do === "settle") {
            // An owner that is alive settles within its lease: serve gives up at its deadline.
            freeLost();
            const one = of("open", step.which);
            if (!one) continue;
            one.state = "settled";
            one.cost = Math.floor((one.worst * step.percent) / 100);
            one.hold.settle(nanoUsd(one.cost));
          } else {
            freeLost();
            const who = scopesOfCall(step.key, step.use);
            const worst = step.units * snapshot.price;
            const bearable = who.all.every(({ name, budgets: all }) =>
              all.every(
                ({ per, nanoUsd: amount }) =>
                  committed(written, name, windowStartMs(per, clock.now())) + worst <= amount,
              ),
            );
            const hold = book.hold(who, nanoUsd(worst), step.leaseMs);
            expect("settle" in hold).toBe(bearable || worst === 0);
            const names = who.all.map(({ name }) => name);
            if (!("settle" in hold)) refused += 1;
            else written.push({ names, atMs: clock.now(), worst, hold, leaseMs: step.leaseMs, state: "open", cost: 0 });
          }
        }
        clock.skip(121_000);
        freeLost();
        book.hold(scopesOfCall(0, 0), nanoUsd(0));
        for (const one of written.filter(({ state }) => state === "open")) {
          one.hold.settle(nanoUsd(0));
          one.state = "settled";
        }
        expect(book.held).toBe(0);
        for (const per of budgetWindows)
          expect(book.totals("retail", per)).toEqual({
            spent: committed(written, "tenant:retail", windowStartMs(per, clock.now())),
            held: 0,
          });
      }),
      { numRuns: 600 },
    );
    expect(refused).toBeGreaterThan(500);
  });
});
