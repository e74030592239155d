/** Hard cases 11 and 12: half a stream is never whole; and what becomes of a connection whose stream was. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { VirtualClock } from "../../../src/kernel/clock.ts";
import { type TimedHouse, ask, recordOf, told, turns } from "../../faults/vendor-house.ts";
import { anthropicOf, nothingLeft, openaiOf, startHardHouse } from "./hard-house.ts";
import { type RawVendor, httpChunk, inPieces, lastChunk, startRawVendor, streamHead, thenReset } from "./raw-vendor.ts";
import { type Vendor, wholeStream, wires } from "./wire.ts";

const useCases = `
over-oa: { kind: chat, ladder: [oa-main], retries: 0 }
over-an: { kind: chat, ladder: [an-main], retries: 0 }
`;
const useCaseOf = { "oa-main": "over-oa", "an-main": "over-an" } as const;
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
// A minute in which every call failed would open the target's breaker: each test has a minute of its own.
beforeEach(async () => {
  vendor.reset();
  await house.clock.advance(61_000);
});

const put = (over: Vendor, dialect: "openai" | "anthropic", more: Partial<Parameters<typeof ask>[2]> = {}) =>
  ask(house.origin, house.key, { useCase: useCaseOf[over], stream: true, dialect, ...more });
const recordFor = (headers: Headers) => recordOf(house, headers.get("x-weir-decision-id"));

describe("case 11: a vendor that resets its connection", () => {
  const table = vendors.flatMap((over) => {
    const wire = wires[over];
    const half = wire.opening + wire.content("One, ") + wire.content("two");
    const last = wire.content(" and three");
    return [
      { over, where: "between two events", sent: half },
      { over, where: "inside an event", sent: half + last.slice(0, last.length / 2) },
      { over, where: "inside an event's end", sent: half + last.slice(0, -1) },
      { over, where: "after all content, before its terminator", sent: half + wire.finish },
    ].flatMap((row) => dialects.map((dialect) => ({ ...row, dialect })));
  });

  it.each(table)("$over, $where, to a client of $dialect: an error, never an end", async ({ over, sent, dialect }) => {
    vendor.play(thenReset([sent]));
    const answer = await told(await put(over, dialect));
    expect(answer).toMatchObject({ whole: false, code: "stream_broken" });
    expect(answer.text).toBe("One, two");
    const { attempts, settled } = await recordFor(answer.headers);
    expect(attempts).toMatchObject([{ status: "failed", reason: "reset" }]);
    expect(settled).toMatchObject([{ state: "failed", delivered: { complete: false } }]);
    expect(vendor.calls).toHaveLength(1);
    await nothingLeft(house);
  });

  it("the official clients throw, with what came before in their hands", async () => {
    const messages = [{ role: "user" as const, content: "Hi" }];
    for (const over of vendors) {
      vendor.fallback(thenReset([wires[over].opening + wires[over].content("One, ")]));
      const model = useCaseOf[over];
      let heard = "";
      const chat = openaiOf(house).chat.completions.stream({ model, messages });
      chat.on("content", (delta) => (heard += delta));
      await expect(chat.finalChatCompletion()).rejects.toMatchObject({ code: "stream_broken" });
      const message = anthropicOf(house).messages.stream({ model, messages, max_tokens: 50 });
      message.on("text", (delta) => (heard += delta));
      await expect(message.finalMessage()).rejects.toThrow();
      expect(heard).toBe("One, One, ");
    }
  });
});

describe("cases 11 and 12: Responses and completions clients are told too", () => {
  const broken = [
    ["reset", (sent: string) => thenReset([sent])],
    ["ended without its terminator", (sent: string) => inPieces([sent])],
  ] as const;
  const table = vendors.flatMap((over) => broken.map(([how, script]) => ({ over, how, script })));

  it.each(table)("$over $how: /v1/responses never says completed, and its client throws", async ({ over, script }) => {
    vendor.fallback(script(wires[over].opening + wires[over].content("One, ") + wires[over].finish));
    const stream = openaiOf(house).responses.stream({ model: useCaseOf[over], input: "Hi" });
    const types: string[] = [];
    const end = (async () => {
      for await (const { type } of stream) types.push(type);
      await stream.finalResponse();
    })();
    await expect(end).rejects.toThrow();
    expect(types).toContain("response.output_text.delta");
    expect(types).not.toContain("response.completed");
    await nothingLeft(house);
  });

  it.each(table)("$over $how: /v1/completions never says [DONE], and its client throws", async ({ over, script }) => {
    vendor.fallback(script(wires[over].opening + wires[over].content("One, ")));
    const asked = { model: useCaseOf[over], prompt: "Hi", stream: true } as const;
    const stream = await openaiOf(house).completions.create(asked);
    let heard = "";
    const end = (async () => {
      for await (const { choices } of stream) heard += choices[0]?.text ?? "";
    })();
    await expect(end).rejects.toMatchObject({ code: "stream_broken" });
    expect(heard).toBe("One, ");
    const raw = await fetch(`${house.origin}/v1/completions`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${house.key}` },
      body: JSON.stringify(asked),
    });
    expect(await raw.text()).not.toContain("[DONE]");
    await nothingLeft(house);
  });
});

describe("case 12: a vendor that ends without its terminator", () => {
  const ends = [
    [
      "in the middle of its words",
      "truncated",
      (over: Vendor) => wires[over].opening + wires[over].content("One, two"),
    ],
    [
      "after its reason and usage",
      "truncated",
      (over: Vendor) => wires[over].opening + wires[over].content("One, two") + wires[over].finish,
    ],
    // Half a record is no JSON.
    ["in the middle of its terminator", "vendor_error", (over: Vendor) => wholeStream(over, "One, two").slice(0, -4)],
  ] as const;
  const hows = [
    ["a proper end of the body", (sent: string) => inPieces([sent])],
    [
      "a closed connection",
      (sent: string) =>
        ({ socket }: { socket: { end(text: string): void } }) =>
          void socket.end(`HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n${sent}`),
    ],
  ] as const;
  const table = vendors.flatMap((over) =>
    ends.flatMap(([where, reason, sent]) =>
      hows.flatMap(([how, script]) => dialects.map((dialect) => ({ over, where, how, dialect, sent, script, reason }))),
    ),
  );

  it.each(table)("$over, $where, by $how, to a client of $dialect", async ({ over, dialect, sent, script, reason }) => {
    vendor.play(script(sent(over)));
    const answer = await told(await put(over, dialect));
    expect(answer).toMatchObject({ whole: false, code: "stream_broken", text: "One, two" });
    const { attempts, settled } = await recordFor(answer.headers);
    expect(attempts).toMatchObject([{ status: "failed", reason }]);
    expect(settled).toMatchObject([{ state: "failed", code: "stream_broken", delivered: { complete: false } }]);
    await nothingLeft(house);
  });

  it.each(vendors.flatMap((over) => dialects.map((dialect) => ({ over, dialect }))))(
    "$over says its terminator and stays open: the client of $dialect is not kept waiting, the vendor is let go",
    async ({ over, dialect }) => {
      const sent = wholeStream(over, "One.");
      vendor.play(({ socket }) => void socket.write(streamHead + httpChunk(sent).toString()));
      expect(await told(await put(over, dialect))).toMatchObject({ whole: true, text: "One." });
      // It may be given a moment to end its body, for the connection's sake.
      await turns();
      await house.clock.advance(60_000);
      const call = await vendor.arrival(0);
      await call.closed;
      await nothingLeft(house);
    },
  );

  it.each([
    ["with it", 0],
    ["a moment later", 2],
  ])("a body that ends %s: the connection serves the next stream too", async (_when, waitTurns) => {
    const sent = streamHead + httpChunk(wholeStream("oa-main", "One.")).toString();
    vendor.fallback(async ({ socket }) => {
      if (waitTurns === 0) return void socket.write(sent + lastChunk);
      socket.write(sent);
      await turns(waitTurns);
      socket.write(lastChunk);
    });
    for (let n = 0; n < 5; n++) {
      expect(await told(await put("oa-main", "openai"))).toMatchObject({ whole: true });
      await turns(50);
    }
    expect(new Set(vendor.calls.map(({ socket }) => socket)).size).toBe(1);
  });

  it("what is said after the terminator is nobody's: the answer was whole", async () => {
    const sent = `${wholeStream("oa-main", "One.")}`;
    vendor.play(({ socket }) => void socket.end(streamHead + httpChunk(sent).toString() + lastChunk));
    expect(await told(await put("oa-main", "openai"))).toMatchObject({ whole: true, text: "One." });
    vendor.play(({ socket }) => void socket.write(streamHead + httpChunk(sent).toString(), () => socket.destroy()));
    expect(await told(await put("oa-main", "openai"))).toMatchObject({ whole: true, text: "One." });
  });
});
