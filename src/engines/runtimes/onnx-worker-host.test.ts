import { EventEmitter } from "node:events";
import { describe, expect, it } from "vitest";
import { applicant } from "../../../tests/fixtures/onnx/load.ts";
import { VirtualClock } from "../../kernel/clock.ts";
import type { OnnxWorkerMessage, ScoreCall } from "./onnx-messages.ts";
import { OnnxWorkerHost, type Thread } from "./onnx-worker-host.ts";

const started = { cost: { callMicros: 200, rowMicros: 3 }, engine: "onnxruntime-web" };
const rows = (count = 1) => ({ count, numbers: new Float32Array(count), texts: [] });

/** A thread that says what the test tells it to say. */
class ScriptedThread extends EventEmitter implements Thread {
  calls: ScoreCall[] = [];
  held = true;
  terminated = false;
  postMessage(call: ScoreCall): void {
    this.calls.push(call);
  }
  ref(): void {
    this.held = true;
  }
  unref(): void {
    this.held = false;
  }
  async terminate(): Promise<void> {
    this.terminated = true;
    this.emit("exit", 1);
  }
  say(message: OnnxWorkerMessage): void {
    this.emit("message", message);
  }
  ready(): void {
    this.say({ type: "ready", ...started });
  }
}

function setUp() {
  const threads: ScriptedThread[] = [];
  const clock = new VirtualClock();
  const host = new OnnxWorkerHost(
    { name: "m", bytes: new Uint8Array(), contract: applicant, native: false },
    clock,
    () => {
      threads.push(new ScriptedThread());
      return threads.at(-1)!;
    },
  );
  const begin = async () => {
    const started = host.start();
    threads.at(-1)!.ready();
    await started;
    return threads.at(-1)!;
  };
  return { clock, host, threads, begin };
}

const settled = async (promise: Promise<unknown>) => (await Promise.allSettled([promise]))[0];
const failure = (message: RegExp) => ({
  status: "rejected",
  reason: expect.objectContaining({ message: expect.stringMatching(message) }),
});
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("OnnxWorkerHost", () => {
  it("gives each call its own answer, in whatever order they come", async () => {
    const { host, begin } = setUp();
    const thread = await begin();
    const calls = [host.run(rows()), host.run(rows()), host.run(rows())];
    await turn();
    const [a, b, c] = thread.calls.map((call) => call.id) as [number, number, number];
    thread.say({ type: "scored", id: c, scores: Float32Array.of(0.75) });
    thread.say({ type: "failed", id: b, message: "the graph's score is not a number" });
    thread.say({ type: "scored", id: a, scores: Float32Array.of(0.25) });
    const [first, second, third] = await Promise.allSettled(calls);
    expect([first, third]).toEqual([
      { status: "fulfilled", value: Float32Array.of(0.25) },
      { status: "fulfilled", value: Float32Array.of(0.75) },
    ]);
    expect(second).toMatchObject(failure(/not a number/));
  });

  it("holds the process only while a call waits", async () => {
    const { host, begin } = setUp();
    const thread = await begin();
    expect(thread.held).toBe(false);
    const call = host.run(rows());
    await turn();
    expect(thread.held).toBe(true);
    thread.say({ type: "scored", id: thread.calls[0]!.id, scores: new Float32Array(1) });
    await call;
    expect(thread.held).toBe(false);
  });

  it("rejects what was in flight when the thread dies, and starts another for the next call", async () => {
    const { host, threads, begin } = setUp();
    const first = await begin();
    const lost = settled(host.run(rows()));
    await turn();
    first.emit("error", new Error("out of memory"));
    first.emit("exit", 1);
    expect(await lost).toMatchObject(failure(/its worker failed: out of memory/));
    const next = host.run(rows());
    threads[1]!.ready();
    await turn();
    threads[1]!.say({ type: "scored", id: threads[1]!.calls[0]!.id, scores: Float32Array.of(0.5) });
    expect(await next).toEqual(Float32Array.of(0.5));
    expect(threads).toHaveLength(2);
  });

  it("stops starting threads that die at once, until a minute has passed", async () => {
    const { clock, host, threads } = setUp();
    for (let i = 0; i < 4; i++) {
      const call = settled(host.run(rows()));
      threads.at(-1)!.emit("exit", 7);
      expect(await call).toMatchObject(failure(/exit code 7/));
    }
    expect(await settled(host.run(rows()))).toMatchObject(failure(/stopped 4 times within a minute/));
    expect(threads).toHaveLength(4);
    await clock.advance(60_000);
    const again = host.start();
    threads.at(-1)!.ready();
    await expect(again).resolves.toEqual(started);
    expect(threads).toHaveLength(5);
  });

  it("passes on why a file was refused", async () => {
    const { host, threads } = setUp();
    const start = settled(host.start());
    threads[0]!.say({ type: "refused", message: "no output `score`" });
    expect(await start).toMatchObject(failure(/no output `score`/));
  });

  it.each([
    ["a short call", 1, 5_000],
    ["a call that takes long by its size", 50_000, 15_020],
  ])("replaces a thread that hangs in %s", async (_what, count, limitMs) => {
    const { clock, host, threads, begin } = setUp();
    const first = await begin();
    const call = settled(host.run(rows(count)));
    await clock.advance(limitMs - 1);
    expect(first.terminated).toBe(false);
    await clock.advance(1);
    expect(await call).toMatchObject(failure(/did not answer for \d+ s and was ended/));
    expect((await call)!.status === "rejected" && (await call)).toMatchObject({ reason: { name: "LaneLost" } });
    expect(first.terminated).toBe(true);
    const next = host.run(rows());
    threads[1]!.ready();
    await turn();
    threads[1]!.say({ type: "scored", id: threads[1]!.calls[0]!.id, scores: Float32Array.of(0.5) });
    expect(await next).toEqual(Float32Array.of(0.5));
    expect(clock.pendingTimers).toBe(0);
  });

  it("ends a thread that is never ready", async () => {
    const { clock, host, threads } = setUp();
    const start = settled(host.start());
    await clock.advance(120_000);
    expect(await start).toMatchObject(failure(/not ready after 120 s/));
    expect(threads[0]!.terminated).toBe(true);
  });

  it("ends the thread on close, and says so to those who wait or come later", async () => {
    const { host, begin } = setUp();
    const thread = await begin();
    const waiting = settled(host.run(rows()));
    await turn();
    await host.close();
    expect(thread.terminated).toBe(true);
    expect(await waiting).toMatchObject(failure(/closed before the call was answered/));
    expect(await settled(host.run(rows()))).toMatchObject(failure(/was closed/));
  });
});
