/** Hard cases 1, 11 and 12 for the vendors that no client speaks to directly: Responses, Gemini, Bedrock's binary events, Cohere. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { VirtualClock } from "../../../src/kernel/clock.ts";
import { type TimedHouse, ask, recordOf, told } from "../../faults/vendor-house.ts";
import { encodeEventStream, encodeException } from "../../fixtures/event-stream.ts";
import { nothingLeft, startHardHouse } from "./hard-house.ts";
import { type RawVendor, cut, headOf, inPieces, startRawVendor, streamHead, thenReset } from "./raw-vendor.ts";
import { wholeStream } from "./wire.ts";

const useCases = `
over-re: { kind: chat, ladder: [re-main, oa-main], retries: 0 }
over-ge: { kind: chat, ladder: [ge-main, oa-main], retries: 0 }
over-be: { kind: chat, ladder: [be-main, oa-main], retries: 0 }
over-co: { kind: chat, ladder: [co-main, oa-main], retries: 0 }
`;
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

/** A stream's records in order; the last one says that the answer is over, and the one before why. */
interface Spoken {
  head: string;
  opening: Buffer;
  content(text: string): Buffer;
  finish: Buffer;
  terminator: Buffer;
  failure: Buffer;
}

const event = (value: Record<string, unknown>, eol = "\n"): Buffer => {
  const name = typeof value["type"] === "string" ? `event: ${value["type"]}${eol}` : "";
  return Buffer.from(`${name}data: ${JSON.stringify(value)}${eol}${eol}`);
};
const item = (status: string, text: string) => ({
  type: "message",
  id: "msg_1",
  role: "assistant",
  status,
  content: text === "" ? [] : [{ type: "output_text", text, annotations: [] }],
});
const responseOf = (status: string, more: object = {}) => ({
  id: "resp_1",
  object: "response",
  created_at: 1,
  status,
  model: "m",
  output: [],
  ...more,
});
const at = { item_id: "msg_1", output_index: 0, content_index: 0 };
const words = ["Grüße, ", "世界 🙂 — ", "naïve café", "."];
const whole = words.join("");

const spoken: Record<string, Spoken> = {
  re: {
    head: streamHead,
    opening: Buffer.concat([
      event({ type: "response.created", response: responseOf("in_progress") }),
      event({ type: "response.output_item.added", output_index: 0, item: item("in_progress", "") }),
      event({ type: "response.content_part.added", ...at, part: { type: "output_text", text: "", annotations: [] } }),
    ]),
    content: (delta) => event({ type: "response.output_text.delta", ...at, delta }),
    finish: event({ type: "response.output_item.done", output_index: 0, item: item("completed", whole) }),
    terminator: event({
      type: "response.completed",
      response: responseOf("completed", {
        output: [item("completed", whole)],
        usage: { input_tokens: 7, output_tokens: 5, total_tokens: 12 },
      }),
    }),
    failure: event({ type: "error", code: "server_error", message: "the vendor's own words", param: null }),
  },
  ge: {
    head: streamHead,
    opening: event({ responseId: "r", modelVersion: "m" }, "\r\n"),
    content: (text) => event({ candidates: [{ index: 0, content: { role: "model", parts: [{ text }] } }] }, "\r\n"),
    finish: Buffer.from(":\r\n\r\n"),
    terminator: event(
      {
        candidates: [{ index: 0, content: { role: "model", parts: [{ text: "" }] }, finishReason: "STOP" }],
        usageMetadata: { promptTokenCount: 7, candidatesTokenCount: 5, totalTokenCount: 12 },
      },
      "\r\n",
    ),
    failure: event({ error: { code: 503, message: "the vendor's own words", status: "UNAVAILABLE" } }, "\r\n"),
  },
  be: {
    head: headOf("application/vnd.amazon.eventstream"),
    opening: encodeEventStream("messageStart", { role: "assistant" }),
    content: (text) => encodeEventStream("contentBlockDelta", { contentBlockIndex: 0, delta: { text } }),
    finish: Buffer.concat([
      encodeEventStream("contentBlockStop", { contentBlockIndex: 0 }),
      encodeEventStream("messageStop", { stopReason: "end_turn" }),
    ]),
    terminator: encodeEventStream("metadata", {
      usage: { inputTokens: 7, outputTokens: 5, totalTokens: 12 },
      metrics: { latencyMs: 1 },
    }),
    failure: encodeException("throttlingException", { message: "the vendor's own words" }),
  },
  co: {
    head: streamHead,
    opening: Buffer.concat([
      event({ type: "message-start", id: "a", delta: { message: { role: "assistant", content: [] } } }),
      event({ type: "content-start", index: 0, delta: { message: { content: { type: "text", text: "" } } } }),
    ]),
    content: (text) => event({ type: "content-delta", index: 0, delta: { message: { content: { text } } } }),
    finish: event({ type: "content-end", index: 0 }),
    terminator: event({
      type: "message-end",
      delta: {
        finish_reason: "COMPLETE",
        usage: { billed_units: { input_tokens: 7, output_tokens: 5 }, tokens: { input_tokens: 7, output_tokens: 5 } },
      },
    }),
    failure: event({ type: "message-end", delta: { finish_reason: "ERROR", error: "the vendor's own words" } }),
  },
};
const names = Object.keys(spoken);
const dialects = ["openai", "anthropic"] as const;
const table = names.flatMap((name) => dialects.map((dialect) => ({ name, dialect })));

const put = async (name: string, dialect: "openai" | "anthropic") =>
  told(await ask(house.origin, house.key, { useCase: `over-${name}`, stream: true, dialect }));
const recordFor = (headers: Headers) => recordOf(house, headers.get("x-weir-decision-id"));
const begun = (name: string) => {
  const { opening, content } = spoken[name]!;
  return Buffer.concat([opening, ...words.map(content)]);
};

describe.each(table)("$name, to a client of $dialect", ({ name, dialect }) => {
  const { head, opening, finish, terminator, failure } = spoken[name]!;
  const all = Buffer.concat([begun(name), finish, terminator]);

  it("case 1: cut at every byte, it says the same", async () => {
    const step = 24;
    const ways = [...Array.from({ length: step }, (_, rest) => cut(all, step, rest)), cut(all, 1, 0), [all]];
    let last: Headers | undefined;
    for (const pieces of ways) {
      vendor.reset();
      vendor.play(inPieces(pieces, head));
      const answer = await put(name, dialect);
      expect(answer).toMatchObject({ status: 200, text: whole, whole: true });
      expect(vendor.calls).toHaveLength(1);
      last = answer.headers;
    }
    expect((await recordFor(last!)).attempts).toMatchObject([
      { status: "ok", usage: { input: 7, output: 5, estimated: false }, cost_nano_usd: 17_000 },
    ]);
    await nothingLeft(house);
  });

  it.each([
    ["in the middle of its words", begun(name)],
    ["before its terminator", Buffer.concat([begun(name), finish])],
    ["in the middle of its terminator", all.subarray(0, -5)],
  ])("case 12: ending %s is an error, never an end", async (_where, sent) => {
    vendor.play(inPieces([sent], head));
    const answer = await put(name, dialect);
    expect(answer).toMatchObject({ text: whole, whole: false, code: "stream_broken" });
    const { attempts, settled } = await recordFor(answer.headers);
    expect(attempts).toMatchObject([{ status: "failed", usage: { estimated: true } }]);
    expect(settled).toMatchObject([{ state: "failed", delivered: { complete: false } }]);
    await nothingLeft(house);
  });

  it.each([
    ["in the middle of its words", begun(name)],
    ["before its terminator", Buffer.concat([begun(name), finish])],
  ])("case 11: reset %s is an error, never an end", async (_where, sent) => {
    vendor.play(thenReset([sent], head));
    const answer = await put(name, dialect);
    expect(answer).toMatchObject({ text: whole, whole: false, code: "stream_broken" });
    expect((await recordFor(answer.headers)).attempts).toMatchObject([{ status: "failed", reason: "reset" }]);
    await nothingLeft(house);
  });

  it("case 9: an error before any content is not seen by the client", async () => {
    vendor.play(inPieces([opening, failure], head));
    vendor.fallback(inPieces([wholeStream("oa-main", "Second.")]));
    const answer = await put(name, dialect);
    expect(answer).toMatchObject({ text: "Second.", whole: true });
    expect(answer.body).not.toContain("vendor's own words");
    expect((await recordFor(answer.headers)).attempts).toMatchObject([
      { status: "failed", reason: "vendor_error" },
      { status: "ok" },
    ]);
  });

  it("case 10: an error after content is one in the client's dialect, and nothing of the vendor's words", async () => {
    vendor.play(inPieces([begun(name), failure], head));
    const answer = await put(name, dialect);
    expect(answer).toMatchObject({ text: whole, whole: false, code: "stream_broken" });
    expect(answer.body).not.toContain("vendor's own words");
    expect((await recordFor(answer.headers)).attempts).toMatchObject([{ status: "failed", reason: "vendor_error" }]);
    expect(vendor.calls).toHaveLength(1);
    await nothingLeft(house);
  });
});
