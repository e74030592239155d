import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type DecisionParts,
  aChatAsk,
  aChatResponse,
  aDecision,
  templateRung,
  userSays,
} from "../../../tests/fixtures/decision.ts";
import type { ChatRequest } from "../../kernel/chat.ts";
import { VirtualClock } from "../../kernel/clock.ts";
import { refuse } from "../../kernel/errors.ts";
import { nanoUsd } from "../../kernel/money.ts";
import { ExactCache } from "./exact-cache.ts";

const ttl = 60_000;
function setUp(maxBytes?: number) {
  const clock = new VirtualClock();
  const cache = new ExactCache({ clock, ...(maxBytes !== undefined && { maxBytes }) });
  const decision = (parts: DecisionParts = {}) =>
    aDecision({ clock, ...parts, useCase: { cache: { exactTtlMs: ttl, tags: ["policies"] }, ...parts.useCase } });
  /** Asks and answers, so that the next one finds it. */
  const fill = (parts: DecisionParts = {}, answer = aChatResponse("remembered")) => {
    const d = decision(parts);
    const found = cache.find(d);
    if (found === undefined) cache.land(d, answer);
    return d;
  };
  return { clock, cache, decision, fill };
}
const request = (over: Partial<ChatRequest>): DecisionParts => ({ ask: aChatAsk(over) });

describe("ExactCache: what the client asks of it", () => {
  it("no-store: neither read nor kept", async () => {
    const { cache, decision, fill } = setUp();
    fill();
    const d = decision({ context: { cache: "bypass" } });
    expect([await cache.find(d), d.cache.status]).toEqual([undefined, "bypass"]);
    cache.land(d, aChatResponse("secret"));
    expect(await cache.find(decision())).toEqual(aChatResponse("remembered"));
    expect(cache.leading).toBe(0);
  });

  it("no-cache: not read, and what is answered now is kept in its stead", async () => {
    const { cache, decision, fill } = setUp();
    fill();
    const d = decision({ context: { cache: "refresh" } });
    expect([cache.find(d), d.cache.status]).toEqual([undefined, "miss"]);
    cache.land(d, aChatResponse("fresh"));
    expect(await cache.find(decision())).toEqual(aChatResponse("fresh"));
  });
});

describe("ExactCache: what it saved, and what the rules had made of it", () => {
  it("says what the answer had cost, once for each who gets it again", async () => {
    const { cache, decision } = setUp();
    const d = decision();
    void cache.find(d);
    d.costNanoUsd = nanoUsd(1200);
    cache.land(d, aChatResponse("x"));
    const again = decision();
    await cache.find(again);
    await cache.find(decision());
    expect(again.cache).toEqual({ status: "hit", from: d.id, saved_nano_usd: 1200 });
    expect(cache.figures()).toMatchObject({ entries: 1, hits: 2, misses: 1, savedNanoUsd: 2400 });
  });

  it("brings the rule and its result along", async () => {
    const { cache, decision } = setUp();
    const d = decision();
    void cache.find(d);
    Object.assign(d, { rule: 1, result: "accepted", confidence: 1 });
    cache.land(d, aChatResponse("x"));
    const again = decision();
    await cache.find(again);
    expect(again).toMatchObject({ rule: 1, result: "accepted", confidence: 1 });
  });

  it("never keeps what was handed over to people", async () => {
    const { cache, decision } = setUp();
    const d = decision();
    void cache.find(d);
    d.referTo = "underwriting";
    cache.land(d, aChatResponse("handed over"));
    const next = decision();
    expect([cache.find(next), next.cache.status]).toEqual([undefined, "miss"]);
  });
});

describe("ExactCache: dropping answers", () => {
  it.each([
    ["everything", {}, 1],
    ["its tag", { tag: "policies" }, 1],
    ["its use case", { useCase: "assistant" }, 1],
    ["its tenant", { tenant: "retail" }, 1],
    ["another tag", { tag: "prices" }, 0],
    ["another tenant", { tenant: "private" }, 0],
    ["its tag in another use case", { tag: "policies", useCase: "other" }, 0],
  ])("by %s", async (_what, filter, dropped) => {
    const { cache, decision, fill } = setUp();
    fill();
    expect(cache.invalidate(filter)).toBe(dropped);
    const d = decision();
    await cache.find(d);
    expect(d.cache.status).toBe(dropped === 1 ? "miss" : "hit");
  });

  it("an answer that was under way when its like were dropped is handed out and not kept", async () => {
    const { cache, decision } = setUp();
    const leader = decision();
    void cache.find(leader);
    const following = cache.find(decision());
    cache.invalidate({ tag: "policies" });
    cache.land(leader, aChatResponse("of yesterday"));
    expect(await following).toEqual(aChatResponse("of yesterday"));
    const later = decision();
    expect([cache.find(later), later.cache.status]).toEqual([undefined, "miss"]);
  });

  it("a follower of a leader who doesn't come to an end goes on by itself", async () => {
    const { clock, cache, decision } = setUp();
    void cache.find(decision());
    const d = decision();
    const following = cache.find(d);
    await clock.advance(10_000);
    expect([await following, d.cache.status]).toEqual([undefined, "miss"]);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe("ExactCache: what is the same question", () => {
  const same: [string, DecisionParts][] = [
    ["everything", {}],
    ["another way of delivery: stream", request({ stream: true })],
    ["another way of delivery: usage", request({ wants_usage: true })],
    ["the client's own user mark", request({ user: "u-1" })],
    ["another key of the tenant", { principal: { id: "other-app", credential: "k00000000002" } }],
    ["the same groups in another order", { principal: { groups: ["staff", "advisers"] } }],
  ];
  it.each(same)("hit when only this differs: %s", async (_what, parts) => {
    const { cache, decision, fill } = setUp();
    const base: DecisionParts = { principal: { groups: ["advisers", "staff"] } };
    fill(base);
    const d = decision({ ...base, ...parts, principal: { ...base.principal, ...parts.principal } });
    expect(await cache.find(d)).toEqual(aChatResponse("remembered"));
    expect(d.cache.status).toBe("hit");
  });

  const ground = { folder: "f", collection: "c", passages: 3, generation: "g1", files: [] };
  const different: [string, DecisionParts][] = [
    ["tenant", { tenant: { name: "private" } }],
    ["environment", { principal: { environment: "prod" } }],
    ["groups", { principal: { groups: ["advisers"] } }],
    ["fewer groups", { principal: { groups: [] } }],
    ["use case", { useCase: { name: "assistant-2" } }],
    ["data class", { with: { dataClass: "sensitive" } }],
    ["regions", { with: { regions: ["ch"] } }],
    ["no regions", { with: { regions: [] } }],
    ["bundle", { useCase: { bundle: "c".repeat(64) } }],
    ["collection generation", { useCase: { ground: { ...ground, generation: "g2" } } }],
    ["eligible rungs", { with: { rungs: [{ index: 1, rung: templateRung }] } }],
    ["words", request({ messages: [userSays("What does an account cost")] })],
    ["role", request({ messages: [{ ...userSays("What does an account cost?"), role: "system" }] })],
    ["one more message", request({ messages: [userSays("What does an account cost?"), userSays("")] })],
    ["temperature", request({ temperature: 0.1 })],
    ["max_tokens", request({ max_tokens: 5 })],
    ["seed", request({ seed: 1 })],
    ["stop", request({ stop: ["x"] })],
    ["tools", request({ tools: [{ name: "t", parameters: {} }] })],
    ["response format", request({ response_format: { type: "json_object" } })],
  ];
  it.each(different)("miss when this differs: %s", (_what, parts) => {
    const { cache, decision, fill } = setUp();
    const base: DecisionParts = { principal: { groups: ["staff"] }, useCase: { ground }, with: { regions: ["eu"] } };
    fill(base);
    const d = decision({
      ...base,
      ...parts,
      principal: { ...base.principal, ...parts.principal },
      useCase: { ...base.useCase, ...parts.useCase },
      with: { ...base.with, ...parts.with },
    });
    expect(cache.find(d)).toBeUndefined();
    expect(d.cache).toEqual({ status: "miss" });
  });

  it("fields that the neutral form does not model make another question", () => {
    const { cache, decision, fill } = setUp();
    const withField = (n: number): DecisionParts => {
      const ask = aChatAsk({ unmodelled: ["logit_bias"] });
      return { ask: { ...ask, body: Buffer.from(`{"logit_bias":${n}}`) } };
    };
    fill(withField(1));
    expect(cache.find(decision(withField(1)))).toBeDefined();
    expect(cache.find(decision(withField(2)))).toBeUndefined();
  });

  it("law: names can't be moved between fields to meet another tenant's key", () => {
    const word = fc.string({ maxLength: 6 });
    fc.assert(
      fc.property(word, word, word, word, (tenantA, useA, tenantB, useB) => {
        fc.pre(tenantA !== tenantB || useA !== useB);
        const { cache, decision, fill } = setUp();
        fill({ tenant: { name: tenantA }, useCase: { name: useA } });
        expect(cache.find(decision({ tenant: { name: tenantB }, useCase: { name: useB } }))).toBeUndefined();
      }),
      { numRuns: 60 },
    );
  });
});

describe("ExactCache: what is kept, and how long", () => {
  it("names the decision that the answer came from, and its model", async () => {
    const { cache, decision, fill } = setUp();
    const leader = fill({ with: { model: "large" } });
    const d = decision();
    await cache.find(d);
    expect(d.cache).toEqual({ status: "hit", from: leader.id, saved_nano_usd: 0 });
    expect(d.model).toBe("large");
  });

  it.each([
    [ttl - 1, true],
    [ttl, false],
  ])("after %s ms: %s", async (ms, hit) => {
    const { cache, decision, fill, clock } = setUp();
    fill();
    await clock.advance(ms);
    expect(cache.find(decision()) !== undefined).toBe(hit);
  });

  it.each([
    ["cut off", aChatResponse("x", { finish: "length" })],
    ["filtered", aChatResponse("x", { finish: "content_filter" })],
    ["a tool call", aChatResponse("x", { parts: [{ type: "tool_call", id: "c", name: "n", arguments: "{}" }] })],
  ])("an answer that is %s is not kept", (_what, answer) => {
    const { cache, decision, fill } = setUp();
    fill({}, answer);
    expect(cache.find(decision())).toBeUndefined();
  });

  it("off without a cache in the use case, and for scores", () => {
    const { cache, clock } = setUp();
    const none = aDecision({ clock });
    expect(cache.find(none)).toBeUndefined();
    expect(none.cache).toEqual({ status: "off" });
    const score = aDecision({ clock, useCase: { kind: "score", cache: { exactTtlMs: ttl, tags: ["policies"] } } });
    expect(cache.find(score)).toBeUndefined();
    expect(cache.leading).toBe(0);
  });

  it("forgets what was used longest ago when the bytes are full", () => {
    const { cache, decision, fill } = setUp(1000);
    const question = (text: string) => request({ messages: [userSays(text)] });
    const answer = aChatResponse("x".repeat(200));
    fill(question("a"), answer);
    fill(question("b"), answer);
    expect(cache.find(decision(question("a")))).toBeDefined();
    fill(question("c"), answer);
    fill(question("d"), answer);
    expect(cache.find(decision(question("a")))).toBeDefined();
    expect(cache.find(decision(question("b")))).toBeUndefined();
  });

  it("an answer that is larger than the whole cache is handed to followers, not kept, and drives nothing out", async () => {
    const { cache, decision, fill } = setUp(1000);
    const question = (text: string) => request({ messages: [userSays(text)] });
    fill(question("small"));
    const huge = aChatResponse("x".repeat(2000));
    const leader = decision(question("huge"));
    expect(cache.find(leader)).toBeUndefined();
    const following = cache.find(decision(question("huge")));
    cache.land(leader, huge);
    expect(await following).toEqual(huge);
    expect(cache.leading).toBe(0);
    expect(cache.find(decision(question("huge")))).toBeUndefined();
    expect(cache.find(decision(question("small")))).toBeDefined();
  });

  it("landing without leading keeps nothing", () => {
    const { cache, decision } = setUp();
    cache.land(decision(), aChatResponse("x"));
    expect(cache.find(decision())).toBeUndefined();
  });
});

describe("ExactCache: single flight", () => {
  it("followers wait for the leader's answer and name it", async () => {
    const { cache, decision } = setUp();
    const [leader, one, two] = [decision(), decision(), decision()];
    expect(cache.find(leader)).toBeUndefined();
    const waiting = [cache.find(one), cache.find(two)];
    expect(cache.leading).toBe(1);
    cache.land(leader, aChatResponse("landed"));
    expect(await Promise.all(waiting)).toEqual([aChatResponse("landed"), aChatResponse("landed")]);
    expect([one.cache, two.cache]).toEqual([
      { status: "follower", from: leader.id, saved_nano_usd: 0 },
      { status: "follower", from: leader.id, saved_nano_usd: 0 },
    ]);
    expect(cache.leading).toBe(0);
  });

  it("when the leader has nothing to share, exactly one follower leads and all go on", async () => {
    const { cache, decision } = setUp();
    const [leader, one, two, late] = [decision(), decision(), decision(), decision()];
    cache.find(leader);
    const waiting = [cache.find(one), cache.find(two)];
    cache.abandon(leader);
    expect(await Promise.all(waiting)).toEqual([undefined, undefined]);
    expect(cache.leading).toBe(1);
    expect([one.cache.status, two.cache.status]).toEqual(["miss", "miss"]);
    const following = cache.find(late);
    cache.land(one, aChatResponse("second try"));
    expect(await following).toEqual(aChatResponse("second try"));
  });

  it("a follower whose client goes stops waiting and leads nothing", async () => {
    const { cache, decision } = setUp();
    const [leader, d] = [decision(), decision()];
    cache.find(leader);
    const waiting = cache.find(d);
    d.abort(refuse("client_gone"));
    expect(await waiting).toBeUndefined();
    expect(cache.leading).toBe(1);
  });

  it("a follower whose client has gone before does not wait at all", async () => {
    const { cache, decision } = setUp();
    const [leader, d] = [decision(), decision()];
    cache.find(leader);
    d.abort(refuse("client_gone"));
    const waiting = Promise.resolve(cache.find(d)).then(() => "went on");
    const turn = new Promise((resolve) => setImmediate(() => resolve("still waiting")));
    expect(await Promise.race([waiting, turn])).toBe("went on");
  });

  it("leaves no flight behind, whatever the order of ends", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom("find", "land", "abandon"), fc.nat(4)), { maxLength: 30 }),
        (steps) => {
          const { cache, decision } = setUp();
          const decisions = Array.from({ length: 5 }, (_, n) => decision(request({ seed: n % 2 })));
          const asked = new Set<number>();
          for (const [what, n] of steps) {
            const d = decisions[n]!;
            if (what === "find") {
              if (!asked.has(n)) void cache.find(d);
              asked.add(n);
            } else if (what === "land") cache.land(d, aChatResponse("x"));
            else cache.abandon(d);
          }
          for (const d of decisions) cache.abandon(d);
          expect(cache.leading).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
  });
});
