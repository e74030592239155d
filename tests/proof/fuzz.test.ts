/** A smoke run of what `npm run proof` does for minutes, and proof that its oracles can fail. */
import { describe, expect, it } from "vitest";
import type { ChatEvent } from "../../src/kernel/chat.ts";
import { vendorDialects } from "../../src/engines/dialects/index.ts";
import type { VendorDialect } from "../../src/engines/dialects/port.ts";
import { streamTarget } from "./dialect-targets.ts";
import { type Finding, findingOf, fuzz } from "./fuzz.ts";
import { inputOf } from "./inputs.ts";
import { endsWell } from "./oracles.ts";
import { allTargets, subjectsOf } from "./targets.ts";
import { wirePresent } from "./wire-files.ts";

const targets = allTargets();
const inputsPerDialect = 300;
const inputsPerReader = 50;
const shown = ({ target, rule, message, place, bytes }: Finding) => ({
  target,
  rule,
  message,
  place,
  input: Buffer.from(bytes).toString(),
});

if (!wirePresent) console.warn("Recorded wire files are absent: only what the dialects write themselves is mutated.");

describe("readers of the wire", () => {
  it.each(subjectsOf(targets))("%s keeps every law over hundreds of changed inputs", (subject) => {
    const own = targets.filter((target) => target.subject === subject);
    const enough = Math.max(inputsPerDialect, inputsPerReader * own.length);
    const findings = fuzz(own, { runSeed: 20_261_122, done: (inputs) => inputs >= enough });
    expect(findings.map(shown)).toEqual([]);
  });

  it("every registered dialect is among them", () => {
    expect(subjectsOf(targets)).toEqual(expect.arrayContaining(Object.keys(vendorDialects)));
  });

  it.each(targets.filter(({ shape }) => shape === "stream"))("seeds of $name end well and keep the laws", (target) => {
    for (const bytes of target.seeds) expect(findingOf(target, { bytes, salt: 7 }, 0)).toBeUndefined();
  });

  it("the same number is the same input", () => {
    for (const target of targets) expect(inputOf(target, 3, 41)).toEqual(inputOf(target, 3, 41));
  });
});

describe("a fault planted in a dialect is found", () => {
  const good = vendorDialects["openai-chat"];
  const seeds = targets.find(({ name }) => name === "openai-chat/stream")!.seeds;
  const bent = (bend: (events: ChatEvent[]) => ChatEvent[]): VendorDialect => ({
    ...good,
    openStream() {
      const stream = good.openStream();
      let over = false;
      return {
        decode(record) {
          const events = over ? [] : bend(stream.decode(record));
          over ||= events.some(({ type }) => type === "end");
          return events;
        },
      };
    },
  });
  const rulesOf = (dialect: VendorDialect): string[] => {
    const target = streamTarget(dialect, [...seeds]);
    return fuzz([target], { runSeed: 1, done: (inputs) => inputs >= 60 }).map(({ rule }) => rule);
  };
  const faults: [string, VendorDialect][] = [
    ["throws", bent((events) => (events.length > 1 ? JSON.parse("{") : events) as ChatEvent[])],
    [
      "usage",
      bent((events) =>
        events.map((event) => (event.type === "usage" ? { ...event, usage: { ...event.usage, input: -1 } } : event)),
      ),
    ],
    [
      "usage",
      bent((events) =>
        events.map((event) => (event.type === "usage" ? { ...event, usage: { ...event.usage, output: NaN } } : event)),
      ),
    ],
    [
      "terminator",
      bent((events) => (events.some(({ type }) => type === "finish") ? [...events, { type: "end" }] : events)),
    ],
    ["after-the-end", bent((events) => (endsWell(events) ? [...events, { type: "text", text: "more" }] : events))],
    [
      "re-chunking",
      {
        ...good,
        openDecoder() {
          const decoder = good.openDecoder();
          // Loses what one chunk holds beyond its first record.
          return { push: (chunk) => decoder.push(chunk).slice(0, 1), end: () => decoder.end() };
        },
      },
    ],
  ];
  it.each(faults)("%s", (rule, dialect) => expect(rulesOf(dialect)).toContain(rule));

  it("and made smaller", () => {
    const target = streamTarget(faults[0]![1], [...seeds]);
    const [finding] = fuzz([target], { runSeed: 1, done: (inputs) => inputs >= 60 });
    expect(finding!.bytes.length).toBeLessThan(Math.min(...seeds.map(({ length }) => length)) / 2);
  });
});
