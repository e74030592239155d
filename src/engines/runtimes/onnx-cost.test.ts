import { describe, expect, it } from "vitest";
import { learnCost, measureCost, microsOf, rowsWithin } from "./onnx-cost.ts";

/** A model whose calls move the clock by what `micros` says for the n-th call. */
function setUp(micros: (call: number, rows: number) => number) {
  let now = 0;
  let calls = 0;
  const run = async (rows: readonly unknown[]) => {
    now += micros(calls++, rows.length) / 1000;
  };
  return { measure: () => measureCost(run, {}, { monotonic: () => now }), calls: () => calls };
}

describe("measureCost", () => {
  it("tells the cost of a call from that of a further row", async () => {
    const { measure } = setUp((_call, rows) => 40 + 3 * (rows - 1));
    const cost = await measure();
    expect(cost.callMicros).toBeCloseTo(40);
    expect(cost.rowMicros).toBeCloseTo(3);
  });

  it("waits for a model that warms up", async () => {
    const { measure } = setUp((call) => (call < 400 ? 300 : 45));
    expect((await measure()).callMicros).toBeCloseTo(45);
  });

  it("is not misled by interruptions", async () => {
    const { measure } = setUp((call) => (call % 2 ? 5000 : 50));
    expect((await measure()).callMicros).toBeCloseTo(50);
  });

  it("gives up early on a slow model", async () => {
    const { measure, calls } = setUp(() => 20_000);
    expect((await measure()).callMicros).toBeCloseTo(20_000);
    expect(calls()).toBeLessThan(8);
  });

  it("ends on a clock that stands still", async () => {
    expect(await setUp(() => 0).measure()).toEqual({ callMicros: 0, rowMicros: 0 });
  });
});

describe("rowsWithin", () => {
  it.each([
    [{ callMicros: 50, rowMicros: 5 }, 100, 1000, 11],
    [{ callMicros: 50, rowMicros: 5 }, 100, 4, 4],
    [{ callMicros: 200, rowMicros: 5 }, 100, 1000, 1],
    [{ callMicros: 50, rowMicros: 0 }, 100, 1000, 1000],
  ])("%j fits %i µs with at most %i rows: %i", (cost, budget, most, rows) => {
    expect(rowsWithin(cost, budget, most)).toBe(rows);
  });
});

describe("learnCost", () => {
  it("comes to what calls really cost, by call and by row", () => {
    let cost = { callMicros: 50, rowMicros: 1 };
    for (let i = 0; i < 400; i++) {
      cost = learnCost(cost, 1, 80);
      cost = learnCost(cost, 32, 80 + 31 * 4);
    }
    expect(cost.callMicros).toBeCloseTo(80, 0);
    expect(cost.rowMicros).toBeCloseTo(4, 0);
  });

  it("is not carried away by one pause", () => {
    const cost = learnCost({ callMicros: 50, rowMicros: 5 }, 1, 100_000);
    expect(cost.callMicros).toBeLessThan(60);
    expect(microsOf(learnCost({ callMicros: 50, rowMicros: 5 }, 10, 0), 10)).toBeGreaterThan(85);
  });
});
