import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { aTenant } from "../../../tests/fixtures/decision.ts";
import { VirtualClock } from "../../kernel/clock.ts";
import { type NanoUsd, nanoUsd } from "../../kernel/money.ts";
import type { TenantPolicy } from "../../kernel/snapshot.ts";
import { MoneyBook, type MoneyHold } from "./money-book.ts";

const day = 24 * 3_600_000;
/** 2026-01-01T00:00Z */
const newYear = 1_767_225_600_000;
const tenantWith = (limit: number, over: Partial<NonNullable<TenantPolicy["budget"]>> = {}): TenantPolicy =>
  aTenant({ budget: { nanoUsd: nanoUsd(limit), per: "day", atLimit: "block", ...over } });
const setUp = (startMs = newYear) => {
  const clock = new VirtualClock(startMs);
  return { clock, book: new MoneyBook(clock) };
};
const usd = (amount: number): NanoUsd => nanoUsd(amount);

describe("MoneyBook", () => {
  const tenant = tenantWith(100);

  it("holds the worst case, books the exact cost, frees the rest", () => {
    const { book } = setUp();
    const hold = book.hold(tenant, usd(60))!;
    expect(hold.heldNanoUsd).toBe(60);
    expect(book.totals("retail")).toEqual({ spent: 0, held: 60 });
    hold.settle(usd(25));
    expect(book.totals("retail")).toEqual({ spent: 25, held: 0 });
    expect(book.held).toBe(0);
  });

  it.each([
    ["the whole budget", 0, 0, 100, true],
    ["a unit more", 0, 0, 101, false],
    ["what is left beside spent", 40, 0, 60, true],
    ["more than is left beside spent", 40, 0, 61, false],
    ["what is left beside held", 0, 40, 60, true],
    ["more than is left beside held", 0, 40, 61, false],
    ["nothing, when everything is spent", 100, 0, 0, true],
  ])("%s (spent %s, held %s): hold %s → %s", (_what, spent, held, wanted, fits) => {
    const { book } = setUp();
    book.hold(tenant, usd(spent))!.settle(usd(spent));
    book.hold(tenant, usd(held));
    expect(book.hold(tenant, usd(wanted)) !== undefined).toBe(fits);
  });

  it("settles once", () => {
    const { book } = setUp();
    const hold = book.hold(tenant, usd(50))!;
    hold.settle(usd(10));
    hold.settle(usd(50));
    expect(book.totals("retail")).toEqual({ spent: 10, held: 0 });
  });

  it.each([
    ["a warning budget", tenantWith(100, { atLimit: "warn" })],
    ["no budget", aTenant()],
  ])("%s stops nothing and still counts", (_what, free) => {
    const { book } = setUp();
    book.hold(free, usd(1_000_000))!.settle(usd(1_000_000));
    expect(book.hold(free, usd(1))).toBeDefined();
    expect(book.totals("retail").spent).toBe(1_000_000);
  });

  it("one tenant's money is not another's", () => {
    const { book } = setUp();
    book.hold(tenant, usd(100));
    expect(book.hold({ ...tenant, name: "other" }, usd(100))).toBeDefined();
    expect(book.held).toBe(200);
  });

  it.each([
    ["day", "day", newYear + day - 1, 1],
    ["month", "month", newYear + 31 * day - 1, 1],
  ] as const)("a new %s starts with nothing spent", async (_name, per, lastMs, more) => {
    const { book, clock } = setUp(lastMs);
    const budget = tenantWith(100, { per });
    book.hold(budget, usd(100))!.settle(usd(100));
    expect(book.hold(budget, usd(1))).toBeUndefined();
    await clock.advance(more);
    expect(book.hold(budget, usd(100))).toBeDefined();
  });

  it("a hold outlives its window, still bounds the next one, and is booked there", async () => {
    const { book, clock } = setUp(newYear + day - 1);
    const hold = book.hold(tenant, usd(70))!;
    await clock.advance(1);
    expect(book.hold(tenant, usd(31))).toBeUndefined();
    expect(book.hold(tenant, usd(30))).toBeDefined();
    hold.settle(usd(70));
    expect(book.totals("retail")).toEqual({ spent: 70, held: 30 });
  });

  it("restores what was spent in this window", () => {
    const { book } = setUp();
    book.restore(tenant, usd(90));
    expect(book.hold(tenant, usd(11))).toBeUndefined();
    expect(book.hold(tenant, usd(10))).toBeDefined();
  });

  it.each([
    ["day", Date.UTC(2026, 1, 28)],
    ["month", Date.UTC(2026, 1, 1)],
  ] as const)("windowStartMs(%s)", (per, start) => {
    expect(setUp(Date.UTC(2026, 1, 28, 23, 59, 59, 999)).book.windowStartMs(per)).toBe(start);
  });

  it("knows nothing of an unknown tenant", () => expect(setUp().book.totals("none")).toEqual({ spent: 0, held: 0 }));
});

describe("MoneyBook under any interleaving", () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant("hold" as const), amount: fc.integer({ min: 0, max: 400 }) }),
    fc.record({
      do: fc.constant("settle" as const),
      which: fc.nat(20),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
    fc.record({ do: fc.constant("again" as const), which: fc.nat(20) }),
  );

  it("spent + held never exceeds a blocking budget, and held is zero when all are settled", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1000 }), fc.array(step, { maxLength: 60 }), (limit, steps) => {
        const { book } = setUp();
        const tenant = tenantWith(limit);
        const open: MoneyHold[] = [];
        const settled: MoneyHold[] = [];
        let spent = 0;
        const pay = (hold: MoneyHold, share: number) => {
          const cost = Math.floor(hold.heldNanoUsd * share);
          hold.settle(usd(cost));
          settled.push(hold);
          spent += cost;
        };
        for (const now of steps) {
          if (now.do === "hold") {
            const before = book.totals("retail");
            const hold = book.hold(tenant, usd(now.amount));
            // Refused exactly where it would not fit: neither too generous nor too strict.
            expect(hold !== undefined).toBe(before.spent + before.held + now.amount <= limit);
            if (hold) open.push(hold);
          } else if (now.do === "settle") {
            const [hold] = open.splice(now.which % Math.max(1, open.length), 1);
            if (hold) pay(hold, now.share);
          } else settled[now.which % Math.max(1, settled.length)]?.settle(usd(7));
          const totals = book.totals("retail");
          expect(totals.spent).toBe(spent);
          expect(totals.spent + totals.held).toBeLessThanOrEqual(limit);
        }
        for (const hold of open.splice(0)) pay(hold, 1);
        expect(book.held).toBe(0);
        expect(book.totals("retail").spent).toBe(spent);
      }),
      { numRuns: 300 },
    );
  });
});

describe("a budget that warns", () => {
  it("goes on being spent, and says once in each window that it is passed", async () => {
    const clock = new VirtualClock(Date.UTC(2026, 10, 22));
    const heard: string[] = [];
    const book = new MoneyBook(clock, ({ name }) => heard.push(name));
    const tenant: TenantPolicy = { ...tenantWith(10), budget: { nanoUsd: usd(10), per: "day", atLimit: "warn" } };
    for (const amount of [6, 6, 6]) book.hold(tenant, usd(amount))!.settle(usd(amount));
    expect(heard).toEqual(["retail"]);
    await clock.advance(24 * 3600_000);
    book.hold(tenant, usd(6))!.settle(usd(6));
    expect(heard).toHaveLength(1);
    expect(book.hold(tenant, usd(6))).toBeDefined();
    expect(heard).toHaveLength(2);
  });
});
