import { describe, expect, it } from "vitest";
import { aContract, aScoreUseCase, aSnapshot, aVendorModel, modelRung } from "../../../tests/fixtures/decision.ts";
import type { LoadedModel, Runtime } from "../../engines/runtimes/port.ts";
import type { Model } from "../../kernel/snapshot.ts";
import { ModelHouse } from "./model-house.ts";

const onnx = (name: string, sha256 = name, bytes = () => new Uint8Array([1])): Model => ({
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
const isThere = (house: ModelHouse, name: string) => !("failed" in house.get(name));

describe("ModelHouse", () => {
  it("loads in-process models with their bytes and their use case's contract, and no vendor's", async () => {
    const { load, loads, house } = setUp();
    await load([onnx("a"), aVendorModel()]);
    expect(loads).toEqual([["a", 1, aContract.name]]);
    expect(isThere(house, "a")).toBe(true);
    expect(house.get("large")).toEqual({ failed: "it is not part of the current snapshot" });
  });

  it("a model that can't be loaded says why and doesn't stop the others", async () => {
    const { load, house, reported } = setUp();
    const unreadable = onnx("unreadable", "u", () => {
      throw new Error("blob is damaged");
    });
    await load([onnx("corrupt"), unreadable, { name: "x", type: "runtime", runtime: "extractive" }, onnx("a")]);
    expect(isThere(house, "a")).toBe(true);
    expect(house.get("corrupt")).toEqual({ failed: "corrupt.onnx is no model; train it again" });
    expect(house.get("unreadable")).toEqual({ failed: "blob is damaged" });
    expect(house.get("x")).toEqual({ failed: `there is no runtime "extractive"` });
    expect(reported.map(([model]) => model)).toEqual(["corrupt", "unreadable", "x"]);
  });

  it("the same file in a new snapshot, or twice in one, is loaded once", async () => {
    const { load, loads, house } = setUp();
    await load([onnx("a", "same"), onnx("b", "same")], [aScoreUseCase({ ladder: [modelRung("a"), modelRung("b")] })]);
    const first = house.get("a");
    expect(house.get("b")).toBe(first);
    await load([onnx("a", "same")]);
    expect(house.get("a")).toBe(first);
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
    await load([onnx("a")]);
    await load([onnx("b")]);
    expect(closed).toEqual([]);
    expect(isThere(house, "a")).toBe(false);
    await load([onnx("c")]);
    expect(closed).toEqual(["a"]);
  });

  it("a failed model is tried again with the next snapshot", async () => {
    const { load, loads } = setUp();
    await load([onnx("corrupt")]);
    await load([onnx("corrupt")]);
    expect(loads).toHaveLength(2);
  });

  it("close closes all, the retired too, once", async () => {
    const { load, closed, house } = setUp();
    await load([onnx("a")]);
    await load([onnx("b")]);
    await house.close();
    await house.close();
    expect(closed.sort()).toEqual(["a", "b"]);
    expect(isThere(house, "b")).toBe(false);
  });
});
