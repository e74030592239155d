import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../kernel/clock.ts";
import type { Limits } from "../../kernel/snapshot.ts";
import { LimitBook, type LimitedScope, type Room, type Shortage } from "./limit-book.ts";
import type { ScopeLevel } from "./scopes.ts";

const scope = (limits: Limits, name = "tenant:retail"): LimitedScope => ({
  level: name.split(":")[0] as ScopeLevel,
  name,
  limits,
});
const isRoom = (answer: Room | Shortage): answer is Room => "release" in answer;
const room = (answer: Room | Shortage): Room => {
  if (!isRoom(answer)) throw new Error(`short of ${answer.kind}`);
  return answer;
};

function setUp() {
  const clock = new VirtualClock();
  return { clock, book: new LimitBook(clock) };
}

/** No timers run here, so thousands of steps need no turn of the event loop. */
class SkippingClock extends VirtualClock {
  #skipped = 0;
  override monotonic(): number {
    return super.monotonic() + this.#skipped;
  }
  skip(ms: number): void {
    this.#skipped += ms;
  }
}
function setUpSkipping() {
  const clock = new SkippingClock();
  return { clock, book: new LimitBook(clock) };
}

describe("LimitBook", () => {
  it("a burst of the whole limit passes, the next one waits as long as is honest", async () => {
    const { book, clock } = setUp();
    const limits = [scope({ requestsPerMinute: 6 })];
    for (let i = 0; i < 6; i++) room(book.take(limits, 0)).release(0);
    expect(book.take(limits, 0)).toEqual({ kind: "requests", scope: limits[0], limit: 6, waitMs: 10_000 });
    await clock.advance(9_999);
    expect(isRoom(book.take(limits, 0))).toBe(false);
    await clock.advance(1);
    expect(isRoom(book.take(limits, 0))).toBe(true);
  });

  it("idle time is not saved up beyond one minute's worth", async () => {
    const { book, clock } = setUp();
    const limits = [scope({ requestsPerMinute: 3 })];
    room(book.take(limits, 0));
    await clock.advance(3_600_000);
    for (let i = 0; i < 3; i++) room(book.take(limits, 0));
    expect(isRoom(book.take(limits, 0))).toBe(false);
  });

  it("all scopes or none: what one refuses leaves no trace in the others", () => {
    const { book } = setUp();
    const wide = scope({ requestsPerMinute: 2, tokensPerMinute: 100, concurrency: 2 });
    const narrow = scope({ concurrency: 0 }, "key:k1");
    for (let i = 0; i < 5; i++)
      expect(book.take([wide, narrow], 10)).toMatchObject({ kind: "concurrency", scope: { name: "key:k1" } });
    expect(book.running).toBe(0);
    expect(isRoom(book.take([wide], 100))).toBe(true);
    expect(isRoom(book.take([wide], 0))).toBe(true);
  });

  it.each([
    ["unused tokens are given back", 80, 10, 90, true],
    ["used ones are not", 80, 80, 30, false],
    ["what went beyond the estimate is owed", 50, 100, 1, false],
  ])("tokens: %s", (_what, estimate, used, next, fits) => {
    const { book } = setUp();
    const limits = [scope({ tokensPerMinute: 100 })];
    room(book.take(limits, estimate)).release(used);
    expect(isRoom(book.take(limits, next))).toBe(fits);
  });

  it("a request larger than the whole bucket passes when it is full, and goes into debt", async () => {
    const { book, clock } = setUp();
    const limits = [scope({ tokensPerMinute: 60 })];
    room(book.take(limits, 120)).release(120);
    expect(book.take(limits, 1)).toMatchObject({ kind: "tokens", waitMs: 61_000 });
    await clock.advance(61_000);
    expect(isRoom(book.take(limits, 1))).toBe(true);
  });

  it("a release counts once", () => {
    const { book } = setUp();
    const limits = [scope({ tokensPerMinute: 100, concurrency: 1 })];
    const first = room(book.take(limits, 60));
    first.release(60);
    room(book.take(limits, 40));
    first.release(0);
    expect(book.running).toBe(1);
    expect(book.take(limits, 0)).toMatchObject({ kind: "concurrency" });
  });

  it("follows a snapshot that changes or drops the limit", () => {
    const { book } = setUp();
    room(book.take([scope({ requestsPerMinute: 10 })], 0));
    room(book.take([scope({ requestsPerMinute: 1 })], 0));
    expect(isRoom(book.take([scope({ requestsPerMinute: 1 })], 0))).toBe(false);
    expect(isRoom(book.take([scope({})], 0))).toBe(true);
  });

  it("names the tightest request and token limit by share, not by number", () => {
    const { book } = setUp();
    const wide = scope({ requestsPerMinute: 1000, tokensPerMinute: 100 });
    const narrow = scope({ requestsPerMinute: 2, tokensPerMinute: 600 }, "use:retail/credit");
    const { requests, tokens } = room(book.take([wide, narrow], 60));
    expect(requests).toEqual({ policy: "use", limit: 2, remaining: 1, resetMs: 30_000 });
    expect(tokens).toEqual({ policy: "tenant", limit: 100, remaining: 40, resetMs: 36_000 });
    const free = room(book.take([scope({ concurrency: 5 }, "key:k")], 0));
    expect([free.requests, free.tokens]).toEqual([undefined, undefined]);
  });

  it("where several are short, says the longest wait", () => {
    const { book } = setUp();
    const scopes = [scope({ requestsPerMinute: 4 }), scope({ tokensPerMinute: 4 }, "key:k")];
    for (let i = 0; i < 4; i++) room(book.take(scopes, 1));
    expect(book.take(scopes, 1)).toMatchObject({ kind: "requests", scope: { name: "tenant:retail" }, waitMs: 15_000 });
    expect(book.take(scopes, 4)).toMatchObject({ kind: "tokens", scope: { name: "key:k" }, waitMs: 60_000 });
    const owing = scope({ requestsPerMinute: 1, tokensPerMinute: 6 }, "key:owing");
    room(book.take([owing], 12));
    expect(book.take([owing], 6)).toMatchObject({ kind: "tokens", waitMs: 120_000 });
  });

  it("tells how long a place is usually held, where places are short", async () => {
    const { book, clock } = setUp();
    const limits = [scope({ concurrency: 2 })];
    const places = [room(book.take(limits, 0)), room(book.take(limits, 0))];
    expect(book.take(limits, 0)).toMatchObject({ kind: "concurrency", waitMs: 1000 });
    await clock.advance(6000);
    for (const place of places) place.release(0);
    book.take(limits, 0);
    book.take(limits, 0);
    expect(book.take(limits, 0)).toMatchObject({ kind: "concurrency", waitMs: 3000 });
  });

  it("forgets scopes that are idle and owe nothing, and no others", () => {
    const { book, clock } = setUpSkipping();
    const running = [scope({ concurrency: 1 }, "key:running")];
    room(book.take(running, 0));
    const owing = [scope({ tokensPerMinute: 1 }, "key:owing")];
    room(book.take(owing, 100)).release(100);
    for (let i = 0; i < 5000; i++) {
      room(book.take([scope({ requestsPerMinute: 10 }, `key:${i}`)], 0)).release(0);
      clock.skip(100);
    }
    // Those of the last minute, those that the sweep has not come round to, and the two.
    expect(book.size).toBeLessThan(1400);
    expect(book.take(running, 0)).toMatchObject({ kind: "concurrency" });
    // 99 tokens of debt, and 500 seconds of one token a minute.
    expect(book.take(owing, 1)).toMatchObject({ kind: "tokens", waitMs: 100 * 60_000 - 500_000 });
  });

  it("keeps scopes apart", () => {
    const { book } = setUp();
    room(book.take([scope({ requestsPerMinute: 1 }, "key:a")], 0));
    expect(isRoom(book.take([scope({ requestsPerMinute: 1 }, "key:b")], 0))).toBe(true);
  });
});

type Step =
  | { do: "take"; tokens: number }
  | { do: "release"; which: number; used: number }
  | { do: "wait"; ms: number };
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant("take" as const), tokens: fc.integer({ min: 0, max: 60 }) }),
  fc.record({ do: fc.constant("release" as const), which: fc.nat(20), used: fc.integer({ min: 0, max: 60 }) }),
  fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 20_000 }) }),
);

describe("LimitBook under any interleaving", () => {
  const limits = { requestsPerMinute: 5, tokensPerMinute: 100, concurrency: 3 };
  const scoped = [scope({ ...limits, concurrency: 4 }), scope({ requestsPerMinute: 8, concurrency: 3 }, "key:k")];

  it("never lets more run, ask or consume than the limits allow, and gives every place back", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { book, clock } = setUpSkipping();
        const open: { room: Room; tokens: number }[] = [];
        const taken: { at: number; tokens: number }[] = [];
        for (const now of steps) {
          if (now.do === "wait") clock.skip(now.ms);
          else if (now.do === "release") {
            const [held] = open.splice(now.which % Math.max(1, open.length), 1);
            held?.room.release(held.tokens);
          } else {
            const answer = book.take(scoped, now.tokens);
            if (isRoom(answer)) {
              open.push({ room: answer, tokens: now.tokens });
              taken.push({ at: clock.monotonic(), tokens: now.tokens });
            }
          }
          expect(book.running).toBe(open.length);
          expect(open.length).toBeLessThanOrEqual(3);
        }
        // In any window a bucket gives at most its content and what flowed in meanwhile.
        for (const [i, from] of taken.entries())
          for (const [j, to] of taken.entries()) {
            if (j < i) continue;
            const share = (to.at - from.at) / 60_000 + 1;
            const inside = taken.slice(i, j + 1);
            expect(inside.length).toBeLessThanOrEqual(limits.requestsPerMinute * share + 1e-6);
            const tokens = inside.reduce((sum, { tokens: each }) => sum + each, 0);
            expect(tokens).toBeLessThanOrEqual(limits.tokensPerMinute * share + 1e-6);
          }
        for (const { room: held, tokens } of open) held.release(tokens);
        expect(book.running).toBe(0);
      }),
      { numRuns: 150 },
    );
  });

  it("whoever waits as long as it was told gets in, if nobody else came", () => {
    const perMinute = fc.integer({ min: 1, max: 1000 });
    fc.assert(
      fc.property(
        perMinute,
        perMinute,
        fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 30 }),
        (requests, tokens, waits) => {
          const { book, clock } = setUpSkipping();
          const all = [scope({ requestsPerMinute: requests, tokensPerMinute: tokens })];
          for (const ms of waits) {
            const answer = book.take(all, 7);
            if (isRoom(answer)) {
              answer.release(7);
              clock.skip(ms);
              continue;
            }
            // A millisecond for the rounding of fractions: clients are told whole seconds.
            clock.skip(answer.waitMs + 1);
            const again = book.take(all, 7);
            // The other bucket may be the short one now; the one that was named is not.
            if (!isRoom(again)) expect(again.kind).not.toBe(answer.kind);
            else again.release(7);
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it("tokens that were reserved and not used are all back in the end", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 20 }), (estimates) => {
        const { book } = setUpSkipping();
        const all = [scope({ tokensPerMinute: 100 })];
        const held = estimates.map((tokens) => book.take(all, tokens)).filter(isRoom);
        for (const each of held) each.release(0);
        expect(isRoom(book.take(all, 100))).toBe(true);
      }),
    );
  });
});
