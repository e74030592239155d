import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decadesAround,
  decadeTicks,
  layOutStages,
  nearestIndex,
  stackSeries,
  stackTop,
  sumSeries,
  within,
} from "./scales.ts";

describe("log axis", () => {
  it.each([
    [[], [1, 10]],
    [
      [0, 0],
      [1, 10],
    ],
    [
      [2.9, 1850],
      [1, 10_000],
    ],
    [
      [10, 100],
      [10, 100],
    ],
    [[10], [10, 100]],
    [
      [0.4, 3],
      [0.1, 10],
    ],
  ])("spans whole decades around %j", (values, expected) => {
    const [low, high] = decadesAround(values);
    expect(low).toBeCloseTo(expected[0]!);
    expect(high).toBeCloseTo(expected[1]!);
  });

  it("ticks each decade", () => expect(decadeTicks([0.1, 100])).toEqual([0.1, 1, 10, 100]));
});

describe("stacking", () => {
  const series = [
    {
      name: "a",
      points: [
        { at: 1, value: 2 },
        { at: 2, value: null },
      ],
    },
    {
      name: "b",
      points: [
        { at: 1, value: 3 },
        { at: 2, value: 4 },
      ],
    },
  ];
  it("puts layers on top of each other, gaps as nothing", () => {
    const layers = stackSeries(series);
    expect(layers[1]!.points).toEqual([
      { at: 1, low: 2, high: 5, value: 3 },
      { at: 2, low: 0, high: 4, value: 4 },
    ]);
    expect(stackTop(layers)).toBe(5);
  });
  it("sums per instant and keeps what has no value at all", () =>
    expect(
      sumSeries([
        [
          { at: 1, value: 2 },
          { at: 2, value: null },
        ],
        [
          { at: 1, value: 3 },
          { at: 2, value: null },
        ],
      ]),
    ).toEqual([
      { at: 1, value: 5 },
      { at: 2, value: null },
    ]));
});

describe("nearestIndex", () => {
  it("finds the nearest point, as looking at all of them does", () =>
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 0, max: 1000 }), { minLength: 1 }),
        fc.integer({ min: -50, max: 1050 }),
        (instants, at) => {
          const points = instants.sort((a, b) => a - b).map((instant) => ({ at: instant }));
          const found = points[nearestIndex(points, at)]!;
          expect(Math.abs(found.at - at)).toBe(Math.min(...points.map((point) => Math.abs(point.at - at))));
        },
      ),
    ));
  it("is -1 of nothing", () => expect(nearestIndex([], 3)).toBe(-1));
});

describe("layOutStages", () => {
  it("puts stages one after the other in the path's order and shows what is left", () =>
    expect(layOutStages(["admit", "route", "serve"], { serve: 5, admit: 1 }, 10)).toEqual([
      { name: "admit", startMs: 0, durationMs: 1 },
      { name: "serve", startMs: 1, durationMs: 5 },
      { name: "between stages", startMs: 6, durationMs: 4 },
    ]));
  it("moves a bar into the stage that it belongs to", () => {
    const stage = { name: "serve", startMs: 2, durationMs: 5 };
    const bar = (startMs: number, durationMs: number) => ({ name: "1", startMs, durationMs });
    expect([bar(0, 4), bar(3, 4), bar(9, 4), bar(9, 6)].map((each) => within(each, stage).startMs)).toEqual([
      2, 3, 3, 9,
    ]);
  });
  it("leaves rounding noise out", () => expect(layOutStages(["admit"], { admit: 9.99 }, 10)).toHaveLength(1));
});
