/** The held-out applicants over HTTP: the whole governed path gives the training framework's scores, by both protocols. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { heldOutApplicants } from "../../src/cli/applicants.ts";
import type { FeatureValue } from "../../src/kernel/decision.ts";
import { type TestHouse, bankExample, startHouse } from "../fixtures/house.ts";

const read = (path: string) => readFileSync(join(bankExample, path), "utf8");
const golden = JSON.parse(read("models/credit-boosted.golden.json")) as { rows: { features: Record<string, FeatureValue>; score: number }[] };
const metrics = JSON.parse(read("models/metrics.json")) as {
  data: { test: number };
  thresholds: { approve: number; decline: number };
  models: Record<string, { held_out: { auc: { value: number; low: number; high: number } } }>;
};
const applicants = heldOutApplicants(bankExample);
const { auc: published } = metrics.models["credit-boosted"]!.held_out;

/** Whether each applicant repaid, in the order of the split. */
const repaid = ((): boolean[] => {
  const [header, ...lines] = read("data/credit.csv").trim().split(/\r?\n/);
  const column = header!.split(",").indexOf("Status");
  return applicants.map(({ row }) => lines[row]!.split(",")[column] === "good");
})();

/** The probability that a repaid loan scores above one that was not, ties half: by ranks (Mann–Whitney). */
function areaUnderCurve(scores: readonly number[], good: readonly boolean[]): number {
  const order = scores.map((_, i) => i).sort((a, b) => scores[a]! - scores[b]!);
  let rankSum = 0;
  for (let from = 0; from < order.length; ) {
    let to = from;
    while (to < order.length && scores[order[to]!] === scores[order[from]!]) to++;
    const rank = (from + 1 + to) / 2;
    for (let i = from; i < to; i++) if (good[order[i]!]) rankSum += rank;
    from = to;
  }
  const goods = good.filter(Boolean).length;
  return (rankSum - (goods * (goods + 1)) / 2) / (goods * (good.length - goods));
}

const resultOf = (score: number): string =>
  score >= metrics.thresholds.approve ? "approve" : score <= metrics.thresholds.decline ? "decline" : "refer";

interface Served {
  score: number;
  result: string;
  decision: string;
}

function expectGolden(served: readonly Served[], what: string): void {
  expect(served.length).toBe(golden.rows.length);
  let furthest = 0;
  for (const [i, { score, result }] of served.entries()) {
    furthest = Math.max(furthest, Math.abs(score - golden.rows[i]!.score));
    expect(result, `applicant ${i}, score ${score}`).toBe(resultOf(score));
  }
  expect(furthest).toBeLessThanOrEqual(1e-5);
  expect(new Set(served.map(({ decision }) => decision)).size).toBe(served.length);
  const area = areaUnderCurve(served.map(({ score }) => score), repaid);
  console.log(
    `${what}: ${served.length} held-out applicants, AUC ${area.toFixed(4)} (published ${published.value}, ${published.low} to ${published.high}), furthest from the framework ${furthest.toExponential(1)}`,
  );
  expect(area).toBeGreaterThanOrEqual(published.low);
  expect(area).toBeLessThanOrEqual(published.high);
  expect(area).toBeCloseTo(published.value, 3);
}

/** One request after the other on each of eight connections, answers in the order of the tasks. */
async function inTurn<T, R>(tasks: readonly T[], act: (task: T, index: number) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const worker = async () => {
    while (next < tasks.length) {
      const index = next++;
      results[index] = await act(tasks[index]!, index);
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  return results;
}

type Row = Record<string, FeatureValue>;

/** As a client that knows nothing but the model's metadata would send them. */
async function describedInputs(): Promise<(rows: readonly Row[]) => object> {
  const response = await fetch(`${house.origin}/v2/models/credit`, { headers: { authorization } });
  expect(response.status).toBe(200);
  const { inputs } = (await response.json()) as { inputs: { name: string; datatype: string }[] };
  return (rows) => ({
    inputs: inputs.map(({ name, datatype }) => ({
      name,
      shape: [rows.length, 1],
      datatype,
      data: rows.map((row) => row[name]),
    })),
  });
}

interface InferAnswer {
  model_name: string;
  outputs: { name: string; shape: number[]; datatype: string; data: (number | string)[] }[];
}

function servedOf(answer: InferAnswer): Served[] {
  const output = (name: string) => answer.outputs.find((tensor) => tensor.name === name)!;
  const [score, result, decision] = [output("score"), output("result"), output("decision_id")];
  expect(score).toMatchObject({ datatype: "FP64", shape: [score.data.length, 1] });
  return score.data.map((value, i) => ({
    score: value as number,
    result: result.data[i] as string,
    decision: decision.data[i] as string,
  }));
}

let house: TestHouse;
let authorization: string;
let inferBody: (rows: readonly Row[]) => object;
const subject = (row: number) => ({
  authorization,
  "x-weir-subject": `applicant-${row}`,
  "x-weir-consent": "loan-application-2026",
});

it("has all held-out applicants, as the golden file and the model card count them, and none of the answer", () => {
  expect(applicants.length).toBe(metrics.data.test);
  expect(applicants.map(({ body }) => body.features)).toEqual(golden.rows.map((row) => row.features));
  for (const { body } of applicants) {
    expect(Object.keys(body.features)).not.toContain("Status");
    expect(Object.keys(body.protected).toSorted()).toEqual(["Age", "Marital"]);
  }
});

describe("with the bank's own configuration", () => {
  beforeAll(async () => {
    house = await startHouse();
    authorization = `Bearer ${house.mintKey()}`;
    inferBody = await describedInputs();
  });
  afterAll(() => house.stop());

  it("POST /v1/decisions/credit scores all of them as the training framework does", async () => {
    const served = await inTurn(applicants, async ({ row, body }) => {
      const response = await house.post("/v1/decisions/credit", body, subject(row));
      expect(response.status).toBe(200);
      const answer = (await response.json()) as Served & { decision_id: string; model: string; status: string };
      expect(answer.model).toBe("credit-boosted");
      expect(answer.status).toBe(answer.result === "refer" ? "pending" : "decided");
      expect(answer.decision_id).toBe(response.headers.get("x-weir-decision-id"));
      return { score: answer.score, result: answer.result, decision: answer.decision_id };
    });
    expectGolden(served, "/v1/decisions/credit");
  });

  it("POST /v2/models/credit/infer does so row by row, each with its own subject and consent", async () => {
    const served = await inTurn(applicants, async ({ row, body }) => {
      const response = await house.post("/v2/models/credit/infer", inferBody([body.features]), subject(row));
      expect(response.status).toBe(200);
      const answer = (await response.json()) as InferAnswer;
      expect(answer.model_name).toBe("credit");
      return servedOf(answer)[0]!;
    });
    expectGolden(served, "/v2/models/credit/infer, single rows");
  });

  it("refuses many rows at once where each needs its own consent", async () => {
    const body = inferBody(applicants.slice(0, 2).map((applicant) => applicant.body.features));
    const response = await house.post("/v2/models/credit/infer", body, { authorization });
    expect(response.status).toBe(400);
    expect(((await response.json()) as { error: string }).error).toContain("Send one row per request.");
  });
});

describe("with a use case that needs no consent", () => {
  beforeAll(async () => {
    house = await startHouse({ files: { "weir.yaml": read("weir.yaml").replace("    consent: required\n", "") } });
    authorization = `Bearer ${house.mintKey()}`;
    inferBody = await describedInputs();
  });
  afterAll(() => house.stop());

  it("POST /v2/models/credit/infer scores them in batches of up to 256", async () => {
    const rows = applicants.map(({ body }) => body.features);
    const served: Served[] = [];
    for (const size of [1, 2, 255, 256, 256, 256]) {
      const batch = rows.slice(served.length, served.length + size);
      if (batch.length === 0) break;
      const response = await house.post("/v2/models/credit/infer", inferBody(batch), { authorization });
      expect(response.status).toBe(200);
      served.push(...servedOf((await response.json()) as InferAnswer));
    }
    expectGolden(served, "/v2/models/credit/infer, batches");
  });

  it("refuses 257 rows without deciding one", async () => {
    const before = house.house.journal.health().entries;
    const rows = applicants.slice(0, 257).map(({ body }) => body.features);
    const response = await house.post("/v2/models/credit/infer", inferBody(rows), { authorization });
    expect(response.status).toBe(400);
    await house.house.journal.flush();
    expect(house.house.journal.health().entries).toBe(before);
  });
});
