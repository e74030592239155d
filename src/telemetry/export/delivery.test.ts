import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../kernel/clock.ts";
import { Delivery, type DeliveryOutcome } from "./delivery.ts";
import { type OutboundResponse, OutboundFault } from "./outbound.ts";

type Reply = number | OutboundResponse | OutboundFault;

/** An outbound that answers as told, at once; `hold` lets it wait. */
function setUp(
  replies: Reply[],
  { capacity = 3, tries = 3, hold }: { capacity?: number; tries?: number; hold?: Promise<void> } = {},
) {
  const clock = new VirtualClock();
  const sent: string[] = [];
  const told: DeliveryOutcome[] = [];
  const outbound = {
    async post({ body }: { body: string | Uint8Array }) {
      sent.push(String(body));
      await hold;
      const reply = replies.shift() ?? 200;
      if (reply instanceof OutboundFault) throw reply;
      return typeof reply === "number" ? { status: reply, body: "" } : reply;
    },
    close() {},
  };
  const delivery = new Delivery({
    clock,
    outbound,
    capacity,
    tries,
    firstPauseMs: 1000,
    longestPauseMs: 60_000,
    retryable: (status) => status >= 500 || status === 429,
    told: (outcome) => told.push(outcome),
  });
  const push = (body: string) =>
    delivery.push(() => ({
      url: "https://example.com/",
      headers: {},
      body: `${body}@${clock.monotonic()}`,
      timeoutMs: 1,
    }));
  return { clock, delivery, push, sent, told };
}

describe("Delivery", () => {
  it("sends in order, one at a time", async () => {
    const { clock, push, sent, told } = setUp([]);
    for (const body of ["a", "b", "c"]) push(body);
    expect(sent).toEqual(["a@0"]);
    await clock.advance(0);
    expect(sent).toEqual(["a@0", "b@0", "c@0"]);
    expect(told).toEqual(["delivered", "delivered", "delivered"]);
  });

  it("tries again with growing pauses, made anew each time; what comes after waits its turn", async () => {
    const { clock, push, sent, told } = setUp([503, new OutboundFault("timeout", "late"), 200]);
    push("a");
    push("b");
    await clock.advance(749);
    expect(sent).toEqual(["a@0"]);
    await clock.advance(501);
    expect(sent).toHaveLength(2);
    await clock.advance(2500);
    expect(sent.map((each) => each[0])).toEqual(["a", "a", "a", "b"]);
    expect(new Set(sent).size).toBe(4);
    expect(told).toEqual(["retried", "retried", "delivered", "delivered"]);
  });

  it("waits as long as the other side asks", async () => {
    const { clock, push, sent } = setUp([{ status: 429, body: "", retryAfterMs: 20_000 }]);
    push("a");
    await clock.advance(19_999);
    expect(sent).toHaveLength(1);
    await clock.advance(1);
    expect(sent).toHaveLength(2);
  });

  it.each([
    ["gives up in the end", [500, 500, 500], ["retried", "retried", "gave_up"]],
    ["takes a final answer for one", [400], ["rejected"]],
    ["does not repeat what may not be called", [new OutboundFault("refused_address", "no")], ["rejected"]],
    ["is told that nobody listens any more", [410], ["gone"]],
  ] as [string, Reply[], DeliveryOutcome[]][])("%s", async (_what, replies, outcomes) => {
    const { clock, delivery, push, told } = setUp(replies);
    push("a");
    await clock.advance(120_000);
    expect(told).toEqual(outcomes);
    expect(delivery.waiting).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it("drops the oldest that waits, never the one under way", async () => {
    const gate = Promise.withResolvers<void>();
    const { clock, push, sent, told } = setUp([], { capacity: 2, hold: gate.promise });
    for (const body of ["a", "b", "c"]) push(body);
    expect(told).toEqual(["dropped"]);
    gate.resolve();
    await clock.advance(0);
    expect(sent.map((each) => each[0])).toEqual(["a", "c"]);
  });

  it("settled: waits for what is under way, not for a pause; closing drops the rest", async () => {
    const { clock, delivery, push, told } = setUp([503]);
    push("a");
    push("b");
    await delivery.settled();
    expect(told).toEqual(["retried"]);
    delivery.close();
    expect(told).toEqual(["retried", "dropped", "dropped"]);
    expect(clock.pendingTimers).toBe(0);
    push("c");
    expect(told.at(-1)).toBe("dropped");
  });
});
