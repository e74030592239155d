import { afterEach, describe, expect, it } from "vitest";
import { amountOnly, applicant, graph } from "../../../tests/fixtures/onnx/load.ts";
import { systemClock, VirtualClock } from "../../kernel/clock.ts";
import type { FeatureValue } from "../../kernel/decision.ts";
import type { FeatureContract } from "../../kernel/snapshot.ts";
import { createOnnxRuntime, type OnnxRuntimeOptions } from "./onnx-runtime.ts";
import type { ScoreModel } from "./port.ts";

const open: ScoreModel[] = [];
afterEach(async () => {
  for (const model of open.splice(0)) await model.close();
});

async function load(
  name: string,
  contract: FeatureContract,
  options: Partial<OnnxRuntimeOptions> = {},
): Promise<ScoreModel> {
  const runtime = createOnnxRuntime({ clock: new VirtualClock(), ...options });
  const model = await runtime.load({ name, bytes: graph(name), contract });
  if (model.kind !== "score") throw new Error("not a score model");
  open.push(model);
  return model;
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const homes: Record<string, number> = { owner: 0.5, rent: -0.25, "": 0.125 };
/** The graph of `applicant`, by hand. */
const byHand = (row: Record<string, FeatureValue>) =>
  sigmoid(
    0.01 * (row["Amount"] as number) +
      (row["Income"] === null ? -1 : 0.02 * (row["Income"] as number)) +
      homes[(row["Home"] as string | null) ?? ""]!,
  );

const rows: Record<string, FeatureValue>[] = [
  { Amount: 20, Income: 30, Home: "rent" },
  { Amount: -40, Income: null, Home: "owner" },
  { Amount: 0, Income: 0, Home: null },
  { Home: null, Income: null, Amount: 100.5 },
];

describe.each(["inline", "worker"] as const)("an onnx model placed %s", (placement) => {
  it("scores as the graph says, alone and in batches, null as NaN and empty", async () => {
    const model = await load("applicant", applicant, { placement });
    const batch = await model.score(rows);
    for (const [index, row] of rows.entries()) {
      const [alone] = await model.score([row]);
      expect(alone!.score).toBeCloseTo(byHand(row), 6);
      expect(batch[index]).toEqual(alone);
    }
    expect(await model.score([])).toEqual([]);
  });

  it("keeps concurrent calls apart", async () => {
    const model = await load("applicant", applicant, { placement });
    const calls = Array.from({ length: 40 }, (_, i) => ({
      Amount: i * 5 - 100,
      Income: i % 3 ? i : null,
      Home: "rent",
    }));
    const answers = await Promise.all(calls.map((row) => model.score([row])));
    answers.forEach(([answer], index) => expect(answer!.score).toBeCloseTo(byHand(calls[index]!), 6));
  });

  it("scores calls of one turn as one batch, where one bad row harms no other", async () => {
    const model = await load("unbounded", amountOnly, { placement });
    const gone = new AbortController();
    const calls = [
      model.score([{ Amount: 0.25 }]),
      model.score([{ Amount: 7 }]),
      model.score([{ Amount: 0.5 }, { Amount: 0.75 }]),
      model.score([{ Amount: NaN }]),
      model.score([{ Amount: 1 }], gone.signal),
      model.score([{ Amount: 0 }], undefined, 0),
    ];
    gone.abort(new Error("client gone"));
    const [quarter, seven, two, none, left, late] = await Promise.allSettled(calls);
    expect(quarter).toMatchObject({ status: "fulfilled", value: [{ score: 0.25 }] });
    expect(two).toMatchObject({ status: "fulfilled", value: [{ score: 0.5 }, { score: 0.75 }] });
    expect(seven).toMatchObject({ reason: { code: "internal", message: /outside of \[0, 1\]/ } });
    expect(none).toMatchObject({ reason: { code: "internal", message: /Amount must be finite/ } });
    expect(left).toMatchObject({ reason: { message: "client gone" } });
    expect(late).toMatchObject({ reason: { code: "deadline_exceeded" } });
  });

  it("refuses calls beyond what may wait, and serves those that it took", async () => {
    const model = await load("applicant", applicant, { placement, maxWaitingRows: 5 });
    const calls = await Promise.allSettled(Array.from({ length: 8 }, () => model.score([rows[0]!])));
    expect(calls.map(({ status }) => status === "fulfilled")).toEqual([
      true,
      true,
      true,
      true,
      true,
      false,
      false,
      false,
    ]);
    expect(calls[7]).toMatchObject({ reason: { code: "overloaded" } });
    expect(await model.score([rows[0]!])).toHaveLength(1);
  });

  it("takes a flat output", async () => {
    const model = await load("flat", amountOnly, { placement });
    const scored = await model.score([{ Amount: 0 }, { Amount: 1 }]);
    expect(scored.map((row) => row.score)).toEqual([0.5, expect.closeTo(sigmoid(1), 6)]);
  });

  it("refuses scores that are none, and goes on", async () => {
    const beyond = await load("unbounded", amountOnly, { placement });
    const fault = { name: "WeirError", code: "internal", message: expect.stringContaining("outside of [0, 1]") };
    await expect(beyond.score([{ Amount: 0.5 }, { Amount: 1.001 }])).rejects.toMatchObject(fault);
    const fine = await beyond.score([{ Amount: 1.0000005 }, { Amount: -0.0000005 }]);
    expect(fine.map((row) => row.score)).toEqual([1, 0]);
  });

  it("lets go of an aborted call and refuses calls after close", async () => {
    const model = await load("applicant", applicant, { placement });
    const reason = new Error("deadline");
    await expect(model.score([rows[0]!], AbortSignal.abort(reason))).rejects.toBe(reason);
    await model.close();
    await expect(model.score([rows[0]!])).rejects.toMatchObject({ code: "internal", message: /applicant was closed/ });
    await model.close();
  });

  it("says why a graph does not load", async () => {
    await expect(load("no-score", amountOnly, { placement })).rejects.toThrow(
      /^model no-score does not load: the graph has no output `score`, only probability$/,
    );
  });
});

describe("files that do not load", () => {
  const unloadable: [what: string, file: string, contract: FeatureContract, message: RegExp][] = [
    ["features without input", "flat", applicant, /feature Income has no input.*feature Home has no input/],
    ["inputs without feature", "applicant", amountOnly, /input Income is not a feature of contract applicant/],
    [
      "another type",
      "flat",
      { ...amountOnly, features: [{ ...amountOnly.features[0]!, type: "category", values: ["a"] }] },
      /input Amount must be a string tensor, not float32/,
    ],
    ["no score", "no-score", amountOnly, /no output `score`, only probability/],
    ["an integer score", "integer-score", amountOnly, /must be float32, not int64/],
    ["two scores a row", "wide-score", amountOnly, /must have shape \[N,1\]/],
    ["one score for all rows", "one-score", amountOnly, /must have shape \[N,1\]/],
    ["a sequence as score", "sequence-score", amountOnly, /sequence or map/],
    ["NaN for allowed rows", "nan", amountOnly, /outside of \[0, 1\]|not a number/],
    ["rows that mix", "mixing", amountOnly, /differently when other rows are beside it/],
    ["random numbers", "random", amountOnly, /draws random numbers/],
  ];
  it.each(unloadable)("does not load %s", async (_what, file, contract, message) => {
    await expect(load(file, contract, { placement: "inline" })).rejects.toThrow(message);
  });

  it("does not load a damaged file, wherever it was cut or changed", async () => {
    const runtime = createOnnxRuntime({ clock: new VirtualClock(), placement: "inline" });
    const whole = graph("applicant");
    const damaged = [whole.subarray(0, 0), whole.subarray(0, 200), whole.subarray(0, whole.length - 45)];
    // An operator's name changed: still a readable file, no longer a known graph.
    const renamed = Uint8Array.from(whole);
    renamed.set(new TextEncoder().encode("Sigmoix"), Buffer.from(whole).indexOf("Sigmoid"));
    for (const bytes of [...damaged, renamed])
      await expect(runtime.load({ name: "m", bytes, contract: applicant })).rejects.toThrow(/^model m does not load: /);
  });
});

describe("rows that a model must not see", () => {
  const wrong: [what: string, row: Record<string, FeatureValue>, feature: string][] = [
    ["NaN", { Amount: NaN, Income: 1, Home: "rent" }, "Amount"],
    ["infinity", { Amount: -Infinity, Income: 1, Home: "rent" }, "Amount"],
    ["a number too large for 32 bits", { Amount: 1e39, Income: 1, Home: "rent" }, "Amount"],
    ["an undeclared null", { Amount: null, Income: 1, Home: "rent" }, "Amount"],
    ["an unknown feature", { Amount: 1, Income: 1, Home: "rent", Zodiac: 3 }, "Zodiac"],
    ["a protected feature", { Amount: 1, Income: 1, Home: "rent", Age: 3 }, "Age"],
    ["a missing feature", { Amount: 1, Home: "rent" }, "Income"],
    ["text as number", { Amount: "987654", Income: 1, Home: "rent" }, "Amount"],
    ["a boolean", { Amount: true, Income: 1, Home: "rent" }, "Amount"],
    ["an unlisted category", { Amount: 1, Income: 1, Home: "987654" }, "Home"],
  ];
  it.each(wrong)("refuses %s, naming the feature only", async (_what, row, feature) => {
    const model = await load("applicant", applicant, { placement: "inline" });
    const error = await model.score([rows[0]!, row]).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ name: "WeirError", code: "internal" });
    expect((error as Error).message).toContain(feature);
    expect((error as Error).message).not.toContain("987654");
  });
});

describe("several models in one thread", () => {
  it("keep their scores apart however their calls overlap", async () => {
    const one = await load("applicant", applicant, { placement: "inline" });
    const other = await load("flat", amountOnly, { placement: "inline" });
    for (let round = 0; round < 20; round++) {
      const calls = rows.flatMap((row, index) => [
        one.score([row]).then(([scored]) => [scored!.score, byHand(row)]),
        other.score([{ Amount: index }]).then(([scored]) => [scored!.score, sigmoid(index)]),
      ]);
      for (const [score, wanted] of await Promise.all(calls)) expect(score).toBeCloseTo(wanted!, 6);
    }
  });
});

describe("placement by measure", () => {
  /** Each reading of the clock is `stepMs` after the one before: every call seems to take that long. */
  const slow = (stepMs: number) => {
    let now = 0;
    return Object.assign(Object.create(systemClock) as typeof systemClock, { monotonic: () => (now += stepMs) });
  };
  it("stays inline below 100 µs and moves to a worker above", async () => {
    const started: string[] = [];
    const startThread = (data: { name: string }) => {
      started.push(data.name);
      throw new Error("a thread was asked for");
    };
    const quick = await load("applicant", applicant, { clock: slow(0.03), startThread });
    expect(quick.costMicros).toBeCloseTo(30);
    expect(await quick.score([rows[0]!])).toHaveLength(1);
    expect(started).toEqual([]);
    await expect(load("applicant", applicant, { clock: slow(0.2), startThread })).rejects.toThrow(
      "a thread was asked for",
    );
    expect(started).toEqual(["applicant"]);
  });

  it("really runs in a worker when it was found slow, and answers the same", async () => {
    const model = await load("heavy", amountOnly, { clock: slow(1) });
    expect(model.engine).toMatch(/^onnxruntime-(web \(onnxruntime-node .*\)|node)$/);
    const [scored] = await model.score([{ Amount: 3 }]);
    const inline = await load("heavy", amountOnly, { placement: "inline" });
    expect(await inline.score([{ Amount: 3 }])).toEqual([scored]);
  });

  it.each([
    ["file", { name: "m", contract: applicant }, /needs a file/],
    ["contract", { name: "m", bytes: graph("applicant") }, /needs a feature contract/],
  ])("does not load without a %s", async (_what, model, message) => {
    await expect(createOnnxRuntime({ clock: new VirtualClock() }).load(model)).rejects.toThrow(message);
  });
});
