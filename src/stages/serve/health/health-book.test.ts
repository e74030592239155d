import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../../kernel/clock.ts";
import { HealthBook } from "./health-book.ts";
import type { CallFigures, CallOutcome, HealthChange } from "./port.ts";
import { defaultHealth } from "./policy.ts";

function setUp() {
  const clock = new VirtualClock();
  const changes: HealthChange[] = [];
  const book = new HealthBook(clock, (change) => void changes.push(change));
  const call = (target: string, outcome: CallOutcome, figures: CallFigures = {}) =>
    book.end(book.begin(target, defaultHealth), outcome, figures);
  const calls = (target: string, outcome: CallOutcome, times: number, figures: CallFigures = {}) => {
    for (let n = 0; n < times; n++) call(target, outcome, figures);
  };
  return { clock, book, changes, call, calls };
}

describe("HealthBook", () => {
  it("counts what the target did, and nothing of what callers did", () => {
    const { book, calls } = setUp();
    calls("t", "neutral", 100);
    calls("t", "ok", 2);
    calls("t", "failed", 1);
    calls("t", "overloaded", 1);
    expect(book.stateOf("t")).toMatchObject({ requests: 4, failures: 2, inFlight: 0, breaker: "closed" });
  });

  it("opens on the failure rate where failures never come in a row", () => {
    const { book, call } = setUp();
    for (let n = 0; n < 10; n++) {
      call("t", "ok");
      call("t", "failed");
    }
    expect(book.stateOf("t")).toMatchObject({ breaker: "open", open: false });
  });

  it("tells each change with its reason, once", async () => {
    const { book, changes, calls, clock } = setUp();
    calls("t", "failed", 5);
    await clock.advance(5_000);
    expect(book.stateOf("t").breaker).toBe("half-open");
    calls("t", "ok", 2);
    expect(changes.map(({ from, to }) => `${from}>${to}`)).toEqual([
      "closed>open",
      "open>half-open",
      "half-open>closed",
    ]);
    expect(changes.every(({ reason }) => reason.length > 0)).toBe(true);
  });

  it("a probe whose stream has begun need not end for the target to be back", async () => {
    const { book, calls, clock } = setUp();
    calls("t", "failed", 5);
    await clock.advance(5_000);
    const tickets = [book.begin("t", undefined), book.begin("t", undefined)].map((ticket) => book.answering(ticket));
    expect(book.stateOf("t")).toMatchObject({ breaker: "closed", inFlight: 2 });
    book.end(tickets[0]!, "failed", {});
    book.end(tickets[1]!, "ok", {});
    expect(book.stateOf("t")).toMatchObject({ breaker: "closed", inFlight: 0, requests: 2, failures: 1 });
  });

  it("brings a target back slowly", async () => {
    const { book, calls, clock } = setUp();
    expect(book.stateOf("t").share).toBe(1);
    calls("t", "failed", 5);
    await clock.advance(5_000);
    calls("t", "ok", 2);
    const shares = [];
    for (const ms of [0, 15_000, 15_000]) {
      await clock.advance(ms);
      shares.push(book.stateOf("t").share);
    }
    expect(shares).toEqual([0.1, 0.5, 1]);
  });

  it("a slow answer counts at once, quick ones by and by; calls in flight add to the load", async () => {
    const { book, call, clock } = setUp();
    call("t", "ok", { totalMs: 100 });
    call("t", "ok", { totalMs: 900 });
    expect(book.stateOf("t").load).toBe(900);
    book.begin("t", undefined);
    expect(book.stateOf("t").load).toBe(1800);
    await clock.advance(30_000);
    expect(book.stateOf("t").load).toBeLessThan(100);
  });

  it("ejects the member that does clearly worse, for a while, and longer the next time", async () => {
    const { book, calls, clock, changes } = setUp();
    const round = () => {
      calls("good", "ok", 20);
      for (let n = 0; n < 10; n++) calls("bad", n % 2 ? "ok" : "failed", 1);
      calls("bad", "ok", 1);
      book.compare(["good", "bad"]);
    };
    round();
    expect([book.stateOf("good").ejected, book.stateOf("bad").ejected]).toEqual([false, true]);
    expect(changes.at(-1)).toMatchObject({ target: "bad", to: "ejected" });
    await clock.advance(10_000);
    expect(book.stateOf("bad")).toMatchObject({ ejected: false, share: 0.1 });
    round();
    await clock.advance(10_000);
    expect(book.stateOf("bad").ejected).toBe(true);
    await clock.advance(10_000);
    expect(book.stateOf("bad").ejected).toBe(false);
  });

  it("keeps averages of what calls showed", () => {
    const { book, call } = setUp();
    call("t", "ok", { ttftMs: 200, perTokenMs: 10, inputTokens: 30, cachedTokens: 10, outputTokens: 50 });
    expect(book.stateOf("t")).toMatchObject({ ttftMs: 200, perTokenMs: 10, cachedShare: 0.25, outputTokens: 50 });
    expect(book.stateOf("t").totalMs).toBeUndefined();
    expect(book.all().map(({ target }) => target)).toEqual(["t"]);
  });
});
