import { InferenceSession, Tensor } from "onnxruntime-web";
import { describe, expect, it } from "vitest";
import { applicant, graph } from "../../../tests/fixtures/onnx/load.ts";
import { VirtualClock } from "../../kernel/clock.ts";
import { validateRow } from "../../kernel/contract.ts";
import { createRowEncoder } from "./onnx-columns.ts";
import { openPreferred, parityRows } from "./onnx-native.ts";

/** WebAssembly in the clothes of the native package; `bend` changes its scores, given the incomes that were fed. */
function fakePackage(bend: (score: number, income: number, count: number) => number = (score) => score) {
  const fake = { opened: 0, released: 0, found: {} as unknown };
  fake.found = {
    Tensor,
    InferenceSession: {
      async create(bytes: Uint8Array) {
        const session = await InferenceSession.create(bytes, { executionProviders: ["wasm"] });
        fake.opened++;
        return {
          inputMetadata: session.inputMetadata,
          outputMetadata: session.outputMetadata,
          release: async () => (fake.released++, session.release()),
          async run(feeds: Record<string, Tensor>, names: string[]) {
            const answer = await session.run(feeds, names);
            const scores = answer["score"]!.data as Float32Array;
            const incomes = feeds["Income"]!.data as Float32Array;
            scores.forEach((score, i) => (scores[i] = bend(score, incomes[i]!, scores.length)));
            return answer;
          },
        };
      },
    },
  };
  return fake;
}

const missing = Object.assign(new Error("Cannot find package"), { code: "ERR_MODULE_NOT_FOUND" });
const open = async (importPackage: () => Promise<unknown>, wanted = true) =>
  openPreferred("m", graph("applicant"), applicant, new VirtualClock(), wanted, importPackage);

async function scoreOf({ session }: Awaited<ReturnType<typeof open>>): Promise<number> {
  const encoder = createRowEncoder("m", applicant);
  const [score] = await session.run(1, (columns) => encoder.fill(columns, [{ Amount: 0, Income: 0, Home: null }]));
  await session.close();
  return score!;
}
const byHand = 1 / (1 + Math.exp(-0.125));

describe("openPreferred", () => {
  it("uses the package where it answers alike, and lets go of WebAssembly's session", async () => {
    const fake = fakePackage((score) => score + 5e-6);
    const chosen = await open(async () => fake.found);
    expect(chosen.engine).toBe("onnxruntime-node");
    expect(await scoreOf(chosen)).toBeCloseTo(byHand + 5e-6, 7);
    expect(fake).toMatchObject({ opened: 1, released: 1 });
  });

  it("takes a package that hides behind its default export", async () => {
    const chosen = await open(async () => ({ default: fakePackage().found }));
    expect(chosen.engine).toBe("onnxruntime-node");
    await chosen.session.close();
  });

  const bent: [what: string, bend: (score: number, income: number, count: number) => number, why: RegExp][] = [
    [
      "every score",
      (score) => Math.min(1, score + 1e-4),
      /parity self-test: sample row 0 of \d+ scored [\d.]+ instead of 0\.\d+\)$/,
    ],
    ["missing numbers", (score, income) => (Number.isNaN(income) ? score * 0.99 : score), /parity self-test/],
    ["the upper end of a range", (score, income) => (income >= 1000 ? score - 1e-3 : score), /parity self-test/],
    ["single rows", (score, _income, count) => (count === 1 ? score * 0.999 : score), /rows must not mix/],
    ["into what is no number", (_score, income) => (income > 600 ? NaN : _score), /parity self-test: .* scored NaN/],
  ];
  it.each(bent)("stays with WebAssembly where the package bends %s", async (_what, bend, why) => {
    const fake = fakePackage(bend);
    const chosen = await open(async () => fake.found);
    expect(chosen.engine).toMatch(/^onnxruntime-web \(onnxruntime-node /);
    expect(chosen.engine).toMatch(why);
    expect(await scoreOf(chosen)).toBeCloseTo(byHand, 6);
    expect(fake.released).toBe(fake.opened);
  });

  it.each([
    ["is missing", async () => Promise.reject(missing), "onnxruntime-web (onnxruntime-node is not installed)"],
    [
      "does not load here",
      async () => Promise.reject(new Error("libonnxruntime.so: no such file")),
      "onnxruntime-web (onnxruntime-node cannot be imported: libonnxruntime.so: no such file)",
    ],
    [
      "is another thing",
      async () => ({ hello: 1 }),
      "onnxruntime-web (onnxruntime-node offers neither InferenceSession nor Tensor)",
    ],
    [
      "refuses the graph",
      async () => ({ Tensor, InferenceSession: { create: async () => Promise.reject(new Error("opset 99")) } }),
      expect.stringMatching(/^onnxruntime-web \(onnxruntime-node cannot serve this model: .*opset 99\)$/),
    ],
  ])("says so where the package %s", async (_what, importPackage, engine) => {
    const chosen = await open(importPackage);
    expect(chosen.engine).toEqual(engine);
    expect(await scoreOf(chosen)).toBeCloseTo(byHand, 6);
  });

  it("does not look for it where it is not wanted, nor in a file that WebAssembly refuses", async () => {
    const never = async () => expect.unreachable("imported");
    const chosen = await open(never, false);
    expect(chosen.engine).toBe("onnxruntime-web");
    await chosen.session.close();
    await expect(openPreferred("m", graph("random"), applicant, new VirtualClock(), true, never)).rejects.toThrow(
      /random numbers/,
    );
  });
});

describe("parityRows", () => {
  it("fit the contract, are the same every time, and hold ends, nulls and every category", () => {
    const rows = parityRows(applicant);
    expect(rows).toEqual(parityRows(applicant));
    for (const row of rows) expect(validateRow(applicant, row)).toMatchObject({ ok: true });
    expect(new Set(rows.map((row) => row["Home"]))).toEqual(new Set(["rent", "owner", null]));
    expect(rows.some((row) => row["Income"] === 0) && rows.some((row) => row["Income"] === 1000)).toBe(true);
    expect(rows.filter((row) => row["Income"] === null).length).toBeGreaterThan(3);
  });
});
