import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { validateRow } from "../../kernel/contract.ts";
import type { Feature, FeatureContract } from "../../kernel/snapshot.ts";
import { createRowEncoder, type FeatureRow } from "./onnx-columns.ts";

const common = { immutable: false, dataClass: "personal", nullable: true } as const;
const features: Feature[] = [
  { ...common, name: "Amount", type: "number", min: -10, max: 1e12 },
  { ...common, name: "Home", type: "category", values: ["rent", "own"] },
  { ...common, name: "Note", type: "category" },
  { ...common, name: "Count", type: "integer", min: 0, nullable: false },
  { ...common, name: "Wide", type: "number" },
];
const contract: FeatureContract = { name: "c", version: 1, score: "P(good)", features, protectedFeatures: [] };
const encoder = createRowEncoder("m", contract);

const float = fc.float({ noNaN: true, noDefaultInfinity: true });
const row: fc.Arbitrary<FeatureRow> = fc.record({
  Amount: fc.option(fc.float({ min: -10, max: 2 ** 36, noNaN: true })),
  Home: fc.constantFrom("rent", "own", null),
  Note: fc.option(fc.string({ minLength: 1 })),
  Count: fc.nat(),
  Wide: fc.option(float),
});

describe("createRowEncoder", () => {
  it("fills columns with NaN and empty strings for null", () => {
    const columns = encoder.newColumns(2);
    encoder.fill(columns, [
      { Amount: 1.5, Home: "own", Note: null, Count: 3, Wide: null },
      { Amount: null, Home: null, Note: "x", Count: 0, Wide: 2 },
    ]);
    expect(columns).toEqual([
      Float32Array.of(1.5, NaN),
      ["own", ""],
      ["", "x"],
      Float32Array.of(3, 0),
      Float32Array.of(NaN, 2),
    ]);
  });

  it("packs for the worker so that nothing is lost, whatever was in the columns before", () => {
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 20 }), (rows) => {
        const direct = encoder.newColumns(rows.length);
        encoder.fill(direct, rows);
        const travelled = encoder.newColumns(rows.length);
        for (const column of travelled) column.fill(7 as never);
        encoder.unpack(travelled, structuredClone(encoder.pack(rows)));
        expect(travelled).toEqual(direct);
      }),
    );
  });

  it("refuses exactly what the contract refuses", () => {
    const odd = fc.oneof(
      fc.constantFrom<unknown>(null, undefined, true, "", "rent", "own", NaN, Infinity, -11, 2e12, 0.5, 2 ** 53, {}),
      float,
    );
    const names = [...features.map(({ name }) => name), "Zodiac"];
    const twisted = fc
      .tuple(row, fc.constantFrom(...names), odd, fc.boolean())
      .map(([good, name, value, drop]): FeatureRow => {
        const changed: Record<string, unknown> = { ...good, [name]: value };
        if (drop) delete changed[name];
        return changed as FeatureRow;
      });
    fc.assert(
      fc.property(fc.oneof(row, twisted), (given) => {
        const refused = () => encoder.refuse(given);
        if (validateRow(contract, given).ok) expect(refused).not.toThrow();
        else expect(refused).toThrow(/^model m was given a row that its contract refuses/);
      }),
      { numRuns: 500 },
    );
  });

  it.each([1e39, -1e39])("refuses %d, which no 32-bit float holds", (Wide) => {
    expect(() => encoder.refuse({ Amount: 1, Home: null, Note: null, Count: 1, Wide })).toThrow(
      /feature Wide does not fit into 32 bits/,
    );
  });

  it("counts a row's texts among its bytes", () => {
    const small: FeatureRow = { Amount: 1, Home: "own", Note: null, Count: 1, Wide: 1 };
    expect(encoder.bytesOf({ ...small, Note: "x".repeat(1000) }) - encoder.bytesOf(small)).toBe(2000);
  });
});
