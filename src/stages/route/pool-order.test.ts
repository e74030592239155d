import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type DecisionParts,
  aChatAsk,
  aDecision,
  aVendor,
  aVendorModel,
  modelRung,
  templateRung,
  userSays,
} from "../../../tests/fixtures/decision.ts";
import { routePorts } from "../../../tests/fixtures/route-ports.ts";
import { VirtualClock } from "../../kernel/clock.ts";
import type { PoolMember, PoolRung, PoolStrategy } from "../../kernel/snapshot.ts";
import { freePrice } from "../../kernel/usage.ts";
import { createRoute } from "./route.ts";

const member = (model: string, over: Partial<PoolMember> = {}): PoolMember => ({ model, weight: 1, ...over });
const pool = (strategy: PoolStrategy, members: PoolMember[], over: Partial<PoolRung> = {}): PoolRung => ({
  type: "pool",
  members,
  strategy,
  commit: "first-byte",
  ...over,
});
const named = (name: string, over: Parameters<typeof aVendorModel>[0] = {}) =>
  aVendorModel({ name, model: name, ...over });

/** A house with the models a, b and c at one vendor, whose decisions share clock, health and chance. */
function setUp(rung: PoolRung, models = [named("a"), named("b"), named("c")]) {
  const clock = new VirtualClock();
  const ports = routePorts(undefined, clock);
  const route = createRoute(ports);
  const vendor = aVendor({ keys: [{ id: "acme#1", secret: "s" }] });
  const decide = (parts: DecisionParts = {}) => {
    const d = aDecision({
      ...parts,
      clock,
      useCase: { ...parts.useCase, ladder: [rung, templateRung] },
      snapshot: { models, vendors: [vendor] },
    });
    expect(route(d)).toBeUndefined();
    const order = d.rungs.flatMap((step) => (step.rung.type === "model" ? step.rung.model : []));
    return { d, order, first: order[0] };
  };
  const seen = (model: string, ms: number, times = 1) => {
    for (let n = 0; n < times; n++)
      ports.health.end(ports.health.begin(`acme/${model}`, undefined), "ok", { totalMs: ms });
  };
  const breaks = (model: string, times = 5) => {
    for (let n = 0; n < times; n++) ports.health.end(ports.health.begin(`acme/${model}`, undefined), "failed", {});
  };
  const shares = (times: number, parts: DecisionParts = {}) => {
    const counts: Record<string, number> = {};
    for (let n = 0; n < times; n++) {
      const { first } = decide(parts);
      counts[first!] = (counts[first!] ?? 0) + 1;
    }
    return counts;
  };
  return { ports, clock, vendor, decide, seen, breaks, shares };
}

describe("a pool", () => {
  const three = [member("a"), member("b"), member("c")];

  it("becomes ordinary rungs of one number, first choice first", () => {
    const { d } = setUp(pool("first", three)).decide();
    expect(d.rungs.map(({ index, rung }) => [index, rung.type])).toEqual([
      [0, "model"],
      [0, "model"],
      [0, "model"],
      [1, "template"],
    ]);
    expect(d.route.slice(0, 3)).toMatchObject([
      { rung: 0, target: "a", eligible: true, pool: { strategy: "first", place: 1 } },
      { rung: 0, target: "b", eligible: true, pool: { strategy: "first", place: 2 } },
      { rung: 0, target: "c", eligible: true, pool: { strategy: "first", place: 3 } },
    ]);
  });

  it("leaves out a broken member and says why", () => {
    const { decide, breaks } = setUp(pool("first", three));
    breaks("a");
    const { d, order } = decide();
    expect(order).toEqual(["b", "c"]);
    expect(d.route[2]).toMatchObject({ target: "a", eligible: false, reason: "breaker_open" });
    expect(d.route[2]!.pool!.place).toBeUndefined();
  });

  it("leaves out who does much worse than its peers, unless nobody else is left", () => {
    const { decide, ports, seen, breaks } = setUp(pool("first", [member("a"), member("b")]));
    seen("b", 100, 20);
    for (let n = 0; n < 10; n++) {
      breaks("a", 1);
      seen("a", 100);
    }
    expect(decide().order).toEqual(["b"]);
    breaks("b");
    const { d, order } = decide();
    expect(order).toEqual(["a"]);
    expect(ports.health.stateOf("acme/a").ejected).toBe(true);
    expect(d.route.map(({ reason }) => reason)).toEqual(["eligible", "breaker_open", "eligible"]);
  });

  it("asks a member whose keys rest after the others", () => {
    const { decide, ports, vendor } = setUp(pool("first", [member("a"), member("b")]));
    ports.keys.limited(vendor, vendor.keys[0], "acme/a", 10_000);
    const { d, order } = decide();
    expect(order).toEqual(["b", "a"]);
    expect(d.route.find(({ target }) => target === "a")!.detail).toContain("cooling");
  });

  it("members may have conditions of their own", () => {
    const closed = { source: "never", test: () => false };
    const { order, d } = setUp(pool("first", [member("a", { when: closed }), member("b")])).decide();
    expect(order).toEqual(["b"]);
    expect(d.route[1]).toMatchObject({ target: "a", reason: "condition_false" });
  });

  it("weighted: shares follow the weights", () => {
    const counts = setUp(
      pool("weighted", [member("a", { weight: 6 }), member("b", { weight: 3 }), member("c")]),
    ).shares(4000);
    expect(counts["a"]! / 4000).toBeCloseTo(0.6, 1);
    expect(counts["b"]! / 4000).toBeCloseTo(0.3, 1);
    expect(counts["c"]! / 4000).toBeCloseTo(0.1, 1);
  });

  it("weighted: a member that came back gets its share little by little", async () => {
    const { breaks, seen, clock, shares } = setUp(pool("weighted", [member("a"), member("b")]));
    breaks("a");
    await clock.advance(5_000);
    seen("a", 10, 2);
    const [early, half] = [shares(1000)["a"]!, (await clock.advance(15_000), shares(1000)["a"]!)];
    await clock.advance(20_000);
    const whole = shares(1000)["a"]!;
    expect(early).toBeLessThan(150);
    expect(half).toBeGreaterThan(early + 100);
    expect(whole).toBeGreaterThan(440);
  });

  it("least-loaded: mostly the quicker, never always", () => {
    const { seen, shares } = setUp(pool("least-loaded", three));
    seen("a", 100);
    seen("b", 1000);
    seen("c", 5000);
    const counts = shares(900);
    // The better of two at random: the best wins two draws of three, the worst none.
    expect(counts["a"]!).toBeGreaterThan(500);
    expect(counts["b"]!).toBeGreaterThan(200);
    expect(counts["c"]).toBeUndefined();
  });

  it("law: no strategy ever tries a target whose breaker is open", () => {
    const strategies: PoolStrategy[] = [
      "first",
      "weighted",
      "least-loaded",
      "cheapest",
      "fastest",
      "by-length",
      "sticky",
    ];
    fc.assert(
      fc.property(fc.constantFrom(...strategies), fc.subarray(["a", "b", "c"]), (strategy, broken) => {
        const { decide, breaks } = setUp(pool(strategy, three));
        for (const model of broken) breaks(model);
        const { order } = decide();
        expect(order.toSorted()).toEqual(["a", "b", "c"].filter((model) => !broken.includes(model)));
      }),
    );
  });

  it("cheapest: by expected cost, cached input and usual output included", () => {
    const price = (input: bigint, output: bigint) => ({ ...freePrice, version: "v", input, cached_input: 0n, output });
    const { decide, ports } = setUp(pool("cheapest", [member("a"), member("b")]), [
      named("a", { price: price(1_000_000_000n, 4_000_000_000n) }),
      named("b", { price: price(1_000_000_000n, 3_000_000_000n) }),
    ]);
    expect(decide().order).toEqual(["b", "a"]);
    // It turns out that b talks five times as much.
    const talks = (model: string, outputTokens: number) =>
      ports.health.end(ports.health.begin(`acme/${model}`, undefined), "ok", { totalMs: 1, outputTokens });
    talks("a", 50);
    talks("b", 250);
    const { d, order } = decide();
    expect(order).toEqual(["a", "b"]);
    expect(d.route[0]!.pool!.figures!["expected_nano_usd"]).toBeLessThan(
      d.route[1]!.pool!.figures!["expected_nano_usd"]!,
    );
  });

  it("fastest: unknown is tried first, then the quicker; high risk tries nothing out", () => {
    const { decide, seen } = setUp(pool("fastest", [member("a"), member("b")]));
    seen("a", 900);
    expect(decide().first).toBe("b");
    expect(decide({ useCase: { risk: "high" } }).first).toBe("a");
    seen("b", 2000);
    expect(decide({ useCase: { risk: "high" } }).order).toEqual(["a", "b"]);
  });

  it("by-length: the smallest that fits", () => {
    const { decide } = setUp(
      pool("by-length", [member("c"), member("a", { upToTokens: 100 }), member("b", { upToTokens: 1000 })]),
    );
    const asking = (letters: number) => decide({ ask: aChatAsk({ messages: [userSays("x".repeat(letters))] }) });
    expect(asking(30).order).toEqual(["a", "b", "c"]);
    expect(asking(1500).order).toEqual(["b", "c"]);
    expect(asking(6000).order).toEqual(["c"]);
    expect(asking(6000).d.route[1]).toMatchObject({ reason: "context_too_long" });
  });

  it("sticky: one session, one member; when a member goes, only its sessions move", () => {
    const { decide, breaks } = setUp(pool("sticky", three));
    const of = (session: string) => decide({ with: { session } }).first!;
    const sessions = Array.from({ length: 300 }, (_, n) => `session-${n}`);
    const before = new Map(sessions.map((session) => [session, of(session)]));
    expect(sessions.every((session) => of(session) === before.get(session))).toBe(true);
    const counts = ["a", "b", "c"].map((model) => [...before.values()].filter((each) => each === model).length);
    for (const count of counts) expect(count).toBeGreaterThan(60);
    breaks("a");
    for (const session of sessions)
      if (before.get(session) !== "a") expect(of(session)).toBe(before.get(session));
      else expect(of(session)).not.toBe("a");
  });

  it("a plain rung beside it keeps the ladder's order", () => {
    const { d } = setUp(pool("first", [member("b"), member("a")])).decide();
    expect(d.rungs.at(-1)!.index).toBe(1);
    expect(modelRung("x").type).toBe("model");
  });
});
