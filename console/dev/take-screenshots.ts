/**
 * Pictures of each screen in both themes, with axe run on each: `node console/dev/take-screenshots.ts [folder]`.
 * Prints what axe, the browser's console and the content security policy have against them.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import type { BrowserContext, Page } from "playwright-core";
import { launchBrowser } from "../tests/browser.ts";
import { type FakeAdmin, startFakeAdmin } from "./fake-admin.ts";

const folder = process.argv[2] ?? "/tmp/console-shots";
mkdirSync(folder, { recursive: true });
const only = process.argv[3];
const browser = await launchBrowser();
const fake = await startFakeAdmin({ liveEveryMs: 700 });
const empty = await startFakeAdmin({ history: 0 });
let tokens = 1;
let troubles = 0;

const of = (server: FakeAdmin, wanted: (row: FakeAdmin["decisions"][number]["row"]) => boolean): string => {
  const found = server.decisions.find(({ row }) => wanted(row));
  if (found === undefined) throw new Error("the made-up history has no decision of the wanted kind");
  return found.row.decision_id;
};

const screens: {
  name: string;
  path: () => string;
  server?: FakeAdmin;
  width?: number;
  height?: number;
  act?: (page: Page) => Promise<void>;
}[] = [
  { name: "overview", path: () => "/console/?range=1h", act: async (page) => page.mouse.move(500, 560) },
  { name: "overview-900", path: () => "/console/?range=24h", width: 900 },
  { name: "decisions", path: () => "/console/decisions" },
  { name: "decisions-filtered", path: () => "/console/decisions?use_case=assistant&state=answered" },
  { name: "decisions-900", path: () => "/console/decisions", width: 900 },
  {
    name: "decision-credit",
    path: () => `/console/decisions/${of(fake, (row) => row.use_case === "credit" && row.result === "approve")}`,
    act: openContent,
  },
  {
    name: "decision-chat",
    path: () =>
      `/console/decisions/${of(fake, (row) => row.use_case === "assistant" && row.attempts > 1 && row.state === "answered")}`,
    act: openContent,
  },
  {
    name: "decision-top",
    path: () => `/console/decisions/${of(fake, (row) => row.use_case === "credit" && row.result === "decline")}`,
  },
  {
    name: "decision-900",
    path: () => `/console/decisions/${of(fake, (row) => row.use_case === "credit" && row.result === "refer")}`,
    width: 900,
  },
  { name: "decision-refused", path: () => `/console/decisions/${of(fake, (row) => row.state === "refused")}` },
  {
    name: "overview-table",
    path: () => "/console/?range=15m",
    act: async (page) => page.getByRole("button", { name: "Latency p95 as a table" }).click(),
  },
  { name: "shortcuts", path: () => "/console/decisions", act: async (page) => page.keyboard.press("?") },
  { name: "menu", path: () => "/console/", act: async (page) => page.getByRole("button", { name: "Ada" }).click() },
  { name: "routes", path: () => "/console/routes?use_case=assistant", act: askRouter },
  { name: "routes-credit", path: () => "/console/routes?use_case=credit" },
  { name: "health", path: () => "/console/health" },
  { name: "override", path: () => "/console/health", act: openOverride },
  { name: "cost", path: () => "/console/cost?range=30d" },
  { name: "cost-model", path: () => "/console/cost?by=model&use_case=assistant" },
  { name: "limits", path: () => "/console/limits" },
  { name: "cache", path: () => "/console/cache" },
  { name: "alerts", path: () => "/console/alerts" },
  ...["", "decisions", "routes", "health", "cost", "limits", "cache", "alerts"].map((name) => ({
    name: `phone-${name === "" ? "overview" : name}`,
    path: () => `/console/${name}`,
    width: 390,
    height: 844,
  })),
  ...["routes", "health", "cost", "limits", "cache", "alerts"].map((name) => ({
    name: `empty-${name}`,
    path: () => `/console/${name}`,
    server: empty,
  })),
  { name: "decisions-empty", path: () => "/console/decisions", server: empty },
  { name: "decision-missing", path: () => "/console/decisions/dec_01kaaaaaaaaaaaaaaaaaaaaaaa" },
];

async function askRouter(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Ask the router" }).click();
  await page.getByText("would be tried in this order").waitFor();
}

async function openOverride(page: Page): Promise<void> {
  await page.getByRole("button", { name: "New override" }).click();
  await page.getByRole("dialog").waitFor();
}

async function openContent(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Verify here" }).click();
  await page.getByText("The proof holds").waitFor();
  await page.getByLabel("Reason for opening the content").fill("The applicant's appeal 2026-118");
  await page.getByRole("button", { name: "Open content" }).click();
  await page.getByRole("button", { name: "Close content" }).waitFor();
}

function watch(page: Page, name: string): void {
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type()) && !/status of (401|404)/.test(message.text()))
      report(name, `console: ${message.text()}`);
  });
  page.on("pageerror", (error) => report(name, `fault: ${error.message}`));
}

function report(name: string, text: string): void {
  troubles++;
  console.log(`${name}: ${text}`);
}

async function picture(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(folder, `${name}.png`) });
  const { violations } = await new AxeBuilder({ page }).analyze();
  for (const { id, nodes } of violations)
    report(
      name,
      `axe ${id}: ${nodes
        .slice(0, 4)
        .map(({ html, any }) => `${html.slice(0, 160)} ${any[0]?.message.slice(0, 140) ?? ""}`)
        .join(" | ")}`,
    );
}

async function signIn(context: BrowserContext, server: FakeAdmin): Promise<void> {
  const page = await context.newPage();
  await page.goto(`${server.url}/console/#token=${server === fake ? `link-${tokens++}` : `link-${tokens}`}`);
  await page.getByRole("link", { name: "Decisions" }).waitFor();
  await page.close();
}

for (const theme of ["dark", "light"] as const) {
  const out = await browser.newContext({ viewport: { width: 1440, height: 900 }, colorScheme: theme });
  const door = await out.newPage();
  watch(door, `sign-in-${theme}`);
  await door.goto(`${fake.url}/console/#token=used-up`);
  await door.getByRole("alert").filter({ hasText: "link" }).waitFor();
  if (only === undefined) await picture(door, `sign-in-${theme}`);
  for (const server of [fake, empty]) await signIn(out, server);
  for (const { name, path, server = fake, width = 1440, height = 900, act } of screens) {
    if (only !== undefined && !name.startsWith(only)) continue;
    const page = await out.newPage();
    watch(page, `${name}-${theme}`);
    await page.setViewportSize({ width, height });
    await page.goto(server.url + path());
    await page.getByRole("heading", { level: 1 }).waitFor();
    await page.waitForTimeout(500);
    await act?.(page);
    await page.waitForTimeout(250);
    await picture(page, `${name}-${theme}`);
    await page.close();
  }
  await out.close();
}
await browser.close();
await fake.close();
await empty.close();
console.log(
  troubles === 0 ? `No troubles. Pictures are in ${folder}.` : `${troubles} troubles. Pictures are in ${folder}.`,
);
