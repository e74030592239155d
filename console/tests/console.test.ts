/**
 * The built console in a real browser against a stand-in for the admin API, under the console's own content security
 * policy. Any console error, fault, policy violation or request to another origin fails the screen that caused it.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { AxeBuilder } from "@axe-core/playwright";
import type { Browser, BrowserContext, Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type FakeAdmin, startFakeAdmin } from "../dev/fake-admin.ts";
import { fakeProof, fakeVerifierKey } from "../dev/fake-proof.ts";
import { launchBrowser } from "./browser.ts";

const folder = join(import.meta.dirname, "..");
const dist = join(folder, "dist");
const startup = 120_000;
const patience = 20_000;

let browser: Browser;
let context: BrowserContext;
let page: Page;
let fake: FakeAdmin;
let troubles: string[];

beforeAll(async () => {
  if (!existsSync(join(dist, "index.html"))) {
    const vite = join(import.meta.dirname, "../../node_modules/vite/bin/vite.js");
    execFileSync(process.execPath, [vite, "build"], { cwd: folder, stdio: "pipe" });
  }
  browser = await launchBrowser();
}, startup);
afterAll(() => browser?.close());

async function open(options: Parameters<typeof startFakeAdmin>[0] = {}): Promise<void> {
  fake = await startFakeAdmin({ history: 24, ...options });
  context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: "reduce" });
  page = await context.newPage();
  page.setDefaultTimeout(8_000);
  troubles = [];
  page.on("console", (message) => {
    // Refusals that a test provokes are logged by the browser as failed loads.
    if (message.type() === "error" && !/status of 4\d\d|net::ERR_/.test(message.text())) troubles.push(message.text());
  });
  page.on("pageerror", (error) => troubles.push(error.message));
  page.on("request", (request) => {
    if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(fake.url))
      troubles.push(`left the origin: ${request.url()}`);
  });
}

async function close(): Promise<void> {
  await context.close();
  await fake.close();
  expect(troubles).toEqual([]);
}

const signIn = async (path = ""): Promise<void> => {
  await page.goto(`${fake.url}/console/${path}#token=${fake.linkToken}`);
  await page.getByRole("navigation", { name: "Screens" }).waitFor();
};

/** Waits until it is there. */
async function shown(what: Locator): Promise<boolean> {
  await what.waitFor();
  return what.isVisible();
}

async function expectAccessible(): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await page.locator(`html[data-theme=${colorScheme}]`).waitFor();
    const axe = new AxeBuilder({ page });
    // Only colours differ between the themes.
    const { violations } = await (colorScheme === "light" ? axe : axe.withRules("color-contrast")).analyze();
    expect(
      violations.map(({ id, nodes }) => `${colorScheme} ${id}: ${nodes[0]?.html} ${nodes[0]?.any[0]?.message}`),
    ).toEqual([]);
  }
}

describe("signing in", { timeout: patience }, () => {
  beforeEach(() => open());
  afterEach(close);

  it("takes a one-time link once and removes it from the address", async () => {
    await signIn();
    expect(page.url()).toBe(`${fake.url}/console/`);
    await context.clearCookies();
    await page.goto("about:blank");
    await page.goto(`${fake.url}/console/#token=${fake.linkToken}`);
    await page.getByRole("alert").filter({ hasText: "used already" }).waitFor();
    expect(page.url()).not.toContain("token");
    await expectAccessible();
  });

  it("takes name and password, and says what is wrong with them", async () => {
    await page.goto(`${fake.url}/console/decisions`);
    await page.getByLabel("Name").fill("Ada");
    await page.getByLabel("Password").fill("wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").filter({ hasText: "do not match" }).waitFor();
    await page.getByLabel("Password").fill(fake.password);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Decisions" }).waitFor();
    await page.getByRole("button", { name: "Ada" }).click();
    await page.getByRole("menuitem", { name: "Sign out" }).click();
    expect(await shown(page.getByRole("heading", { name: "Sign in" }))).toBe(true);
  });

  it("adds a passkey and signs in with it", async () => {
    const devtools = await context.newCDPSession(page);
    await devtools.send("WebAuthn.enable");
    const options = {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
    } as const;
    await devtools.send("WebAuthn.addVirtualAuthenticator", {
      options: { ...options, automaticPresenceSimulation: true },
    });
    // Passkeys need a host name.
    fake.url = fake.url.replace("127.0.0.1", "localhost");
    await signIn();
    await page.getByRole("button", { name: "Ada" }).click();
    await page.getByRole("menuitem", { name: "Add a passkey" }).click();
    await page.getByText("Passkey added").waitFor();
    await page.getByRole("button", { name: "Ada" }).click();
    await page.getByRole("menuitem", { name: "Sign out" }).click();
    await page.getByLabel("Name").fill("Ada");
    await page.getByRole("button", { name: "Use a passkey" }).click();
    expect(await shown(page.getByRole("navigation", { name: "Screens" }))).toBe(true);
  });

  it("lets an invitation set a password", async () => {
    await page.goto(`${fake.url}/console/#invite=${fake.inviteToken}`);
    await page.getByLabel("New password").fill("a long enough one");
    await page.getByLabel("Repeat it").fill("a long enough one");
    await page.getByRole("button", { name: "Set password" }).click();
    await page.getByRole("navigation", { name: "Screens" }).waitFor();
    expect(page.url()).not.toContain("invite");
  });
});

describe("overview", { timeout: patience }, () => {
  beforeEach(() => open());
  afterEach(close);

  it("shows each use case, keeps the range in the address, offers figures as a table", async () => {
    await signIn();
    await page.getByRole("row", { name: /credit/ }).waitFor();
    await page.getByRole("link", { name: "24h" }).click();
    await page.waitForURL(/range=24h/);
    await page.getByRole("button", { name: "Cost as a table" }).click();
    expect(await shown(page.getByRole("region", { name: "Cost: figures" }))).toBe(true);
    await page.getByRole("button", { name: "Cost as a table" }).click();
    await expectAccessible();
  });
});

describe("decisions", { timeout: patience }, () => {
  beforeEach(() => open());
  afterEach(close);

  it("streams in, holds while paused, and shows what waited", async () => {
    await signIn("decisions");
    await page.getByText("live", { exact: true }).waitFor();
    const first = fake.emit().row.decision_id;
    await page.locator(`[data-id="${first}"]`).waitFor();
    await page.keyboard.press("p");
    const second = fake.emit().row.decision_id;
    await page.getByRole("button", { name: "1 new" }).click();
    expect(await shown(page.locator(`[data-id="${second}"]`))).toBe(true);
    await expectAccessible();
  });

  it("filters through the address and loads history once per decision", async () => {
    await close();
    await open({ history: 120 });
    await signIn("decisions?use_case=credit");
    await page.getByRole("button", { name: "Load older" }).click();
    await page.getByText("oldest decision on record").waitFor();
    const expected = fake.decisions.filter(({ row }) => row.use_case === "credit").map(({ row }) => row.decision_id);
    const shown = await page.locator("tbody tr").evaluateAll((rows) => rows.map((row) => row.getAttribute("data-id")));
    expect(shown).toEqual(expected);
    await page.keyboard.press("/");
    await page.keyboard.type("dec_nothing");
    await page.waitForURL(/use_case=credit&q=dec_nothing/);
    await page.getByText("No decision matches").waitFor();
  });

  it("is worked by keyboard: rows, detail, back, shortcut sheet", async () => {
    await signIn("decisions");
    await page.locator("tbody tr").first().focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.waitForURL(new RegExp(fake.decisions[1]!.row.decision_id));
    await page.getByRole("heading", { name: "Stages" }).waitFor();
    await page.keyboard.press("Backspace");
    await page.getByRole("heading", { name: "Decisions" }).waitFor();
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.keyboard.press("g");
    await page.keyboard.press("o");
    expect(await shown(page.getByRole("heading", { name: "Overview" }))).toBe(true);
  });

  it("says so when the server is gone", async () => {
    await signIn("decisions");
    await page.getByText("live", { exact: true }).waitFor();
    await fake.close();
    expect(await shown(page.getByText("Connection lost"))).toBe(true);
  });
});

describe("decision", { timeout: patience }, () => {
  afterEach(close);
  const idOf = (useCase: string): string =>
    fake.decisions.find(({ row, content }) => row.use_case === useCase && content !== undefined)!.row.decision_id;

  it("explains a score, opens content for a reason, proves the record", async () => {
    await open();
    const id = idOf("credit");
    await signIn(`decisions/${id}`);
    await page.getByRole("img", { name: /^Score 0\.\d+ on an axis from 0 to 1/ }).waitFor();
    await page.getByLabel("Reason for opening").fill("appeal 2026-118");
    await page.getByRole("button", { name: "Open content" }).click();
    await page.getByRole("row", { name: /Seniority/ }).waitFor();
    expect(fake.journaled).toEqual([{ act: "content.open", on: `decision:${id}`, reason: "appeal 2026-118" }]);
    await page.getByLabel("Verifier key").fill(fakeVerifierKey);
    await page.getByRole("button", { name: "Verify here" }).click();
    await page.getByText("The proof holds, signed by your key").waitFor();
    await expectAccessible();
  });

  it("shows a chat's route, attempts, guards and passages", async () => {
    await open();
    await signIn(`decisions/${idOf("assistant")}`);
    for (const name of ["Route", "Guards", "Retrieved passages"])
      expect(await shown(page.getByRole("heading", { name }))).toBe(true);
    await expectAccessible();
  });

  it("finds a proof that was tampered with", async () => {
    await open({
      proof: (decision) => {
        const bundle = fakeProof(decision);
        bundle.entries[0]!.metadata = bundle.entries[0]!.metadata.replace("dec_", "dec-");
        return bundle;
      },
    });
    await signIn(`decisions/${idOf("credit")}`);
    await page.getByRole("button", { name: "Verify here" }).click();
    expect(await shown(page.getByText("The proof fails"))).toBe(true);
  });

  it("offers a viewer neither content nor proofs", async () => {
    await open({ roles: ["viewer"] });
    await signIn(`decisions/${idOf("credit")}`);
    await page.getByText("Opening content needs the role").waitFor();
    await page.getByText("Proofs need the role").waitFor();
    expect(await page.getByRole("button", { name: "Open content" }).count()).toBe(0);
  });
});

describe("what runs", { timeout: patience }, () => {
  beforeEach(() => open());
  afterEach(close);

  it("shows targets and keys, makes an override and clears it, each with a reason", async () => {
    await signIn("health");
    await page.getByRole("row", { name: /local\/qwen3-4b.*open.*6 failures in a row/ }).waitFor();
    await page.getByRole("row", { name: /openai#3\s*dead/ }).waitFor();
    await expectAccessible();
    await page.getByRole("button", { name: "New override" }).click();
    const dialog = page.getByRole("dialog", { name: "New override" });
    await dialog.getByLabel("Which").selectOption("qwen-small");
    await dialog.getByLabel("Use case").selectOption("assistant");
    await dialog.getByLabel("Reason").fill("it stutters");
    await expectAccessible();
    await dialog.getByRole("button", { name: "Make override" }).click();
    await dialog.waitFor({ state: "detached" });
    const line = page.getByRole("row", { name: /exclude.*model qwen-small.*assistant.*it stutters/ });
    await line.getByRole("button", { name: "Clear" }).click();
    await page.getByLabel("Reason for clearing it").fill("well again");
    await page.keyboard.press("Enter");
    await page.getByText("None is in force").waitFor();
    expect(fake.journaled.map(({ act, reason }) => [act, reason])).toEqual([
      ["route.override", "it stutters"],
      ["route.clear", "well again"],
    ]);
  });

  it("shows the ladder, asks the router, and tells a decision's way", async () => {
    await signIn("routes?use_case=assistant");
    await page.getByRole("row", { name: /qwen-small.*cascade on.*p\(accept\) 0\.713/ }).waitFor();
    await page.getByLabel("Data class").selectOption("personal");
    await page.getByRole("button", { name: "Ask the router" }).click();
    await page.getByText("gpt-main (rung 2) → extractive (rung 3)").waitFor();
    await page.getByText("the agreement covers internal, the data is personal").waitFor();
    const second = fake.decisions.filter(({ row }) => row.use_case === "assistant")[1]!.row.decision_id;
    await page.getByRole("combobox", { name: "Decision", exact: true }).selectOption(second);
    await page.waitForURL(new RegExp(second));
    expect(await shown(page.getByRole("link", { name: "The whole record" }))).toBe(true);
    await expectAccessible();
  });

  it("shows cost by group, goes deeper, and shows how far budgets are", async () => {
    await signIn("cost");
    await page.getByRole("row", { name: /use:lindenbank\/triage.*degrade/ }).waitFor();
    await page.getByRole("link", { name: "30d" }).click();
    await page.waitForURL(/range=30d/);
    await expectAccessible();
    await page.getByRole("link", { name: "assistant", exact: true }).click();
    await page.waitForURL(/by=model/);
    await page.getByRole("row", { name: /gpt-west/ }).waitFor();
    await page.getByRole("link", { name: /use case assistant/ }).click();
    await page.waitForURL((url) => !url.search.includes("use_case=assistant"));
    expect(await shown(page.getByRole("heading", { name: "Spend by model" }))).toBe(true);
  });

  it("shows limits with waits, and refusals that lead to their decisions", async () => {
    await signIn("limits");
    await page.getByRole("row", { name: /branch-app.*next in 300 ms/ }).waitFor();
    await expectAccessible();
    await page.getByRole("link", { name: "rate_limited" }).click();
    await page.waitForURL(/code=rate_limited/);
    expect(page.url()).toContain("principal=branch-app");
  });

  it("drops answers of the cache for a reason", async () => {
    await signIn("cache");
    await page.getByLabel("Tag").selectOption("faq");
    await page.getByLabel("Reason for dropping them").fill("the tariffs changed");
    await page.getByRole("button", { name: "Drop what fits" }).click();
    await page.getByText("12 answers were dropped.").waitFor();
    expect(fake.journaled).toEqual([{ act: "cache.invalidate", on: "cache", reason: "the tariffs changed" }]);
    await expectAccessible();
  });

  it("lists alerts, reached by keyboard", async () => {
    await signIn();
    await page.getByRole("heading", { name: "Overview" }).waitFor();
    await page.keyboard.press("g");
    await page.keyboard.press("a");
    await page.getByRole("row", { name: /critical.*slo_burn/ }).waitFor();
    expect(await shown(page.getByRole("row", { name: /resolved.*target_open/ }))).toBe(true);
    await expectAccessible();
  });

  it("fits a narrow window", async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    await signIn("cost");
    await page.getByRole("row", { name: /use:lindenbank\/triage/ }).waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
    expect(await shown(page.getByRole("link", { name: "Alerts" }))).toBe(true);
    await expectAccessible();
  });

  it("offers a viewer no acts, and says what failed", async () => {
    await close();
    await open({ roles: ["viewer"] });
    await signIn("cache");
    await page.getByText("Dropping answers needs the role").waitFor();
    await page.route("**/admin/v1/targets", (route) => route.fulfill({ status: 500, body: "{}" }));
    await page.getByRole("link", { name: "Health" }).click();
    await page.getByRole("alert").filter({ hasText: "Weir answered 500" }).waitFor();
    expect(await page.getByRole("button", { name: "New override" }).count()).toBe(0);
    // The browser logs the failed load itself.
    troubles = troubles.filter((trouble) => !trouble.includes("status of 500"));
  });
});

describe("an install without decisions", { timeout: patience }, () => {
  beforeEach(() => open({ history: 0 }));
  afterEach(close);

  it("says how to make one", async () => {
    await signIn();
    await page.getByText("weir traffic --use-case credit").waitFor();
    await page.getByRole("link", { name: "Decisions" }).click();
    expect(await shown(page.getByRole("heading", { name: "No decisions yet." }))).toBe(true);
    await expectAccessible();
    for (const [screen, words] of [
      ["Cost", "No decision in this range."],
      ["Limits", "Nobody was refused"],
      ["Cache", "No use case keeps answers."],
      ["Alerts", "Nothing is wrong."],
      ["Routes", "No decision of this use case yet."],
    ] as const) {
      await page.getByRole("link", { name: screen }).click();
      await page.getByText(words).waitFor();
    }
  });
});

interface Chunk {
  file: string;
  imports?: string[];
  dynamicImports?: string[];
}

describe("bundle", () => {
  const manifest = (): Record<string, Chunk> =>
    JSON.parse(readFileSync(join(dist, ".vite/manifest.json"), "utf8")) as Record<string, Chunk>;
  const sizeOf = (chunks: Record<string, Chunk>, entries: string[]): number => {
    const seen = new Set<string>();
    const walk = (name: string): void => {
      if (seen.has(name)) return;
      seen.add(name);
      for (const next of chunks[name]?.imports ?? []) walk(next);
    };
    for (const entry of entries) walk(entry);
    return [...seen].reduce((sum, name) => sum + gzipSync(readFileSync(join(dist, chunks[name]!.file))).length, 0);
  };

  it.each([
    "overview/overview-screen",
    "decisions/decisions-screen",
    "decision/decision-screen",
    "routes/routes-screen",
    "health/health-screen",
    "cost/cost-screen",
    "limits/limits-screen",
  ])("loads at most 250 KiB of script for %s", (screen) => {
    expect(sizeOf(manifest(), ["index.html", `src/${screen}.tsx`])).toBeLessThan(250 * 1024);
  });
});
