import { describe, expect, it } from "vitest";
import { FakeJournal } from "../../tests/fixtures/fake-journal.ts";
import {
  aCall,
  aChatAsk,
  aChatResponse,
  aPrincipal,
  aScoreAsk,
  aSnapshot,
  aTenant,
  aUseCase,
  referRung,
  templateRung,
} from "../../tests/fixtures/decision.ts";
import { VirtualClock } from "../kernel/clock.ts";
import type { AttemptMeta } from "../kernel/decision.ts";
import { type ErrorCode, type Refusal, WeirError, refuse } from "../kernel/errors.ts";
import { zeroUsd } from "../kernel/money.ts";
import type { UseCase } from "../kernel/snapshot.ts";
import { noUsage } from "../kernel/usage.ts";
import { IdempotencyTable } from "../stages/admit/index.ts";
import { ExactCache } from "../stages/recall/index.ts";
import { createSettle } from "../stages/settle/index.ts";
import type { Answer, Call, Decision, Served } from "./context.ts";
import { decide } from "./decide.ts";
import type { Path } from "./path.ts";

const ladder = [templateRung, referRung, { ...templateRung, text: "Third." }];
const served: Served = { type: "chat", response: aChatResponse() };

/** Real settle on a journal in memory, every other stage a fake that lets pass and notes that it ran. */
function setUp(over: Partial<Path> = {}, useCase: Partial<UseCase> = {}, journal = new FakeJournal()) {
  const clock = new VirtualClock();
  const ran: string[] = [];
  const counted: Refusal[] = [];
  const faults: unknown[] = [];
  let released = 0;
  const passes =
    <Result>(name: string, result: Result) =>
    () => {
      ran.push(name);
      return result;
    };
  const settle = createSettle({
    journal,
    idempotency: new IdempotencyTable(clock),
    cache: new ExactCache({ clock }),
    scrub: (text) => text,
    digest: () => "digest",
    begun: () => ran.push("begin"),
    settled: () => ran.push("settle"),
    replayed: () => ran.push("replayed"),
    unrecorded: () => undefined,
    report: (_d, fault) => faults.push(fault),
  });
  const path: Path = {
    clock,
    snapshot: () =>
      aSnapshot({ useCases: [aUseCase({ ladder, ...useCase })], tenants: [aTenant(), aTenant({ name: "other" })] }),
    countRefusal: (refusal) => counted.push(refusal),
    identify: passes("identify", aPrincipal()),
    admit: passes("admit", undefined),
    reserve: passes("reserve", undefined),
    screen: passes("screen", undefined),
    route: (d) => {
      ran.push("route");
      d.rungs = d.useCase.ladder.flatMap((rung, index) => (rung.type === "pool" ? [] : [{ rung, index }]));
      return undefined;
    },
    recall: passes("recall", undefined),
    ground: passes("ground", undefined),
    serve: passes("serve", Promise.resolve(served)),
    check: (_d, _rung, passed) => {
      ran.push("check");
      return passed;
    },
    judge: (_d, _rung, passed) => {
      ran.push("judge");
      return passed as Extract<Served, { type: "chat" }>;
    },
    settle,
    ...over,
  };
  const call = (more: Partial<Call> = {}) => aCall(clock, aChatAsk(), more);
  /** What admit would have held is given back by the first `release` in the chain. */
  const counting = path.admit;
  path.admit = (d) => {
    const before = d.release;
    d.release = () => {
      before();
      released += 1;
    };
    return counting(d);
  };
  return { clock, path, journal, ran, counted, faults, call, released: () => released };
}

const refusalOf = (answer: Answer): Refusal | undefined =>
  answer.outcome.type === "refused" ? answer.outcome.refusal : undefined;

describe("decide: the way", () => {
  it("goes down the stages in their order and leaves one begun and one settled entry", async () => {
    const { path, ran, journal, call, released, clock } = setUp();
    const answer = await decide(path, call());
    expect(answer.outcome).toEqual(served);
    expect(ran).toEqual([
      "identify",
      "admit",
      "reserve",
      "begin",
      "screen",
      "route",
      "recall",
      "ground",
      "serve",
      "check",
      "judge",
      "settle",
    ]);
    expect(journal.entries.map((entry) => entry.kind)).toEqual(["begun", "settled"]);
    expect(released()).toBe(1);
    expect(clock.pendingTimers).toBe(0);
  });

  it("times each stage on the injected clock, promises until they settle", async () => {
    const { path, clock, call, journal } = setUp({
      serve: async (d) => {
        await d.clock.sleep(40);
        return served;
      },
    });
    const deciding = decide(path, call());
    await clock.advance(40);
    await deciding;
    expect(journal.of("settled")[0]!.meta["stages"]).toMatchObject({ identify: 0, admit: 0, serve: 40, judge: 0 });
    expect(journal.of("settled")[0]!.meta["duration_ms"]).toBe(40);
  });

  it("sealed: nothing after reserve runs before `begun` is durable", async () => {
    const journal = new FakeJournal({ held: true });
    const { path, ran, call, clock } = setUp({}, { durability: "sealed" }, journal);
    const deciding = decide(path, call());
    await clock.advance(1000);
    expect(ran).not.toContain("screen");
    journal.sync();
    await clock.advance(0);
    expect(ran).toContain("judge");
    journal.sync();
    expect((await deciding).outcome.type).toBe("chat");
  });

  it("answers from recall without grounding or serving", async () => {
    const remembered = aChatResponse("remembered");
    const { path, ran, journal, call } = setUp({ recall: () => Promise.resolve(remembered) });
    const answer = await decide(path, call());
    expect(answer.outcome).toEqual({ type: "chat", response: remembered });
    expect(ran).not.toContain("ground");
    expect(ran).not.toContain("serve");
    expect(journal.of("settled")).toHaveLength(1);
  });

  it("answers a replay as it was, without an entry of its own", async () => {
    const earlier: Answer = { decision: "dec_earlier" as Answer["decision"], outcome: served, replayed: true };
    const { path, ran, journal, call, released } = setUp({ admit: () => Promise.resolve(earlier) });
    expect(await decide(path, call())).toBe(earlier);
    expect(ran).toEqual(["identify", "replayed"]);
    expect(journal.entries).toEqual([]);
    expect(released()).toBe(1);
  });
});

describe("decide: before a decision begins", () => {
  const rows: [string, Partial<Path>, Partial<Call>, ErrorCode][] = [
    ["identify refuses", { identify: () => refuse("expired_key") }, {}, "expired_key"],
    ["the body can't be read", {}, { read: () => refuse("malformed_json") }, "malformed_json"],
    ["reading the body ends late in a refusal", {}, { read: async () => refuse("client_gone") }, "client_gone"],
    ["the use case is unknown", {}, { read: () => aChatAsk({ model: "nothing" }) }, "unknown_use_case"],
    ["the key's tenant is unknown", { identify: () => aPrincipal({ tenant: "gone" }) }, {}, "unknown_use_case"],
  ];
  it.each(rows)("%s: an id, counted, no entry, no timer left", async (_when, over, more, code) => {
    const { path, journal, counted, call, clock } = setUp(over);
    const answer = await decide(path, call(more));
    expect(refusalOf(answer)?.code).toBe(code);
    expect(answer.decision).toMatch(/^dec_/);
    expect(answer.settled).toBeUndefined();
    expect(counted.map((refusal) => refusal.code)).toEqual([code]);
    expect(journal.entries).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });

  it("an unknown use case and one of another tenant are told in the same words", async () => {
    const { path, call } = setUp({}, { tenants: ["other"] });
    const theirs = await decide(path, call());
    const none = await decide(path, call({ read: () => aChatAsk({ model: "nothing" }) }));
    const words = (answer: Answer) => JSON.stringify(refusalOf(answer)).replace(/assistant|nothing/, "X");
    expect(words(theirs)).toBe(words(none));
  });

  it("shows at most 64 printable characters of a wrong use case", async () => {
    const { path, call } = setUp();
    const answer = await decide(path, call({ read: () => aChatAsk({ model: `a\r\nb\u0007é${"x".repeat(500)}` }) }));
    const { message } = refusalOf(answer)!;
    expect(message).toMatch(/^[\x20-\x7e]+$/);
    expect(message.length).toBeLessThan(130);
  });

  it("the body of an unknown caller is never read", async () => {
    const { path, call } = setUp({ identify: () => refuse("invalid_key") });
    let read = false;
    await decide(path, call({ read: () => ((read = true), aChatAsk()) }));
    expect(read).toBe(false);
  });
});

type Way = "refuses" | "throws" | "aborts";
const stop = refuse("revoked_key");
const broken = () => {
  throw new Error("broken stage");
};
/** The stage, how it ends, the override that makes it so, the code of the one settled entry, and how many rungs ran. */
const endings: [string, Way, Partial<Path>, ErrorCode, number][] = [
  ["admit", "refuses", { admit: () => refuse("purpose_not_allowed") }, "purpose_not_allowed", 0],
  ["admit", "throws", { admit: broken }, "internal", 0],
  ["admit", "throws", { admit: () => Promise.reject(new WeirError("internal", "no ledger")) }, "internal", 0],
  ["admit", "aborts", { admit: (d) => void d.abort(stop) as undefined }, "revoked_key", 0],
  ["reserve", "refuses", { reserve: () => refuse("rate_limited") }, "rate_limited", 0],
  ["reserve", "throws", { reserve: broken }, "internal", 0],
  ["reserve", "aborts", { reserve: (d) => void d.abort(stop) as undefined }, "revoked_key", 0],
  ["screen", "refuses", { screen: () => refuse("input_blocked") }, "input_blocked", 0],
  ["screen", "throws", { screen: broken }, "internal", 0],
  ["screen", "aborts", { screen: (d) => void d.abort(stop) as undefined }, "revoked_key", 0],
  ["route", "refuses", { route: () => refuse("nothing_eligible") }, "nothing_eligible", 0],
  ["route", "throws", { route: broken }, "internal", 0],
  ["recall", "throws", { recall: broken }, "internal", 0],
  ["recall", "throws", { recall: () => Promise.reject(new Error("late")) }, "internal", 0],
  ["recall", "aborts", { recall: (d) => (d.abort(stop), Promise.resolve(undefined)) }, "revoked_key", 0],
  ["ground", "throws", { ground: broken }, "internal", 0],
  ["ground", "aborts", { ground: (d) => d.abort(stop) }, "revoked_key", 0],
  ["serve", "refuses", { serve: async () => "next-rung" }, "ladder_exhausted", 3],
  ["serve", "throws", { serve: broken }, "internal", 1],
  ["serve", "throws", { serve: async () => broken() }, "internal", 1],
  ["serve", "aborts", { serve: async (d) => (d.abort(stop), "next-rung") }, "revoked_key", 1],
  ["check", "refuses", { check: () => "next-rung" }, "ladder_exhausted", 3],
  ["check", "throws", { check: broken }, "internal", 1],
  ["check", "aborts", { check: (d) => (d.abort(stop), "next-rung") }, "revoked_key", 1],
  ["judge", "refuses", { judge: () => "climb" }, "ladder_exhausted", 3],
  ["judge", "throws", { judge: broken }, "internal", 1],
  ["judge", "aborts", { judge: (d) => (d.abort(stop), "climb") }, "revoked_key", 1],
];

describe("decide: whatever ends it, one settled entry and one release", () => {
  it.each(endings)("%s %s (%#)", async (_stage, way, over, code, rungs) => {
    let tried = 0;
    const { path, journal, call, released, clock, faults } = setUp(over);
    const { serve } = path;
    path.serve = (...args) => {
      tried += 1;
      return serve(...args);
    };
    const answer = await decide(path, call());
    expect(refusalOf(answer)?.code).toBe(code);
    const settled = journal.of("settled");
    expect(settled).toHaveLength(1);
    expect(settled[0]!.meta).toMatchObject({
      code,
      state: way === "throws" || code === "ladder_exhausted" ? "failed" : "refused",
    });
    expect(settled[0]!.decision).toBe(answer.decision);
    expect(released()).toBe(1);
    expect(clock.pendingTimers).toBe(0);
    expect(tried).toBe(rungs);
    expect(faults.length).toBe(way === "throws" ? 1 : 0);
  });

  it.each([
    ["admit", true],
    ["reserve", true],
    ["screen", false],
    ["route", false],
  ] as const)("a refusal of %s says whether `begun` was written: refused_before_begin %s", async (stage, before) => {
    const { path, journal, call } = setUp({ [stage]: () => refuse("rate_limited") });
    await decide(path, call());
    expect(journal.of("begun")).toHaveLength(before ? 0 : 1);
    expect(journal.of("settled")[0]!.meta["refused_before_begin"]).toBe(before ? true : undefined);
  });

  it("takes no rung after the deadline, and says so", async () => {
    let tried = 0;
    const { path, clock, call, journal } = setUp({
      serve: async (d) => {
        tried += 1;
        await d.clock.sleep(31_000, d.signal).catch(() => undefined);
        return "next-rung";
      },
    });
    const deciding = decide(path, call());
    await clock.advance(30_000);
    expect(refusalOf(await deciding)?.code).toBe("deadline_exceeded");
    expect(tried).toBe(1);
    expect(journal.of("settled")[0]!.meta).toMatchObject({ state: "failed", status: 504 });
  });

  it.each([
    ["with Weir's own reason", refuse("client_gone")],
    ["with a foreign reason", new Error("socket hang up")],
  ])("settles as client_gone when the client goes, %s", async (_how, reason) => {
    const gone = new AbortController();
    const { path, call, journal } = setUp({ serve: async () => (gone.abort(reason), "next-rung") });
    const answer = await decide(path, call({ signal: gone.signal }));
    expect(refusalOf(answer)?.code).toBe("client_gone");
    expect(journal.of("settled").map((entry) => entry.meta["state"])).toEqual(["failed"]);
  });

  it("stops at the first rung that brings an answer", async () => {
    const tried: number[] = [];
    const { path, call, journal } = setUp({
      serve: async (_d, _rung, index) => {
        tried.push(index);
        return index < 1 ? "next-rung" : served;
      },
    });
    await decide(path, call());
    expect(tried).toEqual([0, 1]);
    expect(journal.of("settled")[0]!.meta["rung"]).toBe(1);
  });
});

describe("decide: what an exhausted ladder says", () => {
  const attempt = (over: Partial<AttemptMeta>): AttemptMeta => ({
    n: 1,
    rung: 0,
    arm: "champion",
    probability: 1,
    model: "large",
    target: "acme/large",
    region: "eu",
    status: "failed",
    usage: noUsage,
    price: "v",
    cost_nano_usd: zeroUsd,
    held_nano_usd: zeroUsd,
    started_at_ms: 0,
    duration_ms: 0,
    ...over,
  });
  const verdict =
    (action: "allow" | "redact" | "next-rung", on: "input" | "output" = "output") =>
    (d: Decision) =>
      void d.guards.push({ guard: "pii", on, verdict: "deny", action, findings: { card: 1 } });
  const rows: [string, (d: Decision) => void, ErrorCode][] = [
    ["nothing was tried", () => undefined, "ladder_exhausted"],
    ["the last attempt failed", (d) => void d.attempts.push(attempt({ reason: "http_500" })), "ladder_exhausted"],
    [
      "the last attempt was too dear",
      (d) => void d.attempts.push(attempt({ status: "unaffordable" })),
      "budget_exhausted",
    ],
    [
      "the vendor refused the request",
      (d) => void d.attempts.push(attempt({ status: "rejected", reason: "http_400" })),
      "upstream_rejected",
    ],
    ["a guard stopped an output", verdict("next-rung"), "output_blocked"],
    ["a guard let an output pass", verdict("allow"), "ladder_exhausted"],
    ["a guard only redacted an output that a rule then did not accept", verdict("redact"), "ladder_exhausted"],
    ["a guard redacted the input", verdict("redact", "input"), "ladder_exhausted"],
  ];
  it.each(rows)("%s", async (_when, leaves, code) => {
    const { path, call } = setUp({
      serve: async (d) => {
        leaves(d);
        return "next-rung";
      },
    });
    expect(refusalOf(await decide(path, call()))?.code).toBe(code);
  });

  it("names what became of each attempt", async () => {
    const { path, call } = setUp({
      serve: async (d, _rung, index) => (
        d.attempts.push(attempt({ model: `m${index}`, reason: "http_503" })),
        "next-rung"
      ),
    });
    expect(refusalOf(await decide(path, call()))?.message).toContain("m0: http_503; m1: http_503; m2: http_503");
  });
});

describe("decide: when the journal fails", () => {
  const rows: [string, (journal: FakeJournal) => void, Partial<UseCase>][] = [
    ["is full before a decision begins", (journal) => void (journal.full = true), {}],
    ["can't be written, tier sealed", (journal) => void (journal.writable = false), { durability: "sealed" }],
    ["is closed", (journal) => journal.break(), {}],
  ];
  it.each(rows)("%s: record_unavailable, nothing is served, everything is given back", async (_when, harm, useCase) => {
    const { path, call, journal, ran, released, clock } = setUp({}, useCase);
    harm(journal);
    const answer = await decide(path, call());
    expect(refusalOf(answer)?.code).toBe("record_unavailable");
    expect(ran).not.toContain("serve");
    expect(released()).toBe(1);
    expect(clock.pendingTimers).toBe(0);
  });

  it("a queued use case still serves while the disk fails and the queue has room", async () => {
    const { path, call, journal } = setUp({});
    journal.writable = false;
    expect((await decide(path, call())).outcome.type).toBe("chat");
  });

  it.each(["begun", "settled"])("sealed: the disk fails under `%s`: no answer leaves", async (kind) => {
    const journal = new FakeJournal({ held: true });
    const { path, call, clock, released, ran } = setUp({}, { durability: "sealed" }, journal);
    const deciding = decide(path, call());
    await clock.advance(0);
    if (kind === "settled") {
      journal.sync();
      await clock.advance(0);
    }
    journal.break();
    expect(refusalOf(await deciding)?.code).toBe("record_unavailable");
    expect(ran.includes("serve")).toBe(kind === "settled");
    expect(released()).toBe(1);
  });
});

it("a score goes the same way", async () => {
  const answer = { score: 0.8, result: "approve", reasons: [] };
  const { path, clock, journal } = setUp({
    snapshot: () => aSnapshot({ useCases: [aUseCase({ name: "credit", kind: "score", ladder })] }),
    serve: async () => ({ type: "score", score: 0.8, reasons: [] }),
    judge: () => ({ type: "score", answer }),
  });
  expect((await decide(path, aCall(clock, aScoreAsk()))).outcome).toEqual({ type: "score", answer });
  expect(journal.of("settled")[0]!.meta).toMatchObject({ kind: "score", state: "answered" });
});
