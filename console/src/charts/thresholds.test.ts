import { describe, expect, it } from "vitest";
import { describeScore, parseCondition, scoreBands } from "./thresholds.ts";

const bank = [
  { when: "score >= 0.72", result: "approve" },
  { when: "score <= 0.35", result: "decline" },
  { when: "true", result: "refer" },
];

describe("parseCondition", () => {
  it.each([
    ["score >= 0.72", [{ operator: ">=", value: 0.72 }]],
    ["score<.5", [{ operator: "<", value: 0.5 }]],
    ["0.35 >= score", [{ operator: "<=", value: 0.35 }]],
    [
      "(score > 0.4) && score < 0.6",
      [
        { operator: ">", value: 0.4 },
        { operator: "<", value: 0.6 },
      ],
    ],
    ["true", []],
    ["", []],
    [undefined, []],
    ["score >= 0.5 || confidence < 0.2", undefined],
    ["confidence < 0.2", undefined],
    ["score >= limit", undefined],
    ["myscore >= 0.5", undefined],
  ])("reads %s", (when, expected) => expect(parseCondition(when)).toEqual(expected));
});

describe("scoreBands", () => {
  it("covers the axis, first match first", () => {
    expect(scoreBands(bank)).toEqual({
      bands: [
        { from: 0, to: 0.35, result: "decline", rule: 1 },
        { from: 0.35, to: 0.72, result: "refer", rule: 2 },
        { from: 0.72, to: 1, result: "approve", rule: 0 },
      ],
      undrawable: [],
    });
  });

  it("merges what one rule decides on both sides of another's threshold", () => {
    const { bands } = scoreBands([
      { when: "score >= 0.2", result: "a" },
      { when: "score >= 0.9", result: "b" },
    ]);
    expect(bands).toEqual([{ from: 0.2, to: 1, result: "a", rule: 0 }]);
  });

  it("draws nothing rather than something wrong", () => {
    const rules = [{ when: "confidence < 0.2", result: "refer" }, ...bank];
    expect(scoreBands(rules)).toEqual({ bands: [], undrawable: ["confidence < 0.2"] });
  });

  it("ignores thresholds off the axis", () =>
    expect(
      scoreBands([
        { when: "score >= 1.5", result: "a" },
        { when: "true", result: "b" },
      ]).bands,
    ).toEqual([{ from: 0, to: 1, result: "b", rule: 1 }]));
});

describe("describeScore", () => {
  it("says what the picture shows", () =>
    expect(describeScore(0.8, "approve", bank, 0)).toBe(
      "Score 0.8 on an axis from 0 to 1. Rules in order: score >= 0.72: approve; score <= 0.35: decline; otherwise: refer. Result: approve. Rule 1 decided.",
    ));
});
