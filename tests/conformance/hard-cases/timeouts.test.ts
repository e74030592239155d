/** Hard case 18: four ways to be too slow, each with a name of its own. Before the first content the next rung takes over. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { VirtualClock } from "../../../src/kernel/clock.ts";
import { type TimedHouse, ask, recordOf, told, turns } from "../../faults/vendor-house.ts";
import { nothingLeft, startHardHouse } from "./hard-house.ts";
import { type RawCall, type RawVendor, httpChunk, inPieces, startRawVendor, streamHead } from "./raw-vendor.ts";
import { wholeStream, wires } from "./wire.ts";

// The limits of `limited-main`: first byte 3 s, first token 6 s, idle 4 s, the whole 20 s, 50 bytes a second over 10 s.
const useCases = "timed: { kind: chat, ladder: [limited-main, ob-main], retries: 0, deadline: 5m }";
const wire = wires["oa-main"];

let vendor: RawVendor;
let house: TimedHouse;
let clock: VirtualClock;
beforeAll(async () => {
  vendor = await startRawVendor();
  clock = new VirtualClock();
  house = await startHardHouse(clock, vendor.origin, useCases);
});
afterAll(async () => {
  await house.close();
  await vendor.close();
});
beforeEach(() => vendor.reset());

interface Pace {
  begins?: string;
  /** Sent each second from then on. */
  drips?: string;
  seconds: number;
}

/** Plays a vendor at this pace on virtual time; what the client was told, and after how many seconds the vendor was given up. */
async function paced({ begins, drips, seconds }: Pace, stream: boolean) {
  const whole =
    '{"id":"c","choices":[{"index":0,"message":{"role":"assistant","content":"Second."},"finish_reason":"stop"}]}';
  const answer = stream
    ? inPieces([wholeStream("oa-main", "Second.")])
    : ({ socket }: RawCall) =>
        void socket.write(
          `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${whole.length}\r\n\r\n${whole}`,
        );
  vendor.play(({ socket }) => void (begins && socket.write(begins)), answer);
  const pending = ask(house.origin, house.key, { useCase: "timed", stream }).then(told);
  const call = await vendor.arrival(0);
  await turns();
  let givenUpAt: number | undefined;
  for (let second = 1; second <= seconds && givenUpAt === undefined; second++) {
    if (drips && second > 1) call.socket.write(drips);
    await turns();
    await clock.advance(1000);
    await turns();
    if (call.socket.destroyed || call.socket.readableEnded) givenUpAt = second;
  }
  const told_ = await pending;
  const { attempts, settled } = await recordOf(house, told_.headers.get("x-weir-decision-id"));
  await nothingLeft(house);
  return { answer: told_, givenUpAt, attempts, settled: settled[0]! };
}

const chunks = (...texts: string[]) => streamHead + texts.map((text) => httpChunk(text).toString()).join("");
/** A floor that is not kept is a failure of the vendor's; the others are waits that ran out. */
const statusOf = (reason: string) => (reason === "too_slow" ? "failed" : "timeout");
const headOnly = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 5000\r\n\r\n{";

describe("case 18: a vendor that is too slow", () => {
  it.each([
    ["no first byte", "first_byte_timeout", 3, { seconds: 30 }],
    [
      "bytes, but no content",
      "first_token_timeout",
      6,
      { begins: chunks(wire.opening), drips: httpChunk(`: ${"-".repeat(80)}\n\n`).toString(), seconds: 30 },
    ],
    ["a pause before any content", "idle_timeout", 4, { begins: chunks(wire.opening), seconds: 30 }],
  ] as const)("%s: %s after %i s, and the next rung answers", async (_what, reason, second, pace) => {
    const { answer, givenUpAt, attempts, settled } = await paced(pace, true);
    expect(attempts).toMatchObject([
      { model: "limited-main", status: "timeout", reason, usage: { estimated: true } },
      { model: "ob-main", status: "ok" },
    ]);
    expect(givenUpAt).toBe(second);
    expect(answer).toMatchObject({ status: 200, text: "Second.", whole: true });
    expect(settled).toMatchObject({ state: "answered", model: "ob-main" });
  });

  it.each([
    ["a pause between chunks", "idle_timeout", 4, { begins: chunks(wire.opening, wire.content("One, ")), seconds: 30 }],
    [
      "drops under the floor",
      "too_slow",
      10,
      { begins: chunks(wire.opening, wire.content("One, ")), drips: httpChunk(":\n\n").toString(), seconds: 30 },
    ],
    [
      "no end, however lively",
      "total_timeout",
      20,
      {
        begins: chunks(wire.opening, wire.content("One, ")),
        drips: httpChunk(wire.content("and ")).toString(),
        seconds: 30,
      },
    ],
  ] as const)("%s after content: %s after %i s, told as an error", async (_what, reason, second, pace) => {
    const { answer, givenUpAt, attempts, settled } = await paced(pace, true);
    expect(attempts).toMatchObject([
      { model: "limited-main", status: statusOf(reason), reason, usage: { estimated: true } },
    ]);
    expect(givenUpAt).toBe(second);
    expect(answer).toMatchObject({ code: "stream_broken", whole: false });
    expect(answer.text).toMatch(/^One, /);
    expect(settled).toMatchObject({ state: "failed", code: "stream_broken", delivered: { complete: false } });
    expect(vendor.calls).toHaveLength(1);
  });

  it.each([
    ["no first byte", "first_byte_timeout", 3, { seconds: 30 }],
    ["a pause in the body", "idle_timeout", 4, { begins: headOnly, seconds: 30 }],
    ["a body that never ends", "total_timeout", 20, { begins: headOnly, drips: " ".repeat(100), seconds: 30 }],
    ["a body that drips", "too_slow", 10, { begins: headOnly, drips: " ", seconds: 30 }],
  ] as const)("%s of a whole answer: %s after %i s, and the next rung answers", async (_what, reason, second, pace) => {
    const { answer, givenUpAt, attempts } = await paced(pace, false);
    expect(attempts).toMatchObject([
      { model: "limited-main", status: statusOf(reason), reason },
      { model: "ob-main", status: "ok" },
    ]);
    expect(givenUpAt).toBe(second);
    expect(answer).toMatchObject({ status: 200, text: "Second." });
  });
});
