import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { validateFeatures, validateRow } from "./contract.ts";
import type { Feature, FeatureContract } from "./snapshot.ts";

const base = { immutable: false, dataClass: "personal", nullable: false } as const;
const features: Feature[] = [
  { ...base, name: "Seniority", type: "integer", min: 0, max: 60, unit: "years" },
  { ...base, name: "Income", type: "number", min: 0, nullable: true },
  { ...base, name: "Ratio", type: "number", max: 3 },
  { ...base, name: "Home", type: "category", values: ["rent", "owner"], nullable: true },
];
const contract: FeatureContract = {
  name: "applicant",
  version: 1,
  score: "P(good)",
  features,
  protectedFeatures: [{ ...base, name: "Age", type: "integer", min: 18, max: 120 }],
};
const good = { Seniority: 3, Income: 120.5, Ratio: -1, Home: "rent" };

describe("validateFeatures", () => {
  it("accepts what the contract names, in the contract's order", () => {
    const checked = validateFeatures(contract, { features: { Home: null, Ratio: 3, Income: null, Seniority: 0 } });
    expect(checked).toEqual({ ok: true, features: { Seniority: 0, Income: null, Ratio: 3, Home: null } });
    expect(checked.ok && Object.keys(checked.features)).toEqual(["Seniority", "Income", "Ratio", "Home"]);
  });

  it("splits protected features off", () => {
    expect(validateFeatures(contract, { features: good, protected: { Age: 30 } })).toEqual({
      ok: true,
      features: good,
      protectedFeatures: { Age: 30 },
    });
  });

  const wrong: [given: string, input: unknown, feature: string, message: RegExp][] = [
    ["no object", 3, "", /must be an object/],
    ["no features", {}, "", /`features` must be an object/],
    ["features as a list", { features: [] }, "", /must be an object/],
    ["an unknown name", { features: { ...good, Incom: 1 } }, "Incom", /applicant; did you mean Income\?/],
    ["a far-off name", { features: { ...good, Zzzzzz: 1 } }, "Zzzzzz", /not in contract applicant$/],
    ["an inherited name", { features: { ...good, toString: 1 } }, "toString", /not in contract/],
    ["a missing feature", { features: { ...good, Income: undefined } }, "Income", /missing/],
    ["null where not nullable", { features: { ...good, Ratio: null } }, "Ratio", /must not be null/],
    ["a number as text", { features: { ...good, Ratio: "1" } }, "Ratio", /must be a number/],
    ["a boolean", { features: { ...good, Ratio: true } }, "Ratio", /must be a number/],
    ["a fraction as integer", { features: { ...good, Seniority: 1.5 } }, "Seniority", /must be an integer/],
    ["NaN", { features: { ...good, Income: NaN } }, "Income", /finite/],
    ["infinity", { features: { ...good, Ratio: -Infinity } }, "Ratio", /finite/],
    ["above the range", { features: { ...good, Seniority: 61 } }, "Seniority", /from 0 to 60 years/],
    ["below a minimum", { features: { ...good, Income: -0.5 } }, "Income", /at least 0/],
    ["above a maximum", { features: { ...good, Ratio: 3.01 } }, "Ratio", /at most 3/],
    ["an unlisted category", { features: { ...good, Home: "castle" } }, "Home", /one of rent, owner/],
    ["an empty category", { features: { ...good, Home: "" } }, "Home", /null is how to say unknown/],
    ["a number as category", { features: { ...good, Home: 2 } }, "Home", /must be a string/],
    ["a protected feature among features", { features: { ...good, Age: 30 } }, "Age", /under `protected`/],
    ["a feature among protected", { features: good, protected: { Home: "rent" } }, "Home", /under `features`/],
    ["a wrong protected value", { features: good, protected: { Age: 7 } }, "Age", /from 18 to 120/],
    ["an unknown protected name", { features: good, protected: { Agee: 30 } }, "Agee", /did you mean Age\?/],
    ["protected as text", { features: good, protected: "Age" }, "protected", /must be an object/],
    ["a stray field", { features: good, protectd: {} }, "protectd", /did you mean protected\?/],
  ];
  it.each(wrong)("refuses %s", (_given, input, feature, message) => {
    const checked = validateFeatures(contract, input);
    expect(checked.ok).toBe(false);
    if (checked.ok) return;
    expect(checked.problems).toHaveLength(1);
    expect(checked.problems[0]!.feature).toBe(feature);
    expect(checked.problems[0]!.message).toMatch(message);
  });

  it("bounds what it answers, whatever was sent", () => {
    const input = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`x${i}`.repeat(50), i]));
    const checked = validateFeatures(contract, { features: input });
    expect(checked.ok ? 0 : JSON.stringify(checked).length).toBeLessThan(6000);
    expect(checked.ok ? 0 : checked.problems.length).toBe(20);
  });

  it("names every broken feature and never repeats the value sent", () => {
    const secret = fc.string({ minLength: 12, maxLength: 40, unit: fc.constantFrom(..."QXZ9#") });
    fc.assert(
      fc.property(secret, (value) => {
        const checked = validateRow(contract, { Seniority: value, Income: value, Ratio: value, Home: value });
        expect(checked.ok ? [] : checked.problems.map((problem) => problem.feature)).toEqual(Object.keys(good));
        expect(JSON.stringify(checked)).not.toContain(value);
      }),
    );
  });

  it("accepts any row drawn from the contract, unchanged", () => {
    const row = fc.record({
      Seniority: fc.integer({ min: 0, max: 60 }),
      Income: fc.option(fc.double({ min: 0, noNaN: true, noDefaultInfinity: true })),
      Ratio: fc.double({ max: 3, noNaN: true, noDefaultInfinity: true }),
      Home: fc.option(fc.constantFrom("rent", "owner")),
    });
    fc.assert(fc.property(row, (given) => void expect(validateRow(contract, given)).toEqual({ ok: true, row: given })));
  });

  it("refuses contracts that cannot be held", () => {
    const twice = { ...contract, protectedFeatures: [features[0]!] };
    expect(() => validateFeatures(twice, { features: good })).toThrow(/named twice/);
    const proto = { ...contract, features: [{ ...features[0]!, name: "__proto__" }] };
    expect(() => validateFeatures(proto, { features: good })).toThrow(/__proto__/);
  });
});
