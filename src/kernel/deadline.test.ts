import { describe, expect, it } from "vitest";
import { VirtualClock } from "./clock.ts";
import { withDeadline } from "./deadline.ts";

function setUp(client = new AbortController()) {
  const clock = new VirtualClock();
  const deadline = withDeadline(clock, client.signal, 100, () => "late");
  return { clock, client, deadline };
}

describe("withDeadline", () => {
  it("aborts with what `late` says when the time has passed, not before", async () => {
    const { clock, deadline } = setUp();
    await clock.advance(99);
    expect(deadline.signal.aborted).toBe(false);
    await clock.advance(1);
    expect(deadline.signal.reason).toBe("late");
  });

  it("aborts with the client's reason, and keeps it when the deadline passes later", async () => {
    const { clock, client, deadline } = setUp();
    client.abort("gone");
    await clock.advance(200);
    expect(deadline.signal.reason).toBe("gone");
  });

  it("is aborted from the start when the client has gone before", () => {
    const client = new AbortController();
    client.abort("gone");
    expect(setUp(client).deadline.signal.reason).toBe("gone");
  });

  it("keeps the first of several reasons", async () => {
    const { clock, client, deadline } = setUp();
    deadline.abort("stopped");
    client.abort("gone");
    await clock.advance(200);
    expect(deadline.signal.reason).toBe("stopped");
  });

  it("after cancel neither time nor client abort it, and no timer is left", async () => {
    const { clock, client, deadline } = setUp();
    deadline.cancel();
    expect(clock.pendingTimers).toBe(0);
    client.abort("gone");
    await clock.advance(200);
    expect(deadline.signal.aborted).toBe(false);
  });
});
