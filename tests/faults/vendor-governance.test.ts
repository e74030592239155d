/** Guards, money, limits and the cache around vendor calls: what is refused never reaches a vendor, what is taken is given back. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type ScriptedVendor, startScriptedVendor } from "../fixtures/scripted-vendor.ts";
import { openContent } from "../../src/ledger/index.ts";
import {
  type TimedHouse,
  WatchedClock,
  ask,
  entriesOf,
  leftovers,
  recordOf,
  startOnClock,
  told,
  turns,
  until,
  vendorConfig,
} from "./vendor-house.ts";

const useCases = `
blocked: { kind: chat, screen: [cards, secrets], ladder: [oa-main], retries: 0 }
redacted: { kind: chat, screen: [personal], ladder: [oa-main], retries: 0 }
checked: { kind: chat, check: [cards], ladder: [oa-main, ob-main], retries: 0 }
cleaned: { kind: chat, check: [personal], ladder: [oa-main], retries: 0 }
paid: { kind: chat, ladder: [oa-main], retries: 0 }
spare: { kind: chat, ladder: [oa-main, ob-main], retries: 0 }
limited: { kind: chat, ladder: [ob-main], retries: 0, limits: { requests_per_minute: 2 } }
tokens: { kind: chat, ladder: [ob-main], retries: 0, limits: { tokens_per_minute: 3000 } }
single: { kind: chat, ladder: [ob-main], retries: 0, limits: { concurrency: 1 } }
cached: { kind: chat, ladder: [oa-main], retries: 0, cache: { exact: 10m } }
shaky: { kind: chat, ladder: [oa-main, { template: Please call us. }], retries: 0, cache: { exact: 10m } }
`;
const tenants = `tenants:
  lindenbank: {}
  neighbour: {}
  poor: { budget: { usd: "0.0001", per: day, at_limit: block } }
  careful: { budget: { usd: "0.0045", per: day, at_limit: block } }`;
const card = "4111 1111 1111 1111";

let vendor: ScriptedVendor;
let house: TimedHouse;
let clock: WatchedClock;
const keys: Record<string, string> = {};
beforeAll(async () => {
  vendor = await startScriptedVendor();
  clock = new WatchedClock();
  house = await startOnClock(clock, vendorConfig(vendor.origin, useCases, tenants));
  for (const tenant of ["lindenbank", "neighbour", "poor", "careful"]) {
    const principal = { type: "service", id: tenant } as const;
    keys[tenant] = house.admin.keys.mint({ label: tenant, tenant, principal, use_cases: ["*"] }).commit().key;
  }
  house.house.directory.refresh();
});
afterAll(async () => {
  await house.close();
  await vendor.close();
});
beforeEach(() => vendor.reset());

type Question = Parameters<typeof ask>[2];
const put = (useCase: string, more: Partial<Question> & { tenant?: string } = {}) =>
  ask(house.origin, keys[more.tenant ?? "lindenbank"]!, { useCase, ...more });
const decisionOf = (headers: Headers) => headers.get("x-weir-decision-id");
const nothingLeft = () => until(() => Object.values(leftovers(house)).every((left) => left === 0), "nothing is held");

describe("an input guard", () => {
  it.each(["openai", "anthropic"] as const)("blocks a card, whoever the client is (%s)", async (dialect) => {
    const answer = await told(await put("blocked", { dialect, text: `My card is ${card}.` }));
    expect(answer).toMatchObject({ status: 400, code: "input_blocked" });
    expect(answer.body).not.toContain("4111");
    expect(vendor.received).toHaveLength(0);
    const record = await recordOf(house, decisionOf(answer.headers));
    expect(record.settled).toMatchObject([
      {
        state: "refused",
        code: "input_blocked",
        guards: [{ guard: "cards", action: "block", findings: { card: 1 } }, { guard: "secrets" }],
      },
    ]);
    expect(JSON.stringify(record)).not.toContain("4111");
  });

  it("blocks a card in a system prompt, a tool result and tool arguments", async () => {
    const places = [
      [
        { role: "system", content: card },
        { role: "user", content: "hi" },
      ],
      [
        { role: "user", content: "hi" },
        {
          role: "assistant",
          content: null,
          tool_calls: [{ id: "c", type: "function", function: { name: "f", arguments: `{"a":"${card}"}` } }],
        },
        { role: "tool", tool_call_id: "c", content: "ok" },
      ],
      [
        { role: "user", content: "hi" },
        {
          role: "assistant",
          content: null,
          tool_calls: [{ id: "c", type: "function", function: { name: "f", arguments: "{}" } }],
        },
        { role: "tool", tool_call_id: "c", content: card },
      ],
    ];
    for (const messages of places) expect((await told(await put("blocked", { more: { messages } }))).status).toBe(400);
    expect(vendor.received).toHaveLength(0);
  });

  it.each([
    ["a field that Weir doesn't know", { x_note: card }],
    ["metadata", { metadata: { note: card } }],
    [
      "a tool's description",
      { tools: [{ type: "function", function: { name: "f", description: card, parameters: {} } }] },
    ],
    ["the end user's name", { user: card }],
    ["a stop sequence", { stop: [card] }],
  ])("lets no card through in %s", async (_where, more) => {
    await told(await put("blocked", { more }));
    expect(vendor.received.map((one) => one.body.toString("utf8")).join("")).not.toContain("4111");
  });

  it("lets no card through in a message that is written twice", async () => {
    const body = `{"model":"blocked","messages":[{"role":"user","content":"${card}"}],"messages":[{"role":"user","content":"hi"}]}`;
    await fetch(`${house.origin}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${keys["lindenbank"]}` },
      body,
    });
    expect(vendor.received.map((one) => one.body.toString("utf8")).join("")).not.toContain("4111");
  });

  it("redacts what the vendor sees and what is recorded", async () => {
    const answer = await told(
      await put("redacted", { text: `Write to ada@example.org about ${card}.`, more: { x_note: 1 } }),
    );
    expect(answer.status).toBe(200);
    const sent = vendor.received[0]!.body.toString("utf8");
    expect(sent).not.toContain("ada@");
    expect(sent).not.toContain("4111");
    expect(answer.headers.get("x-weir-dropped")).toBe("x_note");
    const settled = (await entriesOf(house)).find(
      ({ entry }) => entry.kind === "settled" && entry.decision === decisionOf(answer.headers),
    )!;
    const content = await openContent(settled, house.house.keyRing);
    expect(JSON.stringify(content)).toContain("messages");
    expect(JSON.stringify(content)).not.toMatch(/ada@|4111/);
  });
});

describe("an output guard", () => {
  it.each([
    ["whole", false],
    ["streaming", true],
  ])("takes the next rung before anything has left, %s", async (_how, stream) => {
    vendor.play({ text: `The card is ${card}.`, usage: { input: 10, output: 9 } }, { text: "I can't say that." });
    const answer = await told(await put("checked", { stream }));
    expect(answer).toMatchObject({ status: 200, text: "I can't say that.", whole: true });
    expect(answer.body).not.toContain("4111");
    // The last rung has nothing to climb to: it may stream.
    expect(vendor.received.map((one) => one.stream)).toEqual([false, stream]);
    const record = await recordOf(house, decisionOf(answer.headers));
    expect(record.attempts).toMatchObject([{ status: "ok", usage: { output: 9 } }, { status: "ok" }]);
    expect(record.settled[0]!.guards).toMatchObject([
      { on: "output", verdict: "deny", action: "next-rung" },
      { on: "output", verdict: "allow", action: "allow" },
    ]);
  });

  it("reads tool arguments too", async () => {
    vendor.play({ calls: [{ id: "c", name: "pay", arguments: `{"card":"${card}"}` }] }, { text: "No." });
    const tools = [{ type: "function", function: { name: "pay", parameters: {} } }];
    expect(await told(await put("checked", { more: { tools } }))).toMatchObject({ status: 200, text: "No." });
  });

  it("reads also what Weir doesn't know of an answer that it would pass on byte for byte", async () => {
    vendor.play({ text: "Fine.", extra: { x_note: card } }, { text: "Second." });
    expect((await told(await put("checked"))).body).not.toContain("4111");
  });

  it("that blocks every rung is told", async () => {
    vendor.fallback({ text: `The card is ${card}.` });
    const answer = await told(await put("checked"));
    expect(answer).toMatchObject({ status: 502, code: "output_blocked" });
    expect(answer.body).not.toContain("4111");
    expect(vendor.received).toHaveLength(2);
  });

  it.each([false, true])("redacts the answer, never passing the vendor's bytes (streaming %s)", async (stream) => {
    vendor.play({ text: `Write to ada@example.org about ${card}.` });
    const answer = await told(await put("cleaned", { stream }));
    expect(answer).toMatchObject({ status: 200, whole: true });
    expect(answer.body).not.toMatch(/ada@|4111/);
    expect(answer.text).toContain("Write to ");
  });
});

describe("a budget", () => {
  it("that can't bear the worst case: no call, an unaffordable attempt, a code of its own", async () => {
    const answer = await told(await put("paid", { tenant: "poor" }));
    expect(answer).toMatchObject({ status: 429, code: "budget_exhausted" });
    expect(vendor.received).toHaveLength(0);
    const record = await recordOf(house, decisionOf(answer.headers));
    expect(record.attempts).toMatchObject([{ status: "unaffordable", cost_nano_usd: 0, held_nano_usd: 0 }]);
  });

  it("takes the next rung that it can bear", async () => {
    const answer = await told(await put("spare", { tenant: "poor" }));
    expect(answer.status).toBe(200);
    expect(answer.headers.get("x-weir-model")).toBe("ob-main");
    const record = await recordOf(house, decisionOf(answer.headers));
    expect(record.attempts.map(({ status }) => status)).toEqual(["unaffordable", "ok"]);
  });

  it("counts a smaller max_tokens as a smaller worst case", async () => {
    const answer = await told(await put("paid", { tenant: "poor", more: { max_tokens: 5 } }));
    expect(answer.status).toBe(200);
  });

  it("holds for running calls and is given back at their exact cost", async () => {
    const open = Promise.withResolvers<void>();
    const slow = { text: "Ok.", usage: { input: 10, output: 10 }, before: open.promise };
    vendor.play(slow, slow);
    const running = [put("paid", { tenant: "careful" }), put("paid", { tenant: "careful" })];
    await vendor.arrival(1);
    expect(await told(await put("paid", { tenant: "careful" }))).toMatchObject({ code: "budget_exhausted" });
    open.resolve();
    for (const one of running) expect((await told(await one)).status).toBe(200);
    expect((await told(await put("paid", { tenant: "careful" }))).status).toBe(200);
    // 2 × (10 + 2·10) µUSD, and the plain answer's 11 + 2·3.
    expect(house.house.money.totals("careful")).toEqual({ spent: 2 * 30_000 + 17_000, held: 0 });
  });
});

describe("limits", () => {
  it("over requests a minute: 429 with the honest wait, and headers that count down", async () => {
    const first = await told(await put("limited"));
    expect(first.headers.get("ratelimit")).toMatch(/^"use";r=1;t=\d+$/);
    expect(first.headers.get("x-ratelimit-limit-requests")).toBe("2");
    await told(await put("limited"));
    const refused = await told(await put("limited"));
    expect(refused).toMatchObject({ status: 429, code: "rate_limited" });
    const waitMs = Number(refused.headers.get("retry-after")) * 1000;
    expect(waitMs).toBe(30_000);
    const record = await recordOf(house, decisionOf(refused.headers));
    expect([record.begun.length, record.settled.length]).toEqual([0, 1]);
    expect(record.settled).toMatchObject([{ state: "refused", refused_before_begin: true, attempts: 0 }]);
    await clock.advance(waitMs - 1000);
    expect((await told(await put("limited"))).status).toBe(429);
    await clock.advance(1000);
    expect((await told(await put("limited"))).status).toBe(200);
  });

  it("over tokens a minute: what was not used comes back", async () => {
    vendor.fallback({ text: "Ok.", usage: { input: 10, output: 10 } });
    // Each asks for about 1,040 tokens and uses 20.
    for (let i = 0; i < 5; i++) expect((await told(await put("tokens"))).status).toBe(200);
    const large = await told(await put("tokens", { more: { max_tokens: 2990 } }));
    expect(large).toMatchObject({ status: 429, code: "token_limited" });
    await clock.advance(Number(large.headers.get("retry-after")) * 1000);
    expect((await told(await put("tokens", { more: { max_tokens: 2990 } }))).status).toBe(200);
  });

  it("over concurrency: refused while one runs, also where that one's client goes", async () => {
    vendor.play({ hang: "before-headers" });
    const client = new AbortController();
    const first = put("single", { signal: client.signal });
    first.catch(() => {});
    await vendor.arrival(0);
    expect(await told(await put("single"))).toMatchObject({ status: 429, code: "concurrency_limited" });
    client.abort();
    await nothingLeft();
    expect((await told(await put("single"))).status).toBe(200);
  });
});

describe("the cache", () => {
  it("answers again without a call, under a record of its own", async () => {
    vendor.play({ text: "From the vendor.", usage: { input: 9, output: 4 } });
    const first = await told(await put("cached", { text: "A?" }));
    const second = await told(await put("cached", { text: "A?" }));
    const streamed = await told(await put("cached", { text: "A?", stream: true }));
    const anthropic = await told(
      await put("cached", { text: "A?", dialect: "anthropic", more: { max_tokens: undefined } }),
    );
    expect([first, second, streamed].map((one) => one.headers.get("x-weir-cache"))).toEqual(["miss", "hit", "hit"]);
    expect([first, second, streamed].map((one) => one.text)).toEqual(Array(3).fill("From the vendor."));
    expect(anthropic.status).toBe(400);
    expect(vendor.received).toHaveLength(1);
    const record = await recordOf(house, decisionOf(second.headers));
    expect(record.attempts).toEqual([]);
    expect(record.settled).toMatchObject([
      {
        state: "answered",
        cache: { status: "hit", from: decisionOf(first.headers) },
        cost_nano_usd: 0,
        usage: { output: 0 },
      },
    ]);
  });

  it.each([false, true])("lets followers wait for one call (leader streaming: %s)", async (stream) => {
    const open = Promise.withResolvers<void>();
    vendor.play({ text: "Once for all.", before: open.promise });
    const text = `B${stream}?`;
    const leader = put("cached", { text, stream });
    await vendor.arrival(0);
    const followers = [put("cached", { text }), put("cached", { text, stream: true })];
    await until(() => house.house.limits.running === 3, "the followers wait");
    open.resolve();
    const answers = await Promise.all([leader, ...followers].map(async (one) => told(await one)));
    expect(answers.map((one) => one.text)).toEqual(Array(3).fill("Once for all."));
    expect(vendor.received).toHaveLength(1);
    for (const follower of answers.slice(1)) {
      const record = await recordOf(house, decisionOf(follower.headers));
      expect(record.settled).toMatchObject([{ cache: { status: "follower", from: decisionOf(answers[0]!.headers) } }]);
    }
    await nothingLeft();
  });

  it("followers go on by themselves where the leader's client goes or its vendor fails", async () => {
    vendor.play({ hang: "before-headers" }, { text: "Their own." });
    const client = new AbortController();
    const leader = put("cached", { text: "C?", signal: client.signal });
    leader.catch(() => {});
    await vendor.arrival(0);
    const followers = [put("cached", { text: "C?" }), put("cached", { text: "C?" })];
    await until(() => house.house.limits.running === 3, "the followers wait");
    client.abort();
    const answers = await Promise.all(followers.map(async (one) => told(await one)));
    expect(answers.map((one) => [one.status, one.text === "Their own." || one.text === "Hello there."])).toEqual([
      [200, true],
      [200, true],
    ]);
    await nothingLeft();
  });

  it("keeps no broken stream", async () => {
    vendor.play({ text: "Half an answ", ending: "truncate" }, { text: "The whole answer." });
    expect(await told(await put("cached", { text: "D?", stream: true }))).toMatchObject({ code: "stream_broken" });
    expect(await told(await put("cached", { text: "D?" }))).toMatchObject({ text: "The whole answer." });
    await nothingLeft();
  });

  it("keeps no fallback text that stood in for a failing vendor", async () => {
    vendor.play({ status: 500 }, { text: "The vendor is back." });
    expect(await told(await put("shaky", { text: "E?" }))).toMatchObject({ text: "Please call us." });
    expect(await told(await put("shaky", { text: "E?" }))).toMatchObject({ text: "The vendor is back." });
  });

  it("never crosses tenants", async () => {
    vendor.play({ text: "For one." }, { text: "For the other." });
    expect(await told(await put("cached", { text: "F?" }))).toMatchObject({ text: "For one." });
    expect(await told(await put("cached", { text: "F?", tenant: "neighbour" }))).toMatchObject({
      text: "For the other.",
    });
  });

  it("ends with its time to live", async () => {
    vendor.play({ text: "Old." }, { text: "New." });
    await told(await put("cached", { text: "G?" }));
    await clock.advance(600_001);
    await turns();
    expect(await told(await put("cached", { text: "G?" }))).toMatchObject({ text: "New." });
  });
});
