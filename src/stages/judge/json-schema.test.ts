import { Ajv } from "ajv";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { schemaProblem } from "./json-schema.ts";

const person = {
  type: "object",
  properties: {
    name: { type: "string", minLength: 1, maxLength: 5 },
    age: { type: ["integer", "null"], minimum: 0, exclusiveMaximum: 150 },
    pets: { type: "array", items: { $ref: "#/$defs/pet" }, maxItems: 2 },
  },
  required: ["name"],
  additionalProperties: false,
  $defs: { pet: { anyOf: [{ const: "cat" }, { enum: ["dog", { kind: "fish" }] }] } },
};

describe("schemaProblem", () => {
  it.each([
    [{ name: "Ada" }, undefined],
    [{ name: "Ada", age: null, pets: ["cat", { kind: "fish" }] }, undefined],
    [{}, "$.name is missing"],
    [{ name: "" }, "$.name has a length that is not allowed"],
    [{ name: "Ada", age: 1.5 }, "$.age is no integer or null"],
    [{ name: "Ada", age: 150 }, "$.age is out of range"],
    [{ name: "Ada", pets: ["cat", "cow"] }, "$.pets[1] fits none of anyOf"],
    [{ name: "Ada", pets: ["cat", "cat", "cat"] }, "$.pets has 3 items"],
    [{ name: "Ada", more: 1 }, "$.more must not be there"],
    ["Ada", "$ is no object"],
  ])("%j: %s", (value, problem) => expect(schemaProblem(value, person)).toBe(problem));

  it("a schema that refers to itself, or is larger than all sense, ends", () => {
    expect(schemaProblem(1, { $ref: "#" })).toContain("too large");
    expect(schemaProblem(1, { $ref: "#/nowhere" })).toContain("not in the schema");
  });

  it("law: it says what Ajv says, for the words that it knows", () => {
    const ajv = new Ajv({ strict: false });
    const leaf = fc.oneof(
      fc.constant({}),
      fc.record({ type: fc.constantFrom("string", "number", "integer", "boolean", "null", "object", "array") }),
      fc.record({
        enum: fc.uniqueArray(fc.oneof(fc.nat(3), fc.constant("a"), fc.constant(null)), { minLength: 1, maxLength: 3 }),
      }),
      fc.record({ minimum: fc.integer({ min: -3, max: 3 }) }),
      fc.record({ maxLength: fc.nat(2) }),
      fc.constantFrom(true, false),
    );
    const { schema } = fc.letrec<{ schema: object | boolean }>((tie) => ({
      schema: fc.oneof(
        { maxDepth: 3 },
        leaf,
        fc.record({
          type: fc.constant("object"),
          properties: fc.record({ a: tie("schema"), b: tie("schema") }, { requiredKeys: [] }),
          required: fc.subarray(["a", "b"]),
          additionalProperties: fc.constantFrom(true, false),
        }),
        fc.record({ items: tie("schema"), minItems: fc.nat(2) }),
        fc.record({ anyOf: fc.array(tie("schema"), { minLength: 1, maxLength: 3 }) }),
        fc.record({ oneOf: fc.array(tie("schema"), { minLength: 1, maxLength: 3 }) }),
        fc.record({ allOf: fc.array(tie("schema"), { minLength: 1, maxLength: 3 }) }),
        fc.record({ not: tie("schema") }),
      ),
    }));
    const value = fc.jsonValue({ maxDepth: 2 }).map((made) => (Math.abs(Number(made)) > 5 ? made : made));
    const shaped = fc.oneof(
      value,
      fc.record({ a: value, b: value }, { requiredKeys: [] }),
      fc.array(value, { maxLength: 3 }),
    );
    fc.assert(
      fc.property(schema, shaped, (made, held) => {
        expect(schemaProblem(held, made) === undefined).toBe(ajv.validate(made, held));
      }),
      { numRuns: 300 },
    );
  });
});
