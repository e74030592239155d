/** Hard case 28 and A2, in one process: the edge of a budget under streams, a crash, midnight, a new price, and a free model. */
import { cpSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { StoredEntry } from "../../../src/ledger/index.ts";
import { VirtualClock } from "../../../src/kernel/clock.ts";
import { type TestHouse, startHouse } from "../../fixtures/house.ts";
import { type ScriptedVendor, startScriptedVendor } from "../../fixtures/scripted-vendor.ts";
import { ask, entriesOf, recordOf, told } from "../../faults/vendor-house.ts";
import { hardConfig, nothingLeft, startHardHouse } from "./hard-house.ts";

/** 1,000 tokens out at 2 µUSD, and what the question has at 1. */
const perCallMicroUsd = 2020;
const room = 5;
const budget = ((room + 0.5) * perCallMicroUsd) / 1e6;
const useCases = `
paid: { kind: chat, ladder: [oa-main], retries: 0 }
free: { kind: chat, ladder: [free-main], retries: 0 }
either: { kind: chat, ladder: [oa-main, free-main], retries: 0 }
`;
const tenants = `tenants:
  lindenbank: { budget: [{ usd: ${budget}, per: day }] }`;
const question = { model: "paid", messages: [{ role: "user", content: "What does it cost?" }] };

let vendor: ScriptedVendor;
beforeAll(async () => {
  vendor = await startScriptedVendor();
});
afterAll(() => vendor.close());
beforeEach(() => vendor.reset());

type JournalEntry = StoredEntry["entry"];

describe("case 28: at the edge of a budget", () => {
  it("fifty streams at once: exactly those that fit are begun, and those that are cut give back what they held", async () => {
    const house = await startHardHouse(new VirtualClock(), vendor.origin, useCases, tenants);
    const open = Promise.withResolvers<void>();
    vendor.fallback({ text: "Ok.", usage: { input: 10, output: 10 }, before: open.promise });
    let refused = 0;
    const answers = await Promise.all(
      Array.from({ length: 50 }, async () => {
        const response = await ask(house.origin, house.key, { useCase: "paid", stream: true });
        if (response.status === 429 && ++refused === 50 - room) open.resolve();
        return told(response);
      }),
    );
    expect(answers.filter(({ status, whole }) => status === 200 && whole)).toHaveLength(room);
    expect(answers.filter(({ code }) => code === "budget_exhausted")).toHaveLength(50 - room);
    expect(vendor.received).toHaveLength(room);
    expect(house.house.money.totals("lindenbank", "day")).toEqual({ spent: room * 30_000, held: 0 });
    await nothingLeft(house);
    await house.close();
  });

  it("a stream over midnight is yesterday's money, and today's budget is whole", async () => {
    const clock = new VirtualClock(Date.UTC(2026, 0, 1, 23, 59, 50));
    const house = await startHardHouse(clock, vendor.origin, useCases, tenants);
    const [piece, rest] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const gate = (n: number) => (n === 0 ? piece.promise : rest.promise);
    vendor.fallback({ text: "Over midnight.", pieces: 2, gate, usage: { input: 100, output: 900 } });
    const streams = Array.from({ length: room }, () => ask(house.origin, house.key, { useCase: "paid", stream: true }));
    piece.resolve();
    const responses = await Promise.all(streams);
    expect((await ask(house.origin, house.key, { useCase: "paid" })).status).toBe(429);
    await clock.advance(15_000);
    vendor.play(...Array.from({ length: room }, () => ({ text: "Today.", usage: { input: 1, output: 1 } })));
    for (let n = 0; n < room; n++) expect((await ask(house.origin, house.key, { useCase: "paid" })).status).toBe(200);
    rest.resolve();
    for (const response of responses) expect(await told(response)).toMatchObject({ whole: true });
    await nothingLeft(house);
    // What the streams cost is not in it: five calls of 1 in and 1 out.
    expect(house.house.money.totals("lindenbank", "day")).toEqual({ spent: room * 3000, held: 0 });
    await house.close();
  });

  it("a model without a price is served when everything is spent, and takes over where it may", async () => {
    const house = await startHardHouse(new VirtualClock(), vendor.origin, useCases, tenants);
    vendor.fallback({ text: "Ok.", usage: { input: 1000, output: 1000 } });
    const put = async (useCase: string) => told(await ask(house.origin, house.key, { useCase }));
    let last = await put("paid");
    while (last.status === 200) last = await put("paid");
    expect(last).toMatchObject({ status: 429, code: "budget_exhausted" });
    for (const useCase of ["free", "either"]) {
      const answer = await put(useCase);
      expect(answer).toMatchObject({ status: 200 });
      const { settled } = await recordOf(house, answer.headers.get("x-weir-decision-id"));
      expect(settled).toMatchObject([{ model: "free-main", cost_nano_usd: 0 }]);
    }
    await house.close();
  });
});

describe("case 28: a new price in the middle of a window", () => {
  let house: TestHouse;
  beforeAll(async () => {
    house = await startHouse({ files: { "weir.yaml": hardConfig(vendor.origin, useCases, tenants) } });
  });
  afterAll(() => house.stop());

  it("what runs is settled at the price it began with, what comes is held and booked at the new one", async () => {
    const authorization = `Bearer ${house.mintKey()}`;
    const open = Promise.withResolvers<void>();
    vendor.play({ text: "Old.", usage: { input: 10, output: 10 }, before: open.promise });
    const running = house.post("/v1/chat/completions", question, { authorization });
    await vendor.arrival(0);
    const dearer = hardConfig(vendor.origin, useCases, tenants).replace(
      /(oa-main: .*price: \{ input: )1, output: 2, as_of: "2026-01-01"/,
      '$13, output: 4, as_of: "2026-02-01"',
    );
    await house.apply({ "weir.yaml": dearer });
    vendor.play({ text: "New.", usage: { input: 10, output: 10 } });
    const later = await told(await house.post("/v1/chat/completions", question, { authorization }));
    open.resolve();
    const earlier = await told(await running);
    const cost = async ({ headers }: { headers: Headers }) =>
      (await recordOf(house, headers.get("x-weir-decision-id"))).attempts.map((attempt) => [
        attempt.cost_nano_usd,
        attempt.price,
      ]);
    expect(await cost(earlier)).toEqual([[30_000, expect.stringContaining("2026-01-01")]]);
    expect(await cost(later)).toEqual([[70_000, expect.stringContaining("2026-02-01")]]);
    expect(house.house.money.totals("lindenbank", "day")).toEqual({ spent: 100_000, held: 0 });
  });

  it("A12: a new price opens and closes nothing: who may call what stays as it was", async () => {
    const authorization = `Bearer ${house.mintKey({ use_cases: ["free"] })}`;
    const statuses = async () => {
      const told_ = [];
      for (const model of ["free", "paid", "nowhere"])
        told_.push((await house.post("/v1/chat/completions", { ...question, model }, { authorization })).status);
      const listed = await fetch(`${house.origin}/v1/models`, { headers: { authorization } });
      return [...told_, await listed.text().then((text) => text.replaceAll(/"created":\d+/g, ""))];
    };
    const before = await statuses();
    expect(before.slice(0, 2)).toEqual([200, 403]);
    const free = hardConfig(vendor.origin, useCases, tenants).replace(/(oa-main: .*)price: \{[^}]*\}/, "$1price: free");
    await house.apply({ "weir.yaml": free });
    expect(await statuses()).toEqual(before);
  });
});

describe("case 28: a crash in the middle of a call", () => {
  const files = () => ({ "weir.yaml": hardConfig(vendor.origin, useCases, tenants) });
  let first: TestHouse;
  let second: TestHouse;
  let entries: JournalEntry[];

  beforeAll(async () => {
    first = await startHouse({ files: files() });
    const authorization = `Bearer ${first.mintKey()}`;
    vendor.reset();
    vendor.play({ text: "Known.", usage: { input: 10, output: 10 } }, { hang: "before-headers" });
    await told(await first.post("/v1/chat/completions", question, { authorization }));
    first.post("/v1/chat/completions", question, { authorization }).catch(() => {});
    await vendor.arrival(1);
    await first.house.journal.flush();
    // The disk as a kill finds it; the dead process's lock counts for nothing.
    const dataDir = join(first.folder, "after-the-crash");
    cpSync(first.dataDir, dataDir, { recursive: true, filter: (path) => !/\.lock$|\/lock$/.test(path) });
    second = await startHouse({ files: files(), dataDir });
    entries = (await entriesOf(second)).map(({ entry }) => entry);
  });
  afterAll(async () => {
    await second.stop();
    await first.stop(0);
  });
  const of = (kind: string) => entries.filter((entry) => entry.kind === kind).map(({ meta }) => meta);

  it("the next process settles it, flagged, and nothing stays held", () => {
    expect(of("settled")).toMatchObject([
      { state: "answered", cost_nano_usd: 30_000 },
      { state: "interrupted", usage: { estimated: true } },
    ]);
    expect(second.house.money.totals("lindenbank", "day").held).toBe(0);
    expect(second.house.money.totals("lindenbank", "day").spent).toBeGreaterThanOrEqual(30_000);
  });

  // A1: the vendor had the request and may bill it.
  it("the call under way is an attempt of its own, of which at least the input is booked", () => {
    expect(of("attempt")).toMatchObject([{ status: "ok" }, { status: "interrupted", usage: { estimated: true } }]);
    expect(second.house.money.totals("lindenbank", "day").spent).toBeGreaterThan(30_000);
  });
});
