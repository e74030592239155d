/** The journal's disk is slow or full: what must be provable is not served, what may wait is, and nothing stays held. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ScriptedVendor, startScriptedVendor } from "../fixtures/scripted-vendor.ts";
import {
  type GatedFiles,
  type TimedHouse,
  WatchedClock,
  ask,
  entriesOf,
  gatedFiles,
  leftovers,
  startOnClock,
  told,
  turns,
  until,
  vendorConfig,
} from "./vendor-house.ts";

const useCases = `
queued: { kind: chat, ladder: [oa-main], retries: 0, deadline: 20s }
sealed: { kind: chat, durability: sealed, ladder: [oa-main], retries: 0, deadline: 20s }
`;

let vendor: ScriptedVendor;
let house: TimedHouse;
let clock: WatchedClock;
let gated: GatedFiles;
beforeEach(async () => {
  vendor = await startScriptedVendor();
  clock = new WatchedClock();
  gated = gatedFiles();
  house = await startOnClock(clock, vendorConfig(vendor.origin, useCases), gated.files);
});
afterEach(async () => {
  gated.open();
  await house.close();
  await vendor.close();
});

const put = (useCase: string, stream = false, signal?: AbortSignal) =>
  ask(house.origin, house.key, { useCase, stream, ...(signal && { signal }) });

/** Lets the journal try again until its queue is written. */
async function heal(): Promise<void> {
  gated.open();
  for (let i = 0; i < 40 && house.house.journal.health().queuedBytes > 0; i++) {
    await clock.advance(1000);
    await turns(20);
  }
  await until(() => house.house.journal.health().queuedBytes === 0, "the queue is written");
}

/** Every begun decision is settled exactly once, nothing is held, and the vendor saw what was recorded. */
async function consistent(): Promise<void> {
  await until(() => leftovers(house).running === 0, "nothing runs");
  expect(leftovers(house)).toEqual({ running: 0, held: 0, flights: 0 });
  const entries = await entriesOf(house);
  const of = (kind: string) => entries.filter(({ entry }) => entry.kind === kind).map(({ entry }) => entry.decision!);
  const settled = of("settled");
  expect(new Set(settled).size).toBe(settled.length);
  expect(of("begun").filter((decision) => !settled.includes(decision))).toEqual([]);
  expect(of("attempt").length).toBe(vendor.received.length);
}

describe("a full disk", () => {
  it("lets queued use cases serve on and keeps their records in memory until it can write", async () => {
    const failed = gated.fill();
    const answers = [put("queued"), put("queued", true)];
    for (const one of answers) expect((await told(await one)).status).toBe(200);
    await failed;
    await heal();
    await consistent();
    expect(vendor.received).toHaveLength(2);
  });

  it("closes sealed use cases at once: 503 and no vendor call", async () => {
    const failed = gated.fill();
    await told(await put("queued"));
    await failed;
    await until(() => !house.house.journal.health().writable, "the journal knows");
    const calls = vendor.received.length;
    for (const stream of [false, true]) {
      const answer = await told(await put("sealed", stream));
      expect(answer).toMatchObject({ status: 503, code: "record_unavailable" });
    }
    expect(vendor.received).toHaveLength(calls);
    await heal();
    expect((await told(await put("sealed"))).status).toBe(200);
    await consistent();
  });

  it("tells sealed use cases how long to wait", async () => {
    const failed = gated.fill();
    await told(await put("queued"));
    await failed;
    await until(() => !house.house.journal.health().writable, "the journal knows");
    const answer = await told(await put("sealed"));
    expect(answer.status).toBe(503);
    expect(Number(answer.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
  });

  it("never leaves the sealed request hanging that finds out first", async () => {
    const failed = gated.fill();
    const pending = put("sealed").then(told);
    await failed;
    await turns(50);
    await clock.advance(20_001);
    const first = await Promise.race([pending, turns(500).then(() => "still waiting after its deadline" as const)]);
    await heal();
    await pending;
    expect(first).toMatchObject({ status: expect.toSatisfy((status: number) => status === 503 || status === 504) });
    expect(vendor.received).toHaveLength(0);
    await consistent();
  });
});

describe("a slow disk", () => {
  it("holds a sealed answer back until it is written, and its stream's terminator", async () => {
    for (const stream of [false, true]) {
      const answered = Promise.withResolvers<void>();
      vendor.play({ text: "Written down first.", before: answered.promise });
      const calls = vendor.received.length;
      const pending = put("sealed", stream).then(told);
      await vendor.arrival(calls);
      const blocked = gated.shut();
      answered.resolve();
      await blocked;
      expect(await Promise.race([pending, turns(300).then(() => "held back")])).toBe("held back");
      gated.open();
      expect(await pending).toMatchObject({ status: 200, text: "Written down first.", whole: true });
    }
    await consistent();
  });

  it("a client that goes while its begun entry waits for the disk costs no vendor call", async () => {
    const blocked = gated.shut();
    const client = new AbortController();
    const pending = put("sealed", false, client.signal);
    pending.catch(() => {});
    await blocked;
    client.abort();
    await turns(50);
    gated.open();
    await consistent();
    expect(vendor.received).toHaveLength(0);
  });
});
