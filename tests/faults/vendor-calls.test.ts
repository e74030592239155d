/** Around vendor calls: clients that go, retries, deadlines, keep-alives, keys that are revoked meanwhile. Time is virtual. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type ScriptedVendor, startScriptedVendor } from "../fixtures/scripted-vendor.ts";
import {
  type TimedHouse,
  WatchedClock,
  ask,
  entriesOf,
  leftovers,
  metric,
  recordOf,
  startOnClock,
  told,
  turns,
  until,
  vendorConfig,
} from "./vendor-house.ts";

const useCases = `
one: { kind: chat, ladder: [oa-main], retries: 0, deadline: 10m }
two: { kind: chat, ladder: [oa-main, ob-main], retries: 0, deadline: 10m }
anthropic: { kind: chat, ladder: [an-main], retries: 0, deadline: 10m }
again: { kind: chat, ladder: [oa-main, ob-main], retries: 2, deadline: 10m }
hurried: { kind: chat, ladder: [oa-main, ob-main], retries: 1, deadline: 2s }
lost: { kind: chat, ladder: [lost, ob-main], retries: 0 }
safe: { kind: chat, ladder: [oa-main, { template: Please call us. }], retries: 0 }
`;

let vendor: ScriptedVendor;
let house: TimedHouse;
let clock: WatchedClock;
beforeAll(async () => {
  vendor = await startScriptedVendor();
  clock = new WatchedClock();
  house = await startOnClock(clock, vendorConfig(vendor.origin, useCases));
});
afterAll(async () => {
  await house.close();
  await vendor.close();
});
beforeEach(() => {
  vendor.reset();
  clock.sleeps.length = 0;
});

const decisionOf = (headers: Headers) => headers.get("x-weir-decision-id");
const nothingLeft = () => until(() => Object.values(leftovers(house)).every((left) => left === 0), "nothing is held");

describe("a client that goes", () => {
  it.each([
    ["before headers, whole", false, { hang: "before-headers" }],
    ["before headers, streaming", true, { hang: "before-headers" }],
    ["in the middle of an answer", false, { text: "never", ending: "hang" }],
    ["in the middle of a stream", true, { text: "Some words", ending: "hang" }],
  ] as const)("%s: the vendor's request is cut and the decision settled", async (_when, stream, script) => {
    vendor.play(script);
    const client = new AbortController();
    const pending = ask(house.origin, house.key, { useCase: "two", stream, signal: client.signal });
    pending.catch(() => {});
    const arrived = await vendor.arrival(0);
    const before = metric(house, "weir_decisions_total", 'state="failed"');
    if (stream && "text" in script) await (await pending).body!.getReader().read();
    client.abort();
    expect(await arrived.aborted).toBe(true);
    await until(() => metric(house, "weir_decisions_total", 'state="failed"') > before, "the decision is settled");
    const decision = (await entriesOf(house)).filter(({ entry }) => entry.kind === "settled").at(-1)!.entry.decision!;
    const record = await recordOf(house, decision);
    expect(record.attempts).toMatchObject([{ status: "aborted", reason: "client_gone", usage: { estimated: true } }]);
    expect(record.attempts[0]!.cost_nano_usd).toBeGreaterThan(0);
    expect(record.settled).toMatchObject([{ state: "failed", code: "client_gone", usage: { estimated: true } }]);
    expect(vendor.received).toHaveLength(1);
    await nothingLeft();
  });

  it("between two attempts: no further call is made", async () => {
    vendor.play({ status: 503 });
    const client = new AbortController();
    const pending = ask(house.origin, house.key, { useCase: "again", signal: client.signal });
    pending.catch(() => {});
    await clock.sleepNumber(0);
    const before = metric(house, "weir_decisions_total", 'state="failed"');
    client.abort();
    await until(() => metric(house, "weir_decisions_total", 'state="failed"') > before, "the decision is settled");
    expect(vendor.received).toHaveLength(1);
    await nothingLeft();
  });
});

describe("retries", () => {
  it("are made on the same rung after a failure that may pass, each with its own attempt", async () => {
    vendor.play({ status: 500 }, { reset: "before-headers" }, { text: "At last." });
    const pending = ask(house.origin, house.key, { useCase: "again" });
    for (const retry of [0, 1]) {
      const delayMs = await clock.sleepNumber(retry);
      expect(delayMs).toBeLessThanOrEqual(200 * 2 ** retry);
      await clock.advance(delayMs);
    }
    const answer = await told(await pending);
    expect(answer).toMatchObject({ status: 200, text: "At last." });
    expect(answer.headers.get("x-weir-attempts")).toBe("3");
    const record = await recordOf(house, decisionOf(answer.headers));
    expect(record.attempts.map(({ n, rung, status }) => [n, rung, status])).toEqual([
      [1, 0, "failed"],
      [2, 0, "failed"],
      [3, 0, "ok"],
    ]);
  });

  it.each([400, 401, 404])("are not made after %s", async (status) => {
    vendor.play({ status }, { text: "Second." });
    const answer = await told(await ask(house.origin, house.key, { useCase: "again" }));
    expect(answer).toMatchObject({ status: 200, text: "Second." });
    expect(clock.sleeps).toEqual([]);
  });

  it("honour a short retry-after", async () => {
    vendor.play({ status: 429, headers: { "retry-after": "1" } }, { text: "Now." });
    const pending = ask(house.origin, house.key, { useCase: "again" });
    const delayMs = await clock.sleepNumber(0);
    expect(delayMs).toBeGreaterThanOrEqual(1000);
    await clock.advance(delayMs);
    expect(await told(await pending)).toMatchObject({ status: 200, text: "Now." });
  });

  it("don't wait for a vendor that wants to be left alone for longer than the decision may take", async () => {
    vendor.play({ status: 429, headers: { "retry-after": "3600" } }, { text: "The other vendor was free." });
    const pending = ask(house.origin, house.key, { useCase: "hurried" });
    const first = await Promise.race([pending.then(() => "answered"), clock.sleepNumber(0).then(() => "sleeping")]);
    if (first === "sleeping") await clock.advance(2001);
    expect(await told(await pending)).toMatchObject({ status: 200, text: "The other vendor was free." });
    // For at most five minutes it is left alone by everybody.
    await clock.advance(300_001);
  });
});

describe("other ways down the ladder", () => {
  it("a vendor that is not there is recorded without usage, and the next rung answers", async () => {
    const answer = await told(await ask(house.origin, house.key, { useCase: "lost" }));
    expect(answer.status).toBe(200);
    const record = await recordOf(house, decisionOf(answer.headers));
    expect(record.attempts).toMatchObject([
      { status: "failed", reason: "connect_failed", usage: { input: 0, output: 0 }, cost_nano_usd: 0 },
      { status: "ok" },
    ]);
  });

  it("the deadline ends a call, and says so", async () => {
    vendor.play({ hang: "before-headers" });
    const pending = ask(house.origin, house.key, { useCase: "hurried" });
    const arrived = await vendor.arrival(0);
    await turns();
    await clock.advance(2001);
    const answer = await told(await pending);
    expect(answer).toMatchObject({ status: 504, code: "deadline_exceeded" });
    expect(await arrived.aborted).toBe(true);
    const record = await recordOf(house, decisionOf(answer.headers));
    expect(record.attempts).toMatchObject([{ status: "aborted", reason: "deadline_exceeded" }]);
  });

  it("the deadline ends a stream with an error event", async () => {
    vendor.play({ text: "Some words", ending: "hang" });
    const response = await ask(house.origin, house.key, { useCase: "hurried", stream: true });
    const reading = told(response);
    await turns();
    await clock.advance(2001);
    expect(await reading).toMatchObject({ code: "deadline_exceeded", whole: false, text: "Some words" });
    expect((await recordOf(house, decisionOf(response.headers))).settled).toMatchObject([
      { state: "failed", code: "deadline_exceeded" },
    ]);
  });

  it("a template answers a stream as a stream", async () => {
    vendor.play({ status: 500 });
    const answer = await told(await ask(house.origin, house.key, { useCase: "safe", stream: true }));
    expect(answer).toMatchObject({ status: 200, text: "Please call us.", whole: true });
    expect(answer.headers.get("x-weir-model")).toBe("template");
  });

  it("a vendor's words about the request never reach the client", async () => {
    vendor.play({
      status: 401,
      body: JSON.stringify({ error: { message: "Incorrect API key sk-live-1234", code: "bad" } }),
    });
    const answer = await told(await ask(house.origin, house.key, { useCase: "one" }));
    expect(answer.body).not.toContain("sk-live");
  });

  it("an error with a large body keeps its status", async () => {
    vendor.play({ status: 400, body: JSON.stringify({ error: { message: "x".repeat(200_000) } }) }, { text: "no" });
    const answer = await told(await ask(house.origin, house.key, { useCase: "one" }));
    expect(answer).toMatchObject({ status: 400, code: "upstream_rejected" });
  });

  it("connections to a vendor whose answer was given up are closed", async () => {
    vendor.play({ hugeBytes: 40 << 20 }, { text: "Fine." });
    await told(await ask(house.origin, house.key, { useCase: "two", stream: true }));
    expect(await Promise.race([vendor.received[0]!.aborted, turns(20_000).then(() => "still open")])).toBe(true);
  });
});

describe("long work behind a stream", () => {
  it("is kept alive from 5 s on, with the decision's id in the headers", async () => {
    vendor.play({ hang: "before-headers" }, { text: "Late but whole." });
    const pending = ask(house.origin, house.key, { useCase: "two", stream: true });
    await vendor.arrival(0);
    await turns();
    await clock.advance(5001);
    const response = await pending;
    expect(decisionOf(response.headers)).toMatch(/^dec_/);
    const reading = told(response);
    await clock.advance(25_001);
    const answer = await reading;
    expect(answer).toMatchObject({ status: 200, text: "Late but whole.", whole: true });
    expect(answer.body).toMatch(/^: keep-alive\n\n/);
  });

  it("that fails in the end is an error event", async () => {
    vendor.play({ hang: "before-headers" });
    const pending = ask(house.origin, house.key, { useCase: "anthropic", stream: true, dialect: "anthropic" });
    await vendor.arrival(0);
    await turns();
    await clock.advance(5001);
    const reading = told(await pending);
    await clock.advance(25_001);
    expect(await reading).toMatchObject({ status: 200, code: "ladder_exhausted", whole: false });
  });
});

describe("a key that is revoked", () => {
  async function endedAfter(waitMs: number): Promise<unknown> {
    const principal = { type: "service", id: "short" } as const;
    const minted = house.admin.keys
      .mint({ label: "short", tenant: "lindenbank", principal, use_cases: ["*"] })
      .commit();
    house.house.directory.refresh();
    vendor.play({ text: "Some words", ending: "hang" });
    const response = await ask(house.origin, minted.key, { useCase: "one", stream: true });
    const reading = told(response);
    await turns();
    // Just before the stream looks for the first time, and mostly between two reads of the key store.
    await clock.advance(990);
    const revoking = house.admin.keys.revoke(minted.record.id, "leaked");
    if ("refused" in revoking) throw new Error(revoking.message);
    revoking.commit();
    await clock.advance(waitMs);
    const ended = await Promise.race([reading, turns(200).then(() => "still streaming")]);
    // Let it end whatever happened, so that the next test starts clean.
    await clock.advance(40_000);
    await reading;
    const { settled } = await recordOf(house, decisionOf(response.headers));
    return ended === "still streaming" ? ended : { ended, settled };
  }
  const revoked = {
    ended: { code: "revoked_key", whole: false, text: "Some words" },
    settled: [{ code: "revoked_key" }],
  };

  it("ends a running stream", async () => {
    expect(await endedAfter(1300)).toMatchObject(revoked);
  });

  it("ends a running stream in less than a second", async () => {
    expect(await endedAfter(999)).toMatchObject(revoked);
  });

  it("is not used for a further attempt", async () => {
    const principal = { type: "service", id: "short" } as const;
    const minted = house.admin.keys
      .mint({ label: "short", tenant: "lindenbank", principal, use_cases: ["*"] })
      .commit();
    house.house.directory.refresh();
    // Longer than the store takes to be read again.
    vendor.play({ status: 503, headers: { "retry-after": "1" } });
    const pending = ask(house.origin, minted.key, { useCase: "again" });
    const delayMs = await clock.sleepNumber(0);
    const revoking = house.admin.keys.revoke(minted.record.id, "leaked");
    if ("refused" in revoking) throw new Error(revoking.message);
    revoking.commit();
    await clock.advance(delayMs);
    expect(await told(await pending)).toMatchObject({ status: 401, code: "revoked_key" });
    expect(vendor.received).toHaveLength(1);
  });
});
