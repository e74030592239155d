import fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { bytesOf, elementsOf, splitBody } from "./binary.ts";
import type { Datatype } from "./datatypes.ts";
import { type House, openHouse } from "./fake-house.ts";
import { type Body, applicant, bodyOf, infer } from "./sample-request.ts";

let house: House;
beforeAll(async () => {
  house = await openHouse();
});
afterEach(() => {
  house.decided.length = 0;
  house.counted.length = 0;
  house.faults.length = 0;
});
afterAll(() => house.close());

const texts = (values: readonly string[]): Buffer => bytesOf("BYTES", values);

function numbers(datatype: Datatype, values: readonly (number | bigint)[]): Buffer {
  const write: Partial<Record<Datatype, (view: DataView, at: number, value: never) => void>> = {
    INT64: (view, at, value) => view.setBigInt64(at, BigInt(value), true),
    INT32: (view, at, value) => view.setInt32(at, value, true),
    FP16: (view, at, value) => view.setFloat16(at, value, true),
    FP32: (view, at, value) => view.setFloat32(at, value, true),
    FP64: (view, at, value) => view.setFloat64(at, value, true),
  };
  const width = { INT64: 8, INT32: 4, FP16: 2, FP32: 4, FP64: 8 }[datatype as "FP64"];
  const bytes = Buffer.alloc(width * values.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (const [i, value] of values.entries()) write[datatype]!(view, i * width, value as never);
  return bytes;
}

/** The JSON form of a request as the client of the extension would send it. */
function packed(body: Body, as: Record<string, Datatype> = {}): { sent: Buffer; head: string } {
  const tail: Buffer[] = [];
  const inputs = body.inputs.map((input) => {
    const datatype = (as[input.name] ?? input.datatype) as Datatype;
    const values = (input.data as unknown[]).map((value) => (value === null ? Number.NaN : value));
    const bytes = datatype === "BYTES" ? texts(values as string[]) : numbers(datatype, values as number[]);
    tail.push(bytes);
    const { data: _data, ...rest } = input;
    return { ...rest, datatype, parameters: { binary_data_size: bytes.length } };
  });
  const head = JSON.stringify({ ...body, inputs });
  return { sent: Buffer.concat([Buffer.from(head), ...tail]), head };
}

const headersFor = (head: string) => ({
  "inference-header-content-length": String(Buffer.byteLength(head)),
  "content-type": "application/octet-stream",
});

describe("binary requests", () => {
  it("mean what the same request means in JSON, missing values included", async () => {
    const body = bodyOf([applicant, { ...applicant, Amount: 1200, Job: "señor 🏦".slice(0, 0) + "fixed" }]);
    const { sent, head } = packed(body);
    const bytes = await house.post(infer, sent, headersFor(head));
    expect(bytes.status).toBe(200);
    const asBytes = house.decided.map((d) => d.features);
    house.decided.length = 0;
    const json = await house.post(infer, body);
    expect(asBytes).toEqual(house.decided.map((d) => d.features));
    const shown = ({ body: { outputs } }: typeof json) =>
      outputs.filter(({ name }) => name !== "decision_id").map(({ name, data }) => [name, data]);
    expect(shown(bytes)).toEqual(shown(json));
  });

  it("JSON and bytes may be mixed in one message", async () => {
    const body = bodyOf();
    const { sent, head } = packed(body);
    const mixed = JSON.parse(head) as Body;
    const first = mixed.inputs[0]!;
    const size = (first.parameters as { binary_data_size: number }).binary_data_size;
    mixed.inputs[0] = body.inputs[0]!;
    const text = JSON.stringify(mixed);
    const tail = sent.subarray(Buffer.byteLength(head) + size);
    const answer = await house.post(infer, Buffer.concat([Buffer.from(text), tail]), headersFor(text));
    expect([answer.status, house.decided[0]!.features]).toEqual([200, applicant]);
  });

  it("FP16 and FP32 are exact in bytes and taken for numbers", async () => {
    const { sent, head } = packed(bodyOf(), { Income: "FP16", Debt: "FP32" });
    expect((await house.post(infer, sent, headersFor(head))).status).toBe(200);
    expect(house.decided[0]!.features).toMatchObject({ Income: 129.5, Debt: 0 });
  });

  it.each<[string, (sent: Buffer, head: string) => [Buffer, string], RegExp]>([
    ["one byte too few", (sent, head) => [sent.subarray(0, -1), head], /fewer stand behind the head/],
    ["one byte too many", (sent, head) => [Buffer.concat([sent, Buffer.alloc(1)]), head], /1 bytes behind the head/],
    [
      "a size that doesn't fit the shape",
      (sent, head) => {
        const off = head.replace('"binary_data_size":8', '"binary_data_size":7');
        return [Buffer.concat([Buffer.from(off), sent.subarray(Buffer.byteLength(head))]), off];
      },
      /has 7 bytes where 1 elements/,
    ],
    [
      "a head that is no JSON",
      (sent, head) => [Buffer.concat([Buffer.from("x"), sent.subarray(1)]), head],
      /not valid JSON/,
    ],
  ])("%s is refused", async (_what, change, message) => {
    const { sent, head } = packed(bodyOf());
    const [bytes, text] = change(sent, head);
    const answer = await house.post(infer, bytes, headersFor(text));
    expect(answer.status).toBe(400);
    expect(answer.body.error).toMatch(message);
    expect(house.decided).toHaveLength(0);
  });

  it("a 64-bit integer that a double can't hold is refused, not rounded", async () => {
    const body = bodyOf();
    body.inputs.find(({ name }) => name === "Amount")!.data = [2n ** 53n];
    const { inputs } = body;
    const tail: Buffer[] = [];
    const head = JSON.stringify({
      inputs: inputs.map(({ data, ...rest }) => {
        if (rest.name !== "Amount") return { ...rest, data };
        tail.push(numbers("INT64", data as bigint[]));
        return { ...rest, datatype: "INT64", parameters: { binary_data_size: 8 } };
      }),
    });
    const answer = await house.post(infer, Buffer.concat([Buffer.from(head), ...tail]), headersFor(head));
    expect([answer.status, answer.body.error]).toEqual([400, expect.stringMatching(/Amount must be an integer/)]);
  });

  it("infinity is refused", async () => {
    const body = bodyOf();
    body.inputs.find(({ name }) => name === "Income")!.data = [Infinity];
    const { sent, head } = packed(body);
    const answer = await house.post(infer, sent, headersFor(head));
    expect([answer.status, answer.body.error]).toEqual([400, expect.stringMatching(/Income must be a finite number/)]);
  });
});

describe("binary outputs", () => {
  it.each([
    ["all", { parameters: { binary_data_output: true } }, ["score", "result", "decision_id"]],
    [
      "but one",
      {
        parameters: { binary_data_output: true },
        outputs: [{ name: "score" }, { name: "result", parameters: { binary_data: false } }],
      },
      ["score"],
    ],
    ["one alone", { outputs: [{ name: "result", parameters: { binary_data: true } }, { name: "score" }] }, ["result"]],
  ])("%s", async (_which, asked, expected) => {
    const { status, body, tail, headers } = await house.post(infer, { ...bodyOf([applicant, applicant]), ...asked });
    expect([status, headers.get("content-type")]).toEqual([200, "application/octet-stream"]);
    const sizes = body.outputs.flatMap(({ parameters }) => (parameters ? [parameters.binary_data_size] : []));
    expect(body.outputs.filter(({ parameters }) => parameters).map(({ name }) => name)).toEqual(expected);
    expect(sizes.reduce((a, b) => a + b, 0)).toBe(tail.length);
    const first = elementsOf(expected[0] === "score" ? "FP64" : "BYTES", tail.subarray(0, sizes[0]), 2);
    expect(first).toEqual(expected[0] === "score" ? [0.008, 0.008] : ["approve", "approve"]);
  });

  it("none asked for: JSON, without the header", async () => {
    const { headers } = await house.post(infer, bodyOf());
    expect(headers.get("inference-header-content-length")).toBeNull();
  });
});

describe("the bytes themselves", () => {
  it("texts and doubles read back as they were written", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "grapheme" })), fc.array(fc.double({ noNaN: true })), (words, doubles) => {
        expect(elementsOf("BYTES", bytesOf("BYTES", words), words.length)).toEqual(words);
        expect(elementsOf("FP64", bytesOf("FP64", doubles), doubles.length)).toEqual(doubles);
      }),
    );
  });

  it("no bytes make the reader throw or invent elements", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat({ max: 9 }), (bytes, count) => {
        for (const datatype of ["BYTES", "BOOL", "INT64", "FP16", "FP64"] as const) {
          const read = elementsOf(datatype, Buffer.from(bytes), count);
          expect(typeof read === "string" || read.length === count).toBe(true);
        }
      }),
    );
  });

  it("a head of length 0 leaves all to the tail", () =>
    expect(splitBody(Buffer.from("abc"), "0")).toEqual({ tail: Buffer.from("abc") }));
});
