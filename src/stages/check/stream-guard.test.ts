import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { aDecision, aGuard, modelRung } from "../../../tests/fixtures/decision.ts";
import { openCollector } from "../../kernel/chat-stream.ts";
import type { ChatEvent, ChatPart, ChatResponse, Citation } from "../../kernel/chat.ts";
import type { Guard } from "../../kernel/snapshot.ts";
import type { OpenScan } from "../screen/index.ts";
import { createCheck } from "./check.ts";
import { holdBackOf } from "../../engines/detectors/open-scan.ts";
import type { DetectorName } from "../../engines/detectors/index.ts";
import { hostileUnits } from "../../engines/detectors/sample-texts.ts";
import { eventsInPieces, realOpenScan, realScanner, sampleBlocks, sampleCitations } from "./sample-answers.ts";
import { StreamGuard } from "./stream-guard.ts";

const cards = aGuard({ name: "cards", detect: ["card"], action: "redact" });
const secrets = aGuard({ name: "secrets", detect: ["secret", "email"], action: "redact" });
const everything = ["card", "iban", "email", "phone", "national-id", "secret", "card-security-code"];

const opened = (guards: Guard[], openScan: OpenScan = realOpenScan, clock = { monotonic: () => 0 }) =>
  new StreamGuard({ scanner: realScanner, openScan, clock }, guards);

function through(guard: StreamGuard, events: readonly ChatEvent[]): ChatEvent[] {
  return events.flatMap((event) => guard.add(event));
}

function collected(events: readonly ChatEvent[]): ChatResponse {
  const heard = openCollector();
  for (const event of events) heard.add(event);
  return heard.partial();
}

/** The stream of an answer in blocks, and the same answer whole, with every block by itself. */
function told(parts: ChatPart[], citations: Citation[], cuts: readonly number[]): [ChatEvent[], ChatResponse] {
  const events = eventsInPieces(parts, cuts);
  for (const one of citations) events.splice(events.length >> 1, 0, { type: "citations", citations: [one] });
  return [events, { ...collected(events), parts }];
}

/** Parts without words are as good as none. */
const worded = ({ parts }: ChatResponse): ChatPart[] =>
  parts.filter((part) => part.type !== "text" || part.text !== "");

const text = (words: string, more = {}): ChatEvent => ({ type: "text", text: words, ...more });
const said = (events: readonly ChatEvent[]): string =>
  events
    .map((event) => ("text" in event ? event.text : event.type === "tool_call_delta" ? event.arguments : ""))
    .join("");

describe("what a guarded stream says", () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 8 });

  it("is what the whole-answer guard makes of the same answer, however it is cut", () => {
    const guards = [cards, secrets, aGuard({ name: "all", detect: everything, action: "allow" })];
    fc.assert(
      fc.property(sampleBlocks, sampleCitations, sizes, (parts, citations, cuts) => {
        const [events, response] = told(parts, citations, cuts);
        const guard = opened(guards);
        const streamed = collected(through(guard, events));
        const d = aDecision({ useCase: { check: guards } });
        const whole = createCheck(realScanner, realOpenScan)(d, modelRung("large"), {
          type: "chat",
          response,
        });
        expect(whole).toMatchObject({ type: "chat" });
        // Where a signature was dropped, the next reasoning goes on with its block: as a stream, both do.
        if (typeof whole === "object" && whole.type === "chat") {
          expect(worded(streamed)).toEqual(worded(collected(eventsInPieces(whole.response.parts, [1e6]))));
          expect(streamed.citations).toEqual(whole.response.citations);
        }
        expect(guard.verdicts()).toEqual(d.guards);
      }),
      { numRuns: 300 },
    );
  });

  it("stops where the whole-answer guard takes the next rung, and nothing of a finding has left", () => {
    const guards = [aGuard({ detect: everything })];
    fc.assert(
      fc.property(sampleBlocks, sampleCitations, sizes, (parts, citations, cuts) => {
        const [events, response] = told(parts, citations, cuts);
        const guard = opened(guards);
        const left = collected(through(guard, events));
        const d = aDecision({ useCase: { check: guards } });
        const whole = createCheck(realScanner, realOpenScan)(d, modelRung("large"), {
          type: "chat",
          response,
        });
        expect(guard.stopped !== undefined).toBe(whole === "next-rung");
        const original = worded(collected(events));
        for (const [i, part] of worded(left).entries()) expectPrefixBeforeFindings(part, original[i]!);
      }),
      { numRuns: 300 },
    );
  });

  function expectPrefixBeforeFindings(part: ChatPart, original: ChatPart): void {
    const words = "text" in part ? part.text : part.type === "tool_call" ? part.arguments : "";
    const all = "text" in original ? original.text : original.type === "tool_call" ? original.arguments : "";
    expect(all.startsWith(words)).toBe(true);
    if (part.type === "tool_call" && !part.custom) return;
    const [first] = realScanner.scan(all, new Set(everything));
    if (first) expect(words.length).toBeLessThanOrEqual(first.start);
  }

  it("keeps choices apart", () => {
    const guard = opened([cards]);
    const events: ChatEvent[] = [
      text("Pay 4242 4242 "),
      text("Pay 5555 5555 ", { choice: 1 }),
      text("4242 4242."),
      text("5555 4444.", { choice: 1 }),
      { type: "finish", finish: "stop" },
      { type: "finish", finish: "stop", choice: 1 },
    ];
    const { parts, others } = collected(through(guard, events));
    expect([parts, others![0]!.parts]).toEqual([
      [{ type: "text", text: "Pay [card]." }],
      [{ type: "text", text: "Pay [card]." }],
    ]);
  });

  it("keeps calls that arrive interleaved apart, and their arguments valid JSON", () => {
    const guard = opened([cards]);
    const delta = (index: number, words: string): ChatEvent => ({ type: "tool_call_delta", index, arguments: words });
    const start = (index: number): ChatEvent => ({ type: "tool_call_start", index, id: `c${index}`, name: "pay" });
    const events = [
      start(0),
      start(1),
      delta(0, '{"card": 42424242'),
      delta(1, '{"note":"\\"4242\\u0020'),
      delta(0, "42424242}"),
      delta(1, '4242 4242 4242\\""}'),
      { type: "finish", finish: "tool_calls" } as const,
    ];
    expect(collected(through(guard, events)).parts).toMatchObject([
      { arguments: '{"card": "[card]"}' },
      { arguments: '{"note":"\\"[card]\\""}' },
    ]);
  });

  it("flushes what must come before a call, an end, or a signature", () => {
    const guard = opened([cards]);
    expect(through(guard, [text("I pay"), { type: "tool_call_start", index: 0, id: "c", name: "pay" }])).toEqual([
      text("I pay"),
      { type: "tool_call_start", index: 0, id: "c", name: "pay" },
    ]);
    const next: ChatEvent = { type: "tool_call_start", index: 1, id: "d", name: "pay" };
    expect(through(guard, [{ type: "tool_call_delta", index: 0, arguments: "{}" }, next])).toEqual([
      { type: "tool_call_delta", index: 0, arguments: "{}" },
      next,
    ]);
    const more: ChatEvent = { type: "tool_call_delta", index: 1, arguments: '{"a":1}' };
    expect(
      through(guard, [more, text("So it is done. ")])
        .slice(0, 2)
        .map(({ type }) => type),
    ).toEqual(["tool_call_delta", "tool_call_delta"]);
    expect(collected(guard.add({ type: "reasoning", text: "because", signature: "s" })).parts).toEqual([
      { type: "text", text: "done. " },
      { type: "reasoning", text: "because", signature: "s" },
    ]);
  });

  it("drops the signature of reasoning that was redacted, and log probabilities of what was held back", () => {
    const guard = opened([cards]);
    expect(guard.add({ type: "reasoning", text: "It is 4242424242424242.", signature: "s" })).toEqual([
      { type: "reasoning", text: "It is [card]." },
    ]);
    const left = through(guard, [text("Hello there ", { logprobs: [{ token: "Hello", logprob: -1 }] })]);
    expect(JSON.stringify(left)).not.toContain("logprob");
    expect(guard.droppedLogprobs).toBe(true);
  });

  it("passes what holds no words in its place: the start, usage, encrypted reasoning, sound", () => {
    const guard = opened([cards]);
    const events: ChatEvent[] = [
      { type: "start", model: "m" },
      { type: "reasoning", text: "", encrypted: "e", id: "r" },
      { type: "audio", id: "a", data: "AAAA" },
      { type: "usage", usage: { input: 1, cached_input: 0, output: 1, estimated: false } },
      { type: "end" },
    ];
    expect(through(guard, events)).toEqual(events);
  });

  it("reads what citations quote, and their titles", () => {
    const cited = {
      source: "Of 4242424242424242",
      title: "Of 4242424242424242",
      start: 1,
      end: 25,
      text: "jane@a.com",
    };
    const event: ChatEvent = { type: "citations", citations: [cited] };
    expect(opened([cards, secrets]).add(event)).toEqual([
      { type: "citations", citations: [{ ...cited, source: "Of [card]", title: "Of [card]", text: "[email]" }] },
    ]);
    const blocking = opened([aGuard()]);
    expect([blocking.add(event), blocking.stopped?.code]).toEqual([[], "output_blocked"]);
    const counting = opened([aGuard({ action: "allow" })]);
    expect([counting.add(event), counting.verdicts()]).toMatchObject([[event], [{ findings: { card: 1 } }]]);
  });

  it("reads transcripts and a vendor's own items", () => {
    const guard = opened([cards]);
    const native = (card: string) =>
      ({ type: "part", part: { type: "native", dialect: "gemini", kind: "code", value: { out: card } } }) as const;
    const events: ChatEvent[] = [
      { type: "audio", id: "a", data: "AAAA", transcript: "It is 4242 4242" },
      { type: "audio", id: "a", data: "BBBB", transcript: " 4242 4242, yes" },
      native("4242424242424242"),
    ];
    const { parts } = collected(through(guard, events));
    expect(parts).toEqual([
      { type: "audio", id: "a", data: "AAAABBBB", transcript: "It is [card], yes" },
      native("[card]").part,
    ]);
  });
});

describe("memory", () => {
  it.each(hostileUnits)("stays within the stated hold-back of every text: %s", (_, unit) => {
    const names = everything.filter((name) => name !== "secret") as DetectorName[];
    const guard = opened([aGuard({ detect: names, action: "redact" })]);
    const most = holdBackOf(new Set(names));
    const piece = unit.repeat(Math.ceil(60 / unit.length));
    // What was replaced counts as left: findings shrink, so held is what no later event can account for.
    const last = new Map<string, number>();
    guard.add({ type: "tool_call_start", index: 0, id: "c", name: "f", custom: true });
    for (let i = 0; i < 100; i++) {
      const events: ChatEvent[] = [text(piece), { type: "tool_call_delta", index: 0, arguments: piece }];
      for (const event of events) {
        const key = event.type;
        const left = said(guard.add(event)).length;
        last.set(key, left > 0 ? 0 : (last.get(key) ?? 0) + piece.length);
        expect(last.get(key)).toBeLessThanOrEqual(most + 2 * piece.length);
      }
    }
    expect(guard.stopped).toBeUndefined();
  });
});

describe("a stop", () => {
  it("comes before the first unit of the finding, and lets nothing follow", () => {
    const guard = opened([aGuard()]);
    const left = through(guard, [text("Your card is 4242"), text(" 4242 4242"), text(" 4242, as you know")]);
    expect(said(left)).toBe("Your ca");
    expect(guard.stopped).toEqual({ code: "output_blocked", message: expect.stringContaining("cards") });
    expect(guard.add(text("and more"))).toEqual([]);
    expect(guard.verdicts()).toEqual([
      { guard: "cards", on: "output", verdict: "deny", action: "block", findings: { card: 1 } },
    ]);
  });

  it("holds for an escaped card in a call's arguments", () => {
    const guard = opened([aGuard()]);
    const events: ChatEvent[] = [
      { type: "tool_call_start", index: 0, id: "c", name: "pay" },
      { type: "tool_call_delta", index: 0, arguments: '{"to":"\\u0034242 4242 4242 42' },
      { type: "tool_call_delta", index: 0, arguments: '42"}' },
      { type: "finish", finish: "tool_calls" },
    ];
    expect(said(through(guard, events))).not.toContain("4242");
    expect(guard.stopped?.code).toBe("output_blocked");
  });

  it("drops what is held when the stream breaks", () => {
    const guard = opened([cards]);
    const left = through(guard, [text("It is 4242 4242 4242 42"), { type: "error", message: "reset" }]);
    expect(said(left)).not.toContain("4242");
  });
});

describe("guards that fail", () => {
  const broken = (after: number): OpenScan => {
    return (views) => {
      const real = realOpenScan(views);
      let pushes = 0;
      return {
        push(piece) {
          if (pushes++ >= after) throw new TypeError("went wrong on 4242");
          return real.push(piece);
        },
        end: () => real.end(),
      };
    };
  };
  const events = [text("Hello "), text("4242 4242"), text(" 4242 4242 "), text("and so on")];

  const neverOpen: OpenScan = () => {
    throw new TypeError("no scan");
  };
  const failures: [string, OpenScan][] = [
    ["at once", broken(0)],
    ["in the middle", broken(1)],
    ["to open", neverOpen],
  ];
  it.each(failures)("%s, open: all that was held leaves, and the rest unread", (_, openScan) => {
    const guard = opened([aGuard({ onFailure: "open" })], openScan);
    expect(said(through(guard, events))).toBe("Hello 4242 4242 4242 4242 and so on");
    expect(guard.stopped).toBeUndefined();
    expect(guard.verdicts()).toEqual([
      { guard: "cards", on: "output", verdict: "error", action: "allow", findings: {}, reason: "TypeError" },
    ]);
  });

  it("closed: the stream stops with what is held, where one of several guards demands it", () => {
    const guard = opened([aGuard({ onFailure: "open" }), aGuard({ name: "strict" })], broken(1));
    expect(said(through(guard, events))).toBe("");
    expect(guard.stopped).toEqual({ code: "guard_failed", message: expect.stringContaining("strict") });
    expect(guard.verdicts()).toMatchObject([
      { verdict: "error", action: "allow" },
      { verdict: "error", action: "block", reason: "TypeError" },
    ]);
  });

  it.each(["open", "closed"] as const)("too slow: %s", (onFailure) => {
    let now = 0;
    const slow: OpenScan = (views) => {
      const real = realOpenScan(views);
      return {
        push: (piece) => {
          now += 1001;
          return real.push(piece);
        },
        end: () => real.end(),
      };
    };
    const guard = opened([aGuard({ onFailure })], slow, { monotonic: () => now });
    expect(said(through(guard, events))).toBe(onFailure === "open" ? "Hello 4242 4242 4242 4242 and so on" : "");
    expect(guard.verdicts()).toMatchObject([{ verdict: "error", reason: "GuardTooSlow" }]);
  });

  it("more open calls than any answer has: a failure, not memory", () => {
    const guard = opened([aGuard()]);
    for (let index = 0; index < 300; index++) guard.add({ type: "tool_call_start", index, id: "c", name: "f" });
    expect(guard.stopped?.code).toBe("guard_failed");
    expect(guard.verdicts()).toMatchObject([{ reason: "TooManyTexts" }]);
  });

  it("many calls one after the other are no failure", () => {
    const guard = opened([aGuard()]);
    for (let index = 0; index < 1000; index++) {
      guard.add({ type: "tool_call_start", index, id: "c", name: "f" });
      guard.add({ type: "tool_call_delta", index, arguments: "{}" });
    }
    expect(guard.stopped).toBeUndefined();
  });

  it("a number in JSON that never ends: a failure, not memory", () => {
    const guard = opened([aGuard()]);
    guard.add({ type: "tool_call_start", index: 0, id: "c", name: "f" });
    for (let i = 0; i < 100; i++) guard.add({ type: "tool_call_delta", index: 0, arguments: "1".repeat(40) });
    expect(guard.verdicts()).toMatchObject([{ reason: "SyntaxError" }]);
  });
});
