import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { graph } from "../../../tests/fixtures/onnx/load.ts";
import { refuseUnsafeGraph } from "./onnx-graph.ts";

describe("refuseUnsafeGraph", () => {
  it.each(["applicant", "flat", "heavy"])("lets %s through", (name) => {
    expect(() => refuseUnsafeGraph(graph(name))).not.toThrow();
  });

  const refused: [name: string, message: RegExp][] = [
    ["random", /RandomUniformLike draws random numbers/],
    ["hidden-random", /RandomUniformLike draws random numbers/],
    ["foreign-domain", /com\.example\.Mystery is not one of ONNX's own/],
    ["external-data", /weights w lie outside the file/],
    ["loop", /Loop runs for as long as the data says/],
  ];
  it.each(refused)("refuses %s", (name, message) => expect(() => refuseUnsafeGraph(graph(name))).toThrow(message));

  it.each([
    ["nothing", new Uint8Array()],
    ["zeros", new Uint8Array(64)],
    ["text", new TextEncoder().encode("rules: credit-baseline\nversion: 1\n")],
  ])("refuses %s as no model", (_what, bytes) => expect(() => refuseUnsafeGraph(bytes)).toThrow(/not an ONNX model/));

  it("refuses a file cut off anywhere inside its graph", () => {
    const whole = graph("applicant");
    // What follows the graph is only the list of operator sets (two entries, about 20 bytes).
    fc.assert(
      fc.property(fc.integer({ min: 0, max: whole.length - 40 }), (length) => {
        expect(() => refuseUnsafeGraph(whole.subarray(0, length))).toThrow(/not an ONNX model/);
      }),
    );
  });

  it("ends with an answer or an Error on any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        try {
          refuseUnsafeGraph(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
          expect(error).not.toBeInstanceOf(RangeError);
        }
      }),
    );
  });
});
