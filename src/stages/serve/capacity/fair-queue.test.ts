import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type PriorityClass, priorityClasses } from "../../../kernel/snapshot.ts";
import { FairQueue, type Waiting, charge } from "./fair-queue.ts";

const call = (tenant: string, over: Partial<Waiting> = {}): Waiting => ({
  tenant,
  weight: 1,
  class: "standard",
  cost: 100,
  serviceMs: 100,
  startBy: Infinity,
  ...over,
});
const queueOf = (...calls: Waiting[]) => {
  const queue = new FairQueue<Waiting>();
  for (const one of calls) queue.add(one);
  return queue;
};
const takeOne = (queue: FairQueue<Waiting>): Waiting => {
  const place = queue.peek()!;
  queue.take(place);
  return place.one;
};
const times = (count: number, make: (i: number) => Waiting): Waiting[] =>
  Array.from({ length: count }, (_, i) => make(i));

describe("FairQueue", () => {
  it("one tenant's calls go in order", () => {
    const calls = times(4, () => call("a"));
    const queue = queueOf(...calls);
    expect(calls.map(() => calls.indexOf(takeOne(queue)))).toEqual([0, 1, 2, 3]);
    expect([queue.size, queue.peek()]).toEqual([0, undefined]);
  });

  it("tenants get the same tokens, not the same number of calls", () => {
    const queue = queueOf(...times(100, () => call("large", { cost: 1000 })), ...times(1000, () => call("small")));
    const first = times(110, () => takeOne(queue));
    expect(first.filter(({ tenant }) => tenant === "large")).toHaveLength(10);
  });

  it("a weight is a share", () => {
    const queue = queueOf(...times(99, () => call("a", { weight: 2 })), ...times(99, () => call("b")));
    expect(times(60, () => takeOne(queue)).filter(({ tenant }) => tenant === "a")).toHaveLength(40);
  });

  it("classes that compete get 70, 20, 8 and 2 of a hundred; of equals the more urgent goes first", () => {
    const queue = queueOf(...priorityClasses.flatMap((of) => times(100, () => call(of, { class: of }))));
    const first = times(100, () => takeOne(queue)).map((one) => one.class);
    expect(first.slice(0, 4)).toEqual(priorityClasses);
    expect(priorityClasses.map((of) => first.filter((one) => one === of).length)).toEqual([70, 20, 8, 2]);
  });

  it("what one class doesn't use goes to the others", () => {
    const queue = queueOf(...times(50, () => call("b", { class: "batch" })));
    expect(times(50, () => takeOne(queue)).every((one) => one.class === "batch")).toBe(true);
  });

  it("who was idle doesn't get what it didn't use, beyond a burst of three", () => {
    const queue = queueOf(...times(100, () => call("busy")));
    for (let i = 0; i < 50; i++) takeOne(queue);
    for (const one of times(20, () => call("back"))) queue.add(one);
    const next = times(13, () => takeOne(queue)).map(({ tenant }) => tenant);
    expect(next.filter((tenant) => tenant === "back")).toHaveLength(8);
  });

  it("what was used beyond what was expected is charged later", () => {
    const queue = queueOf(...times(50, () => call("a")), ...times(50, () => call("b")));
    const place = queue.peek()!;
    queue.take(place);
    charge(place.lane, 900, 1);
    expect(times(10, () => takeOne(queue)).filter(({ tenant }) => tenant === "b")).toHaveLength(10);
  });

  it("forgets what was used when nobody waits any more", () => {
    const queue = queueOf(...times(10, () => call("a")));
    const places = times(10, () => takeOne(queue));
    for (const tenant of ["a", "b", "a", "b"]) queue.add(call(tenant));
    expect(places).toHaveLength(10);
    expect(times(4, () => takeOne(queue)).map(({ tenant }) => tenant)).toEqual(["a", "b", "a", "b"]);
  });

  it.each([
    ["an empty queue", [], "x", 0],
    ["its own tenant's calls, and as much of each other's", [call("a"), call("b"), call("b")], "a", 200],
    ["no more of the others than there is", [call("a"), call("a"), call("b")], "a", 300],
    ["for a newcomer nothing", [call("a"), call("b")], "x", 0],
    ["more where another class waits too", [call("a"), call("c", { class: "critical" })], "a", (100 * 78) / 8],
  ] as [string, Waiting[], string, number][])("work before a newcomer: %s", (_what, calls, tenant, work) => {
    expect(queueOf(...calls).workBefore({ tenant, class: "standard" })).toBeCloseTo(work, 9);
  });

  it("crowds out the newest of whoever has most waiting, never the newcomer's own or a last one", () => {
    const calls = [call("flood"), call("flood"), call("few")];
    const queue = queueOf(...calls);
    const out = queue.crowdingOut({ tenant: "few", class: "standard" });
    expect(out?.one).toBe(calls[1]);
    expect(queue.crowdingOut({ tenant: "flood", class: "standard" })).toBeUndefined();
    expect(queue.crowdingOut({ tenant: "few", class: "batch" })).toBeUndefined();
    expect(queue.remove(out!.lane, out!.one)).toBe(true);
    expect(queue.remove(out!.lane, out!.one)).toBe(false);
    expect(queue.crowdingOut({ tenant: "new", class: "standard" })).toBeUndefined();
  });
});

describe("FairQueue under any order of calls", () => {
  const tenants = ["a", "b", "c"];
  const arrivals = fc.array(
    fc.record({
      tenant: fc.constantFrom(...tenants),
      of: fc.constantFrom<PriorityClass>(...priorityClasses),
      cost: fc.integer({ min: 1, max: 1000 }),
      takes: fc.nat(2),
    }),
    { maxLength: 120 },
  );

  it("gives out every call once, and never stands still while one waits", () => {
    fc.assert(
      fc.property(arrivals, (all) => {
        const queue = new FairQueue<Waiting>();
        const added = new Set<Waiting>();
        const out: Waiting[] = [];
        const takeMany = (count: number) => {
          for (let i = 0; i < count && queue.size > 0; i++) out.push(takeOne(queue));
        };
        for (const { tenant, of, cost, takes } of all) {
          const one = call(tenant, { class: of, cost });
          added.add(one);
          queue.add(one);
          takeMany(takes);
        }
        takeMany(Infinity);
        expect(new Set(out)).toEqual(added);
        expect(out).toHaveLength(added.size);
        expect(priorityClasses.map((of) => queue.sizeOf(of))).toEqual([0, 0, 0, 0]);
      }),
    );
  });

  // Theorem 4.4 of the VTC paper, with the burst that comes on top.
  it("two tenants that both wait all the time never drift apart by more than a few of the largest calls", () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 60, maxLength: 60 });
    fc.assert(
      fc.property(sizes, sizes, (a, b) => {
        const queue = queueOf(...a.map((cost) => call("a", { cost })), ...b.map((cost) => call("b", { cost })));
        const had = { a: 0, b: 0 };
        for (let i = 0; i < 50; i++) {
          const { tenant, cost } = takeOne(queue);
          had[tenant as "a" | "b"] += cost;
          expect(Math.abs(had.a - had.b)).toBeLessThanOrEqual(1000 * 5);
        }
      }),
    );
  });
});
