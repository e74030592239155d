/** TLS from files: the same routes over https, and nothing over plain HTTP on that port. */
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { heldOutApplicants } from "../../src/cli/applicants.ts";
import { type TestHouse, bankExample, startHouse } from "../fixtures/house.ts";

const pem = (name: string) => readFileSync(new URL(`../fixtures/tls/${name}`, import.meta.url), "utf8");
const cert = pem("test-only-cert.pem");

let house: TestHouse;
beforeAll(async () => {
  const served = readFileSync(`${bankExample}weir.yaml`, "utf8").replace(
    "  environment: dev",
    "  environment: dev\n  tls: { cert: cert.pem, key: key.pem }",
  );
  house = await startHouse({ files: { "weir.yaml": served, "cert.pem": cert, "key.pem": pem("test-only-key.pem") } });
});
afterAll(() => house.stop());

function post(path: string, body: unknown, headers: Record<string, string>): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(
      house.origin + path,
      { method: "POST", ca: cert, headers: { "content-type": "application/json", ...headers } },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => (text += chunk));
        response.on("end", () => resolve({ status: response.statusCode ?? 0, body: text }));
      },
    );
    sent.on("error", reject);
    sent.end(JSON.stringify(body));
  });
}

describe("TLS", () => {
  it("decides over https, verified against the certificate", async () => {
    expect(house.origin).toMatch(/^https:/);
    const { row, body } = heldOutApplicants(bankExample)[0]!;
    const headers = {
      authorization: `Bearer ${house.mintKey()}`,
      "x-weir-subject": `a-${row}`,
      "x-weir-consent": "loan-application-2026",
    };
    const answer = await post("/v1/decisions/credit", body, headers);
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toMatchObject({ result: "approve" });
  });

  it("answers nothing in the clear", async () => {
    await expect(fetch(house.origin.replace("https:", "http:"))).rejects.toThrow();
  });
});
