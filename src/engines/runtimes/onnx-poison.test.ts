import { describe, expect, it } from "vitest";
import { amountOnly } from "../../../tests/fixtures/onnx/load.ts";
import { VirtualClock } from "../../kernel/clock.ts";
import { createOnnxRuntime } from "./onnx-runtime.ts";

/** Just enough of protobuf to write a graph by hand: numbers below 128, texts, messages. */
const number = (field: number, value: number) => [field * 8, value];
const bytes = (field: number, value: Iterable<number>) => [field * 8 + 2, [...value].length, ...value];
const text = (field: number, value: string) => bytes(field, new TextEncoder().encode(value));
const long = (field: number, value: number[]) => [
  field * 8 + 2,
  (value.length & 127) | 128,
  value.length >> 7,
  ...value,
];

/** score = [0.25, 0.75][Amount]: any other amount makes the whole run fail, as a lookup outside of its table does. */
function lookupGraph(): Uint8Array {
  const [float, int64] = [1, 7];
  const dims = bytes(2, [...bytes(1, text(2, "N")), ...bytes(1, number(1, 1))]);
  const column = (name: string) => [...text(1, name), ...bytes(2, bytes(1, [...number(1, float), ...dims]))];
  const cast = [
    ...text(1, "Amount"),
    ...text(2, "index"),
    ...text(4, "Cast"),
    ...bytes(5, [...text(1, "to"), ...number(3, int64), 0xa0, 0x01, 2]),
  ];
  const gather = [...text(1, "table"), ...text(1, "index"), ...text(2, "score"), ...text(4, "Gather")];
  const values = new Uint8Array(Float32Array.of(0.25, 0.75).buffer);
  const table = [...number(1, 2), ...number(2, float), ...bytes(4, values), ...text(8, "table")];
  const graph = [
    ...bytes(1, cast),
    ...bytes(1, gather),
    ...text(2, "lookup"),
    ...bytes(5, table),
    ...bytes(11, column("Amount")),
    ...bytes(12, column("score")),
  ];
  return Uint8Array.from([...number(1, 8), ...long(7, graph), ...bytes(8, number(2, 17))]);
}

describe.each(["inline", "worker"] as const)("a row that makes a real graph fail, %s", (placement) => {
  it("fails alone among the calls of its batch, and the session serves on", async () => {
    const runtime = createOnnxRuntime({ clock: new VirtualClock(), placement });
    const model = await runtime.load({ name: "lookup", bytes: lookupGraph(), contract: amountOnly });
    if (model.kind !== "score") throw new Error("not a score model");
    const score = (Amount: number) => model.score([{ Amount }]);
    for (let round = 0; round < 2; round++) {
      const calls = await Promise.allSettled([0, 1, 1, 99, 0, 1, 0].map(score));
      expect(calls.map((call) => (call.status === "fulfilled" ? call.value[0]!.score : call.reason))).toEqual([
        0.25,
        0.75,
        0.75,
        expect.objectContaining({
          code: "internal",
          message: expect.stringMatching(
            /^model lookup could not score: the graph failed in operator Gather \(code \d\)$/,
          ),
        }),
        0.25,
        0.75,
        0.25,
      ]);
    }
    const hopeless = await Promise.allSettled([50, 51, 52, 53, 54, 55, 56, 57].map(score));
    expect(hopeless.every(({ status }) => status === "rejected")).toBe(true);
    expect((await score(1))[0]!.score).toBe(0.75);
    await model.close();
  });
});
