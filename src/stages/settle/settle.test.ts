import { describe, expect, it } from "vitest";
import { FakeJournal } from "../../../tests/fixtures/fake-journal.ts";
import {
  type DecisionParts,
  aChatResponse,
  aDecision,
  aDecisionId,
  aScoreAsk,
} from "../../../tests/fixtures/decision.ts";
import type { ChatEvent } from "../../kernel/chat.ts";
import { VirtualClock } from "../../kernel/clock.ts";
import type { SettledMeta } from "../../kernel/decision.ts";
import { type ErrorCode, WeirError, refuse } from "../../kernel/errors.ts";
import type { Answer, Frame } from "../../path/context.ts";
import { IdempotencyTable } from "../admit/index.ts";
import { ExactCache } from "../recall/index.ts";
import { createSettle } from "./settle.ts";

const said = (text = "yes") => ({ type: "chat" as const, response: aChatResponse(text) });
const idempotency = { key: "k", body: "b" };

function setUp(journal = new FakeJournal()) {
  const clock = new VirtualClock();
  const table = new IdempotencyTable(clock);
  const cache = new ExactCache({ clock });
  const counted: SettledMeta[] = [];
  const reported: unknown[] = [];
  const unrecorded: string[] = [];
  let begun = 0;
  const settle = createSettle({
    journal,
    idempotency: table,
    cache,
    scrub: (text) => text.replaceAll("CVC", "[cvc]"),
    digest: (data) => `hmac(${Buffer.from(data).toString("utf8").length})`,
    begun: () => void (begun += 1),
    settled: (_d, meta) => counted.push(meta),
    replayed: () => undefined,
    unrecorded: (refusal) => void unrecorded.push(refusal.code),
    report: (_d, fault) => reported.push(fault),
  });
  /** A decision that has begun; with an idempotency key also claimed. */
  const decision = (parts: DecisionParts = {}) => {
    const d = aDecision({ clock, ...parts });
    if (d.idempotency) table.claim(d.idempotency.key, d.idempotency.body, d.id);
    void settle.begin(d);
    return d;
  };
  return { clock, journal, settle, table, cache, counted, reported, unrecorded, decision, begunCount: () => begun };
}
const isPending = (value: unknown): value is Promise<Answer> => value instanceof Promise;
/** Whether it has happened by the end of this turn of the event loop. */
async function byNow<T>(promise: Promise<T>): Promise<T | "pending"> {
  return Promise.race([promise, new Promise<"pending">((resolve) => setImmediate(() => resolve("pending")))]);
}

describe("settle: durability", () => {
  const sealed: DecisionParts = { useCase: { durability: "sealed" } };
  const rows: [string, DecisionParts, boolean][] = [
    ["sealed", sealed, true],
    ["queued", {}, false],
    ["queued with an idempotency key", { with: { idempotency } }, true],
  ];
  it.each(rows)("%s: `begun` and the answer wait for the disk: %#", async (_tier, parts, waits) => {
    const { settle, journal, clock, table } = setUp(new FakeJournal({ held: true }));
    const d = aDecision({ clock, ...parts });
    if (d.idempotency) table.claim("k", "b", d.id);
    const begun = settle.begin(d);
    expect(begun instanceof Promise).toBe(waits);
    const answer = settle.answered(d, said());
    expect(isPending(answer)).toBe(waits);
    if (!isPending(answer)) return;
    expect(await byNow(answer)).toBe("pending");
    journal.sync();
    expect((await answer).outcome).toEqual(said());
  });

  it.each(rows)("%s: refusals wait as answers do", (_tier, parts, waits) => {
    const { settle, decision } = setUp(new FakeJournal({ held: true }));
    expect(isPending(settle.refused(decision(parts), refuse("input_blocked")))).toBe(waits);
  });

  it.each([
    ["full", sealed, "record_unavailable"],
    ["full", {}, "record_unavailable"],
    ["not writable", sealed, "record_unavailable"],
    ["not writable", { with: { idempotency } }, "record_unavailable"],
    ["not writable", {}, undefined],
  ] as [string, DecisionParts, string | undefined][])(
    "a journal that is %s: %j → %s, and nothing was begun",
    (state, parts, code) => {
      const { settle, journal, clock, begunCount } = setUp();
      if (state === "full") journal.full = true;
      else journal.writable = false;
      const begun = settle.begin(aDecision({ clock, ...parts }));
      expect((begun as { code?: ErrorCode } | undefined)?.code).toBe(code);
      expect(journal.of("begun")).toHaveLength(code ? 0 : 1);
      expect(begunCount()).toBe(code ? 0 : 1);
      if (code) expect(begun).toMatchObject({ retryAfterMs: 2000 });
    },
  );
});

describe("settle: what can't be written down", () => {
  it.each([
    [false, ["record_unavailable"]],
    [true, []],
  ])("begun %s: counted as a refusal %j", async (begun, counted) => {
    const { settle, journal, clock, unrecorded, decision } = setUp();
    const d = begun ? decision() : aDecision({ clock });
    journal.break();
    await settle.fault(
      d,
      await Promise.resolve()
        .then(() => settle.refused(d, refuse("rate_limited")))
        .catch((fault: unknown) => fault),
    );
    expect(unrecorded).toEqual(counted);
  });
});

describe("settle: once, with everything given back", () => {
  it("answered: entry, counter, release, and the answer's own facts", async () => {
    const { settle, decision, journal, counted } = setUp();
    const d = decision({ with: { model: "large", limits: { policy: "key", limit: 1, remaining: 0, resetMs: 1 } } });
    d.dropped.add("logit_bias");
    const answer = await settle.answered(d, said());
    expect(answer).toMatchObject({
      decision: d.id,
      outcome: said(),
      settled: { use_case: "assistant", state: "answered", model: "large", attempts: 0, dropped: ["logit_bias"] },
      limits: { policy: "key" },
    });
    expect(journal.entries.map((entry) => entry.kind)).toEqual(["begun", "settled"]);
    expect(counted).toHaveLength(1);
    expect(d.released()).toBe(1);
  });

  const states: [ErrorCode, string][] = [
    ["rate_limited", "refused"],
    ["input_blocked", "refused"],
    ["invalid_input", "refused"],
    ["nothing_eligible", "refused"],
    ["ladder_exhausted", "failed"],
    ["deadline_exceeded", "failed"],
    ["guard_failed", "failed"],
    ["client_gone", "failed"],
  ];
  it.each(states)("refused with %s: state %s", async (code, state) => {
    const { settle, decision, journal } = setUp();
    await settle.refused(decision(), refuse(code));
    expect(journal.of("settled")[0]!.meta).toMatchObject({ code, state });
  });

  it("a foreign abort reason is a client that went", async () => {
    const { settle, decision } = setUp();
    const answer = await settle.refused(decision(), new Error("socket") as never);
    expect(answer.outcome).toMatchObject({ refusal: { code: "client_gone" } });
  });

  it("referred is a state of its own", async () => {
    const { settle, decision, journal } = setUp();
    const d = decision({ with: { referTo: "underwriting", result: "refer" } });
    await settle.answered(d, said());
    expect(journal.of("settled")[0]!.meta).toMatchObject({
      state: "referred",
      automation: "assisted",
      refer_to: "underwriting",
    });
  });

  it("a second settle is a fault and writes nothing", async () => {
    const { settle, decision, journal } = setUp();
    const d = decision();
    await settle.answered(d, said());
    expect(() => settle.answered(d, said())).toThrow(WeirError);
    expect(() => settle.refused(d, refuse("internal"))).toThrow(/twice/);
    expect(journal.of("settled")).toHaveLength(1);
    expect(d.released()).toBe(1);
  });

  it.each([
    ["an error", new TypeError("x"), "internal"],
    ["a fault of Weir's with a code", new WeirError("guard_failed", "x"), "guard_failed"],
    [
      "the ledger's refusal to write",
      Object.assign(new Error("x"), { code: "record_unavailable" }),
      "record_unavailable",
    ],
    ["the system's code is nobody's business", Object.assign(new Error("x"), { code: "ENOSPC" }), "internal"],
    ["a thrown string", "x", "internal"],
  ])("fault: %s settles as failed %#", async (_what, fault, code) => {
    const { settle, decision, journal, reported } = setUp();
    const answer = await settle.fault(decision(), fault);
    expect(answer.outcome).toMatchObject({ refusal: { code } });
    expect(JSON.stringify(answer.outcome)).not.toContain('"x"');
    expect(journal.of("settled")[0]!.meta).toMatchObject({ state: "failed", code });
    // A disk that refuses is a state of the house, told by health and metrics, and no fault of this decision.
    expect(reported).toEqual(code === "record_unavailable" ? [] : [fault]);
  });

  it("fault after settle writes no second entry", async () => {
    const { settle, decision, journal } = setUp();
    const d = decision();
    await settle.answered(d, said());
    expect((await settle.fault(d, new Error("late"))).outcome).toMatchObject({ refusal: { code: "internal" } });
    expect(journal.of("settled")).toHaveLength(1);
  });

  it("a journal that fails at the end: record_unavailable, everything is given back, nothing is counted", async () => {
    const { settle, decision, journal, counted } = setUp();
    const d = decision();
    journal.break();
    expect((await settle.fault(d, new Error("stage"))).outcome).toMatchObject({
      refusal: { code: "record_unavailable" },
    });
    expect(d.released()).toBe(1);
    expect(counted).toEqual([]);
  });

  it("a replay gives back what it held and leaves no entry", () => {
    const { settle, journal, clock } = setUp();
    const d = aDecision({ clock });
    const earlier = { decision: aDecisionId(1), outcome: said() };
    expect(settle.replayed(d, earlier)).toBe(earlier);
    expect([journal.entries, d.released()]).toEqual([[], 1]);
  });

  it("what was refused before `begun` says so and is not counted as begun", async () => {
    const { settle, journal, clock, begunCount } = setUp();
    await settle.refused(aDecision({ clock }), refuse("rate_limited"));
    expect(journal.entries.map((entry) => entry.kind)).toEqual(["settled"]);
    expect(journal.entries[0]!.meta["refused_before_begin"]).toBe(true);
    expect(begunCount()).toBe(0);
  });
});

describe("settle: content", () => {
  it("lies under the subject's key where one is known, else under the tenant's", async () => {
    const { settle, decision, journal } = setUp();
    await settle.answered(decision({ with: { subject: "pseudo" } }), said("CVC 1"));
    await settle.answered(decision(), said());
    expect(journal.of("settled").map((entry) => entry.content?.key)).toEqual([
      { tenant: "retail", subject: "pseudo" },
      { tenant: "retail" },
    ]);
    expect(JSON.stringify(journal.of("settled")[0]!.content)).not.toContain("CVC");
  });

  it("record digest: HMACs of request and answer, no content", async () => {
    const { settle, decision, journal } = setUp();
    const useCase = { record: "digest" as const };
    await settle.answered(decision({ useCase }), said());
    await settle.refused(decision({ useCase }), refuse("input_blocked"));
    const [answered, refused] = journal.of("settled");
    expect(answered!.content).toBeUndefined();
    expect(answered!.meta["digests"]).toEqual({
      request: expect.stringMatching(/^hmac/) as string,
      answer: expect.stringMatching(/^hmac/) as string,
    });
    expect(refused!.meta["digests"]).toEqual({ request: expect.stringMatching(/^hmac/) as string });
  });

  it("protected features go before `settled` into an entry of their own, under a key of their own", async () => {
    const { settle, decision, journal } = setUp();
    const parts = (subject?: string): DecisionParts => ({
      ask: aScoreAsk(),
      with: { protectedFeatures: { age: 40 }, ...(subject !== undefined && { subject }) },
    });
    await settle.answered(decision(parts("pseudo")), { type: "score", answer: { result: "approve", reasons: [] } });
    await settle.answered(decision(parts()), { type: "score", answer: { result: "approve", reasons: [] } });
    expect(journal.entries.map((entry) => entry.kind)).toEqual([
      "begun",
      "amended",
      "settled",
      "begun",
      "amended",
      "settled",
    ]);
    expect(journal.of("amended").map((entry) => entry.content?.key)).toEqual([
      { tenant: "retail", subject: "pseudo:protected" },
      { tenant: "retail", subject: "protected" },
    ]);
    for (const entry of journal.of("settled")) expect(JSON.stringify(entry)).not.toContain('"age"');
  });
});

describe("settle: what follows from the entry", () => {
  const cached = { cache: { exactTtlMs: 1000, tags: [] } };
  it.each([
    [
      "an answer lands",
      (s: ReturnType<typeof setUp>["settle"], d: ReturnType<typeof aDecision>) => s.answered(d, said()),
      "hit",
    ],
    [
      "a refusal does not",
      (s: ReturnType<typeof setUp>["settle"], d: ReturnType<typeof aDecision>) =>
        s.refused(d, refuse("ladder_exhausted")),
      "miss",
    ],
    [
      "a fault does not",
      (s: ReturnType<typeof setUp>["settle"], d: ReturnType<typeof aDecision>) => s.fault(d, new Error("x")),
      "miss",
    ],
  ])("cache: %s", async (_what, end, status) => {
    const { settle, decision, cache } = setUp();
    const leader = decision({ useCase: cached });
    void cache.find(leader);
    await end(settle, leader);
    expect(cache.leading).toBe(0);
    const next = decision({ useCase: cached });
    await cache.find(next);
    expect(next.cache.status).toBe(status);
  });

  it("cache: a referral is nobody else's answer", async () => {
    const { settle, decision, cache } = setUp();
    const leader = decision({ useCase: cached, with: { referTo: "people" } });
    void cache.find(leader);
    await settle.answered(leader, said());
    expect(cache.find(decision({ useCase: cached }))).toBeUndefined();
  });

  it.each([
    ["a template stood in", { model: "template" }],
    ["an earlier rung had failed", { attempts: [{ status: "failed" }] as never }],
  ])("cache: not what was said because %s", async (_why, over) => {
    const { settle, decision, cache } = setUp();
    const leader = decision({ useCase: cached, with: over });
    void cache.find(leader);
    await settle.answered(leader, said());
    expect(cache.leading).toBe(0);
    expect(cache.find(decision({ useCase: cached }))).toBeUndefined();
  });

  it("cache: followers are let go when the journal fails", async () => {
    const { settle, decision, cache, journal } = setUp();
    const leader = decision({ useCase: cached });
    void cache.find(leader);
    journal.break();
    await settle.fault(leader, new Error("x"));
    expect(cache.leading).toBe(0);
  });

  const keyed: DecisionParts = { with: { idempotency } };
  const claim = (table: IdempotencyTable) => table.claim("k", "b", aDecisionId(9));
  it.each([
    [
      "answered",
      (s: ReturnType<typeof setUp>["settle"], d: ReturnType<typeof aDecision>) => s.answered(d, said()),
      "done",
    ],
    [
      "refused",
      (s: ReturnType<typeof setUp>["settle"], d: ReturnType<typeof aDecision>) =>
        s.refused(d, refuse("ladder_exhausted")),
      "done",
    ],
    [
      "client gone",
      (s: ReturnType<typeof setUp>["settle"], d: ReturnType<typeof aDecision>) => s.refused(d, refuse("client_gone")),
      "interrupted",
    ],
    [
      "fault",
      (s: ReturnType<typeof setUp>["settle"], d: ReturnType<typeof aDecision>) => s.fault(d, new Error("x")),
      "done",
    ],
  ])("idempotency: %s leaves the key %#", async (_what, end, state) => {
    const { settle, decision, table, journal } = setUp();
    const d = decision(keyed);
    await end(settle, d);
    const again = claim(table);
    if (state === "done") expect(again).toEqual({ decision: d.id, seq: journal.of("settled")[0]!.seq });
    else expect(again).toMatchObject({ code: "idempotency_interrupted" });
  });

  it("idempotency: a refusal before any side effect frees the key", async () => {
    const { settle, table, clock } = setUp();
    const d = aDecision({ clock, ...keyed });
    table.claim("k", "b", d.id);
    await settle.refused(d, refuse("rate_limited"));
    expect(claim(table)).toBeUndefined();
  });

  it("idempotency: also when the record is unavailable, for the client is told to try again", async () => {
    const { settle, table, clock, journal } = setUp();
    const d = aDecision({ clock, ...keyed });
    table.claim("k", "b", d.id);
    journal.break();
    const unavailable = refuse("record_unavailable");
    await settle.fault(
      d,
      await Promise.resolve()
        .then(() => settle.refused(d, unavailable))
        .catch((fault: unknown) => fault),
    );
    expect(claim(table)).toBeUndefined();
  });
});

const start: ChatEvent = { type: "start", model: "m" };
const text = (words: string): ChatEvent => ({ type: "text", text: words });
const finish: ChatEvent = { type: "finish", finish: "stop" };
const end: ChatEvent = { type: "end" };
const frame = (...events: ChatEvent[]): Frame => ({ raw: Buffer.from("abc"), events });

describe("settle: streams", () => {
  function stream(frames: () => AsyncGenerator<Frame>, parts: DecisionParts = {}, journal = new FakeJournal()) {
    const house = setUp(journal);
    const d = house.decision(parts);
    const answer = house.settle.answered(d, { type: "stream", frames: frames(), passThrough: true }) as Answer;
    const outcome = answer.outcome as Extract<Answer["outcome"], { type: "stream" }>;
    return { ...house, d, answer, reader: outcome.frames[Symbol.asyncIterator]() };
  }
  const whole = async function* () {
    yield frame(start, text("a"));
    yield frame(text("b"), finish);
    yield frame(end);
  };
  async function readAll(reader: AsyncIterator<Frame>): Promise<Frame[]> {
    const got: Frame[] = [];
    for (let next = await reader.next(); !next.done; next = await reader.next()) got.push(next.value);
    return got;
  }

  it("settles before the terminal frame leaves, not earlier", async () => {
    const { reader, journal, d } = stream(whole);
    await reader.next();
    await reader.next();
    expect(journal.of("settled")).toHaveLength(0);
    expect(await reader.next()).toMatchObject({ done: false, value: { events: [end] } });
    expect(journal.of("settled")).toHaveLength(1);
    expect(journal.of("settled")[0]!.content).toMatchObject({ value: { answer: [{ type: "text", text: "ab" }] } });
    expect((await reader.next()).done).toBe(true);
    expect(journal.of("settled")).toHaveLength(1);
    expect(d.released()).toBe(1);
    expect(journal.of("settled")[0]!.meta).toMatchObject({
      state: "answered",
      delivered: { frames: 2, bytes: 6, complete: true },
    });
  });

  it("passes frames on unchanged and in order", async () => {
    const frames = await readAll(stream(whole).reader);
    expect(frames).toEqual([frame(start, text("a")), frame(text("b"), finish), frame(end)]);
  });

  it("sealed: the terminal frame waits for the disk", async () => {
    const { reader, journal } = stream(whole, { useCase: { durability: "sealed" } }, new FakeJournal({ held: true }));
    await reader.next();
    await reader.next();
    const last = reader.next();
    expect(await byNow(last)).toBe("pending");
    journal.sync();
    expect(await last).toMatchObject({ value: { events: [end] } });
  });

  it("sealed: a disk that fails takes the terminal frame with it, and the client hears why", async () => {
    const { reader, journal } = stream(whole, { useCase: { durability: "sealed" } }, new FakeJournal({ held: true }));
    await reader.next();
    await reader.next();
    const last = reader.next();
    await byNow(last);
    journal.break();
    expect((await last).value).toMatchObject({ events: [{ type: "error", code: "record_unavailable" }] });
    expect((await reader.next()).done).toBe(true);
  });

  it("a journal that is closed: no terminal frame, everything is given back", async () => {
    const { reader, journal, d } = stream(whole);
    await reader.next();
    journal.break();
    const rest = await readAll(reader).catch(() => [] as Frame[]);
    expect(rest.flatMap((each) => each.events)).not.toContainEqual(end);
    expect(d.released()).toBe(1);
  });

  it("a reader who leaves early settles what was delivered, and the vendor's stream is closed first", async () => {
    const order: string[] = [];
    const journal = new FakeJournal();
    const { append } = journal;
    journal.append = (draft) => (order.push(draft.kind), append.call(journal, draft));
    const { reader, d } = stream(
      async function* () {
        try {
          yield* whole();
        } finally {
          order.push("closed");
        }
      },
      {},
      journal,
    );
    await reader.next();
    await reader.return!();
    expect(order).toEqual(["begun", "closed", "settled"]);
    expect(journal.of("settled")[0]!.meta).toMatchObject({
      state: "failed",
      code: "client_gone",
      delivered: { frames: 1, bytes: 3, complete: false },
    });
    expect(d.released()).toBe(1);
  });

  it("a reader who leaves because the decision was aborted settles with that reason", async () => {
    const { reader, d, journal } = stream(whole);
    await reader.next();
    d.abort(refuse("revoked_key"));
    await reader.return!();
    expect(journal.of("settled")[0]!.meta).toMatchObject({ code: "revoked_key" });
  });

  it("a reader who never begins leaves nothing open", async () => {
    const { reader, d, journal } = stream(whole);
    await reader.return!();
    expect(journal.of("settled")).toHaveLength(1);
    expect(d.released()).toBe(1);
  });

  it.each([
    ["a known code", "deadline_exceeded", "deadline_exceeded"],
    ["an unknown one", "slow_down", "stream_broken"],
    ["a guard's", "output_blocked", "output_blocked"],
    ["none", undefined, "stream_broken"],
    ["a name that every object has", "toString", "stream_broken"],
  ])("an error event with %s settles before it leaves", async (_what, code, settledAs) => {
    const { reader, journal } = stream(async function* () {
      yield frame(start, text("a"));
      yield frame({ type: "error", message: "broke", ...(code !== undefined && { code }) });
    });
    await reader.next();
    expect(await reader.next()).toMatchObject({ value: { events: [{ type: "error" }] } });
    expect(journal.of("settled").map((entry) => entry.meta)).toMatchObject([
      {
        state: settledAs === "output_blocked" ? "refused" : "failed",
        code: settledAs,
        delivered: { frames: 1, complete: false },
      },
    ]);
    expect((await reader.next()).done).toBe(true);
  });

  it("a fault in the stream: settled once, reported, the client gets an error and no end", async () => {
    const fault = new Error("decoder broke on CVC");
    const { reader, journal, reported, d } = stream(async function* () {
      yield frame(start, text("a"));
      throw fault;
    });
    const got = await readAll(reader);
    expect(got.at(-1)).toEqual({ events: [{ type: "error", message: "Weir has a fault.", code: "internal" }] });
    expect(journal.of("settled").map((entry) => entry.meta)).toMatchObject([{ state: "failed", code: "internal" }]);
    expect(reported).toEqual([fault]);
    expect(d.released()).toBe(1);
  });

  it("a stream that just stops is a failure, not an answer", async () => {
    const { reader, journal } = stream(async function* () {
      yield frame(start, text("a"));
    });
    await readAll(reader);
    expect(journal.of("settled")[0]!.meta).toMatchObject({ state: "failed", delivered: { complete: false } });
  });

  it("a whole stream is remembered, a broken one is not", async () => {
    const broken = async function* () {
      yield frame(start, text("a"));
      yield frame({ type: "error", message: "x" });
    };
    for (const [frames, found] of [
      [whole, true],
      [broken, false],
    ] as const) {
      const { settle, decision, cache } = setUp();
      const parts: DecisionParts = { useCase: { cache: { exactTtlMs: 1000, tags: [] } } };
      const leader = decision(parts);
      void cache.find(leader);
      const { outcome } = settle.answered(leader, { type: "stream", frames: frames(), passThrough: false }) as Answer;
      await readAll((outcome as Extract<typeof outcome, { type: "stream" }>).frames[Symbol.asyncIterator]());
      expect(cache.find(decision(parts)) !== undefined).toBe(found);
    }
  });

  it("a broken stream is never replayed as if it had been whole", async () => {
    const { reader, table, journal } = stream(
      async function* () {
        yield frame(start, text("a ha"));
        yield frame({ type: "error", message: "x" });
      },
      { with: { idempotency } },
    );
    await readAll(reader);
    const again = table.claim("k", "b", aDecisionId(9));
    const kept = (journal.of("settled")[0]!.content?.value as { kept_answer?: { type?: string } } | undefined)
      ?.kept_answer;
    // Either the key says that the decision was interrupted, or what is kept for it is the refusal.
    const replays = again && "seq" in again ? kept?.type : "interrupted";
    expect(replays).not.toBe("chat");
  });
});
