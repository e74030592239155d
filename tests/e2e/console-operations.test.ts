/** The screens of what runs over a real Weir and a scripted vendor: targets, routes, money, limits, cache and alerts. */
import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { AxeBuilder } from "@axe-core/playwright";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launchBrowser } from "../../console/tests/browser.ts";
import { isRefusal } from "../../src/kernel/errors.ts";
import { readEntries } from "../../src/ledger/index.ts";
import { nodeFiles } from "../../src/stores/files/index.ts";
import { type TestHouse, startHouse } from "../fixtures/house.ts";
import { type ScriptedVendor, startScriptedVendor } from "../fixtures/scripted-vendor.ts";

const shots = fileURLToPath(new URL("../../test-results/console/", import.meta.url));
const actor = { id: "test", name: "test" };
const config = (origin: string) => `
weir: 1
server: { port: 0, ops_port: 0, environment: dev }
tenants:
  lindenbank:
    budget: { usd: 5, per: day, at_limit: block, steps: [{ at: 80, do: warn }] }
vendors:
  acme: { dialect: openai, base_url: "${origin}/acme/v1", region: eu, data_class: personal, keys: [{ env: KEY_A }, { env: KEY_B }] }
  west: { dialect: openai, base_url: "${origin}/west/v1", region: eu, data_class: internal, key: { env: KEY_B } }
models:
  large: { vendor: acme, model: large-1, price: { input: 3, output: 15, as_of: "2026-01-01" }, max_output: 500 }
  spare: { vendor: west, model: large-1, price: { input: 3, output: 15, as_of: "2026-01-01" }, max_output: 500 }
use_cases:
  assistant:
    kind: chat
    data_class: internal
    limits: { requests_per_minute: 6 }
    cache: { exact: 10m, tags: [faq] }
    retries: 0
    ladder: [{ pool: [large, spare], strategy: first }, { template: Please call us. }]
`;

let vendor: ScriptedVendor;
let house: TestHouse;
let browser: Browser;
let page: Page;
const troubles: string[] = [];

beforeAll(async () => {
  mkdirSync(shots, { recursive: true });
  vendor = await startScriptedVendor();
  house = await startHouse({
    files: { "weir.yaml": config(vendor.origin) },
    secrets: { KEY_A: "key-a", KEY_B: "key-b" },
    consoleDir: fileURLToPath(new URL("../../console/dist", import.meta.url)),
  });
  await traffic();
  browser = await launchBrowser();
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: "reduce" });
  page = await context.newPage();
  page.setDefaultTimeout(15_000);
  page.on("console", (message) => message.type() === "error" && troubles.push(message.text()));
  page.on("pageerror", (error) => troubles.push(error.message));
  await signIn();
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await house?.stop();
  await vendor?.close();
});

/** Six questions, one of them twice and one that fails at the first vendor; then one too many. */
async function traffic(): Promise<void> {
  const authorization = `Bearer ${house.mintKey()}`;
  const ask = async (question: string): Promise<void> => {
    const messages = [{ role: "user", content: question }];
    const response = await house.post("/v1/chat/completions", { model: "assistant", messages }, { authorization });
    await response.text();
  };
  vendor.play({ status: 500 });
  for (const question of ["one", "two", "three", "three", "four", "five", "six", "seven"]) await ask(question);
  await house.house.index.caughtUp();
}

async function signIn(): Promise<void> {
  const { accounts } = house.admin;
  const account = await accounts.provision({ name: "demo", roles: ["admin"] }, actor);
  if (isRefusal(account)) throw new Error(account.message);
  await account.commit();
  const link = await accounts.createLink("demo", actor);
  if (isRefusal(link)) throw new Error(link.message);
  await page.goto(`${house.origin}/console/#token=${await link.commit()}`);
  await page.getByRole("heading", { name: "Overview" }).waitFor();
}

async function look(name: string): Promise<void> {
  for (const [width, height] of [
    [390, 844],
    [1440, 900],
  ] as const) {
    await page.setViewportSize({ width, height });
    await page.screenshot({ path: `${shots}${name}-${width}.png` });
  }
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
}

describe("what runs, over a real house", { timeout: 60_000 }, () => {
  it("shows the targets that were called", async () => {
    await page.getByRole("link", { name: "Health" }).click();
    await page.getByRole("row", { name: /acme\/large-1.*closed/ }).waitFor();
    await page.getByRole("row", { name: /acme#1\s*live/ }).waitFor();
    await look("health");
  });

  it("overrides a model, asks the router what that means, and clears it", async () => {
    await page.getByRole("link", { name: "Routes" }).click();
    await page.getByRole("row", { name: /large.*pool: first/ }).waitFor();
    await page.getByRole("button", { name: "Ask the router" }).click();
    await page.getByText("large (rung 1) → spare (rung 1) → template (rung 2)").waitFor();
    await page.getByRole("button", { name: "New override" }).click();
    await page.getByLabel("Reason", { exact: true }).fill("it stutters");
    await page.getByRole("button", { name: "Make override" }).click();
    await page.getByRole("row", { name: /exclude.*model large.*it stutters/ }).waitFor();
    await page.getByRole("button", { name: "Ask the router" }).click();
    await page.getByText("override_excluded").waitFor();
    await page.getByText("by demo: it stutters").waitFor();
    await look("routes");
    await page.getByRole("button", { name: "Clear" }).click();
    await page.getByLabel("Reason for clearing it").fill("well again");
    await page.keyboard.press("Enter");
    await page.getByText("None is in force").waitFor();
    expect(await actsIn()).toEqual(expect.arrayContaining(["route.override", "route.clear"]));
  });

  it("books every cent where the journal has it", async () => {
    await page.getByRole("link", { name: "Cost" }).click();
    await page.getByRole("row", { name: /tenant:lindenbank.*block at 100%/ }).waitFor();
    await page.getByRole("link", { name: "by model" }).click();
    await page.getByRole("row", { name: /^spare/ }).waitFor();
    const { rows } = await house.house.index.list({}, undefined, 100);
    const booked = rows.reduce((sum, row) => sum + row.cost_nano_usd, 0);
    const { totals } = await house.house.index.costs({ range: "24h", by: "model" }, Date.now());
    expect([totals.cost_nano_usd, house.house.money.totals("lindenbank", "day").spent]).toEqual([booked, booked]);
    expect(booked).toBeGreaterThan(0);
    await look("cost");
  });

  it("shows the limit that was hit, and who hit it", async () => {
    await page.getByRole("link", { name: "Limits" }).click();
    await page.getByRole("row", { name: /use:lindenbank\/assistant/ }).waitFor();
    await page.getByRole("row", { name: /rate_limited.*lindenbank.*assistant/ }).waitFor();
    await look("limits");
  });

  it("shows what the cache saved and drops it", async () => {
    await page.getByRole("link", { name: "Cache" }).click();
    await page.getByRole("row", { name: /assistant.*10 min.*faq/ }).waitFor();
    const kept = house.house.cache.figures().entries;
    expect(kept).toBeGreaterThan(1);
    await page.getByLabel("Tag").selectOption("faq");
    await page.getByLabel("Reason for dropping them").fill("the tariffs changed");
    await page.getByRole("button", { name: "Drop what fits" }).click();
    await page.getByText(`${kept} answers were dropped.`).waitFor();
    expect(house.house.cache.figures().entries).toBe(0);
    expect(await actsIn()).toContain("cache.invalidate");
    await look("cache");
  });

  it("lists alerts", async () => {
    await page.getByRole("link", { name: "Alerts" }).click();
    await page.getByRole("heading", { name: "Firing" }).waitFor();
    await look("alerts");
  });

  it("met no console error", () => expect(troubles).toEqual([]));
});

async function actsIn(): Promise<string[]> {
  const acts: string[] = [];
  for await (const { entry } of readEntries({ dir: house.house.paths.ledger, files: nodeFiles, node: "server" }))
    if (entry.kind === "admin") acts.push((entry.meta as { act: string }).act);
  return acts;
}
