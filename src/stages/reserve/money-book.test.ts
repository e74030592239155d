import { describe, expect, it } from "vitest";
import { aPrincipal, aTenant, aUseCase } from "../../../tests/fixtures/decision.ts";
import { VirtualClock } from "../../kernel/clock.ts";
import { type NanoUsd, nanoUsd } from "../../kernel/money.ts";
import type { Principal } from "../../kernel/principal.ts";
import type { Budget, TenantPolicy, UseCase } from "../../kernel/snapshot.ts";
import { type BudgetNotice, MoneyBook, type MoneyHold, type Shortfall } from "./money-book.ts";
import { type Scopes, scopesOf } from "./scopes.ts";

const day = 24 * 3_600_000;
/** 2026-01-01T00:00Z, a Thursday. */
const newYear = 1_767_225_600_000;
const usd = (amount: number): NanoUsd => nanoUsd(amount);
const budget = (amount: number, over: Partial<Budget> = {}): Budget => ({ nanoUsd: usd(amount), per: "day", ...over });

interface Parts {
  tenant?: Partial<TenantPolicy>;
  useCase?: Partial<UseCase>;
  principal?: Partial<Principal>;
}
const scopes = ({ tenant, useCase, principal }: Parts = {}): Scopes =>
  scopesOf({ tenant: aTenant(tenant), useCase: aUseCase(useCase), principal: aPrincipal(principal) });
const withBudget = (...budgets: Budget[]): Scopes => scopes({ tenant: { budgets } });

const isHold = (answer: MoneyHold | Shortfall): answer is MoneyHold => "settle" in answer;
function held(answer: MoneyHold | Shortfall): MoneyHold {
  if (!isHold(answer)) throw new Error(`short of ${answer.scope.name} per ${answer.budget.per}`);
  return answer;
}
const spend = (book: MoneyBook, who: Scopes, amount: number) => held(book.hold(who, usd(amount))).settle(usd(amount));

const setUp = (startMs = newYear) => {
  const clock = new VirtualClock(startMs);
  const notices: BudgetNotice[] = [];
  return { clock, notices, book: new MoneyBook(clock, (notice) => notices.push(notice)) };
};

describe("MoneyBook", () => {
  const who = withBudget(budget(100));

  it("holds the worst case, books the exact cost, frees the rest", () => {
    const { book } = setUp();
    const hold = held(book.hold(who, usd(60)));
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
  ])("%s (spent %s, held %s): hold %s → %s", (_what, spent, alsoHeld, wanted, fits) => {
    const { book } = setUp();
    spend(book, who, spent);
    book.hold(who, usd(alsoHeld));
    expect(isHold(book.hold(who, usd(wanted)))).toBe(fits);
  });

  it("settles once", () => {
    const { book } = setUp();
    const hold = held(book.hold(who, usd(50)));
    hold.settle(usd(10));
    hold.settle(usd(50));
    expect(book.totals("retail")).toEqual({ spent: 10, held: 0 });
  });

  it.each([
    ["a warning budget", withBudget(budget(100, { atLimit: "warn" }))],
    ["no budget", scopes()],
  ])("%s stops nothing and still counts", (_what, free) => {
    const { book } = setUp();
    spend(book, free, 1_000_000);
    expect(isHold(book.hold(free, usd(1)))).toBe(true);
    expect(book.totals("retail").spent).toBe(1_000_000);
  });

  it("a model without a price is served on a budget that is overspent", () => {
    const { book } = setUp();
    held(book.hold(who, usd(10))).settle(usd(200));
    expect(isHold(book.hold(who, usd(0)))).toBe(true);
    expect(isHold(book.hold(who, usd(1)))).toBe(false);
  });

  it("knows nothing of an unknown tenant", () => expect(setUp().book.totals("none")).toEqual({ spent: 0, held: 0 }));
});

describe("whose budget it is", () => {
  it.each([
    ["tenant", { tenant: { budgets: [budget(100)] } }, "tenant:retail"],
    ["use case", { useCase: { budgets: [budget(100)] } }, "use:retail/assistant"],
    [
      "each principal",
      { tenant: { eachPrincipal: { limits: {}, budgets: [budget(100)] } } },
      "principal:retail/branch-app",
    ],
    [
      "a named principal",
      { tenant: { principals: new Map([["branch-app", { limits: {}, budgets: [budget(100)] }]]) } },
      "principal:retail/branch-app",
    ],
    ["each key", { tenant: { eachKey: { limits: {}, budgets: [budget(100)] } } }, "key:k00000000001"],
    ["the key", { principal: { budgets: [{ nano_usd: usd(100), per: "day" }] } }, "key:k00000000001"],
  ] as [string, Parts, string][])("%s", (_level, parts, name) => {
    const { book } = setUp();
    const who = scopes(parts);
    spend(book, who, 90);
    const short = book.hold(who, usd(11));
    expect(short).toMatchObject({ scope: { name }, budget: { per: "day" }, waitMs: day });
    expect(book.held).toBe(0);
    expect(isHold(book.hold(who, usd(10)))).toBe(true);
  });

  it("all or nothing: what one refuses leaves no trace in the others", () => {
    const { book } = setUp();
    const who = scopes({
      tenant: { budgets: [budget(100)] },
      principal: { budgets: [{ nano_usd: usd(5), per: "hour" }] },
    });
    for (let i = 0; i < 30; i++) expect(isHold(book.hold(who, usd(6)))).toBe(false);
    expect(book.totals("retail")).toEqual({ spent: 0, held: 0 });
  });

  it("others' money is not touched: tenants, use cases, principals and keys apart", () => {
    const { book } = setUp();
    const budgets = [budget(100)];
    const mine: Parts = {
      useCase: { budgets },
      tenant: { eachPrincipal: { limits: {}, budgets }, eachKey: { limits: {}, budgets } },
    };
    spend(book, scopes(mine), 100);
    const others = { credential: "k2", id: "other-app" };
    expect(isHold(book.hold(scopes(mine), usd(1)))).toBe(false);
    for (const other of [
      { ...mine, principal: others },
      { ...mine, useCase: { name: "other", budgets } },
    ])
      expect(isHold(book.hold(scopes(other), usd(1)))).toBe(false);
    expect(isHold(book.hold(scopes({ ...mine, useCase: { name: "other", budgets }, principal: others }), usd(1)))).toBe(
      true,
    );
    const elsewhere = { ...mine, tenant: { ...mine.tenant, name: "private" }, principal: { credential: "k3" } };
    expect(isHold(book.hold(scopes(elsewhere), usd(100)))).toBe(true);
  });
});

describe("windows", () => {
  it.each([
    ["hour", newYear + 3_600_000 - 1],
    ["day", newYear + day - 1],
    ["week", Date.UTC(2026, 0, 4, 23, 59, 59, 999)],
    ["month", newYear + 31 * day - 1],
  ] as const)("a new %s starts with nothing spent, and the wait was honest", async (per, lastMs) => {
    const { book, clock } = setUp(lastMs);
    const who = withBudget(budget(100, { per }));
    spend(book, who, 100);
    expect(book.hold(who, usd(1))).toMatchObject({ waitMs: 1 });
    await clock.advance(1);
    expect(isHold(book.hold(who, usd(100)))).toBe(true);
  });

  it("a stream that runs past midnight is yesterday's money: held, settled and refused there", async () => {
    const { book, clock } = setUp(newYear + day - 1);
    const who = withBudget(budget(100), budget(150, { per: "month" }));
    const hold = held(book.hold(who, usd(70)));
    await clock.advance(1);
    expect(book.statesOf(who.all)).toMatchObject([
      { per: "day", spent: 0, held: 0 },
      { per: "month", spent: 0, held: 70 },
    ]);
    // Today's budget is whole, the month's knows of the stream.
    expect(book.hold(who, usd(81))).toMatchObject({ budget: { per: "month" } });
    expect(isHold(book.hold(who, usd(80)))).toBe(true);
    hold.settle(usd(60));
    expect(book.statesOf(who.all)).toMatchObject([
      { per: "day", spent: 0, held: 80 },
      { per: "month", spent: 60, held: 80 },
    ]);
  });

  it("several windows at once: the longest wait is told", () => {
    const { book } = setUp(newYear);
    const who = withBudget(budget(10, { per: "hour" }), budget(10, { per: "week" }));
    spend(book, who, 10);
    expect(book.hold(who, usd(1))).toMatchObject({ budget: { per: "week" }, waitMs: 4 * day });
  });

  it.each([
    ["only what runs is in the way", 0, 60, 50, 1000],
    ["waiting never helps", 0, 0, 101, undefined],
    ["it is spent", 60, 0, 50, day],
  ])("the wait where %s", (_what, spent, running, wanted, waitMs) => {
    const { book } = setUp();
    const who = withBudget(budget(100));
    spend(book, who, spent);
    book.hold(who, usd(running));
    const short = book.hold(who, usd(wanted));
    expect(isHold(short)).toBe(false);
    expect((short as Shortfall).waitMs).toBe(waitMs);
  });

  it("a clock that is set back opens no window again", () => {
    let now = newYear + day;
    const clock = Object.assign(new VirtualClock(newYear), { now: () => now });
    const book = new MoneyBook(clock);
    const who = withBudget(budget(100), budget(100, { per: "hour" }));
    const hourly = withBudget(budget(100, { per: "hour" }));
    spend(book, who, 100);
    for (const ms of [-1, 1]) {
      now += ms;
      expect([who, hourly].map((one) => isHold(book.hold(one, usd(1))))).toEqual([false, false]);
    }
  });
});

describe("a snapshot that changes budgets", () => {
  it.each([
    ["a larger amount", budget(150), 60],
    ["a smaller amount", budget(95), 5],
    ["a longer window", budget(150, { per: "month" }), 60 - 40],
    ["a shorter window", budget(150, { per: "hour" }), 150 - 30],
    ["a window that had no budget", budget(200, { per: "week" }), 200 - 130],
  ])("%s keeps what was spent", async (_what, next, left) => {
    // 40 on an earlier day of the week, 60 this morning, 30 in this hour.
    const { book, clock } = setUp(newYear + day);
    const before = withBudget(budget(100));
    spend(book, before, 40);
    await clock.advance(day + 3_600_000);
    spend(book, before, 60);
    await clock.advance(3_600_000);
    spend(book, before, 30);
    const after = withBudget(next);
    expect(isHold(book.hold(after, usd(Math.max(0, left) + 1)))).toBe(false);
    expect(isHold(book.hold(after, usd(left)))).toBe(true);
  });
});

describe("leases", () => {
  const who = withBudget(budget(100));

  it("the hold of an owner that vanished is freed when its lease has run out, not before", async () => {
    const { book, clock } = setUp();
    book.hold(who, usd(100), 5000);
    await clock.advance(4999);
    expect(isHold(book.hold(who, usd(1)))).toBe(false);
    await clock.advance(1001);
    expect(isHold(book.hold(who, usd(100)))).toBe(true);
    expect([book.held, book.expired]).toEqual([100, 1]);
  });

  it("one that settles after all is booked, for the money is spent, and frees nothing twice", async () => {
    const { book, clock } = setUp();
    const late = held(book.hold(who, usd(60), 1000));
    await clock.advance(2000);
    const other = held(book.hold(who, usd(100)));
    late.settle(usd(55));
    expect(book.totals("retail")).toEqual({ spent: 55, held: 100 });
    other.settle(usd(0));
    expect(book.totals("retail")).toEqual({ spent: 55, held: 0 });
    expect(isHold(book.hold(who, usd(46)))).toBe(false);
  });
});

describe("steps", () => {
  const steps = [
    { at: 80, do: "warn" },
    { at: 95, do: "degrade" },
  ] as const;

  it.each([
    [79, "ok"],
    [80, "warn"],
    [94, "warn"],
    [95, "degrade"],
    [100, "blocked"],
    [130, "blocked"],
  ])("%s of 100 spent: %s", (spent, level) => {
    const { book, clock } = setUp();
    book.restore("tenant:retail", clock.now(), usd(spent));
    expect(book.levelOf(withBudget(budget(100, { steps })))).toBe(level);
  });

  it("what is held does not degrade anybody", () => {
    const { book } = setUp();
    const who = withBudget(budget(100, { steps }));
    book.hold(who, usd(100));
    expect(book.levelOf(who)).toBe("ok");
  });

  it("a budget that warns never blocks; past its end it stays at its last step", () => {
    const { book } = setUp();
    const warns = withBudget(budget(100, { atLimit: "warn" }));
    spend(book, warns, 100);
    expect(book.levelOf(warns)).toBe("warn");
    expect(book.levelOf(withBudget(budget(100, { atLimit: "warn", steps })))).toBe("degrade");
  });

  it("the fullest budget of all scopes counts", () => {
    const { book } = setUp();
    const who = scopes({
      tenant: { budgets: [budget(1000, { steps })] },
      useCase: { budgets: [budget(100, { steps })] },
    });
    spend(book, who, 96);
    expect(book.levelOf(who)).toBe("degrade");
    expect(book.statesOf(who.budgeted).map(({ scope, level }) => [scope, level])).toEqual([
      ["tenant:retail", "ok"],
      ["use:retail/assistant", "degrade"],
    ]);
  });

  it("each is told once in each window, the end too", async () => {
    const { book, clock, notices } = setUp();
    const who = withBudget(budget(100, { steps }));
    for (const amount of [79, 2, 1, 15, 3]) spend(book, who, amount);
    expect(notices.map(({ at, do: what, spent }) => [at, what, spent])).toEqual([
      [80, "warn", 81],
      [95, "degrade", 97],
      [100, "block", 100],
    ]);
    expect(notices[0]).toMatchObject({ scope: "tenant:retail", per: "day", amount: 100 });
    await clock.advance(day);
    spend(book, who, 85);
    spend(book, who, 1);
    expect(notices.slice(3).map(({ at }) => at)).toEqual([80]);
  });
});

describe("restoring from the journal", () => {
  it("books where it was spent: exact for every window", () => {
    const now = Date.UTC(2026, 10, 25, 14, 30);
    const { book } = setUp(now);
    const starts = book.windowStartsMs();
    expect(starts.map((at) => new Date(at).toISOString())).toEqual([
      "2026-11-01T00:00:00.000Z",
      "2026-11-23T00:00:00.000Z",
      "2026-11-25T00:00:00.000Z",
      "2026-11-25T14:00:00.000Z",
    ]);
    for (const [i, at] of starts.entries()) book.restore("tenant:retail", at, usd(10 ** i));
    const spent = (["month", "week", "day", "hour"] as const).map((per) => book.totals("retail", per).spent);
    expect(spent).toEqual([1111, 1110, 1100, 1000]);
  });

  it("forgets accounts that no current window knows of, and no others", async () => {
    const { book, clock } = setUp();
    const open = scopes({ tenant: { name: "open" } });
    const stays = held(book.hold(open, usd(7), 400 * day));
    const account = (i: number) => scopes({ principal: { credential: `k${i}` }, tenant: { name: `t${i}` } });
    for (let i = 0; i < 200; i++) spend(book, account(i), 5);
    await clock.advance(40 * day);
    expect(book.size).toBeGreaterThan(800);
    for (let i = 200; i < 500; i++) book.hold(account(i), usd(0));
    expect(book.totals("t3").spent).toBe(0);
    expect(book.size).toBeLessThan(1300);
    stays.settle(usd(5));
    expect(book.held).toBe(0);
  });
});
