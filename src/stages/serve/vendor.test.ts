import { describe, expect, it } from "vitest";
import {
  type DecisionParts,
  aChatAsk,
  aDecision,
  aVendor,
  aVendorModel,
  modelRung,
  templateRung,
  userSays,
} from "../../../tests/fixtures/decision.ts";
import { vendorDialectOf } from "../../engines/dialects/index.ts";
import type { AttemptMeta } from "../../kernel/decision.ts";
import { type Refusal, refuse } from "../../kernel/errors.ts";
import { nanoUsd } from "../../kernel/money.ts";
import type { VendorTarget } from "../../kernel/snapshot.ts";
import { costOf } from "../../kernel/usage.ts";
import type { Frame, Served } from "../../path/context.ts";
import { MoneyBook, TokenCalibration } from "../reserve/index.ts";
import { HealthBook, VendorKeys } from "./health/index.ts";
import { UpstreamFault, type UpstreamRequest, type UpstreamResponse } from "./upstream.ts";
import { serveVendor } from "./vendor.ts";
import { Capacity } from "./capacity/index.ts";

/** One scripted response: a fault in place of headers, or headers and chunks, the last of which may be a fault. */
type Script =
  | UpstreamFault["reason"]
  | { status?: number; headers?: Record<string, string>; chunks?: (string | Uint8Array | UpstreamFault)[] };
type Answering = Script | ((request: UpstreamRequest) => Promise<Script> | Script);

const json = { "content-type": "application/json" };
const sse = { "content-type": "text/event-stream; charset=utf-8" };
const price = aVendorModel().price;
const usage = { prompt_tokens: 10, completion_tokens: 3, total_tokens: 13 };
const whole = (content = "Nothing."): Script => ({
  headers: json,
  chunks: [
    JSON.stringify({
      id: "c",
      object: "chat.completion",
      model: "acme-large-1",
      choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }],
      usage,
    }),
  ],
});
const record = (data: unknown) => `data: ${typeof data === "string" ? data : JSON.stringify(data)}\n\n`;
const delta = (content: string | undefined, finish_reason: string | null = null) =>
  record({
    id: "c",
    object: "chat.completion.chunk",
    model: "acme-large-1",
    choices: [{ index: 0, delta: content === undefined ? {} : { content }, finish_reason }],
  });
const usageRecord = record({ id: "c", object: "chat.completion.chunk", model: "acme-large-1", choices: [], usage });
const done = record("[DONE]");
const streamed = [delta("No"), delta("thing."), delta(undefined, "stop"), usageRecord, done];

function setUp(
  scripts: Answering[],
  parts: DecisionParts & { stream?: boolean; budget?: number; vendor?: Partial<VendorTarget> } = {},
) {
  const stream = parts.stream ?? false;
  const d = aDecision({
    ask: aChatAsk({ stream }),
    ...parts,
    ...(parts.budget !== undefined && {
      tenant: { budgets: [{ nanoUsd: nanoUsd(parts.budget), per: "day", atLimit: "block" }] },
    }),
  });
  const sent: UpstreamRequest[] = [];
  const recorded: AttemptMeta[] = [];
  const dead: string[] = [];
  let closedBodies = 0;
  let cancelled = 0;
  let key: Refusal | undefined;
  let excluded = false;
  const money = new MoneyBook(d.clock);
  async function* bodyOf(chunks: (string | Uint8Array | UpstreamFault)[]): AsyncGenerator<Uint8Array> {
    try {
      for (const chunk of chunks) {
        if (chunk instanceof UpstreamFault) throw chunk;
        yield Buffer.from(chunk);
      }
    } finally {
      closedBodies += 1;
    }
  }
  const upstream = {
    async send(request: UpstreamRequest): Promise<UpstreamResponse> {
      sent.push(request);
      const next = scripts.shift();
      if (next === undefined) throw new Error("the script has ended");
      const script = typeof next === "function" ? await next(request) : next;
      if (typeof script === "string") throw new UpstreamFault(script);
      const body = bodyOf(script.chunks ?? []);
      const cancel = () => void (cancelled += 1);
      const finish = () => void body.return(undefined);
      const whole = async (limitBytes: number) => {
        const chunks: Uint8Array[] = [];
        for await (const chunk of body) {
          chunks.push(chunk);
          if (Buffer.concat(chunks).length > limitBytes) throw new UpstreamFault("body_too_large");
        }
        return Buffer.concat(chunks);
      };
      return { status: script.status ?? 200, headers: script.headers ?? json, body, whole, finish, cancel };
    },
    close: async () => undefined,
  };
  const capacity = new Capacity({ clock: d.clock, boundsOf: () => ({ min: 1, initial: 2, max: 2 }) });
  const ports = {
    upstream,
    money,
    health: new HealthBook(d.clock),
    capacity,
    calibration: new TokenCalibration(),
    keys: new VendorKeys(d.clock, (vendor, key, status) => void dead.push(`${vendor} ${key} ${status}`)),
    dialects: vendorDialectOf,
    keyRefusal: () => key,
    isExcluded: () => excluded,
    report: () => undefined,
    record: (_d: unknown, meta: AttemptMeta) => void recorded.push(meta),
  };
  const serve = () =>
    serveVendor(ports, d, { index: 0, slot: "main", model: aVendorModel(), vendor: aVendor(parts.vendor), stream });
  return {
    d,
    sent,
    recorded,
    dead,
    money,
    capacity,
    serve,
    exclude: () => void (excluded = true),
    revoke: (no: Refusal) => void (key = no),
    givenUp: () => closedBodies + cancelled,
  };
}
const bodyOfSent = (request: UpstreamRequest | undefined) =>
  JSON.parse(Buffer.from(request!.body).toString()) as Record<string, unknown>;
const statuses = (recorded: AttemptMeta[]) =>
  recorded.map(({ status, reason }) => (reason === undefined ? status : `${status} ${reason}`));

const chunked = (...chunks: (string | Uint8Array | UpstreamFault)[]): Script => ({ headers: sse, chunks });

describe("serveVendor: what is sent", () => {
  it("the client's own bytes with the model's name, where nothing has to change", async () => {
    const { serve, sent, d } = setUp([whole()]);
    await serve();
    expect(String(sent[0]!.url)).toBe("http://127.0.0.1:1/v1/chat/completions");
    expect(sent[0]!.headers).toMatchObject({ authorization: "Bearer vendor-secret", accept: "application/json" });
    expect(sent[0]!.signal).toBe(d.signal);
    expect(bodyOfSent(sent[0])).toEqual({
      model: "acme-large-1",
      messages: [{ role: "user", content: "What does an account cost?" }],
    });
  });

  it("never the client's bytes once a guard has rewritten the chat", async () => {
    const ask = aChatAsk({ messages: [userSays("my CARD")] });
    const redacted = { ...ask.request, messages: [userSays("my [card]")] };
    const { serve, sent } = setUp([whole()], { ask, with: { request: redacted, rewritten: true } });
    await serve();
    expect(Buffer.from(sent[0]!.body).toString()).not.toContain("CARD");
  });

  it("the use case's prompt before the client's messages", async () => {
    const { serve, sent } = setUp([whole()], { useCase: { prompt: "Be brief." } });
    await serve();
    expect(bodyOfSent(sent[0])["messages"]).toMatchObject([{ role: "system", content: "Be brief." }, { role: "user" }]);
  });

  it("names what a translation has to drop", async () => {
    const ask = { ...aChatAsk({ unmodelled: ["metadata"] }), dialect: "anthropic-messages" as const };
    const { serve, d } = setUp([whole()], { ask });
    await serve();
    expect([...d.dropped]).toContain("metadata");
  });

  it("asks for usage on a stream that the client didn't ask it for", async () => {
    const { serve, sent } = setUp([{ headers: sse, chunks: streamed }], { stream: true });
    await serve();
    expect(bodyOfSent(sent[0])).toMatchObject({ stream: true, stream_options: { include_usage: true } });
    expect(sent[0]!.headers["accept"]).toBe("text/event-stream");
  });
});

describe("serveVendor: features behind a header", () => {
  const betas = ["context-1m-2025-08-07", "made-up-2026-01-01"];
  const message = {
    type: "message",
    content: [{ type: "text", text: "ok" }],
    usage: { input_tokens: 1, output_tokens: 1 },
  };
  const answer = String((whole() as { chunks: string[] }).chunks[0]);
  const asking = (vendor: Partial<VendorTarget>) =>
    setUp([{ chunks: [JSON.stringify(vendor.dialect ? message : JSON.parse(answer))] }], {
      vendor,
      ask: { ...aChatAsk({ betas }), dialect: "anthropic-messages" },
    });

  it("what the vendor takes goes along, the rest is named", async () => {
    const { serve, sent, d } = asking({ dialect: "anthropic-messages", betas: ["context-1m-2025-08-07"] });
    await serve();
    expect(sent[0]!.headers["anthropic-beta"]).toBe("context-1m-2025-08-07");
    expect([...d.dropped]).toEqual(["anthropic-beta.made-up-2026-01-01"]);
  });

  it("a vendor that knows none of them is not told", async () => {
    const { serve, sent, d } = asking({});
    await serve();
    expect(sent[0]!.headers).not.toHaveProperty("anthropic-beta");
    expect([...d.dropped]).toEqual(betas.map((beta) => `anthropic-beta.${beta}`));
  });
});

describe("serveVendor: whole answers", () => {
  it("books what the vendor reported, exactly, and passes its bytes", async () => {
    const { serve, recorded, d, money } = setUp([whole()]);
    const served = (await serve()) as Extract<Served, { type: "chat" }>;
    expect(served.response.parts).toEqual([{ type: "text", text: "Nothing." }]);
    expect(Buffer.from(served.raw!).toString()).toContain('"chat.completion"');
    const used = { input: 10, cached_input: 0, output: 3, estimated: false };
    expect(recorded).toMatchObject([
      {
        n: 1,
        status: "ok",
        slot: "main",
        target: "acme/acme-large-1",
        usage: used,
        cost_nano_usd: costOf(used, price),
      },
    ]);
    expect([d.model, money.held, d.costNanoUsd]).toEqual(["large", 0, costOf(used, price)]);
  });

  it("estimates and flags what the vendor never reported", async () => {
    const body = JSON.stringify({ model: "m", choices: [{ message: { content: "abcdef" }, finish_reason: "stop" }] });
    const { serve, recorded } = setUp([{ headers: json, chunks: [body] }]);
    await serve();
    expect(recorded[0]!.usage).toMatchObject({ output: 2, estimated: true });
  });

  it.each([
    [500, true],
    [503, true],
    [429, true],
    [408, true],
    [401, false],
    [403, false],
    [404, false],
    [302, false],
  ])("status %s: failed, another try: %s, and nothing is charged", async (status, again) => {
    const { serve, recorded, d } = setUp([
      { status, chunks: ['{"error":{"code":"some_code","message":"secret prompt"}}'] },
      whole(),
    ]);
    const serving = serve();
    await d.clock.advance(4000);
    expect((await serving) === "next-rung").toBe(!again);
    expect(statuses(recorded)[0]).toBe(`failed http_${status}:some_code`);
    expect(recorded[0]!.cost_nano_usd).toBe(0);
    expect(recorded).toHaveLength(again ? 2 : 1);
    expect(JSON.stringify(recorded)).not.toContain("secret prompt");
  });

  it.each([400, 413, 422])("status %s: the vendor rejects the request, no other try would help", async (status) => {
    const { serve, recorded } = setUp([{ status, chunks: ["no json"] }]);
    expect(await serve()).toBe("next-rung");
    expect(statuses(recorded)).toEqual([`rejected http_${status}`]);
  });

  it("an error page larger than any error is still that status", async () => {
    const { serve, recorded, d } = setUp([{ status: 400, chunks: ["x".repeat(100_000)] }, whole()]);
    const serving = serve();
    await d.clock.advance(4000);
    await serving;
    expect(statuses(recorded)).toEqual(["rejected http_400"]);
  });

  it.each([
    ["no JSON", "<html>", "failed unreadable_answer"],
    ["JSON of another kind", '{"ok":true}', "failed unreadable_answer"],
    ["nothing", "", "failed unreadable_answer"],
  ])("a 200 that is %s is tried again, and estimated: it may have been billed", async (_what, body, status) => {
    const { serve, recorded, d } = setUp([{ headers: json, chunks: [body] }, whole()]);
    const serving = serve();
    await d.clock.advance(4000);
    expect(await serving).toMatchObject({ type: "chat" });
    expect(statuses(recorded)).toEqual([status, "ok"]);
    expect(recorded[0]!.usage).toMatchObject({ estimated: true });
    expect(recorded[0]!.cost_nano_usd).toBeGreaterThan(0);
  });

  it.each([
    ["connect_failed", "failed", false],
    ["connect_timeout", "timeout", false],
    ["first_byte_timeout", "timeout", true],
    ["idle_timeout", "timeout", true],
    ["reset", "failed", true],
  ] as const)("%s: %s, charged: %s, then another try", async (reason, status, charged) => {
    const { serve, recorded, d } = setUp([reason, whole()]);
    const serving = serve();
    await d.clock.advance(4000);
    expect(await serving).toMatchObject({ type: "chat" });
    expect(statuses(recorded)).toEqual([`${status} ${reason}`, "ok"]);
    expect(recorded[0]!.cost_nano_usd > 0).toBe(charged);
  });

  it("a fault that is no upstream's ends the attempt, gives the money back and is thrown", async () => {
    const { serve, recorded, money } = setUp([() => Promise.reject(new TypeError("bug"))]);
    await expect(serve()).rejects.toThrow("bug");
    expect(statuses(recorded)).toEqual(["failed fault"]);
    expect(money.held).toBe(0);
  });
});

describe("serveVendor: retries", () => {
  it("tries as often as the use case says and not once more", async () => {
    const { serve, recorded, d, sent } = setUp(Array<Script>(9).fill("reset"), { useCase: { retries: 2 } });
    const serving = serve();
    await d.clock.advance(20_000);
    expect(await serving).toBe("next-rung");
    expect(sent).toHaveLength(3);
    expect(recorded.map((meta) => meta.n)).toEqual([1, 2, 3]);
    expect(d.clock.pendingTimers).toBe(0);
  });

  const first = { index: 0, rung: modelRung("large") };
  const second = { index: 1, rung: templateRung };
  const asks = (seconds: string): Script => ({ status: 429, headers: { "retry-after": seconds } });

  it("waits as long as the vendor asks, where there is nothing better", async () => {
    const { serve, sent, d } = setUp([asks("3"), whole()], { with: { rungs: [first] } });
    const serving = serve();
    await d.clock.advance(2999);
    expect(sent).toHaveLength(1);
    await d.clock.advance(1100);
    expect(await serving).toMatchObject({ type: "chat" });
  });

  it.each([
    ["a short wait before another rung", "1", [first, second], true],
    ["a long wait before another rung", "3", [first, second], false],
    ["a wait beyond the deadline before another rung", "3600", [first, second], false],
    ["a long wait on the last rung", "20", [second, first], true],
    ["a wait beyond the deadline on the last rung", "3600", [second, first], false],
    ["a wait of a month, which no timer can hold", "2592000", [first], false],
  ])("%s", async (_what, seconds, rungs, waits) => {
    const { serve, sent, d } = setUp([asks(seconds), whole()], { with: { rungs } });
    let ended = false;
    const serving = serve().finally(() => (ended = true));
    await d.clock.advance(0);
    expect(ended).toBe(!waits);
    await d.clock.advance(29_000);
    await serving;
    expect(sent).toHaveLength(waits ? 2 : 1);
    expect(d.clock.pendingTimers).toBe(0);
  });

  it("an abort ends the waiting at once: no timer, no further attempt", async () => {
    const { serve, sent, d } = setUp(["reset", whole()]);
    const serving = serve();
    await d.clock.advance(0);
    d.abort(refuse("client_gone"));
    expect(await serving).toBe("next-rung");
    expect(sent).toHaveLength(1);
    expect(d.clock.pendingTimers).toBe(0);
  });

  it("an abort during a call is recorded with its reason, estimated, and not tried again", async () => {
    const { serve, recorded, d, sent } = setUp([
      () => {
        d.abort(refuse("deadline_exceeded"));
        return "aborted";
      },
      whole(),
    ]);
    expect(await serve()).toBe("next-rung");
    expect(statuses(recorded)).toEqual(["aborted deadline_exceeded"]);
    expect(recorded[0]!.usage.estimated).toBe(true);
    expect(sent).toHaveLength(1);
  });

  it("a key that was revoked stops the decision before each attempt", async () => {
    const { serve, sent, d, revoke } = setUp(["reset", whole()]);
    const serving = serve();
    await d.clock.advance(0);
    revoke(refuse("revoked_key"));
    await d.clock.advance(4000);
    expect(await serving).toBe("next-rung");
    expect(sent).toHaveLength(1);
    expect(d.signal.reason).toMatchObject({ code: "revoked_key" });
  });

  it("what an operator closes meanwhile is not tried again", async () => {
    const { serve, sent, d, exclude, recorded } = setUp(["reset", whole()]);
    const serving = serve();
    await d.clock.advance(0);
    exclude();
    await d.clock.advance(4000);
    expect(await serving).toBe("next-rung");
    expect(sent).toHaveLength(1);
    expect(await serve()).toBe("next-rung");
    expect(statuses(recorded)).toEqual(["failed reset", "failed override_excluded"]);
  });

  it("what the budget can't bear is not sent, nor tried again", async () => {
    const { serve, sent, recorded } = setUp([whole()], { budget: 100 });
    expect(await serve()).toBe("next-rung");
    expect([sent, statuses(recorded)]).toEqual([[], ["unaffordable budget"]]);
  });

  it("holds each attempt's worst case and gives back what was not used", async () => {
    const { serve, money, d } = setUp([
      () => (expect(money.held).toBeGreaterThan(0), "connect_failed"),
      () => (expect(money.held).toBeGreaterThan(0), whole()),
    ]);
    const serving = serve();
    await d.clock.advance(4000);
    await serving;
    expect(money.held).toBe(0);
    expect(money.totals("retail").spent).toBe(d.costNanoUsd);
  });
});

describe("serveVendor: streams", () => {
  const open = async (house: ReturnType<typeof setUp>) => {
    const serving = house.serve();
    await house.d.clock.advance(4000);
    const served = await serving;
    if (served === "next-rung" || served.type !== "stream") throw new Error("no stream");
    return served.frames[Symbol.asyncIterator]();
  };
  const rest = async (reader: AsyncIterator<Frame>) => {
    const frames: Frame[] = [];
    for (let next = await reader.next(); !next.done; next = await reader.next()) frames.push(next.value);
    return frames;
  };

  it("passes the vendor's bytes, but withholds the usage that only Weir asked for", async () => {
    const house = setUp([chunked(...streamed)], { stream: true });
    const frames = await rest(await open(house));
    expect(frames.map((frame) => (frame.raw ? Buffer.from(frame.raw).toString() : ""))).toEqual(
      streamed.map((each) => (each === usageRecord ? "" : each)),
    );
    expect(house.recorded).toMatchObject([{ status: "ok", usage: { input: 10, output: 3, estimated: false } }]);
    expect([house.d.model, house.d.clock.pendingTimers, house.money.held]).toEqual(["large", 0, 0]);
  });

  it("any chunking of the bytes gives the same bytes and events", async () => {
    const bytes = Buffer.from(streamed.join(""));
    const inOne = await rest(await open(setUp([chunked(bytes)], { stream: true })));
    const inBytes = await rest(
      await open(setUp([chunked(...Array.from(bytes, (byte) => Uint8Array.of(byte)))], { stream: true })),
    );
    const plain = (frames: Frame[]) => [
      frames.map(({ raw }) => (raw ? Buffer.from(raw).toString() : "")).join(""),
      frames.flatMap(({ events }) => events),
    ];
    expect(plain(inBytes)).toEqual(plain(inOne));
  });

  it.each([
    ["an ordinary stream", streamed],
    ["a stream that says nothing", [done]],
    ["a stream that arrives at once", [streamed.join("")]],
  ])("%s: the attempt is booked before its last frame leaves", async (_what, chunks) => {
    const house = setUp([chunked(...chunks)], { stream: true });
    const reader = await open(house);
    for (;;) {
      const next = await reader.next();
      if (next.done) expect.unreachable("the stream had no end");
      if (!next.value.events.some((event) => event.type === "end")) continue;
      expect(statuses(house.recorded)).toEqual(["ok"]);
      return;
    }
  });

  const early: [string, Script, string][] = [
    ["ends before any content", chunked(": keep-alive\n\n"), "failed truncated"],
    [
      "says an error before any content",
      chunked(record({ error: { message: "overloaded", code: "overloaded" } })),
      "failed vendor_error",
    ],
    ["is reset before any content", chunked(": hi\n\n", new UpstreamFault("reset")), "failed reset"],
    ["is silent before any content", chunked(new UpstreamFault("idle_timeout")), "timeout idle_timeout"],
    ["is no stream", { headers: json, chunks: ["{}"] }, "failed not_a_stream"],
    ["has no content type", { headers: {}, chunks: streamed }, "failed not_a_stream"],
    ["has a status of failure", { status: 500, headers: sse }, "failed http_500"],
  ];
  it.each(early)("one that %s is tried again, unseen by the client", async (_what, script, status) => {
    const house = setUp([script, chunked(...streamed)], { stream: true });
    const frames = await rest(await open(house));
    expect(statuses(house.recorded)).toEqual([status, "ok"]);
    expect(frames.filter((frame) => frame.events.some((event) => event.type === "end"))).toHaveLength(1);
    expect(house.money.held).toBe(0);
  });

  const late: [string, (string | UpstreamFault)[], string][] = [
    ["ends without its terminator", [delta("No")], "failed truncated"],
    ["ends in the middle of a record", [delta("No"), 'data: {"id'], "failed vendor_error"],
    ["says an error", [delta("No"), record({ error: { message: "overloaded" } })], "failed vendor_error"],
    ["is reset", [delta("No"), new UpstreamFault("reset")], "failed reset"],
    ["falls silent", [delta("No"), new UpstreamFault("idle_timeout")], "timeout idle_timeout"],
  ];
  it.each(late)(
    "one that %s after content is broken: an error, no end, no other try",
    async (_what, chunks, status) => {
      const house = setUp([chunked(...chunks), whole()], { stream: true });
      const frames = await rest(await open(house));
      expect(frames.at(-1)!.events).toMatchObject([{ type: "error", code: "stream_broken" }]);
      expect(frames.flatMap((frame) => frame.events).some((event) => event.type === "end")).toBe(false);
      expect(statuses(house.recorded)).toEqual([status]);
      expect(house.recorded[0]!.usage).toMatchObject({ output: 1, estimated: true });
      expect([house.money.held, house.d.clock.pendingTimers, house.sent.length]).toEqual([0, 0, 1]);
    },
  );

  it("a reader who leaves is booked as aborted, and the vendor's stream is closed", async () => {
    const house = setUp([chunked(...streamed)], { stream: true });
    const reader = await open(house);
    await reader.next();
    await reader.return!();
    expect(house.recorded.map((meta) => meta.status)).toEqual(["aborted"]);
    expect(house.givenUp()).toBeGreaterThan(0);
    expect([house.money.held, house.d.clock.pendingTimers]).toEqual([0, 0]);
  });

  it("a key revoked in mid-stream ends it within a second, with that reason", async () => {
    const gate = Promise.withResolvers<void>();
    const house = setUp([chunked(delta("No"))], { stream: true });
    const { send } = { send: house.d.signal };
    send.addEventListener("abort", () => gate.resolve());
    const reader = await open(house);
    await reader.next();
    house.revoke(refuse("revoked_key"));
    await house.d.clock.advance(1000);
    await gate.promise;
    expect(house.d.signal.reason).toMatchObject({ code: "revoked_key" });
    await reader.return!();
    expect(statuses(house.recorded)).toEqual(["aborted revoked_key"]);
  });

  it("an aborted call in mid-stream tells the client why", async () => {
    const house = setUp([chunked(delta("No"), new UpstreamFault("aborted"))], { stream: true });
    const reader = await open(house);
    await reader.next();
    house.d.abort(refuse("deadline_exceeded"));
    expect((await reader.next()).value).toMatchObject({ events: [{ type: "error", code: "deadline_exceeded" }] });
    expect(statuses(house.recorded)).toEqual(["aborted deadline_exceeded"]);
  });

  it.each([
    ["before content", []],
    ["after content", [delta("No")]],
  ])("a record beyond all bounds %s closes the vendor's stream", async (_when, before) => {
    const flood = Array.from({ length: 9 }, () => new Uint8Array(1024 * 1024).fill(120));
    const house = setUp([chunked(...before, ...flood, done)], { stream: true, useCase: { retries: 0 } });
    const served = await house.serve();
    if (served !== "next-rung" && served.type === "stream") for await (const _frame of served.frames);
    expect(statuses(house.recorded)).toEqual(["failed body_too_large"]);
    expect(house.givenUp()).toBeGreaterThan(0);
  });
});

describe("serveVendor: the target's capacity", () => {
  const target = "acme/acme-large-1";
  const ask = (deadlineAt: number) =>
    ({ tenant: "other", class: "standard", inTokens: 1, expectedOutTokens: 1, deadlineAt }) as const;

  it.each<[string, Answering, boolean]>([
    ["an answer", whole(), false],
    ["a refusal", { status: 500 }, false],
    ["a broken connection", "reset", false],
    ["an unreadable answer", { chunks: ["no json"] }, false],
    ["a stream read to its end", chunked(...streamed), true],
    ["a stream that breaks", chunked(streamed[0]!), true],
  ])("%s gives its place back", async (_what, script, stream) => {
    const house = setUp([script, script], { stream });
    const serving = house.serve().catch(() => "next-rung" as const);
    // Past the pause before a retry.
    await house.d.clock.advance(10_000);
    const served = await serving;
    if (served !== "next-rung" && served.type === "stream") for await (const _frame of served.frames);
    expect(house.capacity.states()).toMatchObject([{ target, running: 0 }]);
  });

  it("a call that no budget can bear gives its place back", async () => {
    const house = setUp([], { budget: 1 });
    expect(await house.serve()).toBe("next-rung");
    expect(house.capacity.states()).toMatchObject([{ running: 0 }]);
  });

  it("waits for a place, and goes when there is one", async () => {
    const { d, capacity, serve, sent } = setUp([whole()]);
    const places = [capacity.enter(target, ask(d.deadlineAt)), capacity.enter(target, ask(d.deadlineAt))];
    const serving = serve();
    await d.clock.advance(100);
    expect(sent).toHaveLength(0);
    for (const place of places) if ("leave" in place) place.leave({ outcome: "ok" });
    expect(await serving).toMatchObject({ type: "chat" });
  });

  it("is turned away unbilled where no place will be free in time, with the wait", async () => {
    const { d, capacity, serve, sent, recorded, money } = setUp([]);
    for (let i = 0; i < 2; i++) capacity.enter(target, ask(d.deadlineAt));
    const serving = serve();
    await d.clock.advance(d.deadlineAt - d.clock.monotonic() + 1);
    // The place comes when it is too late for an answer.
    capacity.enter(target, ask(Infinity));
    d.abort(refuse("deadline_exceeded"));
    expect(await serving).toBe("next-rung");
    expect([sent.length, money.held, statuses(recorded)]).toEqual([0, 0, ["aborted shed_gone"]]);
  });

  it("hears what the vendor says is left of its limits", async () => {
    const { d, capacity, serve } = setUp([
      {
        ...(whole() as object),
        headers: { ...json, "x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "30s" },
      },
    ]);
    await serve();
    // Nothing is left for thirty seconds: the next one waits although places are free.
    const next = capacity.enter(target, ask(d.clock.monotonic() + 60_000));
    expect(next).toBeInstanceOf(Promise);
    await d.clock.advance(30_000);
    expect("leave" in (await next)).toBe(true);
  });
});
