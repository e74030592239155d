import { EventEmitter } from "node:events";
import { type ServerResponse, validateHeaderValue } from "node:http";
import { describe, expect, it } from "vitest";
import { aChatResponse, aDecisionId } from "../../../tests/fixtures/decision.ts";
import { refuse } from "../../kernel/errors.ts";
import type { Answer } from "../../path/context.ts";
import { answerHeaders, problemOf, sendJson, write } from "./reply.ts";

const answer = (over: Partial<Answer> = {}): Answer => ({
  decision: aDecisionId(1),
  outcome: { type: "chat", response: aChatResponse() },
  ...over,
});
const settled = {
  use_case: "assistant",
  state: "answered",
  attempts: 2,
  cache: { status: "miss" },
  stages: { admit: 0.5, serve: 12.3456 },
} as const;

describe("answerHeaders", () => {
  it("of a decision: id, model, attempts, cache, time by stage", () => {
    expect(answerHeaders(answer({ settled: { ...settled, model: "large", dropped: ["logit_bias", "n"] } }))).toEqual({
      "x-weir-decision-id": aDecisionId(1),
      "x-weir-model": "large",
      "x-weir-attempts": "2",
      "x-weir-cache": "miss",
      "x-weir-dropped": "logit_bias, n",
      "server-timing": "admit;dur=0.500, serve;dur=12.346",
    });
  });

  it("of a refusal before a decision: only the id", () => {
    expect(answerHeaders(answer({ outcome: { type: "refused", refusal: refuse("invalid_key") } }))).toEqual({
      "x-weir-decision-id": aDecisionId(1),
    });
  });

  it("says limits in the standard's words and in those that OpenAI's clients read", () => {
    const limits = { policy: "key", limit: 60, remaining: 12, resetMs: 4200 };
    expect(answerHeaders(answer({ limits }))).toMatchObject({
      "ratelimit-policy": '"key";q=60;w=60',
      ratelimit: '"key";r=12;t=5',
      "x-ratelimit-limit-requests": "60",
      "x-ratelimit-remaining-requests": "12",
      "x-ratelimit-reset-requests": "5s",
    });
  });

  it.each([
    [0, "1"],
    [1, "1"],
    [1000, "1"],
    [1001, "2"],
    [61_500, "62"],
  ])("a wait of %s ms is %s s: whole, rounded up, never zero", (retryAfterMs, seconds) => {
    const outcome = { type: "refused" as const, refusal: refuse("rate_limited", undefined, { retryAfterMs }) };
    expect(answerHeaders(answer({ outcome }))["retry-after"]).toBe(seconds);
  });

  it("says both limits where tokens are bounded too, each in both forms", () => {
    const limits = { policy: "tenant", limit: 60, remaining: 59, resetMs: 1000 };
    const tokenLimits = { policy: "tenant", limit: 1000, remaining: 400, resetMs: 36_000 };
    expect(answerHeaders(answer({ limits, tokenLimits }))).toMatchObject({
      "ratelimit-policy": '"tenant";q=60;w=60, "tenant-tokens";q=1000;w=60',
      ratelimit: '"tenant";r=59;t=1, "tenant-tokens";r=400;t=36',
      "x-ratelimit-remaining-requests": "59",
      "x-ratelimit-limit-tokens": "1000",
      "x-ratelimit-remaining-tokens": "400",
      "x-ratelimit-reset-tokens": "36s",
    });
  });

  it("says the token limit alone where only tokens are bounded", () => {
    const tokenLimits = { policy: "key", limit: 1000, remaining: 400, resetMs: 36_000 };
    expect(answerHeaders(answer({ tokenLimits }))).toMatchObject({ ratelimit: '"key-tokens";r=400;t=36' });
  });

  it("marks an answer given again", () =>
    expect(answerHeaders(answer({ replayed: true }))["x-weir-replayed"]).toBe("true"));

  it.each([["größe"], ["用途"], ["a\r\nset-cookie: x=1"], ["nul\u0000"], ["😀"]])(
    "a client's field name %j can't break the answer or add a header",
    (name) => {
      const value = answerHeaders(answer({ settled: { ...settled, dropped: [name] } }))["x-weir-dropped"]!;
      expect(() => validateHeaderValue("x-weir-dropped", value)).not.toThrow();
      expect(value).toMatch(/^[\x20-\x7e]*$/);
    },
  );

  it("bounds what a client can make it say", () => {
    const dropped = Array.from({ length: 5000 }, (_, i) => `field_${i}`);
    expect(answerHeaders(answer({ settled: { ...settled, dropped } }))["x-weir-dropped"]!.length).toBe(1024);
  });
});

describe("problemOf", () => {
  it("is a problem document with code and a way out", () => {
    expect(problemOf(refuse("invalid_input", "income: must be a number", { param: "income" }), "dec_1")).toEqual({
      type: "urn:weir:error:invalid_input",
      title: "The input does not fit the use case's contract.",
      status: 422,
      detail: "income: must be a number",
      code: "invalid_input",
      fix: "Correct the fields named in the message.",
      param: "income",
      decision_id: "dec_1",
    });
    expect(problemOf(refuse("internal"))).not.toHaveProperty("decision_id");
  });
});

/** What of a response `reply` touches. */
class FakeResponse extends EventEmitter {
  destroyed = false;
  headersSent = false;
  takes = true;
  written: unknown[] = [];
  writeHead(status: number, headers: object) {
    this.headersSent = true;
    this.written.push(status, headers);
    return this;
  }
  write(data: unknown) {
    this.written.push(data);
    return this.takes;
  }
  end(data: unknown) {
    this.written.push(data);
  }
}
const asResponse = (fake: FakeResponse) => fake as unknown as ServerResponse;

describe("sendJson", () => {
  it("counts bytes, not characters", () => {
    const fake = new FakeResponse();
    sendJson(asResponse(fake), 200, {}, { a: "ä" });
    expect(fake.written).toEqual([200, { "content-type": "application/json", "content-length": "10" }, '{"a":"ä"}']);
  });

  it.each([["destroyed"], ["headersSent"]] as const)("writes nothing to a response that is %s", (state) => {
    const fake = new FakeResponse();
    fake[state] = true;
    sendJson(asResponse(fake), 200, {}, {});
    expect(fake.written).toEqual([]);
  });
});

describe("write", () => {
  it("a socket that takes it costs no turn", () => expect(write(asResponse(new FakeResponse()), "x")).toBe(true));

  it.each([
    ["drain", true],
    ["close", false],
  ])("a full one is waited for: %s → %s, and no listener stays", async (event, more) => {
    const fake = new FakeResponse();
    fake.takes = false;
    const waiting = write(asResponse(fake), "x");
    if (event === "close") fake.destroyed = true;
    fake.emit(event);
    expect(await waiting).toBe(more);
    expect(fake.listenerCount("drain") + fake.listenerCount("close")).toBe(0);
  });

  it("one that is gone takes nothing", async () => {
    const fake = new FakeResponse();
    fake.destroyed = true;
    expect(await write(asResponse(fake), "x")).toBe(false);
    expect(fake.written).toEqual([]);
  });
});
