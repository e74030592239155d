import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { aDecision, aVendor, aVendorModel, modelRung } from "../../../tests/fixtures/decision.ts";
import { routePorts } from "../../../tests/fixtures/route-ports.ts";
import { VirtualClock } from "../../kernel/clock.ts";
import type { Rung } from "../../kernel/snapshot.ts";
import { freePrice } from "../../kernel/usage.ts";
import { CascadeBook } from "./cascades.ts";
import { createRoute } from "./route.ts";

const question = (c1: number, c2: number, explore = 0) => ({
  useCase: "assistant",
  light: { rung: 0, model: "light", cost: c1 },
  next: { rung: 1, model: "large", cost: c2 },
  explore,
});
const judge = (book: CascadeBook, accepted: number, refused: number) => {
  for (let n = 0; n < Math.max(accepted, refused); n++) {
    if (n < accepted) book.judged("assistant", 0, "light", true);
    if (n < refused) book.judged("assistant", 0, "light", false);
  }
};

describe("CascadeBook", () => {
  it("is on until there is something to judge by", () => {
    expect(new CascadeBook(new VirtualClock()).consider(question(9, 10))).toMatchObject({
      state: "on",
      judged: 0,
      accepted: 0.5,
      break_even: 0.9,
    });
  });

  it("goes off only where even the best that is credible doesn't pay", () => {
    const book = new CascadeBook(new VirtualClock());
    judge(book, 20, 20);
    expect(book.consider(question(5, 10)).state).toBe("on");
    expect(book.consider(question(9, 10))).toMatchObject({ state: "off", break_even: 0.9 });
  });

  it("comes back when answers are accepted again", () => {
    const book = new CascadeBook(new VirtualClock());
    judge(book, 0, 60);
    expect(book.consider(question(5, 10)).state).toBe("off");
    judge(book, 120, 0);
    expect(book.consider(question(5, 10)).state).toBe("on");
  });

  it("tries out a small part while it is off, and none where told so", () => {
    const book = new CascadeBook(new VirtualClock());
    judge(book, 0, 60);
    const explored = (explore: number) =>
      Array.from({ length: 2000 }, () => book.consider(question(5, 10, explore)).state).filter(
        (s) => s === "exploring",
      );
    expect(explored(0)).toEqual([]);
    expect(explored(0.02).length).toBeGreaterThan(15);
    expect(explored(0.02).length).toBeLessThan(80);
  });

  it("reckons with costs as they turned out, by rung and model", () => {
    const book = new CascadeBook(new VirtualClock());
    const cost = (rung: number, model: string, nano: number, status: "ok" | "failed" = "ok") =>
      book.attempted("assistant", { rung, model, status, cost_nano_usd: nano } as never);
    cost(0, "light", 20);
    cost(0, "light", 40);
    cost(0, "light", 4000, "failed");
    cost(1, "large", 300);
    expect(book.consider(question(1, 1))).toMatchObject({ c1_nano_usd: 30, c2_nano_usd: 300, break_even: 0.1 });
    expect(book.cascadeOf("assistant")).toMatchObject([{ rung: 0, model: "light", c1_nano_usd: 30 }]);
    expect(book.cascadeOf("other")).toEqual([]);
  });

  it("a free next rung is no reason to go off", () => {
    const book = new CascadeBook(new VirtualClock());
    judge(book, 0, 60);
    expect(book.consider(question(5, 0))).toMatchObject({ state: "on" });
  });

  it("law: off means that taking it first costs more than it saves, at the observed rate and beyond", () => {
    fc.assert(
      fc.property(
        fc.nat(200),
        fc.nat(200),
        fc.integer({ min: 1, max: 1000 }),
        fc.integer({ min: 1, max: 1000 }),
        (yes, no, c1, c2) => {
          const book = new CascadeBook(new VirtualClock());
          judge(book, yes, no);
          const { state, accepted, accepted_at_most } = book.consider(question(c1, c2));
          expect(accepted_at_most).toBeGreaterThanOrEqual(accepted);
          if (state !== "off") return;
          for (const p of [accepted, accepted_at_most]) expect(c1 + (1 - p) * c2).toBeGreaterThan(c2 - 0.001 * c2);
        },
      ),
    );
  });
});

describe("routing past a cascade that doesn't pay", () => {
  const price = { ...freePrice, version: "v", input: 1_000_000_000n, output: 1_000_000_000n };
  const setUp = (ladder: Rung[]) => {
    const ports = routePorts();
    judge(ports.cascades, 0, 60);
    const d = aDecision({
      useCase: { ladder, risk: "high" },
      snapshot: {
        models: [aVendorModel({ name: "light", model: "l", price }), aVendorModel({ price })],
        vendors: [aVendor()],
      },
    });
    createRoute(ports)(d);
    return d;
  };
  const light = modelRung("light", { commit: "complete", accept: { schema: true } });

  it("leaves the light rung out and shows the figures", () => {
    const d = setUp([light, modelRung("large")]);
    expect(d.rungs.map(({ index }) => index)).toEqual([1]);
    expect(d.route[0]).toMatchObject({ reason: "cascade_off", cascade: { state: "off", judged: 60, break_even: 1 } });
  });

  it("but not where it is the only model", () => {
    expect(setUp([light]).rungs.map(({ index }) => index)).toEqual([0]);
  });
});
