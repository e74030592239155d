import { describe, expect, it } from "vitest";
import { aContract, aScoreUseCase, aSnapshot, aVendorModel, modelRung } from "../../../tests/fixtures/decision.ts";
import type { LoadedModel, Runtime } from "../../engines/runtimes/port.ts";
import type { Model } from "../../kernel/snapshot.ts";
import { ModelHouse } from "./model-house.ts";

type InProcess = Extract<Model, { type: "runtime" }>;

const onnx = (name: string, sha256 = name, bytes = () => new Uint8Array([1])): InProcess => ({
  name,
  type: "runtime",
  runtime: "onnx",
  file: { path: `${name}.onnx`, sha256, bytes },
});

function setUp() {
  const loads: unknown[] = [];
  const closed: string[] = [];
  const runtime: Runtime = {
    name: "onnx",
    async load({ name, bytes, contract }) {
      loads.push([name, bytes?.length, contract?.name]);
      if (name === "corrupt") throw new Error("corrupt.onnx is no model; train it again");
      return {
        kind: "score",
        costMicros: 1,
        score: async () => [],
        close: async () => void closed.push(name),
      } satisfies LoadedModel;
    },
  };
  const reported: [string, string][] = [];
  const house = new ModelHouse([runtime]);
  const load = (models: Model[], useCases = [aScoreUseCase({ ladder: [modelRung("a")] })]) =>
    house.load(aSnapshot({ models, useCases }), (model, why) => reported.push([model, why]));
  return { house, load, loads, closed, reported };
}
const isThere = (house: ModelHouse, model: InProcess) => !("failed" in house.get(model));

describe("ModelHouse", () => {
  it("loads in-process models with their bytes and their use case's contract, and no vendor's", async () => {
    const { load, loads, house } = setUp();
    const a = onnx("a");
    await load([a, aVendorModel()]);
    expect(loads).toEqual([["a", 1, aContract.name]]);
    expect(isThere(house, a)).toBe(true);
    expect(house.get(onnx("a"))).toEqual({ failed: "it has not been loaded" });
  });

  it("a model that can't be loaded says why and doesn't stop the others", async () => {
    const { load, house, reported } = setUp();
    const unreadable = onnx("unreadable", "u", () => {
      throw new Error("blob is damaged");
    });
    const [a, corrupt] = [onnx("a"), onnx("corrupt")];
    const x: InProcess = { name: "x", type: "runtime", runtime: "extractive" };
    await load([corrupt, unreadable, x, a]);
    expect(isThere(house, a)).toBe(true);
    expect(house.get(corrupt)).toEqual({ failed: "corrupt.onnx is no model; train it again" });
    expect(house.get(unreadable)).toEqual({ failed: "blob is damaged" });
    expect(house.get(x)).toEqual({ failed: `there is no runtime "extractive"` });
    expect(reported.map(([model]) => model)).toEqual(["corrupt", "unreadable", "x"]);
  });

  it("the same file in a new snapshot, or twice in one, is loaded once", async () => {
    const { load, loads, house } = setUp();
    const [a, b, later] = [onnx("a", "same"), onnx("b", "same"), onnx("a", "same")];
    await load([a, b], [aScoreUseCase({ ladder: [modelRung("a"), modelRung("b")] })]);
    const first = house.get(a);
    expect(house.get(b)).toBe(first);
    await load([later]);
    expect(house.get(later)).toBe(first);
    expect(loads).toHaveLength(1);
  });

  it("another contract for the same file is another model", async () => {
    const { load, loads } = setUp();
    await load([onnx("a")]);
    await load([onnx("a")], [aScoreUseCase({ ladder: [modelRung("a")], contract: { ...aContract, version: 2 } })]);
    expect(loads).toHaveLength(2);
  });

  it("a model that no longer serves is closed one load later: requests of the old snapshot may still run on it", async () => {
    const { load, closed, house } = setUp();
    const a = onnx("a");
    await load([a]);
    await load([onnx("b")]);
    expect(closed).toEqual([]);
    expect(isThere(house, a)).toBe(true);
    await load([onnx("c")]);
    expect(closed).toEqual(["a"]);
  });

  it("a decision under the old snapshot never meets the new model of the same name", async () => {
    const { load, house } = setUp();
    const [before, after] = [onnx("a", "before"), onnx("a", "after")];
    await load([before]);
    const old = house.get(before);
    await load([after]);
    expect(house.get(before)).toBe(old);
    expect(house.get(after)).not.toBe(old);
  });

  it("a model that two use cases give different contracts is refused, naming both", async () => {
    const { load, house } = setUp();
    const a = onnx("a");
    const other = { ...aContract, version: 2 };
    await load(
      [a],
      [
        aScoreUseCase({ name: "one", ladder: [modelRung("a")] }),
        aScoreUseCase({ name: "two", ladder: [modelRung("a")], contract: other }),
      ],
    );
    expect(house.get(a)).toEqual({ failed: expect.stringContaining("one, two give it different contracts") });
  });

  it("a failed model is tried again with the next snapshot", async () => {
    const { load, loads } = setUp();
    await load([onnx("corrupt")]);
    await load([onnx("corrupt")]);
    expect(loads).toHaveLength(2);
  });

  it("close closes all, the retired too, once", async () => {
    const { load, closed, house } = setUp();
    const b = onnx("b");
    await load([onnx("a")]);
    await load([b]);
    await house.close();
    await house.close();
    expect(closed.sort()).toEqual(["a", "b"]);
    expect(isThere(house, b)).toBe(false);
  });
});
