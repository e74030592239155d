/** Hard cases 1 and 2: a stream is the same however its bytes come. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { VirtualClock } from "../../../src/kernel/clock.ts";
import { type TimedHouse, ask, told } from "../../faults/vendor-house.ts";
import { anthropicOf, nothingLeft, openaiOf, startHardHouse } from "./hard-house.ts";
import { type RawVendor, cut, inPieces, startRawVendor } from "./raw-vendor.ts";
import { type Vendor, usageRecord, wholeStream, wires } from "./wire.ts";

const useCases = `
over-oa: { kind: chat, ladder: [oa-main], retries: 0 }
over-an: { kind: chat, ladder: [an-main], retries: 0 }
`;
const useCaseOf = { "oa-main": "over-oa", "an-main": "over-an" } as const;
const own = { "oa-main": "openai", "an-main": "anthropic" } as const;
const vendors = ["oa-main", "an-main"] as const;
const dialects = ["openai", "anthropic"] as const;

let vendor: RawVendor;
let house: TimedHouse;
beforeAll(async () => {
  vendor = await startRawVendor();
  house = await startHardHouse(new VirtualClock(), vendor.origin, useCases);
});
afterAll(async () => {
  await house.close();
  await vendor.close();
});
beforeEach(() => vendor.reset());

const put = (over: Vendor, dialect: "openai" | "anthropic", more: Partial<Parameters<typeof ask>[2]> = {}) =>
  ask(house.origin, house.key, { useCase: useCaseOf[over], stream: true, dialect, ...more });

describe("case 1: bytes however they are cut", () => {
  const words = ["Grüße, ", "世界 🙂 — ", "naïve\u2028café", "."];

  /** Comments, `id:`, `retry:`, fields without a value, and data over several lines, beside what says something. */
  function decorated(over: Vendor): string {
    const wire = wires[over];
    const [name, json] = /^(event: .*\n)?data: ([^]*)\n\n$/.exec(wire.content(words[1]!))!.slice(1) as [
      string?,
      string?,
    ];
    const lines = json!.replaceAll(/,(?="choices"|"index"|"delta")/g, ",\ndata: ");
    return [
      ": a comment before anything\n\n",
      `id: 7\nretry: 10\n${wire.opening}`,
      wire.content(words[0]!),
      ":\n: keep-alive\n\n\n",
      `${name ?? ""}id\nunknown: field\ndata: ${lines}\n\n`,
      wire.content(words[2]!),
      wire.content(words[3]!),
      wire.finish,
      wire.terminator,
    ].join("");
  }

  const framings = [
    ["LF", "\n"],
    ["CRLF", "\r\n"],
    ["CR", "\r"],
  ] as const;
  const step = 32;
  const table = vendors.flatMap((over) => framings.map(([name, eol]) => ({ over, name, eol })));

  it.each(table)("$over with $name: cut at every byte, to clients of either dialect", async ({ over, eol }) => {
    const text = decorated(over).replaceAll("\n", eol);
    const bytes = Buffer.from(`\u{feff}${text}`);
    // The client didn't ask for usage: that one record is withheld, and not a byte beside it.
    const untouched = `\u{feff}${text.replace(usageRecord.replaceAll("\n", eol), "")}`;
    const ways = Array.from({ length: step }, (_, rest) => cut(bytes, step, rest));
    ways.push(cut(bytes, 1, 0), [bytes]);
    for (const dialect of dialects) {
      for (const pieces of ways) {
        vendor.play(inPieces(pieces));
        const response = await put(over, dialect);
        // A decoder that ignores the mark would hide whether it was passed on.
        const body = Buffer.from(await response.arrayBuffer()).toString("utf8");
        if (dialect === own[over]) expect(body).toBe(untouched);
        else {
          const answer = await told(new Response(body, { headers: { "content-type": "text/event-stream" } }));
          expect(answer).toMatchObject({ text: words.join(""), whole: true });
        }
      }
    }
    await nothingLeft(house);
  });

  it.each(vendors)("over %s, one byte at a time: the official clients read what was said", async (over) => {
    vendor.fallback(inPieces(cut(Buffer.from(wholeStream(over, ...words)), 1, 0)));
    const messages = [{ role: "user" as const, content: "Hi" }];
    const model = useCaseOf[over];
    const chat = await openaiOf(house).chat.completions.stream({ model, messages }).finalChatCompletion();
    expect(chat.choices[0]!.message.content).toBe(words.join(""));
    const message = await anthropicOf(house).messages.stream({ model, messages, max_tokens: 50 }).finalMessage();
    expect(message.content).toMatchObject([{ type: "text", text: words.join("") }]);
    expect(message.stop_reason).toBe("end_turn");
  });
});

describe("case 2: huge and tiny events", () => {
  const messages = [{ role: "user" as const, content: "Hi" }];

  it.each(vendors)("over %s: one event of 1 MB", async (over) => {
    const text = "é".repeat(512 * 1024);
    vendor.fallback(inPieces(cut(Buffer.from(wholeStream(over, text)), 1400, 0)));
    const model = useCaseOf[over];
    const chat = await openaiOf(house).chat.completions.stream({ model, messages }).finalChatCompletion();
    expect(chat.choices[0]!.message.content === text).toBe(true);
    const message = await anthropicOf(house).messages.stream({ model, messages, max_tokens: 50 }).finalMessage();
    const [part] = message.content;
    expect(part?.type === "text" && part.text === text).toBe(true);
  });

  it.each(vendors)("over %s: 10,000 events at once, each its own to the client", async (over) => {
    const texts = Array.from({ length: 10_000 }, (_, i) => String(i % 10));
    vendor.fallback(inPieces([wholeStream(over, ...texts)]));
    const model = useCaseOf[over];
    const chat = await openaiOf(house).chat.completions.create({ model, messages, stream: true });
    const heard: string[] = [];
    for await (const { choices } of chat) if (choices[0]?.delta.content) heard.push(choices[0].delta.content);
    expect(heard).toEqual(texts);
    const stream = anthropicOf(house).messages.stream({ model, messages, max_tokens: 50 });
    let deltas = 0;
    stream.on("text", () => (deltas += 1));
    expect((await stream.finalMessage()).content).toMatchObject([{ text: texts.join("") }]);
    expect(deltas).toBe(10_000);
  });
});
