import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applicant } from "../../../tests/fixtures/onnx/load.ts";
import { VirtualClock } from "../../kernel/clock.ts";
import type { FeatureValue } from "../../kernel/decision.ts";
import { createRulesRuntime } from "./rules-runtime.ts";
import type { ScoreModel } from "./port.ts";

const header = "rules: baseline\nversion: 1\noutput: score\nbase: 0.5\npoints:\n";
const point = (when: string, more = "") => `  - { name: rule, when: '${when}', add: 0.1${more} }\n`;

async function load(yaml: string): Promise<ScoreModel> {
  const bytes = new TextEncoder().encode(yaml);
  const model = await createRulesRuntime({ clock: new VirtualClock() }).load({
    name: "baseline",
    bytes,
    contract: applicant,
  });
  if (model.kind !== "score") throw new Error("not a score model");
  return model;
}

const card = `${header}  - { name: owner, when: 'Home == "owner"', add: 0.15, text: Owns a home. }
  - { name: small, when: 'Amount < 10', add: 0.07 }
  - name: income-covers
    when: 'Income != null && Income >= 2 * Amount'
    add: 0.3
  - { name: income-unknown, when: 'Income == null', add: -0.6 }
`;

describe("a rules model", () => {
  const cases: [row: Record<string, FeatureValue>, score: number, fired: string[]][] = [
    [{ Amount: 50, Income: 10, Home: "rent" }, 0.5, []],
    [{ Amount: 50, Income: 10, Home: null }, 0.5, []],
    [{ Amount: 9.99, Income: 1, Home: "owner" }, 0.72, ["owner", "small"]],
    [{ Amount: 5, Income: 10, Home: "owner" }, 1, ["owner", "small", "income-covers"]],
    [{ Amount: 50, Income: null, Home: "rent" }, 0, ["income-unknown"]],
  ];
  it.each(cases)("scores %j as %d", async (row, score, fired) => {
    const model = await load(card);
    const [scored] = await model.score([row]);
    expect(scored!.score).toBe(score);
    expect(scored!.reasons.map((reason) => reason.name)).toEqual(fired);
  });

  it("gives its reasons with the file's text, or the condition and its points", async () => {
    const [scored] = await (await load(card)).score([{ Amount: 5, Income: null, Home: "owner" }]);
    expect(scored!.reasons).toEqual([
      { basis: "rule", name: "owner", text: "Owns a home." },
      { basis: "rule", name: "small", text: "Amount < 10 (+0.07)" },
      { basis: "rule", name: "income-unknown", text: "Income == null (-0.6)" },
    ]);
  });

  it("keeps rows in order and within [0, 1], and is the sum of the rules that it names", async () => {
    const model = await load(card);
    const points: Record<string, number> = { owner: 0.15, small: 0.07, "income-covers": 0.3, "income-unknown": -0.6 };
    const row = fc.record({
      Amount: fc.double({ noNaN: true, noDefaultInfinity: true }),
      Income: fc.option(fc.double({ min: 0, noNaN: true, noDefaultInfinity: true })),
      Home: fc.option(fc.constantFrom("rent", "owner")),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 5 }), async (rows) => {
        const scored = await model.score(rows);
        expect(scored).toHaveLength(rows.length);
        for (const [index, { score, reasons }] of scored.entries()) {
          const sum = reasons.reduce((total, { name }) => total + points[name]!, 0.5);
          expect(score).toBeCloseTo(Math.min(1, Math.max(0, sum)), 9);
          expect(reasons.some(({ name }) => name === "income-unknown")).toBe(rows[index]!.Income === null);
        }
      }),
    );
  });

  it("refuses rows that its contract refuses", async () => {
    const model = await load(card);
    for (const row of [
      { Amount: NaN, Income: 1, Home: null },
      { Amount: 1, Home: null },
      { Amount: 1, Income: 1, Home: null, Age: 3 },
    ])
      await expect(model.score([row])).rejects.toMatchObject({ name: "WeirError", code: "internal" });
  });
});

describe("a rules file that does not load", () => {
  const wrong: [what: string, yaml: string, message: RegExp][] = [
    ["an unknown feature", header + point("Incom > 3"), /line 6, column 25: rule rule: .*Incom/],
    ["text compared with a number", header + point("Home == 3"), /line 6, column 25: rule rule: .*string == int/],
    [
      "a category that is not listed",
      header + point('Amount > 3 && Home in ["rent", "ownr"]'),
      /Home is never "ownr"; it is one of rent, owner/,
    ],
    ["a null where none can be", header + point("Amount == null"), /rule rule: .*null/],
    ["a nullable number compared with text", header + point('Income != null && Income >= "a"'), /rule rule: .*string/],
    ["a number as condition", header + point("Amount + 1.0"), /must be true or false \(bool\), but this is double/],
    [
      "a null that nobody guards",
      header + point("Income >= 2"),
      /where Income is null; guard it with `Income != null && …`/,
    ],
    ["broken CEL", header + point("Amount >"), /line 6, column 25: rule rule: /],
    ["a protected feature", header + point("Age > 30"), /rule rule: .*Age/],
    ["an unknown key", `${header}${point("Amount > 3", ", ad: 1")}`, /line 6, column \d+: points\.0: unknown key ad/],
    ["another output", card.replace("output: score", "output: class"), /line 3, column 9: output: /],
    ["a base outside of [0, 1]", card.replace("base: 0.5", "base: 5"), /line 4, column 7: base: /],
    ["a missing key", card.replace("base: 0.5\n", ""), /line 1, column 1: base: /],
    [
      "a name used twice",
      header + point("Amount > 3") + point("Amount > 4"),
      /line 7, column \d+: the name rule is used twice/,
    ],
    ["no points", "rules: x\nversion: 1\noutput: score\nbase: 0.5\npoints: []\n", /line 5, column 9: points: /],
    ["broken YAML", "rules: [", /line 1, column \d+: /],
    ["nothing", "", /line 1, column 1: /],
  ];
  it.each(wrong)("says where: %s", async (_what, yaml, message) => {
    await expect(load(yaml)).rejects.toThrow(message);
    await expect(load(yaml)).rejects.toThrow(/^model baseline does not load: /);
  });

  it("says that it is no text, or that a file or contract is missing", async () => {
    const runtime = createRulesRuntime({ clock: new VirtualClock() });
    const bytes = Uint8Array.of(0xff, 0xfe);
    await expect(runtime.load({ name: "m", bytes, contract: applicant })).rejects.toThrow(/not UTF-8/);
    await expect(runtime.load({ name: "m", contract: applicant })).rejects.toThrow(/needs a file/);
    await expect(runtime.load({ name: "m", bytes })).rejects.toThrow(/needs a feature contract/);
  });
});
