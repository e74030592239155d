/** The three screens over a real Weir with real decisions: what an operator sees, checked and photographed. */
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { AxeBuilder } from "@axe-core/playwright";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchBrowser } from "../../console/tests/browser.ts";
import { heldOutApplicants } from "../../src/cli/applicants.ts";
import { isRefusal } from "../../src/kernel/errors.ts";
import { type TestHouse, bankExample, startHouse } from "../fixtures/house.ts";

const shots = fileURLToPath(new URL("../../test-results/console/", import.meta.url));
const actor = { id: "test", name: "test" };

let house: TestHouse;
let browser: Browser;
let page: Page;
let scored: string;
let answered: string;
const troubles: string[] = [];

beforeAll(async () => {
  mkdirSync(shots, { recursive: true });
  house = await startHouse({ consoleDir: fileURLToPath(new URL("../../console/dist", import.meta.url)) });
  [scored, answered] = await traffic();
  browser = await launchBrowser();
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: "reduce" });
  page = await context.newPage();
  page.setDefaultTimeout(15_000);
  page.on("console", (message) => message.type() === "error" && troubles.push(message.text()));
  page.on("pageerror", (error) => troubles.push(error.message));
  page.on("request", (request) => {
    if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(house.origin))
      troubles.push(`left the origin: ${request.url()}`);
  });
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await house?.stop();
});

/** Real applicants, questions, a refused request: one of everything that the screens show. */
async function traffic(): Promise<[scored: string, answered: string]> {
  const authorization = `Bearer ${house.mintKey()}`;
  let scoredId = "";
  for (const applicant of heldOutApplicants(bankExample).slice(0, 40)) {
    const headers = {
      authorization,
      "x-weir-subject": `applicant-${applicant.row}`,
      "x-weir-consent": "loan-application-2026",
    };
    const response = await house.post("/v1/decisions/credit", applicant.body, headers);
    scoredId ||= response.headers.get("x-weir-decision-id")!;
    await response.body?.cancel();
  }
  const { body } = heldOutApplicants(bankExample)[0]!;
  await (await house.post("/v1/decisions/credit", body, { authorization, "x-weir-subject": "a" })).body?.cancel();
  let answeredId = "";
  for (const question of [
    "I have lost my card, what should I do?",
    "I have lost my card, what should I do?",
    "Can I buy Bitcoin in the app?",
  ]) {
    const messages = [{ role: "user", content: question }];
    const response = await house.post("/v1/chat/completions", { model: "assistant", messages }, { authorization });
    answeredId ||= response.headers.get("x-weir-decision-id")!;
    await response.body?.cancel();
  }
  await house.house.journal.checkpoint();
  await house.house.index.caughtUp();
  return [scoredId, answeredId];
}

async function look(name: string): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await page.locator(`html[data-theme=${colorScheme}]`).waitFor();
    await page.screenshot({ path: `${shots}${name}-${colorScheme}.png`, fullPage: name.startsWith("decision-") });
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
  }
}

describe("the console over a real house", { timeout: 60_000 }, () => {
  it("lets the demo operator in by link and shows the overview", async () => {
    const { accounts } = house.admin;
    const account = await accounts.provision({ name: "demo", roles: ["admin"] }, actor);
    if (isRefusal(account)) throw new Error(account.message);
    await account.commit();
    const link = await accounts.createLink("demo", actor);
    if (isRefusal(link)) throw new Error(link.message);
    await page.goto(`${house.origin}/console/#token=${await link.commit()}`);
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    await page.getByRole("row", { name: /credit/ }).waitFor();
    await page.getByRole("row", { name: /assistant/ }).waitFor();
    await look("overview");
  });

  it("lists decisions, the refused one with its code", async () => {
    await page.getByRole("link", { name: "Decisions" }).click();
    await page.getByText("consent_required").first().waitFor();
    await page.getByText("live", { exact: true }).waitFor();
    await look("decisions");
  });

  it("shows a scored decision, opens its content as a journaled act and checks its proof in the browser", async () => {
    await page.goto(`${house.origin}/console/decisions/${scored}`);
    await page.getByRole("img", { name: /^Score 0\.\d+ on an axis from 0 to 1/ }).waitFor();
    await page.getByLabel("Reason for opening").fill("looked at in the test");
    await page.getByRole("button", { name: "Open content" }).click();
    await page.getByRole("row", { name: /Seniority.*personal/ }).waitFor();
    await page.getByRole("button", { name: "Verify here" }).click();
    await page.getByText(/The proof holds/).waitFor();
    await look("decision-credit");
    // Opening the content is in the ledger.
    const opened = await house.house.index.get(scored);
    expect(opened?.entries.map((entry) => entry.kind)).toEqual(expect.arrayContaining(["begun", "attempt", "settled"]));
  });

  it("shows an answered question with its passages", async () => {
    await page.goto(`${house.origin}/console/decisions/${answered}`);
    await page.getByRole("heading", { name: "Retrieved passages" }).waitFor();
    await page.getByLabel("Reason for opening").fill("looked at in the test");
    await page.getByRole("button", { name: "Open content" }).click();
    await page.getByText("I have lost my card").first().waitFor();
    await look("decision-assistant");
  });

  it("met no console error, no policy violation and no foreign request", () => expect(troubles).toEqual([]));
});
