import { describe, expect, it } from "vitest";
import { aDecision, aVendor, aVendorModel } from "../../../tests/fixtures/decision.ts";
import { vendorDialectOf } from "../../engines/dialects/index.ts";
import type { ChatEvent } from "../../kernel/chat.ts";
import type { AttemptMeta } from "../../kernel/decision.ts";
import { noUsage } from "../../kernel/usage.ts";
import type { Frame } from "../../path/context.ts";
import { MoneyBook, TokenCalibration } from "../reserve/index.ts";
import { Attempt } from "./attempt.ts";
import { HealthBook } from "./health/index.ts";
import { UpstreamFault, type UpstreamResponse } from "./upstream.ts";
import { openStream } from "./vendor-stream.ts";
import type { ChatCall, Prepared } from "./vendor.ts";

const record = (value: unknown) => `data: ${JSON.stringify(value)}\n\n`;
const text = (content: string) => record({ choices: [{ index: 0, delta: { content } }] });
const start = record({ model: "m", choices: [{ index: 0, delta: { role: "assistant", content: "" } }] });
const finish = record({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] });
const usage = record({ choices: [], usage: { prompt_tokens: 9, completion_tokens: 4 } });
const done = "data: [DONE]\n\n";

/** A vendor's body that brings what the test pushes, when it pushes it. */
function setUp(options: { sameDialect?: boolean; withholdUsage?: boolean; firstTokenMs?: number; type?: string } = {}) {
  const d = aDecision();
  const attempts: AttemptMeta[] = [];
  const calibration = new TokenCalibration();
  const queue: (string | null)[] = [];
  let wake: (() => void) | undefined;
  let fault: UpstreamFault | undefined;
  const response: UpstreamResponse = {
    status: 200,
    headers: { "content-type": options.type ?? "text/event-stream; charset=utf-8" },
    body: {
      async *[Symbol.asyncIterator]() {
        for (;;) {
          const next = queue.shift();
          if (next === null) return;
          if (next !== undefined) yield Buffer.from(next);
          else if (fault) throw fault;
          else await new Promise<void>((resolve) => (wake = resolve));
        }
      },
    },
    whole: () => Promise.reject(new Error("not asked for")),
    finish: () => undefined,
    cancel: (reason = "aborted") => {
      fault ??= new UpstreamFault(reason);
      wake?.();
    },
  };
  const ports = {
    money: new MoneyBook(d.clock),
    health: new HealthBook(d.clock),
    report: () => undefined,
    record: (_d: unknown, meta: AttemptMeta) => void attempts.push(meta),
  };
  const model = aVendorModel();
  const attempt = Attempt.begin(ports, d, {
    rung: 0,
    model: model.name,
    target: "acme/m",
    region: "eu",
    price: model.price,
    worstCase: noUsage,
  })!;
  const prepared: Prepared = {
    dialect: vendorDialectOf("openai-chat"),
    request: { model: "m", messages: [], stream: true, wants_usage: false, unmodelled: [] },
    body: "",
    dropped: [],
    sameDialect: options.sameDialect ?? true,
    withholdUsage: options.withholdUsage ?? true,
    worstCase: noUsage,
    bounds: {},
    estimate: 100,
    expectedInput: 100,
  };
  const { firstTokenMs } = options;
  const vendor = aVendor({
    timeouts: { connectMs: 1000, firstByteMs: 1000, idleMs: 1000, ...(firstTokenMs !== undefined && { firstTokenMs }) },
  });
  const call = {
    ports: { calibration, keyRefusal: () => undefined },
    d,
    rung: { index: 0, model, vendor, stream: true },
    prepared,
  } as unknown as ChatCall;
  return {
    d,
    attempts,
    calibration,
    open: () => openStream(call, response, attempt),
    push(...chunks: (string | null)[]) {
      queue.push(...chunks);
      wake?.();
    },
  };
}

async function read(frames: AsyncIterable<Frame>): Promise<{ raw: string; events: ChatEvent[]; frames: number }> {
  let raw = "";
  let count = 0;
  const events: ChatEvent[] = [];
  for await (const frame of frames) {
    count += 1;
    raw += Buffer.from(frame.raw ?? []).toString();
    events.push(...frame.events);
  }
  return { raw, events, frames: count };
}

const framesOf = (opened: Awaited<ReturnType<ReturnType<typeof setUp>["open"]>>): AsyncIterable<Frame> => {
  if (!("served" in opened) || opened.served.type !== "stream") throw new Error("not a stream");
  return opened.served.frames;
};

describe("openStream", () => {
  it("one chunk is one frame, byte for byte, less the usage that nobody asked for", async () => {
    const { open, push, attempts } = setUp();
    push(start + text("Hel") + text("lo") + finish + usage + done);
    const { raw, frames } = await read(framesOf(await open()));
    expect({ raw, frames }).toEqual({ raw: start + text("Hel") + text("lo") + finish + done, frames: 1 });
    expect(attempts).toMatchObject([{ status: "ok", usage: { input: 9, output: 4, estimated: false } }]);
  });

  it("what the vendor counted teaches how its model counts", async () => {
    const { open, push, calibration } = setUp();
    push(start + text("Hello") + finish + usage + done);
    await read(framesOf(await open()));
    expect(calibration.of("large").samples).toBe(1);
  });

  it("a record cut over chunks is whole in the frame that completes it", async () => {
    const whole = start + text("Hello") + finish + done;
    for (const cut of [1, start.length - 1, start.length + 3, whole.length - 2]) {
      const { open, push } = setUp();
      push(whole.slice(0, cut), whole.slice(cut));
      expect((await read(framesOf(await open()))).raw).toBe(whole);
    }
  });

  it("what came before a vendor's error in the same chunk is delivered, and the failure told", async () => {
    const { open, push, attempts } = setUp();
    push(start + text("Hel") + record({ error: { message: "overloaded" } }));
    const { raw, events } = await read(framesOf(await open()));
    expect(raw).toBe(start + text("Hel"));
    expect(events.at(-1)).toMatchObject({ type: "error", code: "stream_broken" });
    expect(attempts).toMatchObject([{ status: "failed", reason: "vendor_error", usage: { estimated: true } }]);
  });

  it("an error before any content is the rung's failure, not the client's (case 9)", async () => {
    const { open, push } = setUp();
    push(start + record({ error: { message: "overloaded" } }));
    expect(await open()).toMatchObject({ failed: "vendor_error" });
  });

  it.each([
    ["without its terminator (case 12)", start + text("Hel") + finish, "truncated"],
    ["in the middle of a record", `${start}${text("Hel")}data: {"cho`, "vendor_error"],
  ])("a stream that ends %s never looks like success", async (_how, sent, reason) => {
    const { open, push, attempts } = setUp();
    push(sent, null);
    const { events } = await read(framesOf(await open()));
    expect(events.at(-1)).toMatchObject({ type: "error", message: reason });
    expect(attempts).toMatchObject([{ status: "failed", reason }]);
  });

  it("no content in time: first_token_timeout, and no timer is left (case 18)", async () => {
    const { open, push, d } = setUp({ firstTokenMs: 800 });
    push(start, ": still thinking\n\n");
    const opening = open().catch((fault: UpstreamFault) => fault.reason);
    const timers = d.clock as unknown as { advance(ms: number): Promise<void>; pendingTimers: number };
    await timers.advance(799);
    push(": still thinking\n\n");
    await timers.advance(1);
    expect(await opening).toBe("first_token_timeout");
  });

  it("content in time lifts the limit", async () => {
    const { open, push, d } = setUp({ firstTokenMs: 800 });
    push(start + text("a"));
    const frames = framesOf(await open());
    await (d.clock as unknown as { advance(ms: number): Promise<void> }).advance(5000);
    push(finish + done);
    expect((await read(frames)).events.at(-1)).toEqual({ type: "end" });
  });

  it("another media type is no stream, however it reads", async () => {
    const { open, push } = setUp({ type: "application/json" });
    push(start + done, null);
    expect(await open()).toMatchObject({ failed: "not_a_stream" });
  });

  it("a reader who leaves before the first read books what had come", async () => {
    const { open, push, attempts } = setUp();
    push(start + text("Hello"));
    const frames = framesOf(await open());
    await frames[Symbol.asyncIterator]().return?.();
    expect(attempts).toMatchObject([{ status: "aborted", usage: { output: 2, estimated: true } }]);
  });
});
