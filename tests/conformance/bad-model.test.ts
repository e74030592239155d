/** A model file that is damaged, and was so when its digest was pinned: the server starts, the ladder goes on without it. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { heldOutApplicants } from "../../src/cli/applicants.ts";
import type { SettledMeta } from "../../src/kernel/decision.ts";
import { findDecision } from "../../src/ledger/index.ts";
import type { DecisionId } from "../../src/kernel/ids.ts";
import { nodeFiles } from "../../src/stores/files/index.ts";
import { type TestHouse, bankExample, startHouse } from "../fixtures/house.ts";

const whole = readFileSync(join(bankExample, "models", "credit-boosted.onnx"));
// Cut before the first byte that is not ASCII, since a house's files are given as text: a true prefix of the graph.
const truncated = whole
  .subarray(
    0,
    whole.findIndex((byte) => byte > 0x7f),
  )
  .toString("latin1");
const sha256 = createHash("sha256").update(truncated).digest("hex");
const config = readFileSync(join(bankExample, "weir.yaml"), "utf8");
const applicant = heldOutApplicants(bankExample)[0]!;

let house: TestHouse;
beforeAll(async () => {
  house = await startHouse({
    files: {
      "models/credit-boosted.onnx": truncated,
      "weir.yaml": config.replace(
        "file: models/credit-boosted.onnx",
        `file: models/credit-boosted.onnx\n    sha256: ${sha256}`,
      ),
    },
  });
});
afterAll(() => house.stop());

const decide = () =>
  house.post("/v1/decisions/credit", applicant.body, {
    authorization: `Bearer ${house.mintKey()}`,
    "x-weir-subject": "a",
    "x-weir-consent": "loan-application-2026",
  });

it("starts, says which model did not load, and stays ready", async () => {
  expect(truncated.length).toBeGreaterThan(0);
  expect(house.logged.filter((line) => line.includes("credit-boosted"))).toHaveLength(1);
  expect(house.logged.find((line) => line.includes("credit-boosted"))).toContain('"level":"warn"');
  expect((await fetch(`${house.opsOrigin}/readyz`)).status).toBe(200);
});

it("lets the baseline decide, and the record says why the model did not", async () => {
  const response = await decide();
  expect(response.status).toBe(200);
  expect(await response.json()).toMatchObject({ model: "baseline" });
  expect(response.headers.get("x-weir-model")).toBe("baseline");
  await house.house.journal.flush();
  const decision = response.headers.get("x-weir-decision-id") as DecisionId;
  const entries = await findDecision({ dir: house.house.paths.ledger, files: nodeFiles, node: "server", decision });
  const settled = entries.find(({ entry }) => entry.kind === "settled")!.entry.meta as unknown as SettledMeta;
  expect(settled.route).toMatchObject([
    { rung: 0, eligible: false, reason: "model_not_loaded" },
    { rung: 1, target: "baseline", eligible: true },
    { rung: 2, eligible: true },
  ]);
});

it("serves the model as soon as a whole file is applied, without a restart", async () => {
  // The other model of the same contract: house files are text, and binary ones stay as the example has them.
  await house.apply({ "weir.yaml": config.replace("models/credit-boosted.onnx", "models/credit-logistic.onnx") });
  const response = await decide();
  expect(await response.json()).toMatchObject({ model: "credit-boosted" });
});

it("refuses a configuration whose digest is not the file's, and the old snapshot goes on", async () => {
  const wrong = config.replace(
    "file: models/credit-boosted.onnx",
    `file: models/credit-logistic.onnx\n    sha256: ${"0".repeat(64)}`,
  );
  await expect(house.apply({ "weir.yaml": wrong })).rejects.toThrow(/sha256|digest|differs/i);
  expect((await decide()).status).toBe(200);
});
