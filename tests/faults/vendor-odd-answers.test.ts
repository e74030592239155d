/** Whatever a vendor says, Weir has no fault of its own, tells the client something standard, and gives back what it held. */
import { connect } from "node:net";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type ScriptedVendor, startScriptedVendor } from "../fixtures/scripted-vendor.ts";
import {
  type TimedHouse,
  WatchedClock,
  ask,
  leftovers,
  recordOf,
  startOnClock,
  told,
  turns,
  until,
  vendorConfig,
} from "./vendor-house.ts";

const useCases = `
openai: { kind: chat, ladder: [oa-main], retries: 0 }
anthropic: { kind: chat, ladder: [an-main], retries: 0 }
hurried: { kind: chat, ladder: [oa-main], retries: 0, deadline: 2s }
`;

let vendor: ScriptedVendor;
let house: TimedHouse;
let clock: WatchedClock;
beforeAll(async () => {
  vendor = await startScriptedVendor();
  clock = new WatchedClock();
  house = await startOnClock(clock, vendorConfig(vendor.origin, useCases));
});
afterAll(async () => {
  await house.close();
  await vendor.close();
});
beforeEach(() => vendor.reset());

const kinds = ["openai", "anthropic"] as const;

const oddNumbers: [string, string][] = [
  ["fractions", "1.5"],
  ["negative counts", "-7"],
  ["counts beyond every tariff", "9007199254740991"],
  ["counts beyond every number", "1e999"],
  ["text", '"many"'],
  ["null", "null"],
];

describe.each(kinds)("a usage report of an %s vendor", (useCase) => {
  const usage = (n: string) =>
    useCase === "openai"
      ? `{"prompt_tokens":${n},"completion_tokens":${n},"total_tokens":${n},"prompt_tokens_details":{"cached_tokens":${n}}}`
      : `{"input_tokens":${n},"output_tokens":${n},"cache_read_input_tokens":${n},"cache_creation_input_tokens":${n}}`;
  const whole = (n: string) =>
    useCase === "openai"
      ? `{"id":"x","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"Yes."},"finish_reason":"stop"}],"usage":${usage(n)}}`
      : `{"id":"x","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"Yes."}],"stop_reason":"end_turn","usage":${usage(n)}}`;
  const stream = (n: string) =>
    useCase === "openai"
      ? `data: {"id":"x","model":"m","choices":[{"index":0,"delta":{"content":"Yes."}}]}\n\ndata: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: {"choices":[],"usage":${usage(n)}}\n\ndata: [DONE]\n\n`
      : `event: message_start\ndata: {"type":"message_start","message":{"model":"m","usage":${usage(n)}}}\n\nevent: content_block_start\ndata: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\nevent: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Yes."}}\n\nevent: content_block_stop\ndata: {"type":"content_block_stop","index":0}\n\nevent: message_delta\ndata: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":${usage(n)}}\n\nevent: message_stop\ndata: {"type":"message_stop"}\n\n`;

  describe.each([
    ["whole", false],
    ["streaming", true],
  ])("%s", (_how, streaming) => {
    it.each(oddNumbers)("of %s costs nobody the answer, nor what is held", async (_name, n) => {
      const before = leftovers(house);
      const contentType = streaming ? "text/event-stream" : "application/json";
      vendor.play({ lie: { contentType, body: streaming ? stream(n) : whole(n) } });
      const answer = await told(await ask(house.origin, house.key, { useCase, stream: streaming }));
      const { status, text, code } = answer;
      expect({ status, text, code, left: leftovers(house) }).toEqual({
        status: 200,
        text: "Yes.",
        code: undefined,
        left: before,
      });
      const { attempts, settled } = await recordOf(house, answer.headers.get("x-weir-decision-id"));
      expect([attempts.length, settled.length]).toEqual([1, 1]);
      expect(Number.isSafeInteger(attempts[0]!.cost_nano_usd) && attempts[0]!.cost_nano_usd >= 0).toBe(true);
    });
  });
});

/** Small JSON values of every type, with the field names that the dialects look for. */
const names =
  "id,model,choices,message,delta,content,text,type,index,tool_calls,function,name,arguments,finish_reason,usage,prompt_tokens,error,code,content_block,stop_reason,partial_json,input,role,refusal,reasoning".split(
    ",",
  );
const odd = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.constantFrom(
      null,
      true,
      0,
      -1,
      1.5,
      "",
      "text",
      "tool_use",
      "text_delta",
      "input_json_delta",
      "stop",
      "{}",
      "[1",
    ),
    fc.dictionary(fc.constantFrom(...names), tie("value"), { maxKeys: 6 }),
    fc.array(tie("value"), { maxLength: 3 }),
  ),
})).value;
const eventTypes = [
  "message_start",
  "content_block_start",
  "content_block_delta",
  "content_block_stop",
  "message_delta",
  "message_stop",
  "error",
  "ping",
  "news",
];

describe.each(kinds)("any JSON from an %s vendor", (useCase) => {
  const check = async (contentType: string, body: string, stream: boolean) => {
    const before = leftovers(house);
    vendor.play({ lie: { contentType, body } });
    const answer = await told(
      await ask(house.origin, house.key, { useCase, stream, dialect: useCase === "openai" ? "anthropic" : "openai" }),
    );
    expect(["ladder_exhausted", "stream_broken", undefined]).toContain(answer.code);
    expect(leftovers(house)).toEqual(before);
  };

  it("as a whole answer is an answer or a failed rung", async () => {
    const shaped =
      useCase === "openai"
        ? fc.record({
            choices: fc.array(fc.record({ message: odd, finish_reason: odd }), { maxLength: 2 }),
            usage: odd,
            model: odd,
          })
        : fc.record({
            type: fc.constant("message"),
            content: fc.array(odd, { maxLength: 3 }),
            usage: odd,
            model: odd,
            stop_reason: odd,
          });
    await fc.assert(
      fc.asyncProperty(fc.oneof(odd, shaped), (value) => check("application/json", JSON.stringify(value), false)),
      { numRuns: 120, seed: 7 },
    );
  });

  it("as events is an answer, a failed rung or a broken stream", async () => {
    const event =
      useCase === "openai"
        ? fc.oneof(
            odd,
            fc.record({
              choices: fc.array(fc.record({ index: odd, delta: odd, finish_reason: odd }), { maxLength: 2 }),
              usage: odd,
            }),
          )
        : fc
            .tuple(fc.constantFrom(...eventTypes), fc.dictionary(fc.constantFrom(...names), odd, { maxKeys: 4 }))
            .map(([type, fields]) => ({ ...fields, type }));
    const text = (events: readonly unknown[]) =>
      events
        .map((one) => `event: ${(one as { type?: string } | null)?.type ?? "x"}\ndata: ${JSON.stringify(one)}\n\n`)
        .join("");
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 5 }), fc.boolean(), (events, done) =>
        check("text/event-stream", text(events) + (done ? "data: [DONE]\n\n" : ""), true),
      ),
      { numRuns: 120, seed: 7 },
    );
  });
});

describe("a client that doesn't read its stream", () => {
  it("holds the vendor back, and is given up at the deadline with everything it held", async () => {
    const before = leftovers(house);
    let written = 0;
    const pieces = 400;
    vendor.play({
      text: "x".repeat(40 << 20),
      pieces,
      gate: () => {
        written += 1;
        return turns(1);
      },
    });
    const socket = connect(Number(new URL(house.origin).port), "127.0.0.1");
    socket.on("error", () => {});
    socket.pause();
    const body = JSON.stringify({ model: "hurried", stream: true, messages: [{ role: "user", content: "hi" }] });
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: weir\r\nauthorization: Bearer ${house.key}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    await vendor.arrival(0);
    await until(() => written === pieces, "the vendor has written");
    await turns(50);
    await clock.advance(2001);
    await turns(200);
    const left = leftovers(house);
    socket.destroy();
    await until(() => house.house.limits.running === 0, "it is settled at the latest when the client goes");
    expect(left).toEqual(before);
  });
});
