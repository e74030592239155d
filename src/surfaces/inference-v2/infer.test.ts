import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { refuse } from "../../kernel/errors.ts";
import { bundle, type House, openHouse, useCase } from "./fake-house.ts";
import { applicant, bodyOf, infer } from "./sample-request.ts";

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
    expect(body.outputs.map((output) => output.name)).toEqual(["result", "score"]);
  });

  it("shows null where no score was made", async () => {
    house.answer = () => ({ result: "refer", refer_to: "underwriters", reasons: [] });
    const { body } = await house.post(infer, bodyOf());
    expect(body.outputs[0]!.data).toEqual([null]);
    expect(body.outputs[1]!.data).toEqual(["refer"]);
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

describe("many rows", () => {
  const rows = (count: number) => Array.from({ length: count }, (_, i) => ({ ...applicant, Amount: i + 1 }));
  const idsOf = (body: { outputs: { data: unknown[] }[] }) => body.outputs[2]!.data;

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
    house.serving = () => house.clock.advance(10);
    await house.post(infer, bodyOf(rows(3)));
    const [first, ...others] = house.decided.map((d) => d.call);
    expect(others.map((call) => call.started - first!.started)).toEqual([10, 20]);
    expect(others.map((call) => call.startedAtMs - first!.startedAtMs)).toEqual([10, 20]);
  });

  it("end when the client goes", async () => {
    const leaving = new AbortController();
    const gone = Promise.withResolvers<void>();
    house.serving = async (d) => {
      if (house.decided.length < 2) return;
      d.call.signal.addEventListener("abort", () => gone.resolve());
      leaving.abort();
      await gone.promise;
    };
    const answer = fetch(house.url + infer, {
      method: "POST",
      headers: { authorization: "Bearer good", "content-type": "application/json" },
      body: JSON.stringify(bodyOf(rows(5))),
      signal: leaving.signal,
    });
    await expect(answer).rejects.toThrow("aborted");
    await gone.promise;
    for (let i = 0; i < 10; i++) await new Promise(setImmediate);
    expect(house.decided).toHaveLength(2);
    expect(house.faults).toEqual([]);
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
