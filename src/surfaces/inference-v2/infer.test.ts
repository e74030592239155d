import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { refuse } from "../../kernel/errors.ts";
import { applicantContract, bundle, type House, openHouse, useCase } from "./fake-house.ts";

interface Input {
  name: string;
  shape: unknown;
  datatype: string;
  data: unknown;
  parameters?: unknown;
}
interface Body {
  id?: string;
  inputs: Input[];
  outputs?: unknown;
  parameters?: unknown;
}

const applicant: Record<string, string | number | null> = {
  Seniority: 9,
  Home: "rent",
  Time: 60,
  Records: "no",
  Job: "freelance",
  Expenses: 73,
  Income: 129.5,
  Assets: null,
  Debt: 0,
  Amount: 800,
  Price: 846,
  Children: 2,
};

const typeOf = new Map(applicantContract().features.map((feature) => [feature.name, feature.type]));
const datatypes = { number: "FP64", integer: "INT64", category: "BYTES" };

function bodyOf(rows: (typeof applicant)[] = [applicant]): Body {
  return {
    inputs: Object.keys(applicant).map((name) => ({
      name,
      shape: [rows.length, 1],
      datatype: datatypes[typeOf.get(name)!],
      data: rows.map((row) => row[name]),
    })),
  };
}

const input = (body: Body, name: string): Input => body.inputs.find((tensor) => tensor.name === name)!;
const infer = "/v2/models/credit/infer";

let house: House;
beforeEach(async () => {
  house = await openHouse();
});
afterEach(() => house.close());

describe("one row", () => {
  it("is one decision under the exchange's id", async () => {
    const { status, headers, body } = await house.post(infer, { ...bodyOf(), id: "42" });
    const id = headers.get("x-weir-decision-id");
    expect(status).toBe(200);
    expect(body).toEqual({
      model_name: "credit",
      model_version: bundle.slice(0, 12),
      id: "42",
      outputs: [
        { name: "score", shape: [1, 1], datatype: "FP64", data: [0.008] },
        { name: "result", shape: [1, 1], datatype: "BYTES", data: ["approve"] },
        { name: "decision_id", shape: [1, 1], datatype: "BYTES", data: [id] },
      ],
    });
    expect(house.decided.map((d) => [d.id, d.call.surface, d.features])).toEqual([[id, "inference-v2", applicant]]);
  });

  it("says nothing of an id that was not sent, and shows the outputs asked for in their order", async () => {
    const { body } = await house.post(infer, { ...bodyOf(), outputs: [{ name: "result" }, { name: "score" }] });
    expect(Object.keys(body)).toEqual(["model_name", "model_version", "outputs"]);
    expect(body.outputs.map((output: { name: string }) => output.name)).toEqual(["result", "score"]);
  });

  it("shows null where no score was made", async () => {
    house.answer = () => ({ result: "refer", refer_to: "underwriters", reasons: [] });
    const { body } = await house.post(infer, bodyOf());
    expect(body.outputs[0].data).toEqual([null]);
    expect(body.outputs[1].data).toEqual(["refer"]);
  });

  it("never writes a score that JSON can't carry", async () => {
    house.answer = () => ({ score: Number.NaN, result: "approve", reasons: [] });
    const { status, body } = await house.post(infer, bodyOf());
    expect(status).toBe(500);
    expect(body).toEqual({ error: expect.stringContaining("Weir has a fault.") });
    expect(house.faults).toHaveLength(1);
  });

  it("is taken nested, under its version, and with parameters that are named as dropped", async () => {
    const body = bodyOf();
    for (const tensor of body.inputs) tensor.data = [tensor.data];
    body.inputs[0]!.parameters = { content_type: "np", "odd,\nname": 1 };
    body.parameters = { binary_data_output: false };
    const answer = await house.post(`/v2/models/credit/versions/${bundle.slice(0, 12)}/infer`, body);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("x-weir-dropped")).toBe(
      "inputs[0].parameters.content_type, inputs[0].parameters.odd??name",
    );
    expect(house.decided[0]!.features).toEqual(applicant);
  });

  it("that breaks the contract is a refused decision, not only a counted refusal", async () => {
    const { status, body } = await house.post(infer, bodyOf([{ ...applicant, Income: -1 }]));
    expect(status).toBe(422);
    expect(body.error).toMatch(/^Income: must be from 0 to 10000/);
    expect(house.refused).toHaveLength(1);
    expect(house.counted).toHaveLength(0);
  });
});

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
    ["no inputs at all", (b) => (b.inputs = []) && b, 400, /inputs/],
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
    ["binary output for all", (b) => ({ ...b, parameters: { binary_data_output: true } }), 501, /binary_data_output/],
    [
      "a binary output",
      (b) => ({ ...b, outputs: [{ name: "score", parameters: { binary_data: true } }] }),
      501,
      /outputs\[0\]\.parameters\.binary_data: binary tensors are not supported yet/,
    ],
    [
      "a binary input",
      (b) => ({ inputs: [{ ...b.inputs[0], data: undefined, parameters: { binary_data_size: 8 } }] }),
      501,
      /binary_data_size/,
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
    ["a binary head", infer, "{}", { "inference-header-content-length": "2" }, 501],
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

describe("many rows", () => {
  const rows = (count: number) => Array.from({ length: count }, (_, i) => ({ ...applicant, Amount: i + 1 }));
  const idsOf = (body: { outputs: { data: string[] }[] }) => body.outputs[2]!.data;

  it("are decisions of their own, in order, with all ids in the header", async () => {
    const { status, headers, body } = await house.post(infer, bodyOf(rows(8)));
    expect(status).toBe(200);
    expect(body.outputs[0]).toMatchObject({ shape: [8, 1], data: rows(8).map((row) => row.Amount / 100_000) });
    const ids = idsOf(body);
    expect(new Set(ids).size).toBe(8);
    expect(ids).toEqual(house.decided.map((d) => d.id));
    expect(house.decided.map((d) => d.features!["Amount"])).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(headers.get("x-weir-decision-id")).toBe(ids.join(", "));
  });

  it("up to 256 are taken; the header then bears the first id only", async () => {
    const { headers, body } = await house.post(infer, bodyOf(rows(256)));
    expect(idsOf(body)).toHaveLength(256);
    expect(headers.get("x-weir-decision-id")).toBe(idsOf(body)[0]);
  });

  it("are decided all or none: wrong ones are named, and nothing is half done", async () => {
    const wrong = rows(4).map((row, i) => (i % 2 === 0 ? row : { ...row, Income: -1, Home: "castle" }));
    const { status, body } = await house.post(infer, bodyOf(wrong));
    expect(status).toBe(422);
    expect(body.error).toMatch(
      /^row 1: Home must be one of .*; Income must be from 0 to 10000.*\. row 3: .*No row was decided/,
    );
    expect(house.decided).toHaveLength(0);
  });

  it("end at the first that is refused for another reason; it is named, and the rows before it stay decided", async () => {
    const approve = house.answer;
    house.answer = (d) =>
      house.decided.length > 2 ? refuse("rate_limited", "Too many requests.", { retryAfterMs: 1500 }) : approve(d);
    const { status, headers, body } = await house.post(infer, bodyOf(rows(5)));
    const ids = house.decided.map((d) => d.id);
    expect(ids).toHaveLength(3);
    expect(status).toBe(429);
    expect(body).toEqual({ error: expect.stringContaining(`Row 2 (${ids[2]}): Too many requests.`) });
    expect(body.error).toContain(ids[0]);
    expect(headers.get("retry-after")).toBe("2");
    expect(headers.get("x-weir-decision-id")).toBe(ids.join(", "));
  });

  it("all belong to one version: a change of the bundle ends them", async () => {
    const approve = house.answer;
    house.answer = (d) => {
      house.useCases.set("credit", useCase("credit", { bundle: "f".repeat(64) }));
      return approve(d);
    };
    const { status, body } = await house.post(infer, bodyOf(rows(2)));
    expect([status, body.error]).toEqual([404, expect.stringContaining("was replaced")]);
    expect(house.decided).toHaveLength(1);
  });

  it("measure their time from their own start", async () => {
    const approve = house.answer;
    house.answer = (d) => {
      void house.clock.advance(10);
      return approve(d);
    };
    await house.post(infer, bodyOf(rows(2)));
    const [first, second] = house.decided;
    expect(second!.call.started).toBeGreaterThanOrEqual(first!.call.started);
    expect(second!.call.credential).toBe("good");
  });

  const perRequest: [header: Record<string, string>, path: string, message: RegExp][] = [
    [{ "idempotency-key": "k1" }, infer, /idempotency-key: a key stands for one decision; this request has 2 rows/],
    [{ "x-weir-subject": "anna" }, infer, /x-weir-subject: one subject/],
    [{}, "/v2/models/consented/infer", /needs the subject and consent of each decision/],
  ];
  it.each(perRequest)("refuse %j", async (headers, path, message) => {
    const { status, body } = await house.post(path, bodyOf(rows(2)), headers);
    expect([status, body.error]).toEqual([400, expect.stringMatching(message)]);
    expect(house.decided).toHaveLength(0);
    expect((await house.post(path, bodyOf(rows(1)), headers)).status).toBe(200);
  });
});
