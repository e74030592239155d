/**
 * Hard cases 9, 15, 16 and 17 over real HTTP: a vendor that refuses, limits, tires of keys or breaks, and what the client,
 * the record and the next request see of it. Time is virtual.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  type TimedHouse,
  WatchedClock,
  ask,
  entriesOf,
  recordOf,
  startOnClock,
  told,
  turns,
} from "../faults/vendor-house.ts";
import { type Received, type Script, type ScriptedVendor, startScriptedVendor } from "../fixtures/scripted-vendor.ts";

const config = (origin: string) => `
weir: 1
server: { port: 0, ops_port: 0, environment: dev }
tenants: { lindenbank: {} }
vendors:
  two: { dialect: openai, base_url: "${origin}/two/v1", region: eu, keys: [{ env: KEY_A }, { env: KEY_B }] }
  one: { dialect: openai, base_url: "${origin}/one/v1", region: eu, key: { env: KEY_C } }
  calm: { dialect: openai, base_url: "${origin}/calm/v1", region: eu, health: { failures: 1000, failure_rate: 1 } }
  other: { dialect: openai, base_url: "${origin}/other/v1", region: eu, key: { env: KEY_D } }
  claude: { dialect: anthropic, base_url: "${origin}/claude", region: eu, key: { env: KEY_D } }
  refused: { dialect: openai, base_url: "http://127.0.0.1:9/v1", region: eu }
  nameless: { dialect: openai, base_url: "http://no-such-host.invalid/v1", region: eu }
  plain: { dialect: openai, base_url: "${origin.replace("http:", "https:")}/v1", region: eu }
models:
  m-refused: { vendor: refused, model: big, price: { input: 1, output: 2, as_of: "2026-01-01" }, max_output: 100 }
  m-nameless: { vendor: nameless, model: big, price: { input: 1, output: 2, as_of: "2026-01-01" }, max_output: 100 }
  m-plain: { vendor: plain, model: big, price: { input: 1, output: 2, as_of: "2026-01-01" }, max_output: 100 }
  m-two: { vendor: two, model: big, price: { input: 1, output: 2, as_of: "2026-01-01" }, max_output: 100 }
  m-one: { vendor: one, model: big, price: { input: 1, output: 2, as_of: "2026-01-01" }, max_output: 100 }
  m-calm: { vendor: calm, model: big, price: free }
  m-other: { vendor: other, model: big, price: { input: 1, output: 2, as_of: "2026-01-01" }, max_output: 100 }
  m-light: { vendor: other, model: small, price: { input: 0.1, output: 0.2, as_of: "2026-01-01" }, max_output: 100 }
  m-claude: { vendor: claude, model: haiku, price: { input: 1, output: 2, as_of: "2026-01-01" }, max_output: 100 }
use_cases:
  keys: { kind: chat, ladder: [m-two], retries: 0 }
  single: { kind: chat, ladder: [m-one], retries: 0 }
  refused: { kind: chat, ladder: [m-refused, m-one], retries: 0 }
  nameless: { kind: chat, ladder: [m-nameless, m-one], retries: 0 }
  plain: { kind: chat, ladder: [m-plain, m-one], retries: 0 }
  patient: { kind: chat, ladder: [m-calm], retries: 1 }
  again: { kind: chat, ladder: [m-one], retries: 1 }
  next: { kind: chat, ladder: [m-one, m-other], retries: 1 }
  pool: { kind: chat, ladder: [{ pool: [m-one, m-other], strategy: first }], retries: 0 }
  cascade:
    kind: chat
    ladder: [{ model: m-light, accept: { schema: true, abstains: false } }, m-one]
    retries: 0
  foreign: { kind: chat, ladder: [m-claude, m-one], retries: 0 }
  claude-only: { kind: chat, ladder: [m-claude], retries: 0 }
`;

const secrets: Record<string, string> = { KEY_A: "key-a", KEY_B: "key-b", KEY_C: "key-c", KEY_D: "key-d" };

let vendor: ScriptedVendor;
let house: TimedHouse;
let clock: WatchedClock;
beforeAll(async () => {
  vendor = await startScriptedVendor();
});
afterAll(() => vendor.close());
// A house of its own for each test: what it has learnt of targets and keys must not leak into the next.
beforeEach(async () => {
  vendor.reset();
  clock = new WatchedClock();
  house = await startOnClock(clock, config(vendor.origin), undefined, secrets);
  return () => house.close();
});

const keyOf = ({ headers }: Received) => headers.authorization?.replace("Bearer ", "") ?? headers["x-api-key"];
const placeOf = ({ path }: Received) => path.split("/")[1];
const put = async (useCase: string, more: Omit<Parameters<typeof ask>[2], "useCase"> = {}) =>
  told(await ask(house.origin, house.key, { useCase, ...more }));
const attemptsOf = async (headers: Headers) =>
  (await recordOf(house, headers.get("x-weir-decision-id"))).attempts.map(({ model, status, reason, key }) =>
    [model, status, reason, key].filter((each) => each !== undefined).join(" "),
  );
const settledOf = async (headers: Headers) => (await recordOf(house, headers.get("x-weir-decision-id"))).settled[0]!;
/** Moves time on until the answer is there. */
async function inTime<T>(pending: Promise<T>, stepMs = 500): Promise<T> {
  let done = false;
  void pending.finally(() => (done = true)).catch(() => {});
  for (let step = 0; step < 200 && !done; step++) {
    await turns();
    if (!done) await clock.advance(stepMs);
  }
  return pending;
}

describe("case 9: an error as the first event of a stream", () => {
  it("is not seen by the client: the next rung answers, and it counts against the target", async () => {
    vendor.play({ ending: "error-event", silent: true }, { ending: "error-event", silent: true }, { text: "Whole." });
    const answer = await inTime(put("next", { stream: true }));
    expect(answer).toMatchObject({ status: 200, text: "Whole.", whole: true });
    expect(await attemptsOf(answer.headers)).toEqual([
      "m-one failed vendor_error one#1",
      "m-one failed vendor_error one#1",
      "m-other ok other#1",
    ]);
    expect(house.house.health.stateOf("one/big")).toMatchObject({ failures: 2, breaker: "closed" });
  });

  it("a stream that breaks after content counts too", async () => {
    vendor.play({ text: "Half of it", ending: "reset" });
    expect(await put("single", { stream: true })).toMatchObject({ code: "stream_broken", whole: false });
    expect(house.house.health.stateOf("one/big")).toMatchObject({ failures: 1, requests: 1 });
  });
});

describe("case 15: 429", () => {
  const limited = (headers: Record<string, string> = {}): Script => ({ status: 429, headers });
  it.each([
    ["seconds", { "retry-after": "1" }, 1000],
    ["milliseconds", { "retry-after-ms": "1500" }, 1500],
    ["an HTTP date", { "retry-after": "Thu, 01 Jan 2026 00:00:01 GMT" }, 1000],
    ["a duration until the limit is reset", { "x-ratelimit-reset-requests": "1s" }, 1000],
    [
      "durations, of which the spent limit's counts",
      {
        "x-ratelimit-remaining-requests": "7",
        "x-ratelimit-reset-requests": "6m0s",
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-tokens": "1.2s",
      },
      1200,
    ],
  ])("is waited for as %s says, with jitter", async (_form, headers, leastMs) => {
    vendor.play(limited(headers), { text: "Now." });
    const pending = put("next");
    const sleepMs = await clock.sleepNumber(0);
    expect(sleepMs).toBeGreaterThanOrEqual(leastMs);
    expect(sleepMs).toBeLessThan(leastMs + 1001);
    expect(await inTime(pending)).toMatchObject({ status: 200, text: "Now." });
    expect(vendor.received.map(placeOf)).toEqual(["one", "one"]);
  });

  it("without a word of when: jitter alone", async () => {
    vendor.play(limited(), { text: "Now." });
    const pending = put("next");
    expect(await clock.sleepNumber(0)).toBeLessThan(200);
    expect(await inTime(pending)).toMatchObject({ status: 200, text: "Now." });
  });

  it("an absurd hour: the next target is tried at once, the vendor is left alone by everybody, for five minutes at most", async () => {
    vendor.play(limited({ "retry-after": "3600" }));
    expect(await put("next")).toMatchObject({ status: 200 });
    expect(clock.sleeps).toEqual([]);
    const second = await put("next");
    expect(await attemptsOf(second.headers)).toEqual(["m-one failed cooling_down", "m-other ok other#1"]);
    expect(vendor.received.map(placeOf)).toEqual(["one", "other", "other"]);
    await clock.advance(300_001);
    expect(await put("next")).toMatchObject({ status: 200 });
    expect(placeOf(vendor.received.at(-1)!)).toBe("one");
  });

  it("of one key: the other one is used at once, and the limited one rests for every request", async () => {
    vendor.play(limited({ "retry-after": "60" }));
    vendor.fallback({ text: "Fine." });
    expect(await put("keys")).toMatchObject({ status: 502 });
    for (let n = 0; n < 3; n++) expect(await put("keys")).toMatchObject({ status: 200 });
    expect(vendor.received.map(keyOf)).toEqual(["key-a", "key-b", "key-b", "key-b"]);
    await clock.advance(60_001);
    await put("keys");
    expect(keyOf(vendor.received.at(-1)!)).toBe("key-a");
  });
});

describe("case 16: a vendor that no longer takes a key", () => {
  it.each([401, 402, 403])("%s: the next key, in the same request, without a wait; told once", async (status) => {
    vendor.play({ status });
    const answer = await put("keys");
    expect(answer.status).toBe(200);
    expect(clock.sleeps).toEqual([]);
    expect(await attemptsOf(answer.headers)).toEqual([`m-two failed http_${status}:scripted two#1`, "m-two ok two#2"]);
    expect(vendor.received.map(keyOf)).toEqual(["key-a", "key-b"]);
    await put("keys");
    expect(vendor.received.map(keyOf)).toEqual(["key-a", "key-b", "key-b"]);
    const { vendors } = house.house.path.snapshot();
    expect(house.house.vendorKeys.of(vendors.get("two")!).map(({ id, state }) => [id, state])).toEqual([
      ["two#1", "dead"],
      ["two#2", "live"],
    ]);
  });

  it("all of them: 502 with a code of its own, never the vendor's 401; no further calls; tried again later", async () => {
    vendor.fallback({ status: 401 });
    const first = await put("keys");
    expect(first).toMatchObject({ status: 502, code: "ladder_exhausted" });
    const second = await put("keys");
    expect(second).toMatchObject({ status: 502, code: "ladder_exhausted" });
    expect(second.body).toContain("no_live_key");
    expect((await settledOf(second.headers)).route).toMatchObject([{ eligible: false, reason: "no_live_key" }]);
    expect(vendor.received).toHaveLength(2);
    vendor.fallback({ text: "Back." });
    await clock.advance(600_001);
    expect(await put("keys")).toMatchObject({ status: 200, text: "Back." });
  });

  it("403 for what the request says is the request's fault: no key dies of it", async () => {
    vendor.play({ status: 403, body: '{"error":{"message":"Your input was flagged by moderation","code":403}}' });
    expect((await put("keys")).status).toBe(400);
    expect((await put("keys")).status).toBe(200);
    expect(vendor.received).toHaveLength(2);
  });

  it("no record, log or metric ever holds a key", async () => {
    vendor.play({ status: 401 });
    await put("keys");
    const held = JSON.stringify(await entriesOf(house));
    for (const secret of Object.values(secrets)) expect(held).not.toContain(secret);
  });
});

describe("case 17: failures that a retry may mend", () => {
  const failures: [string, Script][] = [
    ...[408, 500, 502, 503, 529].map((status): [string, Script] => [String(status), { status }]),
    ["a reset", { reset: "before-headers" }],
  ];
  it.each(failures)("%s: tried again, and both attempts are booked", async (_what, script) => {
    vendor.play(script, { text: "Second.", usage: { input: 11, output: 3 } });
    const answer = await inTime(put("again"));
    expect(answer).toMatchObject({ status: 200, text: "Second." });
    const { attempts, settled } = await recordOf(house, answer.headers.get("x-weir-decision-id"));
    expect(attempts.map(({ status }) => status)).toEqual(["failed", "ok"]);
    expect(settled[0]!.cost_nano_usd).toBe(attempts.reduce((sum, attempt) => sum + attempt.cost_nano_usd, 0));
  });

  it.each([
    ["nobody listens", "refused"],
    ["the name is not known", "nameless"],
  ])("where %s nothing was sent, so nothing is booked, and the next rung answers", async (_why, useCase) => {
    const answer = await put(useCase);
    expect(answer).toMatchObject({ status: 200 });
    const { attempts } = await recordOf(house, answer.headers.get("x-weir-decision-id"));
    expect(attempts).toMatchObject([
      { status: "failed", reason: "connect_failed", cost_nano_usd: 0 },
      { status: "ok" },
    ]);
  });

  it("where it speaks no TLS the next rung answers", async () => {
    const answer = await put("plain");
    expect(answer).toMatchObject({ status: 200 });
    expect((await attemptsOf(answer.headers)).at(-1)).toBe("m-one ok one#1");
  });

  it("a target that keeps failing is left alone, asked again by two probes, and closed when they come back well", async () => {
    vendor.fallback({ status: 503 });
    for (let n = 0; n < 5; n++) expect(await put("single")).toMatchObject({ status: 502 });
    const turnedAway = await put("single");
    expect(turnedAway).toMatchObject({ status: 502, code: "ladder_exhausted" });
    expect(turnedAway.headers.get("retry-after")).toBe("5");
    expect((await settledOf(turnedAway.headers)).route).toMatchObject([{ eligible: false, reason: "breaker_open" }]);
    expect(vendor.received).toHaveLength(5);
    vendor.fallback({ text: "Well again." });
    await clock.advance(5_001);
    for (let n = 0; n < 3; n++) expect(await put("single")).toMatchObject({ status: 200, text: "Well again." });
    expect(house.house.health.stateOf("one/big")).toMatchObject({ breaker: "closed" });
    expect(house.house.health.stateOf("one/big").share).toBeLessThan(1);
  });

  it("the caller's faults never open a breaker", async () => {
    vendor.fallback({ status: 400 });
    for (let n = 0; n < 10; n++) expect(await put("single")).toMatchObject({ status: 400, code: "upstream_rejected" });
    expect(vendor.received).toHaveLength(10);
  });

  it("retries stop when their budget is spent: an outage is not made worse", async () => {
    let calls = 0;
    for (let n = 0; n < 40; n++) {
      vendor.play({ status: 500 });
      await inTime(put("patient"), 100);
      calls += vendor.received.length;
      vendor.reset();
    }
    // Forty first calls, and no more retries than the burst of ten and a tenth of the calls.
    expect(calls).toBeGreaterThan(45);
    expect(calls).toBeLessThanOrEqual(40 + 10 + 6);
  });

  it("a pool goes on with its other member, and says why", async () => {
    vendor.play({ status: 500 });
    const answer = await put("pool");
    expect(answer).toMatchObject({ status: 200 });
    expect(answer.headers.get("x-weir-model")).toBe("m-other");
    expect((await settledOf(answer.headers)).route).toMatchObject([
      { rung: 0, target: "m-one", eligible: true, pool: { strategy: "first", place: 1 } },
      { rung: 0, target: "m-other", eligible: true, pool: { strategy: "first", place: 2 } },
    ]);
  });
});

describe("a cascade", () => {
  it("climbs when the light answer abstains, and says so", async () => {
    vendor.play({ text: "I don't know." }, { text: "It is 42." });
    const answer = await put("cascade");
    expect(answer).toMatchObject({ status: 200, text: "It is 42." });
    const settled = await settledOf(answer.headers);
    expect(settled).toMatchObject({ model: "m-one", rung: 1 });
    expect(settled.reasons).toMatchObject([
      { name: "accept m-light", text: expect.stringContaining("can't tell") as string },
    ]);
    expect(settled.route[0]).toMatchObject({ cascade: { state: "on", judged: 0 } });
  });

  it("turns itself off when the light rung costs more than it saves", async () => {
    vendor.fallback((request) =>
      request.json["model"] === "small"
        ? { text: "Sorry, I can't.", usage: { input: 100, output: 50 } }
        : { text: "Here.", usage: { input: 11, output: 3 } },
    );
    let last = new Headers();
    for (let n = 0; n < 40; n++) last = (await put("cascade")).headers;
    expect(house.house.cascades.cascadeOf("cascade")).toMatchObject([{ rung: 0, model: "m-light" }]);
    const route = (await settledOf(last)).route[0]!;
    expect(["off", "exploring"]).toContain(route.cascade!.state);
    expect(route.cascade!.accepted_at_most).toBeLessThan(route.cascade!.break_even!);
    expect(vendor.received.filter(({ json }) => json["model"] === "small").length).toBeLessThan(30);
  });
});

describe("x-weir-strict", () => {
  const lossy = { more: { seed: 7, logit_bias: { "1": 5 } } };
  it("takes the rung that loses nothing", async () => {
    const answer = await put("foreign", { ...lossy, headers: { "x-weir-strict": "true" } });
    expect(answer.headers.get("x-weir-model")).toBe("m-one");
    expect((await settledOf(answer.headers)).route[0]).toMatchObject({ eligible: false, reason: "translation_loss" });
  });

  it("refuses where every rung would lose something, and names what", async () => {
    const answer = await put("claude-only", { ...lossy, headers: { "x-weir-strict": "true" } });
    expect(answer).toMatchObject({ status: 400, code: "translation_loss" });
    expect(answer.body).toContain("seed");
    expect(vendor.received).toEqual([]);
  });

  it("without it, x-weir-dropped names what the rung that answered lost, and nothing of those before it", async () => {
    expect((await put("claude-only", lossy)).headers.get("x-weir-dropped")).toContain("seed");
    vendor.play({ status: 500 });
    const answer = await put("foreign", lossy);
    expect([answer.headers.get("x-weir-model"), answer.headers.get("x-weir-dropped")]).toEqual(["m-one", null]);
  });
});

describe("an override", () => {
  const admin = () => house.admin.overrides;
  const operator = { id: "op_1", name: "ada" };
  it("excludes, until its time is up", async () => {
    const pending = admin().override({
      act: "exclude",
      on: { vendor: "one" },
      forMs: 60_000,
      reason: "drill",
      operator,
    });
    if (!("commit" in pending)) throw new Error("refused");
    pending.commit();
    house.house.overrides.refresh();
    const answer = await put("next");
    expect(answer.headers.get("x-weir-model")).toBe("m-other");
    expect((await settledOf(answer.headers)).route[0]).toMatchObject({
      reason: "override_excluded",
      override: expect.stringMatching(/^ovr_/) as string,
    });
    await clock.advance(60_001);
    expect((await put("next")).headers.get("x-weir-model")).toBe("m-one");
  });
});
