import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { bundle, type House, openHouse } from "./fake-house.ts";

let house: House;
beforeEach(async () => {
  house = await openHouse();
});
afterEach(() => house.close());

const version = bundle.slice(0, 12);
const nobody = { authorization: "" };

describe("the server", () => {
  it.each(["/v2", "/v2/"])("names itself at %s to anyone, with the extension that it has", async (path) => {
    const { status, body } = await house.get(path, nobody);
    expect([status, body]).toEqual([200, { name: "weir", version: "1.2.3", extensions: ["binary_tensor_data"] }]);
  });

  it("is live", async () => {
    expect((await house.get("/v2/health/live", nobody)).body).toEqual({ live: true });
  });

  it("is ready when every model is", async () => {
    expect((await house.get("/v2/health/ready", nobody)).body).toEqual({ ready: true, live: true });
    house.ready.delete("consented");
    const { status, body } = await house.get("/v2/health/ready", nobody);
    expect([status, Object.keys(body)]).toEqual([503, ["error"]]);
    expect(house.counted).toEqual([]);
  });
});

describe("a model", () => {
  it.each(["/v2/models/credit", `/v2/models/credit/versions/${version}`])("is described at %s", async (path) => {
    const { status, body } = await house.get(path);
    const number = (name: string) => ({ name, datatype: "FP64", shape: [-1, 1] });
    const category = (name: string) => ({ name, datatype: "BYTES", shape: [-1, 1] });
    expect(status).toBe(200);
    expect(body).toEqual({
      name: "credit",
      versions: [version],
      platform: "weir_score",
      inputs: [
        number("Seniority"),
        category("Home"),
        number("Time"),
        category("Records"),
        category("Job"),
        ...["Expenses", "Income", "Assets", "Debt", "Amount", "Price"].map(number),
        { name: "Children", datatype: "INT64", shape: [-1, 1] },
      ],
      outputs: [number("score"), category("result"), category("decision_id")],
    });
  });

  it("says whether it is ready", async () => {
    expect((await house.get("/v2/models/credit/ready")).body).toEqual({ name: "credit", ready: true });
    house.ready.clear();
    const { status, body } = await house.get(`/v2/models/credit/versions/${version}/ready`);
    expect([status, body]).toEqual([503, { error: expect.stringContaining('"credit" is not ready') }]);
  });

  const refused: [path: string, key: string, status: number][] = [
    ["/v2/models/credit", "", 401],
    ["/v2/models/credit", "Bearer wrong", 401],
    ["/v2/models/credit/ready", "Bearer wrong", 401],
    ["/v2/models/nothing", "Bearer good", 404],
    ["/v2/models/assistant", "Bearer good", 400],
    ["/v2/models/credit", "Bearer stranger", 404],
    ["/v2/models/credit", "Bearer narrow", 404],
    ["/v2/models/credit/versions/1", "Bearer good", 404],
    [`/v2/models/credit/versions/${bundle}`, "Bearer good", 404],
    ["/v2/models/credit/versions/1/ready", "Bearer good", 404],
  ];
  it.each(refused)("%s is refused to %j with %i", async (path, authorization, status) => {
    const answer = await house.get(path, { authorization });
    expect([answer.status, Object.keys(answer.body)]).toEqual([status, ["error"]]);
    expect(answer.headers.get("x-weir-decision-id")).toMatch(/^dec_/);
    expect(house.counted).toHaveLength(1);
  });
});
