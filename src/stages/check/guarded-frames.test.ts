import { describe, expect, it } from "vitest";
import { aDecision, aGuard, modelRung } from "../../../tests/fixtures/decision.ts";
import type { ChatEvent } from "../../kernel/chat.ts";
import type { Guard } from "../../kernel/snapshot.ts";
import type { Frame, Served } from "../../path/context.ts";
import { createCheck } from "./check.ts";
import type { OpenScan } from "../screen/index.ts";
import { realOpenScan, realScanner } from "./sample-answers.ts";

const unreadable: OpenScan = () => {
  throw new Error("down");
};

const check = createCheck(realScanner, realOpenScan);
const rung = modelRung("large");
const text = (words: string): ChatEvent => ({ type: "text", text: words });
const end: ChatEvent = { type: "end" };

/** A vendor's stream that notes what happens to it. */
function aStream(frames: Frame[], log: string[]): Served {
  const left = [...frames];
  const source: AsyncIterableIterator<Frame> = {
    [Symbol.asyncIterator]: () => source,
    next: () => {
      const value = left.shift();
      return Promise.resolve(value ? { done: false, value } : { done: true, value: undefined });
    },
    return: () => {
      log.push("closed");
      return Promise.resolve({ done: true, value: undefined });
    },
  };
  return { type: "stream", sameDialect: true, frames: source };
}

const framesOf = (...events: ChatEvent[]): Frame[] =>
  events.map((event) => ({ raw: Buffer.from(JSON.stringify(event)), events: [event] }));

function opened(guards: Guard[], frames: Frame[], checked = check) {
  const log: string[] = [];
  const d = aDecision({ useCase: { check: guards } });
  const served = checked(d, rung, aStream(frames, log));
  if (served === "next-rung" || served.type !== "stream") throw new Error("no stream");
  return { d, log, served, iterator: served.frames[Symbol.asyncIterator]() };
}

async function all(iterator: AsyncIterator<Frame>): Promise<Frame[]> {
  const frames: Frame[] = [];
  for (let next = await iterator.next(); !next.done; next = await iterator.next()) frames.push(next.value);
  return frames;
}

describe("frames under guards that enforce", () => {
  it("are spelled anew from safe events: the vendor's bytes no longer pass", async () => {
    const { served, iterator, d } = opened(
      [aGuard({ action: "redact" })],
      framesOf(text("Pay 4242 4242 "), text("4242 4242 now."), { type: "finish", finish: "stop" }, end),
    );
    expect(served.sameDialect).toBe(false);
    const frames = await all(iterator);
    expect(frames.every((frame) => frame.raw === undefined && frame.events.length > 0)).toBe(true);
    const said = frames.flatMap(({ events }) => events).map((event) => (event.type === "text" ? event.text : ""));
    expect(said.join("")).toBe("Pay [card] now.");
    expect(d.guards).toEqual([
      { guard: "cards", on: "output", verdict: "modify", action: "redact", findings: { card: 1 } },
    ]);
  });

  it("end in an error where a guard blocks after a part was delivered, once source and verdict are settled", async () => {
    const { iterator, d, log } = opened(
      [aGuard()],
      framesOf(text("Your card, as you asked, is 4242 4242"), text(" 4242 4242, valid for years"), end),
    );
    const first = await iterator.next();
    expect(first.value).toEqual({ events: [text("Your card, as you aske")] });
    expect(log).toEqual([]);
    const last = await iterator.next();
    expect(last.value).toEqual({
      events: [{ type: "error", code: "output_blocked", message: expect.stringContaining("cards") }],
    });
    expect(log).toEqual(["closed"]);
    expect(d.guards).toMatchObject([{ verdict: "deny", action: "block", findings: { card: 1 } }]);
    expect((await iterator.next()).done).toBe(true);
  });

  it("hold nothing back of the events before a finding in the same frame, but for what is near it", async () => {
    const { iterator } = opened(
      [aGuard()],
      [{ events: [text("Some words first. "), { type: "reasoning", text: "4242424242424242 is it, I think" }, end] }],
    );
    expect(await all(iterator)).toEqual([
      { events: [text("Some words f")] },
      { events: [{ type: "error", code: "output_blocked", message: expect.stringContaining("cards") }] },
    ]);
  });

  it("are told about before the last frame leaves", async () => {
    const { iterator, d } = opened([aGuard()], framesOf(text("fine"), end));
    let verdictsAtEnd = 0;
    for (let next = await iterator.next(); !next.done; next = await iterator.next())
      if (next.value.events.includes(end)) verdictsAtEnd = d.guards.length;
    expect(verdictsAtEnd).toBe(1);
  });

  it.each([
    ["begun", true],
    ["never begun", false],
  ])("let go of the source when the reader leaves early: %s", async (_, begins) => {
    const { iterator, log, d } = opened([aGuard()], framesOf(text("a long text that goes on"), text("and on"), end));
    if (begins) await iterator.next();
    await iterator.return!();
    expect(log).toContain("closed");
    expect(d.guards).toMatchObject([{ verdict: "allow" }]);
  });

  it("pass a broken stream's error on, with a verdict of what was read", async () => {
    const error: ChatEvent = { type: "error", message: "reset", code: "stream_broken" };
    const { iterator, d } = opened([aGuard()], framesOf(text("It is 4242 4242"), error));
    expect((await all(iterator)).at(-1)).toEqual({ events: [error] });
    expect(d.guards).toHaveLength(1);
  });

  it.each([
    ["closed", "guard_failed"],
    ["open", undefined],
  ] as const)("that can't scan streams fail %s", async (onFailure, code) => {
    const { iterator, d } = opened(
      [aGuard({ onFailure })],
      framesOf(text("hello"), end),
      createCheck(realScanner, unreadable),
    );
    const events = (await all(iterator)).flatMap((frame) => frame.events);
    expect(events.find((event) => event.type === "error")?.code).toBe(code);
    if (code === undefined) expect(events).toEqual([text("hello"), end]);
    expect(d.guards).toMatchObject([{ verdict: "error" }]);
  });

  it("say in the record that log probabilities were left out", async () => {
    const { iterator, d } = opened(
      [aGuard()],
      [{ events: [{ type: "text", text: "a", logprobs: [{ token: "a", logprob: -1 }] }, end] }],
    );
    await all(iterator);
    expect([...d.dropped]).toEqual(["logprobs"]);
  });
});

describe("frames under guards that only record", () => {
  const guards = [aGuard({ action: "allow" })];

  it("pass untouched, and the findings are recorded", async () => {
    const frames = framesOf(text("Pay 4242 4242 "), text("4242 4242"), end);
    const { served, iterator, d } = opened(guards, frames);
    expect(served.sameDialect).toBe(true);
    const passed = await all(iterator);
    expect(passed).toHaveLength(3);
    for (const [i, frame] of passed.entries()) expect(frame).toBe(frames[i]);
    expect(d.guards).toEqual([
      { guard: "cards", on: "output", verdict: "deny", action: "allow", findings: { card: 1 } },
    ]);
  });

  it("stop where such a guard fails closed", async () => {
    const { iterator } = opened(guards, framesOf(text("hello"), end), createCheck(realScanner, unreadable));
    expect(await all(iterator)).toEqual([
      { events: [{ type: "error", code: "guard_failed", message: expect.any(String) }] },
    ]);
  });
});
