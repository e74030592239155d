import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../../kernel/clock.ts";
import { type PriorityClass, priorityClasses } from "../../../kernel/snapshot.ts";
import type { LimitBounds } from "./adaptive-limit.ts";
import { Capacity, type CapacityAsk, type Pass } from "./capacity.ts";
import { type Shed, refuseShed } from "./shed.ts";
import { EventClock } from "./simulation.ts";

const ask = (over: Partial<CapacityAsk> = {}): CapacityAsk => ({
  tenant: "a",
  class: "standard",
  inTokens: 100,
  expectedOutTokens: 50,
  deadlineAt: 60_000,
  ...over,
});

function setUp(bounds: Partial<LimitBounds> = { min: 1, initial: 1, max: 1 }) {
  const clock = new VirtualClock();
  const capacity = new Capacity({ clock, boundsOf: (target) => (target === "usual" ? undefined : bounds) });
  return { clock, capacity, enter: (over: Partial<CapacityAsk> = {}) => capacity.enter("t", ask(over)) };
}
const pass = (entered: Pass | Shed | Promise<Pass | Shed>): Pass => {
  if (!("leave" in entered)) throw new Error("no pass at once");
  return entered;
};
/** What became of it so far. */
function watch(entered: Pass | Shed | Promise<Pass | Shed>) {
  const seen: { result?: Pass | Shed } = {};
  void Promise.resolve(entered).then((result) => (seen.result = result));
  return seen;
}
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe("Capacity", () => {
  it("opens further while long streams hold every place and none of them ends", async () => {
    const { enter, clock } = setUp({ min: 4, initial: 64, max: 4096 });
    const waiting = Array.from({ length: 320 }, () => enter({ deadlineAt: Infinity }));
    let open = 0;
    for (const one of waiting)
      void Promise.resolve(one).then((entered) => {
        // The first token comes soon, the end not at all.
        open += 1;
        clock.after(20, () => pass(entered).firstToken());
      });
    await clock.advance(40_000);
    expect(open).toBe(320);
  });

  it("lets in at once what there is room for, and the others in turn", async () => {
    const { enter, clock } = setUp({ min: 2, initial: 2, max: 2 });
    const [first, second] = [pass(enter()), pass(enter())];
    const third = watch(enter());
    await clock.advance(300);
    expect([first.waitedMs, second.waitedMs, third.result]).toEqual([0, 0, undefined]);
    first.leave({ outcome: "ok" });
    await turn();
    expect(third.result).toMatchObject({ waitedMs: 300 });
  });

  it("targets are apart; one without bounds begins with 64 places", () => {
    const { capacity, enter } = setUp();
    pass(enter());
    for (let i = 0; i < 64; i++) pass(capacity.enter("usual", ask()));
    expect(capacity.states()).toMatchObject([
      { target: "t", limit: 1, running: 1 },
      { target: "usual", limit: 64, running: 64 },
    ]);
  });

  it("a place is left once", async () => {
    const { enter, capacity } = setUp();
    const first = pass(enter());
    const [second, third] = [watch(enter()), watch(enter())];
    first.leave({ outcome: "ok" });
    first.leave({ outcome: "dropped" });
    await turn();
    expect([second.result !== undefined, third.result]).toEqual([true, undefined]);
    expect(capacity.states()).toMatchObject([{ running: 1, waiting: { standard: 1 } }]);
  });

  it("turns away at once what can't be in time, and says when to come back", async () => {
    const { enter, clock } = setUp();
    for (let i = 0; i < 3; i++) {
      const one = pass(enter());
      await clock.advance(10_000);
      one.leave({ outcome: "ok" });
    }
    pass(enter());
    const at = clock.monotonic();
    expect(enter({ deadlineAt: at + 19_000 })).toEqual({ shed: "too_late", retryAfterMs: 10_000 });
    expect(enter({ deadlineAt: at + 21_000 })).toBeInstanceOf(Promise);
    // The other tenant's turn comes before the second call of this one, as it is one place and two who wait.
    expect(enter({ deadlineAt: at + 29_000 })).toMatchObject({ shed: "too_late" });
    expect(enter({ tenant: "b", deadlineAt: at + 21_000 })).toBeInstanceOf(Promise);
  });

  it("what has waited too long is not started any more", async () => {
    const { enter, clock } = setUp();
    const running = pass(enter());
    const late = watch(enter({ deadlineAt: 5000 }));
    const patient = watch(enter());
    await clock.advance(6000);
    running.leave({ outcome: "ok" });
    await turn();
    expect(late.result).toMatchObject({ shed: "too_late" });
    expect(patient.result).toMatchObject({ waitedMs: 6000 });
  });

  it("somebody who waits for a first token is turned away earlier", async () => {
    const { enter, clock } = setUp();
    for (let i = 0; i < 3; i++) {
      const one = pass(enter());
      await clock.advance(1000);
      one.firstToken();
      await clock.advance(9000);
      one.leave({ outcome: "ok", outTokens: 50 });
    }
    pass(enter());
    const at = clock.monotonic();
    expect(enter({ deadlineAt: at + 60_000, firstTokenBy: at + 10_900 })).toMatchObject({ shed: "too_late" });
    expect(enter({ deadlineAt: at + 60_000, firstTokenBy: at + 11_100 })).toBeInstanceOf(Promise);
  });

  it("who goes away while waiting takes no place", async () => {
    const { enter, capacity } = setUp();
    const running = pass(enter());
    const controller = new AbortController();
    const gone = watch(enter({ signal: controller.signal }));
    const next = watch(enter());
    controller.abort();
    await turn();
    expect(gone.result).toEqual({ shed: "gone", retryAfterMs: 0 });
    running.leave({ outcome: "other" });
    await turn();
    expect(next.result).toHaveProperty("leave");
    expect(enter({ signal: AbortSignal.abort() })).toMatchObject({ shed: "gone" });
    expect(capacity.states()).toMatchObject([{ waiting: { standard: 0 } }]);
  });

  it("a full queue turns away whoever fills it, not a tenant that comes seldom", async () => {
    const { enter } = setUp();
    pass(enter({ tenant: "flood" }));
    const flood = Array.from({ length: 32 }, () => watch(enter({ tenant: "flood" })));
    expect(enter({ tenant: "flood" })).toMatchObject({ shed: "full" });
    const seldom = watch(enter({ tenant: "seldom" }));
    await turn();
    expect(seldom.result).toBeUndefined();
    expect(flood.map(({ result }) => result).filter((result) => result !== undefined)).toEqual([
      { shed: "full", retryAfterMs: 1 },
    ]);
    expect(flood.at(-1)!.result).toBeDefined();
  });

  it("classes have queues of their own: a flood of batch work keeps nobody else out", () => {
    const { enter } = setUp();
    pass(enter());
    for (let i = 0; i < 40; i++) void enter({ class: "batch" });
    expect(enter({ class: "batch" })).toMatchObject({ shed: "full" });
    expect(enter({ class: "critical" })).toBeInstanceOf(Promise);
  });

  it("starts no more than the vendor said is left, until it is reset", async () => {
    const { enter, clock, capacity } = setUp({ min: 10, initial: 10, max: 10 });
    capacity.told("t", { requests: 2, resetMs: 4000 });
    pass(enter());
    pass(enter());
    const third = watch(enter());
    await clock.advance(3999);
    expect(third.result).toBeUndefined();
    await clock.advance(1);
    expect(third.result).toMatchObject({ waitedMs: 4000 });
    capacity.told("t", { requests: 100, tokens: 149, resetMs: 4000 });
    const large = watch(enter());
    await clock.advance(4000);
    expect(large.result).toMatchObject({ waitedMs: 4000 });
    capacity.told("t", { requests: 0, resetMs: 4000 });
    expect(enter({ deadlineAt: clock.monotonic() + 3000 })).toMatchObject({ shed: "too_late", retryAfterMs: 4000 });
  });

  it.each([
    [{ shed: "full", retryAfterMs: 7 }, /^Too many requests wait for acme\/large\.$/],
    [{ shed: "too_late", retryAfterMs: 7 }, /beyond its deadline/],
  ] as [Shed, RegExp][])("a refusal for %j", (shed, message) => {
    expect(refuseShed("acme/large", shed)).toMatchObject({
      code: "overloaded",
      retryAfterMs: 7,
      message: expect.stringMatching(message) as string,
    });
  });
});

describe("Capacity under any interleaving", () => {
  const steps = fc.array(
    fc.oneof(
      fc.record({
        do: fc.constant("enter" as const),
        tenant: fc.constantFrom("a", "b", "c"),
        of: fc.constantFrom<PriorityClass>(...priorityClasses),
        withinMs: fc.integer({ min: 0, max: 20_000 }),
      }),
      fc.record({
        do: fc.constant("leave" as const),
        which: fc.nat(20),
        outcome: fc.constantFrom("ok" as const, "dropped" as const, "other" as const),
      }),
      fc.record({ do: fc.constant("first" as const), which: fc.nat(20) }),
      fc.record({ do: fc.constant("gone" as const), which: fc.nat(20) }),
      fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 3000 }) }),
    ),
    { maxLength: 80 },
  );

  it("every call ends in a place or a reason, once; no more run than may; all places come back", async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const clock = new EventClock(1);
        const capacity = new Capacity({ clock, boundsOf: () => ({ min: 1, initial: 3, max: 6 }) });
        let entered = 0;
        let settled = 0;
        const open: Pass[] = [];
        const waiting: AbortController[] = [];
        const take = (result: Pass | Shed) => {
          settled += 1;
          if ("leave" in result) open.push(result);
        };
        for (const step of all) {
          if (step.do === "wait") await clock.runUntil(clock.monotonic() + step.ms);
          else if (step.do === "first") open[step.which % Math.max(1, open.length)]?.firstToken();
          else if (step.do === "gone") waiting[step.which % Math.max(1, waiting.length)]?.abort();
          else if (step.do === "leave")
            open.splice(step.which % Math.max(1, open.length), 1)[0]?.leave({ outcome: step.outcome });
          else {
            entered += 1;
            const controller = new AbortController();
            waiting.push(controller);
            const deadlineAt = clock.monotonic() + step.withinMs;
            const result = capacity.enter(
              "t",
              ask({ tenant: step.tenant, class: step.of, deadlineAt, signal: controller.signal }),
            );
            if ("then" in result) void result.then(take);
            else take(result);
          }
          for (let i = 0; i < 4; i++) await undefined;
          const [state] = capacity.states();
          if (!state) continue;
          expect(state.running).toBe(open.length);
          expect(state.running).toBeLessThanOrEqual(6);
          // Nobody waits while there is room.
          if (state.running < state.limit) expect(Object.values(state.waiting)).toEqual([0, 0, 0, 0]);
        }
        for (let i = 0; i < 200 && open.length > 0; i++) {
          open.pop()!.leave({ outcome: "ok" });
          for (let j = 0; j < 4; j++) await undefined;
        }
        expect([open.length, settled]).toEqual([0, entered]);
      }),
      { numRuns: 150 },
    );
  });
});
