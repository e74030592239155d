/** The graphs of the bank example, held against the training framework's own scores for every held-out applicant. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { createOnnxRuntime, createRulesRuntime, type ScoreModel } from "../../src/engines/runtimes/index.ts";
import { systemClock, VirtualClock } from "../../src/kernel/clock.ts";
import type { FeatureValue } from "../../src/kernel/decision.ts";
import type { Feature, FeatureContract } from "../../src/kernel/snapshot.ts";

interface Golden {
  onnx_sha256: string;
  rows: { features: Record<string, FeatureValue>; score: number }[];
}

const read = (path: string) => readFileSync(new URL(`../../examples/bank/${path}`, import.meta.url));
const golden = (name: string) => JSON.parse(read(`models/${name}.golden.json`).toString()) as Golden;
type Declared = Record<string, Partial<Feature> & { type: Feature["type"]; data_class: Feature["dataClass"] }>;

function contract(): FeatureContract {
  const file = parse(read("schemas/applicant.yaml").toString()) as { features: Declared; protected: Declared };
  const listed = (declared: Declared) =>
    Object.entries(declared).map(([name, { data_class, ...rest }]): Feature => {
      return { immutable: false, nullable: false, ...rest, name, dataClass: data_class };
    });
  return {
    name: "applicant",
    version: 1,
    score: "P(good)",
    features: listed(file.features),
    protectedFeatures: listed(file.protected),
  };
}

async function load(name: string, placement: "inline" | "worker"): Promise<ScoreModel> {
  const runtime = createOnnxRuntime({ clock: systemClock, placement });
  const model = await runtime.load({ name, bytes: read(`models/${name}.onnx`), contract: contract() });
  if (model.kind !== "score") throw new Error("not a score model");
  return model;
}

describe.each(["credit-boosted", "credit-logistic"])("%s", (name) => {
  const { onnx_sha256, rows } = golden(name);

  it("is the file that the golden rows were made with", () => {
    expect(createHash("sha256").update(read(`models/${name}.onnx`)).digest("hex")).toBe(onnx_sha256);
    expect(rows.length).toBeGreaterThan(500);
    expect(rows.some((row) => row.features["Income"] === null)).toBe(true);
  });

  it.each(["inline", "worker"] as const)("equals the training framework to 1e-5 on every row, %s", async (placement) => {
    const model = await load(name, placement);
    const together = await model.score(rows.map((row) => row.features));
    let furthest = 0;
    for (const [index, { features, score }] of rows.entries()) {
      const alone = (await model.score([features]))[0]!.score;
      furthest = Math.max(furthest, Math.abs(alone - score), Math.abs(together[index]!.score - score));
    }
    expect(furthest).toBeLessThan(1e-5);
    await model.close();
  });
});

describe("the rules baseline", () => {
  it("scores every held-out applicant, and tells good from bad better than chance", async () => {
    const runtime = createRulesRuntime({ clock: new VirtualClock() });
    const model = await runtime.load({ name: "baseline", bytes: read("rules/credit.yaml"), contract: contract() });
    if (model.kind !== "score") throw new Error("not a score model");
    const { rows } = golden("credit-boosted");
    const scored = await model.score(rows.map((row) => row.features));
    expect(scored.every(({ score, reasons }) => score >= 0 && score <= 1 && reasons.length > 0)).toBe(true);
    // Agreement in order with the boosted model: both orders of a pair would be as likely by chance.
    let agree = 0;
    let pairs = 0;
    for (let i = 0; i + 1 < rows.length; i += 2) {
      const [a, b] = [scored[i]!.score, scored[i + 1]!.score];
      if (a === b) continue;
      pairs++;
      if (a > b === rows[i]!.score > rows[i + 1]!.score) agree++;
    }
    expect(agree / pairs).toBeGreaterThan(0.75);
  });
});
