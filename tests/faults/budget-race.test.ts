/** A2 and hard case 28, in one process: a budget with room for k calls lets exactly k through, however many come at once. */
import { rmSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type TestHouse, startHouse } from "../fixtures/house.ts";
import { type ScriptedVendor, startScriptedVendor } from "../fixtures/scripted-vendor.ts";
import { vendorConfig } from "./vendor-house.ts";

/** oa-main costs 1 µUSD a token in and 2 out: 2,000 µUSD for 1,000 tokens out, and what the question has. */
const perCallMicroUsd = 2020;
const room = 7;
const budget = ((room + 0.5) * perCallMicroUsd) / 1e6;

const useCases = `
paid: { kind: chat, ladder: [oa-main], retries: 0 }
spare: { kind: chat, ladder: [oa-main, ob-main], retries: 0 }
split: { kind: chat, ladder: [oa-main], retries: 0, budget: { usd: ${budget}, per: month } }
capped: { kind: chat, ladder: [oa-main], retries: 0, max_cost: 0.0021 }
short: { kind: chat, ladder: [oa-main], retries: 0, max_input_tokens: 100, max_output_tokens: 5 }
`;
const tenants = `tenants:
  tenant-wide: { budget: { usd: ${budget}, per: month } }
  by-key: { each_key: { budget: [{ usd: ${budget}, per: month }, { usd: 100, per: day }] } }
  by-principal: { each_principal: { budget: { usd: ${budget}, per: month } } }
  waiting: { budget: { usd: ${budget}, per: day } }
  free: {}`;

const names = ["tenant-wide", "by-key", "by-principal", "waiting", "free"];
let vendor: ScriptedVendor;
let house: TestHouse;
/** Where the journal of the first house lies. */
let first: string | undefined;
const keys: Record<string, string> = {};

beforeAll(async () => {
  vendor = await startScriptedVendor();
  house = await startHouse({ files: { "weir.yaml": vendorConfig(vendor.origin, useCases, tenants) } });
  for (const tenant of names) keys[tenant] = house.mintKey({ tenant });
});
afterAll(async () => {
  await house.stop();
  await vendor.close();
  if (first !== undefined) rmSync(first, { recursive: true, force: true });
});
beforeEach(() => vendor.reset());

const ask = (useCase: string, tenant: string, more: object = {}) =>
  house.post(
    "/v1/chat/completions",
    { model: useCase, messages: [{ role: "user", content: "What does it cost?" }], ...more },
    { authorization: `Bearer ${keys[tenant]}` },
  );

async function race(useCase: string, tenant: string, calls: number) {
  const open = Promise.withResolvers<void>();
  vendor.fallback({ text: "Ok.", usage: { input: 10, output: 10 }, before: open.promise });
  let refused = 0;
  const running = Array.from({ length: calls }, async () => {
    const answer = await ask(useCase, tenant);
    if (answer.status === 429 && ++refused === calls - room) open.resolve();
    return { status: answer.status, body: (await answer.json()) as { error?: { code?: string } } };
  });
  const answers = await Promise.all(running);
  return {
    admitted: answers.filter(({ status }) => status === 200).length,
    refused: answers.filter(({ status, body }) => status === 429 && body.error?.code === "budget_exhausted").length,
  };
}

describe("many calls at once on a budget with room for seven", () => {
  it.each([
    ["tenant", "paid", "tenant-wide", 200],
    ["use case", "split", "free", 50],
    ["principal", "paid", "by-principal", 50],
    ["key", "paid", "by-key", 50],
  ])(
    "of the %s: exactly seven are let through, and what they didn't need is there again",
    async (_of, use, tenant, calls) => {
      expect(await race(use, tenant, calls)).toEqual({ admitted: room, refused: calls - room });
      expect(vendor.received).toHaveLength(room);
      expect(Number(house.house.money.held)).toBe(0);
      // 10 + 2·10 µUSD each.
      expect(house.house.money.totals(tenant)).toEqual({ spent: room * 30_000, held: 0 });
      vendor.reset();
      expect((await ask(use, tenant)).status).toBe(200);
    },
  );

  it("waits are honest: a second where only running calls are in the way, else until the window ends", async () => {
    const open = Promise.withResolvers<void>();
    vendor.fallback({ text: "Ok.", usage: { input: 10, output: 10 }, before: open.promise });
    const running = Array.from({ length: room }, () => ask("paid", "waiting"));
    await vendor.arrival(room - 1);
    expect((await ask("paid", "waiting")).headers.get("retry-after")).toBe("1");
    vendor.fallback({ text: "Ok.", usage: { input: 1000, output: 1000 } });
    open.resolve();
    await Promise.all(running);
    while ((await ask("paid", "waiting")).status === 200);
    const wait = Number((await ask("paid", "waiting")).headers.get("retry-after"));
    const left = (Date.UTC(2100, 0) - house.house.options.clock.now()) / 1000;
    expect(Math.abs(wait - (left % 86_400))).toBeLessThan(60);
  });
});

describe("the most that one call may cost", () => {
  it("refuses with a code of its own, before any call; a smaller max_tokens fits", async () => {
    const long = "x".repeat(600);
    const dear = await ask("capped", "free", { messages: [{ role: "user", content: long }] });
    expect(dear.status).toBe(400);
    expect(((await dear.json()) as { error: { code: string } }).error.code).toBe("cost_too_high");
    expect(vendor.received).toHaveLength(0);
    const cheap = await ask("capped", "free", { messages: [{ role: "user", content: long }], max_tokens: 50 });
    expect(cheap.status).toBe(200);
  });
});

describe("token budgets of a use case", () => {
  it("long input is refused, long answers are not asked for", async () => {
    const long = await ask("short", "free", { messages: [{ role: "user", content: "x".repeat(400) }] });
    expect([long.status, ((await long.json()) as { error: { code: string } }).error.code]).toEqual([
      400,
      "input_too_long",
    ]);
    for (const more of [{}, { max_tokens: 1000 }, { max_tokens: 3 }])
      expect((await ask("short", "free", more)).status).toBe(200);
    expect(vendor.received.map(({ json }) => json["max_tokens"])).toEqual([5, 5, 3]);
  });
});

describe("a restart", () => {
  it("finds what every window of a tenant had spent", async () => {
    const totals = () => (["day", "week", "month"] as const).map((per) => house.house.money.totals("tenant-wide", per));
    const before = totals();
    expect(before[2]!.spent).toBeGreaterThan(0);
    const { dataDir, folder } = house;
    await house.stop(2000, true);
    house = await startHouse({ files: { "weir.yaml": vendorConfig(vendor.origin, useCases, tenants) }, dataDir });
    expect(totals()).toEqual(before);
    first = folder;
  });
});
