/**
 * Hard cases 3, 4, 9 and 10 over the wire: what a client is told of usage and of errors, and what is booked, wherever the
 * vendor puts it. 1 µUSD for a token in, 2 for one out.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { VirtualClock } from "../../../src/kernel/clock.ts";
import { type TimedHouse, ask, recordOf, told } from "../../faults/vendor-house.ts";
import { anthropicOf, nothingLeft, openaiOf, startHardHouse } from "./hard-house.ts";
import { type RawVendor, inPieces, startRawVendor } from "./raw-vendor.ts";
import { type Vendor, wholeStream, wires } from "./wire.ts";

const useCases = `
over-oa: { kind: chat, ladder: [oa-main], retries: 0 }
over-an: { kind: chat, ladder: [an-main], retries: 0 }
over-ge: { kind: chat, ladder: [ge-main], retries: 0 }
oa-then-ob: { kind: chat, ladder: [oa-main, ob-main], retries: 0 }
an-then-ob: { kind: chat, ladder: [an-main, ob-main], retries: 0 }
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
beforeEach(() => vendor.reset());

const messages = [{ role: "user" as const, content: "Hi" }];
const recordFor = (headers: Headers) => recordOf(house, headers.get("x-weir-decision-id"));
const event = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`;
const chunk = (delta: object, finish: string | null = null, more: object = {}) =>
  event({ id: "c", model: "m", choices: [{ index: 0, delta, finish_reason: finish }], ...more });
const done = "data: [DONE]\n\n";
const usageOf = (input: number, output: number) => ({
  usage: { prompt_tokens: input, completion_tokens: output, total_tokens: input + output },
});
const anthropicEvent = (type: string, value: object) =>
  `event: ${type}\ndata: ${JSON.stringify({ type, ...value })}\n\n`;
const gemini = (text: string, output: number, finish?: string) =>
  event({
    candidates: [{ index: 0, content: { role: "model", parts: [{ text }] }, ...(finish && { finishReason: finish }) }],
    usageMetadata: { promptTokenCount: 7, candidatesTokenCount: output, totalTokenCount: 7 + output },
  });

describe("case 3: usage on a stream", () => {
  it.each(["over-oa", "over-an"])(
    "%s, asked: one last chunk without choices; not asked: none, and it is booked all the same",
    async (model) => {
      const over = model === "over-oa" ? "oa-main" : "an-main";
      for (const asked of [true, false]) {
        vendor.play(inPieces([wholeStream(over, "One, ", "two")]));
        const { data: stream, response } = await openaiOf(house)
          .chat.completions.create({
            model,
            messages,
            stream: true,
            ...(asked && { stream_options: { include_usage: true } }),
          })
          .withResponse();
        const told_ = [];
        for await (const one of stream) told_.push(one);
        const withUsage = told_.filter(({ usage }) => usage);
        if (asked) {
          expect(withUsage).toMatchObject([{ choices: [], usage: { prompt_tokens: 7, completion_tokens: 5 } }]);
          expect(told_.at(-1)).toBe(withUsage[0]);
        } else expect([withUsage, told_.filter(({ choices }) => choices.length === 0)]).toEqual([[], []]);
        expect((await recordFor(response.headers)).attempts).toMatchObject([
          { usage: { input: 7, output: 5, estimated: false }, cost_nano_usd: 17_000 },
        ]);
      }
      if (over === "oa-main")
        for (const { json } of vendor.calls) expect(json["stream_options"]).toEqual({ include_usage: true });
    },
  );
});

const anthropicStart = (usage: object) =>
  anthropicEvent("message_start", {
    message: { id: "m", type: "message", role: "assistant", model: "m", content: [], stop_reason: null, usage },
  }) +
  anthropicEvent("content_block_start", { index: 0, content_block: { type: "text", text: "" } }) +
  anthropicEvent("content_block_delta", { index: 0, delta: { type: "text_delta", text: "One, two" } }) +
  anthropicEvent("content_block_stop", { index: 0 });
const anthropicEnd = (usage?: object) =>
  anthropicEvent("message_delta", { delta: { stop_reason: "end_turn" }, ...(usage && { usage }) }) +
  anthropicEvent("message_stop", {});

describe("case 3: what a vendor says because Weir asked", () => {
  it("usage as null beside every chunk, as OpenAI's own servers write it: no figures reach a client who didn't ask", async () => {
    const nothing = { usage: null };
    const stream =
      chunk({ content: "One" }, null, nothing) + chunk({}, "stop", nothing) + event({ choices: [], ...usageOf(7, 5) });
    vendor.play(inPieces([stream + done]));
    const answer = await told(await ask(house.origin, house.key, { useCase: "over-oa", stream: true }));
    expect(answer).toMatchObject({ text: "One", whole: true });
    expect(answer.body).not.toContain("tokens");
    expect((await recordFor(answer.headers)).attempts).toMatchObject([
      { usage: { input: 7, output: 5, estimated: false } },
    ]);
  });
});

describe("case 4: usage, wherever the vendor puts it", () => {
  const exact = { input: 7, output: 5, estimated: false };
  const zero = { input: 0, output: 0, estimated: false };
  it.each([
    [
      "in the last content chunk",
      "over-oa",
      chunk({ content: "One" }) + chunk({}, "stop", usageOf(7, 5)) + done,
      exact,
    ],
    ["in a chunk of its own", "over-oa", wholeStream("oa-main", "One"), exact],
    [
      "cumulative in every chunk",
      "over-oa",
      chunk({ content: "One" }, null, usageOf(7, 1)) +
        chunk({ content: "two" }, null, usageOf(7, 3)) +
        chunk({}, "stop", usageOf(7, 5)) +
        done,
      exact,
    ],
    ["cumulative in every chunk", "over-ge", gemini("One", 1) + gemini("two", 3) + gemini("", 5, "STOP"), exact],
    ["split over start and end", "over-an", wholeStream("an-main", "One"), exact],
    [
      "on message_delta alone",
      "over-an",
      anthropicStart({}) + anthropicEnd({ input_tokens: 7, output_tokens: 5 }),
      exact,
    ],
    [
      "as explicit zeros",
      "over-oa",
      chunk({ content: "One" }) + chunk({}, "stop") + event({ choices: [], ...usageOf(0, 0) }) + done,
      zero,
    ],
  ])("%s (%s): booked as it stands", async (_where, useCase, stream, usage) => {
    vendor.play(inPieces([stream]));
    const answer = await told(await ask(house.origin, house.key, { useCase, stream: true }));
    expect(answer).toMatchObject({ status: 200, whole: true });
    const { attempts, settled } = await recordFor(answer.headers);
    expect(attempts).toMatchObject([{ status: "ok", usage, cost_nano_usd: 1000 * usage.input + 2000 * usage.output }]);
    expect(settled).toMatchObject([{ usage, cost_nano_usd: 1000 * usage.input + 2000 * usage.output }]);
  });

  it.each([
    ["over-oa", chunk({ content: "One, two" }) + chunk({}, "stop") + done],
    ["over-an", anthropicStart({}) + anthropicEnd()],
    ["over-ge", event({ candidates: [{ content: { parts: [{ text: "One, two" }] }, finishReason: "STOP" }] })],
  ])("nowhere (%s): estimated, and flagged", async (useCase, stream) => {
    vendor.play(inPieces([stream]));
    const answer = await told(await ask(house.origin, house.key, { useCase, stream: true }));
    expect(answer).toMatchObject({ text: "One, two", whole: true });
    const { attempts } = await recordFor(answer.headers);
    expect(attempts).toMatchObject([{ status: "ok", usage: { estimated: true } }]);
    expect(attempts[0]!.usage.input).toBeGreaterThan(0);
    expect(attempts[0]!.usage.output).toBeGreaterThan(0);
  });
});

const errors: Record<Vendor, string> = {
  "oa-main": event({ error: { message: "the vendor's own words", type: "server_error", code: "overloaded" } }),
  "an-main": anthropicEvent("error", { error: { type: "overloaded_error", message: "the vendor's own words" } }),
};

describe.each(["oa-main", "an-main"] as const)("an error in a stream of %s", (over) => {
  const useCase = over === "oa-main" ? "oa-then-ob" : "an-then-ob";

  it.each(["openai", "anthropic"] as const)(
    "case 9: after 200 and metadata alone, the next rung answers unseen (%s client)",
    async (dialect) => {
      vendor.play(inPieces([wires[over].opening, errors[over]]), inPieces([wholeStream("oa-main", "Second.")]));
      const answer = await told(await ask(house.origin, house.key, { useCase, stream: true, dialect }));
      expect(answer).toMatchObject({ status: 200, text: "Second.", whole: true });
      expect(answer.body).not.toContain("vendor's own words");
      // Two starts in one stream would be two messages.
      expect(answer.body.match(/message_start"|"role":"assistant"/g)?.length).toBeLessThanOrEqual(2);
      const { attempts } = await recordFor(answer.headers);
      expect(attempts).toMatchObject([
        { model: over, status: "failed", reason: "vendor_error" },
        { model: "ob-main", status: "ok" },
      ]);
      await nothingLeft(house);
    },
  );

  it("case 10: after content, an error in the client's dialect, a partial record, and no further rung", async () => {
    const sent = [wires[over].opening, wires[over].content("One, "), errors[over]];
    vendor.fallback(inPieces(sent));
    const chat = openaiOf(house).chat.completions.stream({ model: useCase, messages });
    const heard: string[] = [];
    chat.on("content", (delta) => heard.push(delta));
    await expect(chat.finalChatCompletion()).rejects.toMatchObject({ code: "stream_broken" });
    const message = anthropicOf(house).messages.stream({ model: useCase, messages, max_tokens: 50 });
    message.on("text", (delta) => heard.push(delta));
    await expect(message.finalMessage()).rejects.toThrow();
    expect(heard).toEqual(["One, ", "One, "]);
    expect(vendor.calls).toHaveLength(2);
    for (const dialect of ["openai", "anthropic"] as const) {
      const answer = await told(await ask(house.origin, house.key, { useCase, stream: true, dialect }));
      expect(answer).toMatchObject({ text: "One, ", whole: false, code: "stream_broken" });
      expect(answer.body).not.toContain("vendor's own words");
      const { attempts, settled } = await recordFor(answer.headers);
      expect(attempts).toMatchObject([{ status: "failed", reason: "vendor_error", usage: { estimated: true } }]);
      expect(settled).toMatchObject([{ state: "failed", delivered: { complete: false } }]);
      expect(settled[0]!.cost_nano_usd).toBe(attempts[0]!.cost_nano_usd);
      expect(settled[0]!.cost_nano_usd).toBeGreaterThan(0);
    }
    await nothingLeft(house);
  });
});
