import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { heldOutApplicants } from "../../src/cli/applicants.ts";
import { type TestHouse, bankExample, startHouse } from "../fixtures/house.ts";

let house: TestHouse;
let key: string;
beforeAll(async () => {
  house = await startHouse();
  key = house.mintKey();
});
afterAll(() => house.stop());

const applicant = heldOutApplicants(bankExample)[0]!;
const creditHeaders = () => ({
  authorization: `Bearer ${key}`,
  "x-weir-subject": `applicant-${applicant.row}`,
  "x-weir-consent": "loan-application-2026",
});

describe("the bank example", () => {
  it("scores an applicant and names the rule that decided", async () => {
    const response = await house.post("/v1/decisions/credit", applicant.body, creditHeaders());
    expect(response.status).toBe(200);
    const body = (await response.json()) as Record<string, unknown>;
    expect(body).toMatchObject({ use_case: "credit", status: "decided", result: "approve", model: "credit-boosted" });
    expect(body["decision_id"]).toBe(response.headers.get("x-weir-decision-id"));
    expect(body["reasons"]).toEqual([{ basis: "policy", name: "score >= 0.76" }]);
  });

  it("answers a question with a citation from the bank's passages", async () => {
    const body = {
      model: "assistant",
      messages: [{ role: "user", content: "I have lost my card, what should I do?" }],
    };
    const response = await house.post("/v1/chat/completions", body, { authorization: `Bearer ${key}` });
    expect(response.status).toBe(200);
    expect(response.headers.get("x-weir-model")).toBe("extractive");
    const answer = (await response.json()) as { choices: { message: { content: string; annotations: unknown[] } }[] };
    expect(answer.choices[0]!.message.content).toContain("[1]");
    expect(answer.choices[0]!.message.annotations.length).toBeGreaterThan(0);
  });

  it("refuses credit without the subject's consent", async () => {
    const { "x-weir-consent": _consent, ...headers } = creditHeaders();
    const response = await house.post("/v1/decisions/credit", applicant.body, headers);
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ code: "consent_required" });
  });
});
