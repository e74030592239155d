import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type House, openHouse } from "./fake-house.ts";
import { applicant, type Body, bodyOf, infer, input, type Input } from "./sample-request.ts";

let house: House;
beforeEach(async () => {
  house = await openHouse();
});
afterEach(() => house.close());

describe("datatypes", () => {
  const accepted: [name: string, datatype: string, value: unknown][] = [
    ["Seniority", "UINT8", 9],
    ["Seniority", "INT16", 9],
    ["Seniority", "INT64", 9],
    ["Seniority", "FP32", 0.1],
    ["Children", "UINT64", 2],
    ["Children", "FP64", 2],
    ["Children", "INT8", null],
    ["Income", "FP32", null],
    ["Home", "BYTES", null],
  ];
  it.each(accepted)("%s takes %s %s as given", async (name, datatype, value) => {
    const body = bodyOf();
    Object.assign(input(body, name), { datatype, data: [value] });
    expect((await house.post(infer, body)).status).toBe(200);
    expect(house.decided[0]!.features![name]).toBe(value);
  });

  const refused: [name: string, datatype: string, value: unknown, status: number, message: RegExp][] = [
    ["Amount", "INT64", 2 ** 53, 400, /inputs\[9\]\.data\[0\]: Amount must be an integer from -9007199254740991/],
    ["Amount", "UINT64", -1, 400, /must be an integer from 0/],
    ["Amount", "INT8", 800, 400, /must be an integer from -128 to 127/],
    ["Amount", "INT32", 1.5, 400, /must be an integer from -2147483648/],
    ["Amount", "FP16", 800, 400, /FP16/],
    ["Amount", "BOOL", true, 400, /send FP64, not BOOL/],
    ["Amount", "BYTES", "800", 400, /send FP64, not BYTES/],
    ["Amount", "BF16", 800, 400, /inputs\[9\]\.datatype/],
    ["Amount", "FP32", 1e39, 400, /within FP32/],
    ["Amount", "FP64", "800", 400, /must be a finite number/],
    ["Amount", "FP64", true, 400, /must be a finite number/],
    ["Amount", "FP64", { a: 1 }, 400, /must be a finite number/],
    ["Amount", "FP64", null, 422, /Amount: must not be null/],
    ["Amount", "FP64", 50_001, 422, /Amount: must be from 1 to 50000/],
    ["Children", "BOOL", true, 400, /send INT64, not BOOL/],
    ["Children", "FP64", 1.5, 422, /Children: must be an integer/],
    ["Children", "FP64", 2 ** 53, 422, /Children: must be an integer/],
    ["Home", "FP64", 1, 400, /send BYTES, not FP64/],
    ["Home", "BYTES", 1, 400, /Home must be a string/],
    ["Home", "BYTES", "castle", 422, /Home: must be one of/],
    ["Records", "BYTES", null, 422, /Records: must not be null/],
  ];
  it.each(refused)("%s refuses %s %s with %i", async (name, datatype, value, status, message) => {
    const body = bodyOf();
    Object.assign(input(body, name), { datatype, data: [value] });
    const answer = await house.post(infer, body);
    expect(answer.status).toBe(status);
    expect(Object.keys(answer.body)).toEqual(["error"]);
    expect(answer.body.error).toMatch(message);
    expect(house.decided).toHaveLength(0);
  });

  it("refuses a number too large for a double, which JSON.parse turns into infinity", async () => {
    const text = JSON.stringify(bodyOf()).replace("[800]", "[1e999]");
    const answer = await house.post(infer, text);
    expect([answer.status, answer.body.error]).toEqual([400, expect.stringContaining("finite")]);
  });
});

describe("bad requests", () => {
  const set = (name: string, more: Partial<Input>) => (body: Body) => void Object.assign(input(body, name), more);
  const cases: [name: string, change: (body: Body) => unknown, status: number, message: RegExp][] = [
    ["an array", () => [], 400, /The body: .*expected object/],
    ["null", () => null, 400, /The body/],
    ["no inputs at all", (b) => ({ ...b, inputs: [] }), 400, /inputs/],
    ["inputs as an object", (b) => ({ ...b, inputs: {} }), 400, /inputs: .*expected array/],
    ["a missing input", (b) => void b.inputs.pop(), 400, /inputs: missing Children/],
    ["an unknown input", (b) => void b.inputs.push({ ...b.inputs[0]!, name: "Shoe" }), 400, /"Shoe" is not an input/],
    ["__proto__ as an input", (b) => void b.inputs.push({ ...b.inputs[0]!, name: "__proto__" }), 400, /not an input/],
    ["an input twice", (b) => void b.inputs.push(b.inputs[0]!), 400, /inputs\[12\]\.name: "Seniority" is sent twice/],
    ["a protected feature", (b) => void b.inputs.push({ ...b.inputs[0]!, name: "Age" }), 400, /protected feature/],
    ["an unknown field", (b) => ({ ...b, colour: 1 }), 400, /colour/],
    ["an unknown field in an input", set("Amount", { colour: 1 } as never), 400, /colour/],
    ["an id that is no string", (b) => ({ ...b, id: 42 }), 400, /id: .*expected string/],
    ["a flat shape", set("Amount", { shape: [1] }), 400, /inputs\[9\]\.shape: must be \[rows, 1\]/],
    ["a wide shape", set("Amount", { shape: [1, 2] }), 400, /shape/],
    ["a negative dimension", set("Amount", { shape: [-1, 1] }), 400, /inputs\[9\]\.shape\[0\]/],
    ["a fractional dimension", set("Amount", { shape: [1.5, 1] }), 400, /shape\[0\]/],
    ["no rows", set("Amount", { shape: [0, 1], data: [] }), 400, /1 to 256 rows/],
    ["too many rows", set("Amount", { shape: [257, 1], data: Array(257).fill(1) }), 400, /1 to 256 rows/],
    ["too little data", set("Amount", { data: [] }), 400, /data: has 0 elements where shape \[1, 1\] has 1/],
    ["too much data", set("Amount", { data: [1, 2] }), 400, /data: has 2 elements/],
    ["data that is no array", set("Amount", { data: 800 }), 400, /data: must be an array/],
    ["data nested too deep", set("Amount", { data: [[[800]]] }), 400, /must be a finite number/],
    ["data nested too wide", set("Amount", { data: [[800, 801]] }), 400, /does not fit shape/],
    ["differing row counts", set("Amount", { shape: [2, 1], data: [1, 2] }), 400, /number of rows/],
    ["an unknown output", (b) => ({ ...b, outputs: [{ name: "mood" }] }), 400, /outputs\[0\]\.name/],
    ["an output twice", (b) => ({ ...b, outputs: [{ name: "score" }, { name: "score" }] }), 400, /twice/],
    ["an empty list of outputs", (b) => ({ ...b, outputs: [] }), 400, /at least one output/],
    ["parameters as a list", (b) => ({ ...b, parameters: [] }), 400, /parameters/],
    ["a nested parameter", (b) => ({ ...b, parameters: { a: {} } }), 400, /parameters\.a: must be a string/],
    ["a null parameter of an input", set("Amount", { parameters: { a: null } }), 400, /inputs\[9\]\.parameters\.a/],
    [
      "a binary input without bytes",
      (b) => ({ inputs: [{ ...b.inputs[0], data: undefined, parameters: { binary_data_size: 8 } }] }),
      400,
      /inputs\[0\]\.parameters\.binary_data_size: says 8 bytes, of which fewer stand behind the head/,
    ],
    [
      "a binary input that brings JSON too",
      (b) => ({ inputs: [{ ...b.inputs[0], parameters: { binary_data_size: 8 } }] }),
      400,
      /inputs\[0\]\.data: stands beside binary_data_size/,
    ],
  ];
  it.each(cases)("%s is refused", async (_, change, status, message) => {
    const body = bodyOf();
    const changed = change(body);
    const answer = await house.post(infer, changed === undefined ? body : changed);
    expect([answer.status, Object.keys(answer.body)]).toEqual([status, ["error"]]);
    expect(answer.body.error).toMatch(message);
    expect(answer.headers.get("x-weir-decision-id")).toMatch(/^dec_/);
    expect(house.decided).toHaveLength(0);
    expect(house.counted).toHaveLength(1);
  });

  const requests: [name: string, path: string, body: string, headers: Record<string, string>, status: number][] = [
    ["malformed JSON", infer, "{", {}, 400],
    ["no content type of JSON", infer, "{}", { "content-type": "application/octet-stream" }, 415],
    ["a binary head longer than the body", infer, "{}", { "inference-header-content-length": "3" }, 400],
    ["a binary head of no number", infer, "{}", { "inference-header-content-length": "two" }, 400],
    ["a raw body for a model of many inputs", infer, "{}", { "inference-header-content-length": "0" }, 400],
    ["a body of 5 MB", infer, " ".repeat(5 * 1024 * 1024), {}, 413],
    ["no key", infer, "{}", { authorization: "" }, 401],
    ["a wrong key", infer, "{", { authorization: "Bearer wrong" }, 401],
    ["an unknown model", "/v2/models/nothing/infer", "{}", {}, 404],
    ["an old version", "/v2/models/credit/versions/ffffffffffff/infer", "{}", {}, 404],
    ["a chat use case", "/v2/models/assistant/infer", "{}", {}, 400],
    ["another tenant's use case", infer, "{}", { authorization: "Bearer stranger" }, 404],
    ["a key without the right", infer, "{}", { authorization: "Bearer narrow" }, 403],
  ];
  it.each(requests)("%s is refused in the protocol's shape", async (_, path, body, headers, status) => {
    const answer = await house.post(path, body, headers);
    expect([answer.status, Object.keys(answer.body)]).toEqual([status, ["error"]]);
    expect(answer.headers.get("x-weir-decision-id")).toMatch(/^dec_/);
    expect(answer.body.error).not.toMatch(/Seniority|Amount/);
    expect(house.decided).toHaveLength(0);
    expect(house.counted.length + house.refused.length).toBe(1);
  });

  const required: [name: string, drop: (body: Body) => void][] = [
    ["inputs", (b) => delete (b as Partial<Body>).inputs],
    ["outputs[0].name", (b) => (b.outputs = [{}])],
    ...Object.keys(applicant).map((name): [string, (b: Body) => void] => [
      name,
      (b) => void (b.inputs = b.inputs.filter((tensor) => tensor.name !== name)),
    ]),
    ...(["name", "shape", "datatype", "data"] as const).flatMap((field) =>
      Object.keys(applicant).map((name): [string, (b: Body) => void] => [
        `${name}.${field}`,
        (b) => delete (input(b, name) as Partial<Input>)[field],
      ]),
    ),
  ];
  it.each(required)("without %s it is a 400", async (_, drop) => {
    const body = { ...bodyOf(), outputs: [{ name: "score" }] };
    drop(body);
    const answer = await house.post(infer, body);
    expect([answer.status, Object.keys(answer.body)]).toEqual([400, ["error"]]);
    expect(answer.body.error).toMatch(/missing/);
  });

  it("has no mutation that is a fault of the server's", async () => {
    const junk = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom(-0, 1e308, "", "__proto__", [], {}, [null]));
    const mutation = fc.record({
      tensor: fc.nat(11),
      field: fc.constantFrom("name", "shape", "datatype", "data", "parameters", "x"),
      junk,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 3 }), async (mutations) => {
        const body = bodyOf();
        for (const { tensor, field, junk: value } of mutations) Object.assign(body.inputs[tensor]!, { [field]: value });
        const answer = await house.post(infer, body);
        expect(answer.status).toBeLessThan(500);
        if (answer.status !== 200) expect(Object.keys(answer.body)).toEqual(["error"]);
      }),
      { numRuns: 150 },
    );
    expect(house.faults).toEqual([]);
  });
});
